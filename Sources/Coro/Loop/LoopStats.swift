import CCoro

extension EventLoop {
    /// What there is on this thread's loop, and what has happened so far.
    public static var stats: Stats {
        get throws(CoroError) {
            var stats = coro_stats()
            stats.struct_size = MemoryLayout<coro_stats>.size
            try check(coro_get_stats(&stats))
            return Stats(stats)
        }
    }

    /// What `coro_get_stats` tells of a loop.
    public struct Stats: Hashable, Sendable {
        // What there is now.

        /// Coroutines: those that have not ended, and those that nobody has joined or dropped.
        public let coroutines: Int
        /// Those that wait for their turn to run.
        public let runnable: Int
        /// Waits for a descriptor, or for a process to end.
        public let descriptorWaiters: Int
        /// Waits that end at a time.
        public let timers: Int
        /// Descriptors of which the loop knows.
        public let descriptors: Int
        /// Stacks of coroutines that have not ended.
        public let stacksInUse: Int
        /// Stacks that are free, with the memory that they last used.
        public let stacksKept: Int
        /// Address space mapped for stacks, in bytes.
        public let stackBytes: Int

        // What has happened so far: these only grow.

        /// Coroutines that were created.
        public let created: Int
        /// Passes of the loop.
        public let passes: Int
        /// Coroutines that ran in a row, several such rows in one pass where nothing else was to do.
        public let batches: Int
        /// How often a coroutine made way, by suspending or by ending.
        public let switches: Int
        /// System calls that asked which descriptors are ready.
        public let polls: Int
        /// What those told of.
        public let events: Int
        /// Work that other threads have posted.
        public let posts: Int
        /// Work that this loop has handed to the thread pool.
        public let blockingCalls: Int
        /// Calls about files that may have had to wait for a disk.
        public let fileOperations: Int

        // What there is now of the thread pool, which is the process's.

        /// Its threads.
        public let blockingThreads: Int
        /// Work that no thread has begun.
        public let blockingQueued: Int
        /// Waits of accepting calls for room for another descriptor.
        public let acceptWaits: Int

        fileprivate init(_ stats: coro_stats) {
            coroutines = Int(stats.coroutines)
            runnable = Int(stats.runnable)
            descriptorWaiters = Int(stats.fd_waiters)
            timers = Int(stats.timers)
            descriptors = Int(stats.descriptors)
            stacksInUse = Int(stats.stacks_in_use)
            stacksKept = Int(stats.stacks_kept)
            stackBytes = Int(stats.stack_bytes)
            created = Int(clamping: stats.created)
            passes = Int(clamping: stats.passes)
            batches = Int(clamping: stats.batches)
            switches = Int(clamping: stats.switches)
            polls = Int(clamping: stats.polls)
            events = Int(clamping: stats.events)
            posts = Int(clamping: stats.posts)
            blockingCalls = Int(clamping: stats.blocking_calls)
            fileOperations = Int(clamping: stats.file_operations)
            blockingThreads = Int(stats.blocking_threads)
            blockingQueued = Int(stats.blocking_queued)
            acceptWaits = Int(clamping: stats.accept_waits)
        }
    }
}
