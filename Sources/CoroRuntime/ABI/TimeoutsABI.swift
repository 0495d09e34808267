import CCoro

// coro.h: Timeouts

@c @implementation
public func coro_timeout_begin(_ ns: Int64) -> coro_timeout_t {
    callForID { runtime throws(Refusal) in try runtime.beginTimeout(ns) }
}

@c @implementation
public func coro_timeout_end(_ scope: coro_timeout_t, _ result: Int64) -> Int64 {
    if scope < 0 { return scope }
    return callForID { runtime throws(Refusal) in
        guard try runtime.endTimeout(scope), result != Int64(Code.shutdown) else { return result }
        return Int64(runtime.failTimeout(progress: result < 0 ? runtime.pointee.report.progress : 0))
    }
}

@c @implementation
public func coro_timeout_expired(_ scope: coro_timeout_t) -> CInt {
    call { runtime throws(Refusal) in try runtime.hasExpired(scope) ? 1 : 0 }
}

@c @implementation
public func coro_timeout_deadline() -> Int64 {
    guard let runtime = Runtime.existing else { return .max }
    return runtime.timeoutDeadline(of: runtime.pointee.current)
}

@c @implementation
public func coro_with_timeout(
    _ ns: Int64, _ fn: coro_fn?, _ arg: UnsafeMutableRawPointer?, _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> CInt {
    call { runtime throws(Refusal) in
        result?.pointee = nil
        let function = try runtime.require(fn, "fn is NULL")
        return try runtime.withTimeout(ns, function, arg, result: result)
    }
}
