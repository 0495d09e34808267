import CCoroPlatform

typealias RuntimeRef = UnsafeMutablePointer<Runtime>

/// A thread's loop and all that belongs to it. Only its thread touches it; what other threads may reach is in `Mailbox`.
///
/// Like a control block it is used by reference and in short accesses, none of which spans a switch.
struct Runtime {
    // -- what a switch touches --

    /// Who runs: a coroutine, or `main` for the thread's own stack.
    var current: CoroutineRef
    /// The thread's own stack. While the loop runs there it is also the way back to the loop.
    var main: CoroutineRef
    /// The loop's name: what belongs to it is told by this.
    let loopID: Int64
    var ready: ReadyQueue
    /// How many switches are left until the loop looks at timers and descriptors again.
    var budget: Int32 = 0
    var obstacles = Obstacles()
    /// Where the thread keeps errno and the C++ exceptions in flight. Asked for once: a coroutine never changes threads.
    var errnoHere = coro_errno_here()
    var exceptionsHere = coro_exception_globals_here()

    // -- the loop --

    var clock = Clock()
    /// The time at which this pass began.
    var now: Int64 = 0
    var timers = TimerQueue()
    /// Those who go on in the next pass.
    var nextPass = CoroutineQueue()
    /// How many coroutines were started at once in this pass.
    var startsInARow: UInt32 = 0
    /// How many I/O calls of a coroutine in a row may be done at once.
    var selfishness: UInt16 = 4
    /// When posts that there was no memory for are tried again: see `postsWait`.
    var postsRetryAt: Int64 = 0
    var batch = BatchSize()
    /// The `switchCount` at which all that were runnable when the poller was last asked have had their turn.
    var pollDue: UInt64 = 0
    var poller: PollerRef
    var order = RunOrder()
    var exit = ExitRequest()
    var loopState: LoopState = .idle
    /// How often a call on the thread's own stack has run the loop.
    var driveCount: UInt16 = 0
    var mainQueue = MainQueue()
    /// How often the loop would have waited, but for what was posted.
    var sleeplessPasses: UInt8 = 0
    /// What the watchdog sees of this loop.
    var watched = LatencySettings.initialWatch()
    var latency = LatencySettings()

    // -- what coroutines wait for --

    /// How many coroutines wait for something that goes on outside the loop: see `Completion` and
    /// `Promise`.
    var outsideCount = 0
    /// How many of those wait for a promise, and not for what the runtime itself has under way.
    var promiseWaits = 0
    /// What the thread pool does for this loop,
    var jobs = JobList()
    /// and the look-ups of names among it that others may join.
    var lookups: LookupRef?
    /// Who waits to accept, until there is room for another descriptor.
    var acceptRoom = AcceptRoom()
    /// The functions to be run when a descriptor is ready.
    var handlers = FdHandlers()
    /// The locks that coroutines wait for: a list.
    var contended: LockHeadRef?
    /// How often it was looked for circles among those who wait for keyed locks.
    var lastSearch: Int64 = 0
    /// Those that wait in the place of coroutines that wait for several things, for when they are needed again.
    var standIns = StandInPool()

    // -- coroutines --

    var table = CoroutineTable()
    /// How many in `ready` have been cancelled, and take a place there although the table may know them no more.
    var cancelledInQueue = 0
    var pool = CoroutinePool()
    var stacks = StackPool()
    /// Blocks for calls of targets.
    var calls = CallPool()
    /// How many stacks hold a suspended or running coroutine.
    var startedCount = 0
    var lastID: Int64
    /// The name of the last timeout scope.
    var lastTimeout: Int64 = 0
    var notifier: Notifier?
    /// The processes that were started here.
    var processes = Vector<ProcessRef>()

    // -- the rest --

    var report = ErrorReport()
    /// Where the report of a stack overflow is written: there is no stack to write it on.
    var overflowText: UnsafeMutablePointer<CChar>?
    var mailbox: UnsafeMutablePointer<Mailbox>
    var signals = Signals()
    var faultStack: UnsafeMutableRawPointer?
    var mainStackBottom: UnsafeRawPointer?
    var mainStackSize = 0
    var observers = Observers()
    var hooks = HostHooks()
    var counters = Counters()

    enum LoopState: UInt8 {
        /// No loop runs.
        case idle
        /// A suspending call on the thread's own stack runs it, until that call is done.
        case driven
        /// `coro_event_loop`.
        case explicit
    }
}

/// Who wants to hear of switches, beside the hooks for that. While anybody does, all coroutines of the thread are `observed`,
/// which makes their switches the slow ones.
struct Observers {
    /// AddressSanitizer, which has to know which stack is in use.
    var sanitizer = false
    /// The count of how long each coroutine runs,
    var accounting = false
    /// and since when the running one does.
    var runningSince: Int64 = 0
}

/// What has happened on a loop so far: see `coro_stats`. Counted where it costs nothing: by pass, or by batch.
struct Counters {
    var passes: UInt64 = 0
    var batches: UInt64 = 0
    var posts: UInt64 = 0
    var fileOperations: UInt64 = 0
    /// The switches of batches that are over,
    fileprivate var earlierSwitches: UInt64 = 0
    /// and how many the present one was given.
    fileprivate var budget: Int32 = 0
}

extension RuntimeRef {
    /// Begins a batch of that many switches.
    func giveBudget(_ size: Int32) {
        pointee.counters.earlierSwitches = switchCount
        pointee.counters.batches &+= 1
        pointee.counters.budget = size
        pointee.budget = size
    }

    /// Lets the batch go on for at least that many switches.
    @inline(__always)
    func extendBudget(to least: Int32) {
        let missing = least &- pointee.budget
        if missing <= 0 { return }
        pointee.counters.budget &+= least &- coro_batch_left(pointee.budget)
        pointee.budget = least
    }

    /// How often a coroutine has made way for another, by suspending or by ending.
    var switchCount: UInt64 {
        pointee.counters.earlierSwitches
            &+ UInt64(truncatingIfNeeded: pointee.counters.budget &- coro_batch_left(pointee.budget))
    }
}

typealias Notifier = @convention(c) (Int64, Int32, UnsafePointer<CChar>) -> Int32

extension Runtime {
    /// The calling thread's runtime; nil if it has none.
    @inline(__always)
    static var existing: RuntimeRef? {
        coro_thread_slot_get()?.assumingMemoryBound(to: Runtime.self)
    }

    /// The calling thread's runtime, which is made if there is none; nil without memory.
    @inline(__always)
    static var here: RuntimeRef? {
        existing ?? make()
    }

    @inline(never)
    private static func make() -> RuntimeRef? {
        guard let main = Heap.one(Coroutine(), alignment: 64), let poller = Heap.one(Poller()), let ready = ReadyQueue(),
            let mailbox = LoopRegistry.register()
        else { return nil }
        main.pointee.state = .running
        main.set(.started)
        let runtime = Heap.one(
            Runtime(
                current: main, main: main, loopID: mailbox.pointee.loopID, ready: ready, poller: poller,
                lastID: mailbox.pointee.firstID, mailbox: mailbox),
            alignment: 64)
        guard let runtime else { return nil }
        // A thread of the pool is there to be blocked, and nobody runs its loop.
        if coro_pool_is_here() { runtime.pointee.obstacles.forbid() }
        coro_copies_announce()
        coro_swift_task_look()
        if coro_tools_follow_switches() {
            guard main.obtainExtras() != nil else { return nil }
            main.set(.observed)
            runtime.pointee.observers.sanitizer = true
        }
        coro_process_set_fork_child { Runtime.continueInForkedChild() }
        _ = coro_fault_handler_install { address in Runtime.existing?.reportOverflow(at: address) }
        runtime.pointee.faultStack = coro_fault_stack_attach()
        runtime.pointee.overflowText = Heap.zeroed(CChar.self, count: OverflowReport.size)
        runtime.pointee.clock.relateToWallClock()
        runtime.pointee.now = runtime.pointee.clock.read()
        coro_thread_slot_set(runtime) { value in
            value?.assumingMemoryBound(to: Runtime.self).endWithThread()
        }
        return runtime
    }

    /// The child of a fork has this thread alone, with a copy of its loop, if it had one. The descriptors of the poller are
    /// shared with the parent, and have to be replaced.
    fileprivate static func continueInForkedChild() {
        LoopRegistry.keepOnly(existing?.pointee.mailbox)
        coro_alarm_renew_in_forked_child()
        ChildRegistry.forgetAll()
        coro_system_signals_after_fork(existing?.pointee.mailbox.pointee.bell)
        guard let runtime = existing else { return }
        runtime.forgetWaitingSignals()
        runtime.resumeAlarm() // timers are not inherited
        runtime.pointee.poller.reopen(in: runtime)
        runtime.leaveMainQueueToParent()
        runtime.rewatchHandled()
        runtime.disownProcesses()
        runtime.cancelJobs()
        runtime.continueBeingWatched()
    }
}

extension RuntimeRef {
    /// The thread ends. What its coroutines hold can't be released: their stacks would have to be unwound. Stacks that are
    /// still in use are left mapped, because destructors of the thread that run after this may look at them.
    fileprivate func endWithThread() {
        pointee.obstacles.forbid()
        endSignals()
        endHandlers()
        if pointee.main.has(.timed) { endAlarm() }
        // User code first, while all is still there.
        pointee.mailbox.dropPosts()
        repeat { cancelUnstarted() } while freeCalls()
        dropJobs()
        pointee.main.pointee.extras?.destroyLocals()
        endSignals() // which that code may have registered
        endHandlers()
        pointee.mailbox.close(lastID: pointee.lastID)
        leaveProcesses()
        pointee.poller.close()
        if pointee.startedCount == 0 {
            pointee.stacks.unmapAll()
        } else {
            pointee.stacks.freeLists()
        }
        pointee.table.forEach { $0.freeExtras() }
        pointee.main.freeExtras()
        freeSignals()
        pointee.handlers.free()
        pointee.table.free()
        pointee.ready.free()
        pointee.timers.free()
        pointee.pool.freeAll()
        pointee.standIns.free()
        pointee.calls.free()
        pointee.report.free()
        Heap.free(pointee.overflowText)
        coro_fault_stack_detach(pointee.faultStack)
        coro_thread_slot_clear()
        Heap.free(pointee.main)
        Heap.free(self)
    }

    private func cancelUnstarted() {
        var unstarted: CoroutineRef?
        repeat {
            unstarted = nil
            pointee.table.forEach { if !$0.has(.started), $0.pointee.state != .ended { unstarted = $0 } }
            if let unstarted { cancel(unstarted) }
        } while unstarted != nil
        // The table knows them no more, if they were detached: the queue does.
        while let queued = pointee.ready.popFirst() {
            if queued.has(.cancelledInQueue) { dropCancelled(queued) }
        }
    }
}
