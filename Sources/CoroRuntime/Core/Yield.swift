/// Suspending without waiting for anything but one's turn.
extension RuntimeRef {
    /// Lets the others that are runnable run.
    @inline(__always)
    func yield() -> Int32 {
        let error = mayNotSuspend()
        if error != 0 { return error }
        let me = pointee.current
        if me.pointee.pendingInterrupt != 0 { return takePendingInterrupt(me) }
        me.pointee.wakeCode = 0
        makeReady(me)
        leave()
        return me.pointee.wakeCode
    }

    @inline(never)
    private func takePendingInterrupt(_ me: CoroutineRef) -> Int32 {
        let code = me.pointee.pendingInterrupt
        me.pointee.pendingInterrupt = 0
        return fail(code)
    }

    /// Goes on in the next pass of the loop.
    func yieldSlice() -> Int32 {
        let error = mayNotSuspend()
        if error != 0 { return error }
        pointee.nextPass.append(pointee.current)
        return park(.pass)
    }

    /// Sleeps until `deadline`; one pass if that has gone by.
    func sleep(until deadline: Int64, now: Int64) -> Int32 {
        if deadline <= now { return yieldSlice() }
        let error = mayNotSuspend()
        return error != 0 ? error : park(.sleep, until: deadline)
    }
}
