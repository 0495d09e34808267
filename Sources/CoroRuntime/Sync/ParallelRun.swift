import CCoroPlatform

typealias ParallelRunRef = UnsafeMutablePointer<ParallelRun>

/// Functions that run in parallel, and what became of them. It is on the heap, not the caller's: when the caller is interrupted
/// the coroutines run on, and the last one frees it.
struct ParallelRun {
    /// The caller. `RuntimeRef.endWait` relies on its place.
    var waiters = WaitList()
    let tasks: UnsafeMutablePointer<Task>
    let count: Int
    /// How many run at once at most.
    let limit: Int
    /// Takes each task's argument back, once.
    let release: ReleaseFunction?
    /// The address after the call that runs them.
    let site: UnsafeRawPointer?
    /// The first task that has not been started.
    var next = 0
    var unfinished: Int
    var running = 0
    var isAbandoned = false

    struct Task {
        var function: CoroutineFunction
        var argument: UnsafeMutableRawPointer?
        var run: ParallelRunRef
        var result: UnsafeMutableRawPointer?
        var hasRun = false
        /// `CORO_ETIMEOUT` until it has ended.
        var error: Int32 = Code.timeout
        /// Owned; what it failed with.
        var message: UnsafeMutablePointer<CChar>?
    }

    /// nil without memory.
    static func make(count: Int, limit: Int, release: ReleaseFunction?, site: UnsafeRawPointer?) -> ParallelRunRef? {
        guard let tasks = Heap.zeroed(Task.self, count: count) else { return nil }
        let run = Heap.one(
            ParallelRun(tasks: tasks, count: count, limit: limit, release: release, site: site, unfinished: count))
        if run == nil { Heap.free(tasks) }
        return run
    }
}

extension ParallelRunRef {
    func free() {
        for index in 0..<pointee.count { Heap.free(pointee.tasks[index].message) }
        Heap.free(pointee.tasks)
        Heap.free(self)
    }

    /// Nobody asks for the outcomes any more.
    func abandon() {
        pointee.isAbandoned = true
        freeIfAbandoned()
    }

    fileprivate func freeIfAbandoned() {
        if pointee.isAbandoned, pointee.running == 0, pointee.next == pointee.count { free() }
    }
}

extension RuntimeRef {
    /// Starts tasks, and waits until all have ended, or until `deadline`. Then the run is the caller's, to free or to
    /// abandon. If that is refused, or interrupted, the run has been taken care of.
    func perform(_ run: ParallelRunRef, until deadline: Int64) throws(Refusal) {
        let error = obstacle(toWaitingUntil: deadline)
        if error != 0 {
            dropUnstarted(of: run)
            run.free()
            throw Refusal(code: error)
        }
        startTasks(of: run)
        if run.pointee.unfinished == 0 { return }
        run.pointee.waiters.append(pointee.current)
        let code = park(.parallel, on: Int(bitPattern: run), until: deadline)
        // Who interrupts may choose any code, that of a timeout too.
        if code == 0 || code == Code.timeout && deadline <= pointee.now { return }
        run.abandon()
        throw Refusal(code: fail(code))
    }

    /// What keeps the caller from waiting until `deadline`: after this nothing that was started has to be left because of it.
    private func obstacle(toWaitingUntil deadline: Int64) -> Int32 {
        let error = obstacle()
        if error != 0 { return error }
        let needsTimer = Swift.min(deadline, timeoutDeadline(of: pointee.current)) != .max
        return !needsTimer || pointee.timers.reserveOne() ? 0 : fail(Code.noMemory)
    }

    /// What has not been started never is.
    func dropUnstarted(of run: ParallelRunRef) {
        let first = run.pointee.next
        run.pointee.unfinished -= run.pointee.count - first
        run.pointee.next = run.pointee.count
        for index in first..<run.pointee.count { giveBack(run.pointee.tasks[index].argument, to: run.pointee.release) }
    }

    /// Starts as many tasks as may run.
    private func startTasks(of run: ParallelRunRef) {
        while run.pointee.running < run.pointee.limit, run.pointee.next < run.pointee.count { startNext(of: run) }
    }

    /// Starts a task. If there is no memory for its coroutine, it has failed with that.
    private func startNext(of run: ParallelRunRef) {
        let task = run.pointee.tasks + run.pointee.next
        run.pointee.next += 1
        // Before any code of the user's, which may end other tasks of the run, and so the run.
        run.pointee.running += 1
        var creation = Creation(function: runParallelTask, argument: UnsafeMutableRawPointer(task), site: run.pointee.site)
        creation.flags = initialFlags.union(.detached)
        creation.release = parallelTaskEnded
        creation.name = symbol(of: task.pointee.function)
        do throws(Refusal) {
            makeReady(try create(creation))
        } catch {
            task.pointee.error = error.code
            giveBack(task.pointee.argument, to: run.pointee.release)
            run.pointee.running -= 1
            run.pointee.unfinished -= 1
        }
    }

    /// Runs a task, in its coroutine, and notes down what becomes of it. A failure is the caller's to deal with; the notifier is
    /// told if the caller has gone.
    fileprivate func run(_ task: UnsafeMutablePointer<ParallelRun.Task>) {
        let result = task.pointee.function(task.pointee.argument)
        task.pointee.hasRun = true
        if task.pointee.run.pointee.isAbandoned { return }
        let failure = takeFailureRecord(of: pointee.current)
        task.pointee.result = failure.code == 0 ? result : nil
        task.pointee.error = failure.code
        task.pointee.message = failure.message
    }

    /// A task's coroutine has returned, or was cancelled.
    fileprivate func noteEnd(of task: UnsafeMutablePointer<ParallelRun.Task>) {
        let run = task.pointee.run
        if !task.pointee.hasRun { task.pointee.error = Code.shutdown }
        giveBack(task.pointee.argument, to: run.pointee.release)
        run.pointee.running -= 1
        run.pointee.unfinished -= 1
        startTasks(of: run)
        if run.pointee.unfinished == 0, let waiter = run.pointee.waiters.first { wake(waiter) }
        run.freeIfAbandoned()
    }
}

private func runParallelTask(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    Runtime.existing?.run(argument.unsafelyUnwrapped.assumingMemoryBound(to: ParallelRun.Task.self))
    return nil
}

private func parallelTaskEnded(_ argument: UnsafeMutableRawPointer?) {
    Runtime.existing?.noteEnd(of: argument.unsafelyUnwrapped.assumingMemoryBound(to: ParallelRun.Task.self))
}
