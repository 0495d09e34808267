import CCoro
import CCoroPlatform

// coro.h: Time. The two constants are in CCoroPlatform: Swift can't define a C variable.

@c @implementation
public func coro_now() -> Int64 {
    guard let runtime = Runtime.existing else { return coro_system_clock() }
    return runtime.pointee.loopState == .idle ? runtime.pointee.clock.read() : runtime.pointee.now
}

@c @implementation
public func coro_get_now() -> Int64 {
    Runtime.existing?.pointee.clock.read() ?? coro_system_clock()
}

@c @implementation
public func coro_sleep(_ ns: Int64) -> CInt {
    call { runtime throws(Refusal) in
        if ns < 0 { throw runtime.refuseArgument("a time to sleep can't be negative") }
        if runtime.blocksInsteadOfSleeping {
            return runtime.blockThread(for: ns)
        }
        let now = runtime.pointee.clock.read()
        return runtime.sleep(until: addClamped(now, ns), now: now)
    }
}

@c @implementation
public func coro_sleep_relative(_ ns: Int64) -> CInt {
    coro_sleep(ns)
}

@c @implementation
public func coro_sleep_absolute(_ when: Int64) -> CInt {
    call { $0.sleep(until: when, now: $0.pointee.clock.read()) }
}

extension RuntimeRef {
    /// On a thread's own stack, in strict mode, sleeping holds up the thread.
    fileprivate var blocksInsteadOfSleeping: Bool {
        pointee.obstacles.strictMain && pointee.current == pointee.main && pointee.obstacles.forbidden == 0
    }

    /// On virtual time that is virtual too; but nothing ever ends a sleep without end.
    /// Returns 0, or the interruption of a scope around it.
    fileprivate func blockThread(for ns: Int64) -> Int32 {
        let now = pointee.clock.read()
        let bound = timeoutDeadline(of: pointee.main)
        let end = Swift.min(addClamped(now, ns), bound)
        pauseAlarm()
        if pointee.clock.isVirtual, end != .max {
            pointee.clock.step(Swift.max(end &- now, 0))
        } else {
            coro_system_block_for(Swift.max(end &- now, 0))
        }
        resumeAlarm()
        if end != bound || end == .max { return 0 }
        expireFirstTimeout(of: pointee.main)
        return fail(Code.interrupted)
    }
}
