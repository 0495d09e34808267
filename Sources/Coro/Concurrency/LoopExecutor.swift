import CCoro
import Glibc

/// Runs Swift's tasks on the thread of an event loop, and actors that are pinned to it.
///
///     let executor = try EventLoop.executor
///     Task(executorPreference: executor) { await update() }
///
///     actor Cache {
///         let executor: LoopExecutor
///         init(executor: LoopExecutor) { self.executor = executor }
///         nonisolated var unownedExecutor: UnownedSerialExecutor { executor.unownedExecutor }
///     }
///
/// Each thread has one; the thread's loop has to run. What a task does between two `await`s is a job: it runs on the thread's
/// own stack, between two coroutines, and must not suspend: a call that would, as `Coroutine.sleep(for:)`, throws
/// `CoroError.yieldFromMain` there. All else of the loop can be used as from any other code of its thread. Jobs run in the
/// order in which they came, whatever their priority, some in each pass of the loop: neither jobs nor coroutines keep the
/// others waiting.
///
/// A coroutine of the thread counts as isolated to an actor that is pinned to it, as far as `assumeIsolated` and
/// `preconditionIsolated` go. What it does to the actor's state may be seen half done by others if it suspends meanwhile.
///
/// When the thread has ended, jobs run on another, which serves the executors of all such threads: tasks still come to their
/// end, and actors stay isolated. What belongs to the ended thread throws `CoroError.wrongThread` there.
public final class LoopExecutor: TaskExecutor, SerialExecutor {
    /// The loop's name for C.
    let loop: coro_loop_t
    private let queue = Guarded(Queue())
    /// Those taken out of the queue that are to run next; used on the loop's thread alone.
    nonisolated(unsafe) private var taken: ArraySlice<UnownedJob> = []
    /// Whether its coroutines were told to end, because the thread will: used on the loop's thread alone.
    nonisolated(unsafe) var isEnding = false

    private struct Queue {
        var jobs: [UnownedJob] = []
        /// Whether the loop is going to look at the queue.
        var isPosted = false
        var hasThreadEnded = false

        mutating func take() -> [UnownedJob] {
            defer { jobs = [] }
            return jobs
        }
    }

    fileprivate init(loop: coro_loop_t) {
        self.loop = loop
    }

    /// For the `unownedExecutor` of an actor.
    public var unownedExecutor: UnownedSerialExecutor { asUnownedSerialExecutor() }

    /// Never fails: see above for when the thread has ended.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        enum Next { case nothing, post, sendOn }
        let next = queue.withLock { queue -> Next in
            if queue.hasThreadEnded { return .sendOn }
            queue.jobs.append(job)
            if queue.isPosted { return .nothing }
            queue.isPosted = true
            return .post
        }
        switch next {
        case .nothing: break
        case .post: post()
        case .sendOn: Self.ofEndedThreads.enqueue(job)
        }
    }

    /// Has the loop run jobs.
    private func post() {
        let executor = Unmanaged.passRetained(self)
        let code = coro_post_callback(
            loop, { Unmanaged<LoopExecutor>.fromOpaque($0!).takeRetainedValue().runJobs() }, executor.toOpaque())
        if code == 0 { return }
        executor.release()
        precondition(code != -ENOMEM, "no memory for a job of Swift's tasks")
        sendQueueOn()
    }

    /// How many jobs run in one pass of the loop, which then looks at all else.
    private static var mostPerPass: Int { 64 }

    private func runJobs() {
        if taken.isEmpty { taken = queue.withLock { $0.take()[...] } }
        let (serial, task) = (asUnownedSerialExecutor(), asUnownedTaskExecutor())
        for _ in 0..<Self.mostPerPass {
            guard let job = taken.popFirst() else { break }
            job.runSynchronously(isolatedTo: serial, taskExecutor: task)
        }
        let isMore = queue.withLock { queue in
            queue.isPosted = !taken.isEmpty || !queue.jobs.isEmpty
            return queue.isPosted
        }
        if isMore { post() }
    }
}

// Where code runs.
extension LoopExecutor {
    private static let ofThreads = ThreadOwned<Tenure>()

    /// Of the calling thread, which gets a loop if it has none.
    fileprivate static func ofThisThread() throws(CoroError) -> LoopExecutor {
        if let tenure = ofThreads.value { return tenure.executor }
        let executor = LoopExecutor(loop: try check(coro_loop_current()))
        ofThreads.value = Tenure(executor)
        return executor
    }

    /// Whether the caller is on the executor's thread.
    var isHere: Bool {
        if Self.ofThreads.value?.executor === self { return true }
        return queue.withLock { $0.hasThreadEnded } && Self.ofEndedThreads.isHere
    }

    /// Whether the caller is on the executor's thread, in a job or in a coroutine.
    public func isIsolatingCurrentContext() -> Bool? { isHere }

    /// Ends the program if the caller is not on the executor's thread.
    public func checkIsolated() {
        precondition(isHere, "this is not the thread of that event loop")
    }
}

// The end of the thread.
extension LoopExecutor {
    /// Tells the executor when its thread ends.
    private final class Tenure {
        let executor: LoopExecutor

        init(_ executor: LoopExecutor) {
            self.executor = executor
        }

        deinit { executor.endWithThread() }
    }

    /// Where the jobs of threads go that have ended.
    private static let ofEndedThreads: LoopExecutor = {
        do {
            return try LoopThread(name: "coro-leftover").forever()
        } catch {
            fatalError("no thread for the tasks of a thread that has ended: \(error)")
        }
    }()

    /// Ends the tenure of the calling thread's executor.
    static func endOfThisThread() {
        ofThreads.value = nil
    }

    private func endWithThread() {
        let next = taken
        taken = []
        sendQueueOn(after: next)
    }

    private func sendQueueOn(after next: ArraySlice<UnownedJob> = []) {
        let rest = queue.withLock { queue in
            queue.hasThreadEnded = true
            return queue.take()
        }
        for job in next + rest { Self.ofEndedThreads.enqueue(job) }
    }
}

extension EventLoop {
    /// What runs Swift's tasks on this thread's loop: the same for all callers on a thread. Throws `CoroError.system(errno:)`
    /// if the loop that the thread needs for it can't be made.
    public static var executor: LoopExecutor {
        get throws(CoroError) { try LoopExecutor.ofThisThread() }
    }
}
