/// Counting for how long each coroutine runs. It rides on the switch of those who are observed: while it is off, no switch
/// knows of it.
extension RuntimeRef {
    /// Begins to count, or ends it; what was counted so far stays. Returns whether it was on. One that there is no memory for
    /// is not counted.
    func setAccounting(_ on: Bool) -> Bool {
        let before = pointee.observers.accounting
        if on == before { return before }
        if before { account(for: pointee.current) }
        pointee.observers.accounting = on
        pointee.observers.runningSince = pointee.clock.read()
        updateObserved()
        return before
    }

    /// Makes all coroutines observed, or none, after somebody has begun or ceased to want to hear of switches.
    func updateObserved() {
        let isObserved = pointee.observers.sanitizer || pointee.observers.accounting || pointee.hooks.onSwitch.areSet
        setObserved(pointee.main, isObserved)
        pointee.table.forEach { setObserved($0, isObserved) }
    }

    private func setObserved(_ coroutine: CoroutineRef, _ on: Bool) {
        if !on {
            coroutine.clear(.observed)
            return
        }
        _ = coroutine.obtainExtras()
        coroutine.set(.observed)
    }

    /// The running coroutine, `left`, has run until now.
    func account(for left: CoroutineRef) {
        let now = pointee.clock.read()
        left.pointee.extras?.pointee.runTime &+= now &- pointee.observers.runningSince
        pointee.observers.runningSince = now
    }

    /// For how long it has run while that was counted.
    func runTime(of coroutine: CoroutineRef) -> Int64 {
        guard let extras = coroutine.pointee.extras else { return 0 }
        let isCounting = coroutine == pointee.current && pointee.observers.accounting
        return extras.pointee.runTime &+ (isCounting ? pointee.clock.read() &- pointee.observers.runningSince : 0)
    }
}
