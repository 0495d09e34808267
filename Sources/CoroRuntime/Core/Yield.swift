/// Suspending without waiting for anything but one's turn.
extension RuntimeRef {
    /// Lets the others that are runnable run.
    @inline(__always)
    func yield() -> Int32 {
        let error = obstacle()
        if error != 0 { return error }
        let me = pointee.current
        me.pointee.wakeCode = 0
        // Whatever interrupts it before its turn comes replaces this.
        if me.has(.timed), isTimeUp(for: me) { me.pointee.wakeCode = Code.timeIsUp }
        makeReady(me)
        leave()
        let code = me.pointee.wakeCode
        return code == 0 ? 0 : fail(takeOutcome(of: me))
    }

    /// Goes on in the next pass of the loop.
    func yieldSlice() -> Int32 {
        let error = obstacle()
        if error != 0 { return error }
        pointee.nextPass.append(pointee.current)
        let code = park(.pass)
        return code == 0 ? 0 : fail(code)
    }

    /// Sleeps until `deadline`; one pass if that has gone by.
    func sleep(until deadline: Int64, now: Int64) -> Int32 {
        if deadline <= now { return yieldSlice() }
        let error = obstacle()
        if error != 0 { return error }
        let code = park(.sleep, until: deadline)
        return code == 0 ? 0 : fail(code)
    }
}
