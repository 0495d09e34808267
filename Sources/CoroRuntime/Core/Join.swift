/// Waiting for a coroutine's end.
extension RuntimeRef {
    /// Waits until `target` has ended, and has its result taken; see `coro_join`. timeout: nanoseconds, not negative.
    @inline(__always)
    func join(_ target: CoroutineRef, timeout: Int64, _ takeResult: (CoroutineRef) -> Void) throws(Refusal) {
        if target.pointee.state != .ended { try awaitEnd(of: target, timeout: timeout) }
        target.set(.taken)
        takeResult(target)
        let failure = target.pointee.failure
        if failure == 0 {
            dropIfUnneeded(target)
            return
        }
        throw takeFailure(of: target)
    }

    private func awaitEnd(of target: CoroutineRef, timeout: Int64) throws(Refusal) {
        try checkJoinable(target)
        if timeout == 0 { throw Refusal(code: fail(Code.timeout)) }
        let error = obstacle()
        if error != 0 { throw Refusal(code: error) }
        let me = pointee.current
        target.pointee.holders += 1
        target.pointee.joiners.append(me)
        let deadline = timeout == .max ? .max : addClamped(pointee.clock.read(), timeout)
        let code = park(.join, on: Int(bitPattern: target), until: deadline)
        target.pointee.holders -= 1
        if code != 0 {
            dropIfUnneeded(target)
            throw Refusal(code: fail(code))
        }
    }

    private func checkJoinable(_ target: CoroutineRef) throws(Refusal) {
        if target.pointee.state == .new {
            throw refuse(target, Code.notStarted, "was never started, so that it would never end: coro_start()")
        }
        // Follows who joins whom; a chain that comes back here would never end.
        var waiting = target
        while true {
            if waiting == pointee.current {
                throw refuse(target, Code.deadlock, "is the caller, or waits for it: the join would never end")
            }
            guard waiting.pointee.state == .waiting, waiting.pointee.waitKind == .join,
                let next = CoroutineRef(bitPattern: waiting.pointee.waitObject)
            else { return }
            waiting = next
        }
    }

    /// The failure of an ended coroutine, which is dropped: its message becomes the detail of the caller's error.
    @inline(never)
    private func takeFailure(of target: CoroutineRef) -> Refusal {
        let code = fail(target.pointee.failure, other: target.pointee.id) {
            if let message = target.pointee.extras?.pointee.failureMessage { $0.append(cString: UnsafePointer(message)) }
        }
        dropIfUnneeded(target)
        return Refusal(code: code)
    }
}
