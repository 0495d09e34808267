typealias ParallelRunRef = UnsafeMutablePointer<ParallelRun>

/// Functions that run in parallel, and what became of them: a group, which is on the heap, not the caller's. When the caller
/// is interrupted its members run on, and the last one frees it.
struct ParallelRun {
    /// `group` and `ParallelRunRef.init(of:)` rely on its place.
    var group: Group
    let tasks: UnsafeMutablePointer<Task>
    let count: Int
    /// The address after the call that runs them.
    let site: UnsafeRawPointer?
    var isAbandoned = false

    typealias TaskRef = UnsafeMutablePointer<Task>

    struct Task {
        /// `TaskRef.init(of:)` and `memberRef` rely on its place.
        var member: GroupMember
        var run: ParallelRunRef
        var result: UnsafeMutableRawPointer?
        /// `CORO_ETIMEOUT` until it has ended.
        var error: Int32 = Code.timeout
        /// Owned; what it failed with.
        var message: UnsafeMutablePointer<CChar>?
    }
}

extension ParallelRunRef {
    init(of group: GroupRef) {
        self = UnsafeMutableRawPointer(group).assumingMemoryBound(to: ParallelRun.self)
    }

    /// The group that it begins with.
    var group: GroupRef { UnsafeMutableRawPointer(self).assumingMemoryBound(to: Group.self) }

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

    func freeIfAbandoned() {
        if pointee.isAbandoned, group.pointee.unfinished == 0 { free() }
    }
}

extension ParallelRun.TaskRef {
    init(of member: GroupMemberRef) {
        self = UnsafeMutableRawPointer(member).assumingMemoryBound(to: ParallelRun.Task.self)
    }

    var memberRef: GroupMemberRef { UnsafeMutableRawPointer(self).assumingMemoryBound(to: GroupMember.self) }
}

extension RuntimeRef {
    /// One without tasks, of which `add` takes `count`. nil without memory.
    func makeParallelRun(count: Int, limit: Int, site: UnsafeRawPointer?) -> ParallelRunRef? {
        guard let tasks = Heap.zeroed(ParallelRun.Task.self, count: count) else { return nil }
        let group = Group(head: SyncHead(in: self), limit: limit, kind: .parallel)
        let run = Heap.one(ParallelRun(group: group, tasks: tasks, count: count, site: site))
        if run == nil { Heap.free(tasks) }
        return run
    }

    /// The next task of a run.
    func add(
        _ function: CoroutineFunction, _ argument: UnsafeMutableRawPointer?, release: ReleaseFunction?, to run: ParallelRunRef
    ) {
        let task = run.pointee.tasks + run.group.pointee.total
        let member = GroupMember(function: function, argument: argument, release: release, group: run.group)
        task.initialize(to: ParallelRun.Task(member: member, run: run))
        append(task.memberRef)
    }

    /// Starts the tasks, and waits until all have ended, or until `deadline`. Then the run is the caller's, to free or to
    /// abandon. If that is refused, or interrupted, the run has been taken care of.
    func perform(_ run: ParallelRunRef, until deadline: Int64) throws(Refusal) {
        let error = obstacle(toWaitingUntil: deadline)
        if error != 0 {
            dropPending(of: run.group)
            run.free()
            throw Refusal(code: error)
        }
        startPending(of: run.group)
        if run.group.pointee.unfinished == 0 { return }
        run.group.waiters.pointee.append(pointee.current)
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

    /// Notes down what becomes of a task, in its coroutine. A failure is the caller's to deal with; the notifier is told if the
    /// caller has gone.
    func noteOutcome(of task: ParallelRun.TaskRef, _ result: UnsafeMutableRawPointer?) {
        if task.pointee.run.pointee.isAbandoned { return }
        let failure = takeFailureRecord(of: pointee.current)
        task.pointee.result = failure.code == 0 ? result : nil
        task.pointee.error = failure.code
        task.pointee.message = failure.message
    }
}
