import CCoroPlatform

extension RuntimeRef {
    /// What the explicit loop does when nothing is left that could ever run.
    enum WhenIdle {
        case wait, stop
        /// Stop, with an error if coroutines are left that wait.
        case reportDeadlock
    }

    /// The explicit loop. Returns the code of `coro_set_exit`, or 0 when idle.
    func runEventLoop(pollLimit: Int64, whenIdle: WhenIdle) throws(Refusal) -> Int32 {
        if pointee.obstacles.forbidden != 0 { throw Refusal(code: obstacle()) }
        guard pointee.current == pointee.main, pointee.loopState == .idle else {
            throw Refusal(
                code: fail(Code.loopRunning) { $0.append("coro_event_loop() can't be called by what it runs") })
        }
        if pointee.exit.isRequested { return takeExit() }
        setLoopState(.explicit)
        pointee.main.pointee.state = .waiting
        pauseAlarm()
        holdDefaultSignals()
        findMainQueue()
        let end = runLoop(pollLimit: pollLimit, stopsWhenIdle: whenIdle != .wait, obeysExit: true)
        pointee.main.pointee.state = .running
        setLoopState(.idle)
        resumeAlarm()
        dropDefaultSignals()
        switch end {
        case .exit: return takeExit()
        case .idle where whenIdle == .reportDeadlock: return reportDeadlock()
        case .idle, .mainResumed: return 0
        case .failed(let error): throw Refusal(code: fail(error) { $0.append("the loop can't wait for descriptors") })
        }
    }

    private func takeExit() -> Int32 {
        if pointee.exit.printsLine { _ = LineWriter.writeWhole(2, "Exiting...\n", 11) }
        return pointee.exit.take()
    }
}
