import CCoro
import CCoroPlatform

// coro.h: Targets: coroutines that run them, and their results

/// What becomes of a coroutine that was made.
private enum Start {
    case later, queued, now
}

extension RuntimeRef {
    /// Starts what was made, and returns its id.
    @inline(__always)
    private func start(_ coroutine: CoroutineRef, _ start: Start) throws(Refusal) -> Int64 {
        let id = coroutine.pointee.id
        switch start {
        case .later: break
        case .queued: makeReady(coroutine)
        case .now: try startNow(coroutine)
        }
        return id
    }

    fileprivate func check(_ start: Start) throws(Refusal) {
        if case .now = start, pointee.obstacles.forbidden != 0 { throw Refusal(code: obstacle()) }
    }

    // -- with the arguments of a variadic function --

    /// It takes over the caller's hold of the target.
    @inline(__always)
    fileprivate func spawn(
        _ target: TargetRef, _ arguments: OpaquePointer, _ site: UnsafeRawPointer?, _ how: Start
    ) throws(Refusal) -> Int64 {
        let creation = Creation(function: runCall, site: site, flags: initialFlags)
        let coroutine = try makeCall(of: target, creation) { block throws(Refusal) in
            let missing = coro_arguments_read(target.pointee.signature, block, arguments)
            if missing >= 0 { throw refuse(Int(missing), of: target, ": NULL is passed, not the address of a struct") }
        }
        return try start(coroutine, how)
    }

    // -- with values --

    fileprivate func spawn(
        _ id: Int64, _ names: UnsafePointer<UnsafePointer<CChar>?>?, _ values: UnsafePointer<coro_value>?, _ n: CInt,
        _ options: UnsafePointer<coro_options>?, _ site: UnsafeRawPointer?, _ how: Start
    ) throws(Refusal) -> Int64 {
        if n < 0 || n > 0 && values == nil { throw refuseArgument("values is NULL, or n negative") }
        var (creation, startsNow) = try creation(runCall, nil, options, site)
        if creation.release != nil { throw refuseArgument("coro_options.release must be NULL: it would get no argument") }
        if startsNow, how == .later { throw refuseArgument("CORO_START_NOW: this does not start") }
        let how = startsNow ? .now : how
        try check(how)
        let target = try takeTarget(id)
        let names = ArgumentNames(names, count: Int(n))
        let value = { (index: Int) -> TargetValue in values.map { TargetValue($0[index]) } ?? .void }
        do throws(Refusal) {
            if let name = try threadName(names, for: target, value) { creation.name = name }
        } catch {
            TargetRegistry.leave(target)
            throw error
        }
        let coroutine = try makeCall(of: target, creation) { block throws(Refusal) in
            try store(names, of: target, in: block, value)
        }
        return try start(coroutine, how)
    }
}

// The variadic functions are in arguments.c; these are what they call.

@c(coro_target_new)
public func newTarget(_ target: coro_target_t, _ arguments: OpaquePointer, _ site: UnsafeRawPointer?) -> coro_t {
    callForID { runtime throws(Refusal) in try runtime.spawn(runtime.takeTarget(target), arguments, site, .later) }
}

@c(coro_target_spawn)
public func spawnTarget(_ target: coro_target_t, _ arguments: OpaquePointer, _ site: UnsafeRawPointer?) -> coro_t {
    callForID { runtime throws(Refusal) in try runtime.spawn(runtime.takeTarget(target), arguments, site, .queued) }
}

@c(coro_target_start_now)
public func startTargetNow(_ target: coro_target_t, _ arguments: OpaquePointer, _ site: UnsafeRawPointer?) -> coro_t {
    callForID { runtime throws(Refusal) in
        try runtime.check(.now)
        return try runtime.spawn(runtime.takeTarget(target), arguments, site, .now)
    }
}

@c(coro_named_new)
public func newNamed(_ name: UnsafePointer<CChar>?, _ arguments: OpaquePointer, _ site: UnsafeRawPointer?) -> coro_t {
    callForID { runtime throws(Refusal) in
        let target = try runtime.takeTarget(named: runtime.require(name, "name is NULL"))
        return try runtime.spawn(target, arguments, site, .later)
    }
}

@c(coro_named_spawn)
public func spawnNamed(_ name: UnsafePointer<CChar>?, _ arguments: OpaquePointer, _ site: UnsafeRawPointer?) -> coro_t {
    callForID { runtime throws(Refusal) in
        let target = try runtime.takeTarget(named: runtime.require(name, "name is NULL"))
        return try runtime.spawn(target, arguments, site, .queued)
    }
}

@c(coro_named_start_now)
public func startNamedNow(_ name: UnsafePointer<CChar>?, _ arguments: OpaquePointer, _ site: UnsafeRawPointer?) -> coro_t {
    callForID { runtime throws(Refusal) in
        try runtime.check(.now)
        let target = try runtime.takeTarget(named: runtime.require(name, "name is NULL"))
        return try runtime.spawn(target, arguments, site, .now)
    }
}

@c @implementation
public func coro_new_args(_ target: coro_target_t, _ values: UnsafePointer<coro_value>?, _ n: CInt) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in try runtime.spawn(target, nil, values, n, nil, site, .later) }
}

@c @implementation
public func coro_spawn_args(_ target: coro_target_t, _ values: UnsafePointer<coro_value>?, _ n: CInt) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in try runtime.spawn(target, nil, values, n, nil, site, .queued) }
}

@c @implementation
public func coro_start_now_args(_ target: coro_target_t, _ values: UnsafePointer<coro_value>?, _ n: CInt) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in try runtime.spawn(target, nil, values, n, nil, site, .now) }
}

@c @implementation
public func coro_new_kwargs(
    _ target: coro_target_t, _ names: UnsafePointer<UnsafePointer<CChar>?>?, _ values: UnsafePointer<coro_value>?, _ n: CInt
) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in try runtime.spawn(target, names, values, n, nil, site, .later) }
}

@c @implementation
public func coro_spawn_kwargs(
    _ target: coro_target_t, _ names: UnsafePointer<UnsafePointer<CChar>?>?, _ values: UnsafePointer<coro_value>?, _ n: CInt
) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in try runtime.spawn(target, names, values, n, nil, site, .queued) }
}

@c @implementation
public func coro_start_now_kwargs(
    _ target: coro_target_t, _ names: UnsafePointer<UnsafePointer<CChar>?>?, _ values: UnsafePointer<coro_value>?, _ n: CInt
) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in try runtime.spawn(target, names, values, n, nil, site, .now) }
}

@c @implementation
public func coro_spawn_kwargs_with(
    _ target: coro_target_t, _ names: UnsafePointer<UnsafePointer<CChar>?>?, _ values: UnsafePointer<coro_value>?, _ n: CInt,
    _ options: UnsafePointer<coro_options>?
) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in try runtime.spawn(target, names, values, n, options, site, .queued) }
}

@c @implementation
public func coro_new_kwargs_with(
    _ target: coro_target_t, _ names: UnsafePointer<UnsafePointer<CChar>?>?, _ values: UnsafePointer<coro_value>?, _ n: CInt,
    _ options: UnsafePointer<coro_options>?
) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in try runtime.spawn(target, names, values, n, options, site, .later) }
}

// Results.

@c @implementation
public func coro_join_result(
    _ co: coro_t, _ result: UnsafeMutableRawPointer?, _ size: Int, _ timeout: Int64
) -> CInt {
    call { runtime throws(Refusal) in
        if size < 0 { throw runtime.refuseArgument("size is too large") }
        if let result { memsetZero(result, size) }
        if timeout < 0 { throw runtime.refuseArgument("timeout is negative: CORO_FOREVER waits without limit") }
        try runtime.joinResult(runtime.find(co), result, size: size, timeout: timeout)
        return 0
    }
}

@c @implementation
public func coro_join_value(_ co: coro_t, _ value: UnsafeMutablePointer<coro_value>?, _ timeout: Int64) -> CInt {
    call { runtime throws(Refusal) in
        let value = try runtime.require(value, "value is NULL")
        if timeout < 0 { throw runtime.refuseArgument("timeout is negative: CORO_FOREVER waits without limit") }
        let takesBytes = value.pointee.kind == UInt32(CORO_VALUE_BYTES)
        let bytes = takesBytes ? UnsafeMutableRawPointer(mutating: value.pointee.as.p) : nil
        let result = try runtime.joinValue(
            runtime.find(co), bytes: bytes, size: Int(value.pointee.size), timeout: timeout)
        value.pointee = coro_value(result)
        return 0
    }
}
