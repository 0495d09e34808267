import CCoroPlatform

/// A call about a file, while a ring or a thread of the pool does it.
private struct FileCall {
    /// The pool's; its place is relied on.
    var job: Job
    /// The ring's, and who waits for either.
    var operation = RingOperation(drop: dropRingCall)
    var call: coro_file_call
    var result = -1
}

private typealias FileCallRef = UnsafeMutablePointer<FileCall>

extension UnsafeMutablePointer<FileCall> {
    fileprivate var job: JobRef { UnsafeMutableRawPointer(self).assumingMemoryBound(to: Job.self) }

    fileprivate var operation: RingOperationRef {
        (UnsafeMutableRawPointer(self) + MemoryLayout<Job>.stride).assumingMemoryBound(to: RingOperation.self)
    }
}

private func runFileCall(_ task: UnsafeMutablePointer<coro_pool_task>) {
    let file = Job.of(task, as: FileCall.self)
    file.pointee.result = coro_file_do(&file.pointee.call)
    file.job.deliver()
}

private func endFileCall(_ runtime: UnsafeMutableRawPointer, _ job: UnsafeMutableRawPointer, _ code: Int32) {
    let file = job.assumingMemoryBound(to: FileCall.self)
    let result = code == 0 ? file.pointee.result : Int(code)
    runtime.assumingMemoryBound(to: Runtime.self).complete(file.operation.completion, with: result)
}

private func dropRingCall(_ operation: UnsafeMutableRawPointer, _ result: Int32) {
    let file = (operation - MemoryLayout<Job>.stride).assumingMemoryBound(to: FileCall.self)
    file.pointee.result = Int(result)
    dropFileCall(file)
}

private func dropFileCall(_ job: UnsafeMutableRawPointer) {
    let file = job.assumingMemoryBound(to: FileCall.self)
    if file.pointee.call.operation == CORO_FILE_OPEN, file.pointee.result >= 0 {
        _ = coro_system_close(Int32(truncatingIfNeeded: file.pointee.result))
    }
    Heap.free(file)
}

extension RuntimeRef {
    /// Does a call that may have to wait for a disk, while others run: by the ring, or by a thread of the pool. Returns what it
    /// returned; what `explain` makes of its error; or why it was not done. `status`: for the answer of CORO_FILE_STATUS.
    func performOutside(
        _ call: coro_file_call, status: UnsafeMutablePointer<stat>? = nil, explain: (Int32) -> Int32
    ) -> Int {
        let error = obstacle()
        if error != 0 { return Int(error) }
        pointee.counters.fileOperations &+= 1
        let job = Job(in: self, on: call.fd, run: runFileCall, end: endFileCall, drop: dropFileCall)
        guard let file = Heap.one(FileCall(job: job, call: call)) else { return Int(fail(Code.noMemory)) }
        let code = doAndWait(file)
        let result = code == 0 ? file.operation.pointee.completion.result : Int(code)
        if result == 0, let status { coro_file_get_status(&file.pointee.call, status) }
        Heap.free(file)
        return code == 0 && result < 0 ? Int(explain(Int32(result))) : result
    }

    /// 0 when it is over, or why it was not done, with its report.
    private func doAndWait(_ file: FileCallRef) -> Int32 {
        if pointee.poller.obtainRing(in: self) == 0 {
            let error = pointee.poller.begin(file.operation, &file.pointee.call, in: self)
            if error == 0 {
                let code = wait(for: file.operation.completion, .file) {
                    pointee.poller.cancel(file.operation, in: self)
                    return .goesOn
                }
                return code == 0 ? 0 : fail(code)
            }
            if error != -CoroErrno.noSystemCall { return fail(error) }
        }
        let refusal = submit(file.job)
        if refusal != 0 { return refusal }
        let code = wait(for: file.operation.completion, .file) { withdraw(file.job) ? .withdrawn : .goesOn }
        return code == 0 ? 0 : fail(code)
    }

    /// The turn of a call about a path: see `takeTurn(_:)`. nil, or the error that the call returns.
    func takeTurn() -> Int32? {
        let me = pointee.current
        if me.pointee.selfishActsLeft > 0 {
            me.pointee.selfishActsLeft &-= 1
            return nil
        }
        if me == pointee.main || pointee.obstacles.forbidden != 0 { return nil }
        let code = yield()
        if code != 0 { return code }
        me.pointee.selfishActsLeft = selfishActs(of: me) &- 1
        return nil
    }
}
