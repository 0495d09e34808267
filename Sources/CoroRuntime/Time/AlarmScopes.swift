import CCoroPlatform

/// Timeout scopes on a thread's own stack, outside the loop: there a plain system call can block the thread, and only a
/// signal gets it out.
///
/// The alarm is on while the thread's own code runs in a scope, and off while the loop runs, which has timers. The handler
/// changes the scopes; so the alarm is paused whenever anybody else does.
extension RuntimeRef {
    /// How long until the alarm tries again, after it has met no system call: 5 ms.
    private static var retryInterval: Int64 { 5_000_000 }

    /// Before a scope begins: has the alarm ready, and paused.
    func beginAlarm() throws(Refusal) {
        if pointee.main.has(.timed) {
            pauseAlarm()
            return
        }
        let error = coro_alarm_begin { wasCall in Runtime.existing?.alarm(interruptedCall: wasCall) ?? 0 }
        if error == 0 { return }
        throw Refusal(
            code: fail(error) {
                $0.append("a timeout on a thread's own stack takes a timer of the system's, and there is none: ")
                $0.append("see ulimit -i")
            })
    }

    func endAlarm() {
        coro_alarm_end()
    }

    @inline(__always)
    func pauseAlarm() {
        if pointee.main.has(.timed) { coro_alarm_set(0) }
    }

    /// It stays off in the loop, and in a coroutine that the thread's own stack has started at once.
    @inline(__always)
    func resumeAlarm() {
        if pointee.main.has(.timed), pointee.current == pointee.main, pointee.loopState == .idle { coro_alarm_set(untilAlarm) }
    }

    /// Does what may block, and starts its system calls again when they are interrupted: the scope's interruption would be lost.
    func withoutAlarm<Result, Failure>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        pauseAlarm()
        defer { resumeAlarm() }
        return try body()
    }

    /// How long until the first scope runs out; 0: never. Virtual time does not pass by itself.
    private var untilAlarm: Int64 {
        let earliest = timeoutDeadline(of: pointee.main)
        if earliest == .max || pointee.clock.isVirtual { return 0 }
        return Swift.max(earliest &- pointee.clock.read(), 1)
    }

    /// In the signal handler, which may have interrupted a system call of the thread. If so, that was the scope's interruption;
    /// if not, a call may be just about to be made. Returns when to go off again.
    private func alarm(interruptedCall: Bool) -> Int64 {
        guard timeoutDeadline(of: pointee.main) <= pointee.clock.read() else { return untilAlarm }
        if !interruptedCall { return Self.retryInterval }
        pointee.main.pointee.extras?.pointee.timeouts.expireFirst()
        return untilAlarm
    }
}
