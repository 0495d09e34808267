import CCoro

// coro.h: Latency

@c @implementation
public func coro_set_latency_warning(_ factor: CInt) -> CInt {
    call { runtime throws(Refusal) in
        if !LatencySettings.factors.contains(factor) { throw runtime.refuseArgument("a latency factor is from 0 to 300") }
        let before = runtime.pointee.latency.factor
        runtime.pointee.latency.set(factor: factor)
        runtime.applyLatencySettings()
        return before
    }
}

@c @implementation
public func coro_set_latency_reporter(_ reporter: coro_latency_reporter?) -> coro_latency_reporter? {
    guard let runtime = Runtime.here else { return nil }
    let before = runtime.pointee.latency.reporter
    runtime.pointee.latency.reporter = reporter
    return before
}
