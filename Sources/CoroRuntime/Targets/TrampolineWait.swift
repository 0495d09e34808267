// How the caller of a trampoline waits for its target, and what becomes of what interrupts it meanwhile.

extension RuntimeRef {
    /// Runs a new coroutine, and waits for its end, as if the caller had called its function: what interrupts the caller
    /// meanwhile interrupts the coroutine, and if that has not seen it, the caller's next suspending call.
    func runInstead(_ coroutine: CoroutineRef) throws(Refusal) {
        let me = pointee.current
        coroutine.pointee.savedErrno = pointee.errnoHere.pointee
        let before = takePendingInterrupt(of: me)
        if before != 0 { setPendingInterrupt(of: coroutine, before) }
        try startNow(coroutine)
        var isFirm = false
        // Whether the target is to see, at its next suspending call, that the time of a scope of the caller is up.
        var isTimeTold = false
        while coroutine.pointee.state != .ended {
            var code = takePendingInterrupt(of: me)
            if code == 0 { code = awaitEnd(of: coroutine, firmly: isFirm) }
            if isTimeTold, coroutine.pointee.state != .ended, coroutine.pointee.pendingInterrupt == 0 {
                isTimeTold = false
                expireFirstTimeout(of: me)
                if code == Code.timeIsUp { continue }
            }
            if code == 0 { continue }
            // Without memory for a timer it may be so again, before the coroutine has run.
            isFirm = code == Code.noMemory
            if code == Code.timeIsUp {
                isTimeTold = passOnTimeout(to: coroutine) || isTimeTold
            } else {
                if coroutine.pointee.state != .ended { isTimeTold = false }
                passOn(code, me.pointee.wakeValue, to: coroutine)
            }
        }
        let unseen = coroutine.call?.pointee.interruption ?? 0
        if isTimeTold {
            if unseen == 0 { expireFirstTimeout(of: me) }
        } else if unseen != 0 {
            setPendingInterrupt(of: me, unseen)
        }
    }

    /// What ended the wait: `Code.timeIsUp` if the time of a scope is up, which has not run out before somebody has seen it.
    private func awaitEnd(of coroutine: CoroutineRef, firmly: Bool) -> Int32 {
        let me = pointee.current
        coroutine.pointee.joiners.append(me)
        let place = Int(bitPattern: coroutine)
        if firmly || !me.has(.timed) { return parkFirmly(.join, on: place) }
        me.pointee.waitKind = .join
        me.pointee.waitObject = place
        me.pointee.state = .waiting
        waitInScope(until: .max)
        return me.pointee.wakeCode
    }

    /// The caller was interrupted.
    private func passOn(_ code: Int32, _ value: UnsafeMutableRawPointer?, to coroutine: CoroutineRef) {
        switch coroutine.pointee.state {
        case .waiting: wake(coroutine, with: code, value: code == Code.interrupted ? value : nil)
        case .ended: setPendingInterrupt(of: pointee.current, code)
        default: setPendingInterrupt(of: coroutine, code) // what it was woken with counts
        }
    }

    /// The time of a scope of the caller is up. Who does not see it leaves it to the caller's next suspending call. Returns
    /// whether that is still to be seen.
    private func passOnTimeout(to coroutine: CoroutineRef) -> Bool {
        switch coroutine.pointee.state {
        case .waiting:
            expireFirstTimeout(of: pointee.current)
            wake(coroutine, with: Code.interrupted)
        case .ended: break
        default:
            if coroutine.pointee.pendingInterrupt != 0 { break }
            setPendingInterrupt(of: coroutine, Code.interrupted)
            return true
        }
        return false
    }
}
