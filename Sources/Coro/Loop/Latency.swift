import CCoro

// Coroutines that hold the others up: see Latency in coro.h.
extension EventLoop {
    /// After what time a coroutine of this thread that has not suspended is reported on stderr, with its stack: `factor` times
    /// 0.2 s; 0: never. Default: 1; up to 300. Returns the factor before.
    @discardableResult
    public static func setLatencyWarning(_ factor: Int) throws(CoroError) -> Int {
        Int(try check(coro_set_latency_warning(Int32(clamping: factor))))
    }

    /// Has `report` told of a coroutine of this thread that was reported on stderr, when it has suspended or ended: its name,
    /// and for how long it ran at least. nil: the default, one more line on stderr. It replaces what was set before.
    ///
    /// No coroutine: it was the loop's own code. `report` is called between coroutines, and must not suspend.
    public static func onLatency(_ report: ((_ coroutine: AnyCoroutine?, _ name: String, _ duration: Duration) -> Void)?) {
        LatencyReport.ofThisThread.value = report
        _ = coro_set_latency_reporter(report == nil ? nil : LatencyReport.reporter)
    }
}

/// Whom to tell of long slices on a thread.
private enum LatencyReport {
    static let ofThisThread = ThreadOwned<(AnyCoroutine?, String, Duration) -> Void>()

    static var reporter: coro_latency_reporter {
        { co, duration, name in
            guard let report = LatencyReport.ofThisThread.value else { return }
            report(co == 0 ? nil : AnyCoroutine(id: co), String(cString: name), .nanoseconds(duration))
        }
    }
}
