/// Timeout scopes at work: `park` and `yield` are told of them by the flag `timed`.
extension RuntimeRef {
    /// Begins a scope of the caller. Returns its name.
    func beginTimeout(_ duration: Int64) throws(Refusal) -> Int64 {
        let me = pointee.current
        guard let extras = me.obtainExtras(), extras.pointee.timeouts.reserveOne() else {
            throw Refusal(code: fail(Code.noMemory))
        }
        if me == pointee.main { try beginAlarm() }
        pointee.lastTimeout &+= 1
        extras.pointee.timeouts.begin(pointee.lastTimeout, until: deadline(in: duration))
        me.set(.timed)
        if me == pointee.main {
            me.pointee.selfishActsLeft = pointee.selfishness
            resumeAlarm()
        }
        return pointee.lastTimeout
    }

    /// Nothing may suspend in a scope of no time: it has run out already.
    @inline(__always)
    private func deadline(in duration: Int64) -> Int64 {
        if duration == .max { return .max }
        return duration > 0 ? addClamped(pointee.clock.read(), duration) : pointee.now
    }

    /// Ends a scope of the caller. Returns whether it had run out.
    func endTimeout(_ name: Int64) throws(Refusal) -> Bool {
        let me = pointee.current
        if me == pointee.main { pauseAlarm() }
        defer { if me == pointee.main { resumeAlarm() } }
        guard let extras = me.pointee.extras, let hasExpired = extras.pointee.timeouts.end(name) else {
            throw refuseTimeout(name)
        }
        if extras.pointee.timeouts.isEmpty {
            me.clear(.timed)
            if me == pointee.main { endAlarm() }
        }
        return hasExpired
    }

    /// Whether a scope of the caller has run out.
    func hasExpired(_ name: Int64) throws(Refusal) -> Bool {
        guard let hasExpired = pointee.current.pointee.extras?.pointee.timeouts.hasExpired(name) else {
            throw refuseTimeout(name)
        }
        return hasExpired
    }

    private func refuseTimeout(_ name: Int64) -> Refusal {
        Refusal(
            code: fail(Code.invalid) {
                $0.append("there is no timeout scope ")
                $0.append(name)
                $0.append(" in this coroutine: it has ended, with itself or one around it, or another coroutine began it")
            })
    }

    /// When the first scope of a coroutine runs out.
    @inline(__always)
    func timeoutDeadline(of coroutine: CoroutineRef) -> Int64 {
        coroutine.has(.timed) ? coroutine.pointee.extras?.pointee.timeouts.earliest ?? .max : .max
    }

    /// Whether the time of one of its scopes is up, by the loop's clock.
    @inline(__always)
    func isTimeUp(for coroutine: CoroutineRef) -> Bool {
        timeoutDeadline(of: coroutine) <= pointee.now
    }

    /// What the call of a coroutine whose timer has gone off returns.
    func outcomeOfTimer(_ coroutine: CoroutineRef) -> Int32 {
        if coroutine.has(.timed), timeoutDeadline(of: coroutine) <= coroutine.pointee.deadline { return Code.timeIsUp }
        return coroutine.pointee.waitKind.endsWithTime ? 0 : Code.timeout
    }

    /// What the caller's suspending call returns now that it is over. Only here has a scope run out: until the coroutine runs,
    /// a raise or a shutdown may replace what it was woken with, and must not be taken for the timeout.
    func takeOutcome(of me: CoroutineRef) -> Int32 {
        if me.pointee.wakeCode != Code.timeIsUp { return me.pointee.wakeCode }
        expireFirstTimeout(of: me)
        return Code.interrupted
    }

    /// The scope of the caller that runs out first has run out.
    func expireFirstTimeout(of me: CoroutineRef) {
        if me == pointee.main { pauseAlarm() }
        me.pointee.extras?.pointee.timeouts.expireFirst()
        if me == pointee.main { resumeAlarm() }
    }

    /// Runs a function in a scope of its own. Returns 0, or the error, with its report written.
    func withTimeout(
        _ duration: Int64, _ function: CoroutineFunction, _ argument: UnsafeMutableRawPointer?,
        result: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) throws(Refusal) -> Int32 {
        let scope = try beginTimeout(duration)
        let me = pointee.current
        let outer = takeFailureRecord(of: me)
        let value = function(argument)
        let own = takeFailureRecord(of: me)
        putBack(outer, to: me)
        defer { Heap.free(own.message) }
        // It is no longer there if the function has ended one around it.
        let hasExpired = (try? endTimeout(scope)) ?? false
        if own.code == 0 { result?.pointee = value }
        // A shutdown comes but once: it must not be lost.
        if hasExpired, own.code != Code.shutdown { return failTimeout() }
        if own.code == 0 { return 0 }
        return fail(own.code) { if let message = own.message { $0.append(cString: UnsafePointer(message)) } }
    }

    /// progress: of the call that failed because of it.
    func failTimeout(progress: Int64 = 0) -> Int32 {
        fail(Code.timeout, progress: Int(progress)) { $0.append("the time of the scope ran out, and what it waited in was interrupted") }
    }
}
