/// Suspending without waiting for anything but one's turn.
extension RuntimeRef {
    /// Lets the others that are runnable run.
    @inline(__always)
    func yield() -> Int32 {
        let error = obstacle()
        if error != 0 { return error }
        let me = pointee.current
        me.pointee.wakeCode = 0
        let isDue = me.has(.timed) && expireDueTimeout(of: me)
        makeReady(me)
        leave()
        let code = me.pointee.wakeCode
        if isDue { return fail(code == 0 ? Code.interrupted : code) }
        return code == 0 ? 0 : fail(code)
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
