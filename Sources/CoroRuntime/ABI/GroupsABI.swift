import CCoro
import CCoroPlatform

// coro.h: Groups

extension RuntimeRef {
    fileprivate func find(group: OpaquePointer?) throws(Refusal) -> GroupRef {
        try own(GroupRef(require(group, "group is NULL")))
    }

    fileprivate func find(barrier: OpaquePointer?) throws(Refusal) -> BarrierRef {
        try own(BarrierRef(require(barrier, "barrier is NULL")))
    }

    fileprivate func find(once: OpaquePointer?) throws(Refusal) -> OnceRef {
        try own(OnceRef(require(once, "once is NULL")))
    }

    fileprivate func find(waitGroup: OpaquePointer?) throws(Refusal) -> WaitGroupRef {
        try own(WaitGroupRef(require(waitGroup, "group is NULL")))
    }
}

// -- groups --

@c @implementation
public func coro_group_options_init(_ options: UnsafeMutablePointer<coro_group_options>) {
    options.initialize(to: coro_group_options())
    options.pointee.struct_size = MemoryLayout<coro_group_options>.size
}

@c @implementation
public func coro_group_new(_ options: UnsafePointer<coro_group_options>?) -> OpaquePointer? {
    make { runtime throws(Refusal) in
        let (limit, kind) = try runtime.read(options)
        return runtime.makeGroup(limit: limit, kind: kind)
    }
}

extension RuntimeRef {
    fileprivate func read(_ options: UnsafePointer<coro_group_options>?) throws(Refusal) -> (limit: Int, Group.Kind) {
        guard let options else { return (0, .scope) }
        guard options.pointee.struct_size == MemoryLayout<coro_group_options>.size else {
            throw refuseArgument("coro_group_options.struct_size is wrong: start from CORO_GROUP_OPTIONS_INIT")
        }
        let flags = options.pointee.flags
        if flags & ~UInt32(CORO_GROUP_CANCEL_ON_FAILURE) != 0 || options.pointee.reserved != 0 {
            throw refuseArgument("coro_group_options.flags has bits that mean nothing")
        }
        return (
            Int(clamping: UInt(bitPattern: options.pointee.limit)),
            flags & UInt32(CORO_GROUP_CANCEL_ON_FAILURE) != 0 ? .cancelledByFailure : .scope
        )
    }

    fileprivate func spawn(
        in group: OpaquePointer?, _ fn: coro_fn?, _ arg: UnsafeMutableRawPointer?, _ options: UnsafePointer<coro_options>?,
        _ site: UnsafeRawPointer?
    ) throws(Refusal) -> Int64 {
        let group = try find(group: group)
        let (creation, startsNow) = try creation(fn, arg, options, site)
        if startsNow, pointee.obstacles.forbidden != 0 { throw Refusal(code: obstacle()) }
        return try add(creation, to: group, startsNow: startsNow)
    }
}

@c @implementation
public func coro_group_spawn(_ group: OpaquePointer?, _ fn: coro_fn?, _ arg: UnsafeMutableRawPointer?) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in try runtime.spawn(in: group, fn, arg, nil, site) }
}

@c @implementation
public func coro_group_spawn_with(
    _ group: OpaquePointer?, _ fn: coro_fn?, _ arg: UnsafeMutableRawPointer?, _ options: UnsafePointer<coro_options>?
) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in try runtime.spawn(in: group, fn, arg, options, site) }
}

@c @implementation
public func coro_group_wait(_ group: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in try runtime.wait(for: runtime.find(group: group)) }
}

@c @implementation
public func coro_group_cancel(_ group: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.cancel(runtime.find(group: group))
        return 0
    }
}

@c @implementation
public func coro_group_leave(_ group: OpaquePointer?) -> CInt {
    if group == nil { return 0 }
    return call { runtime throws(Refusal) in try runtime.end(runtime.find(group: group)) }
}

@c @implementation
public func coro_group_first_failure(_ group: OpaquePointer?, _ code: UnsafeMutablePointer<CInt>?) -> coro_t {
    code?.pointee = group.map { GroupRef($0).pointee.failedCode } ?? 0
    return group.map { GroupRef($0).pointee.failedID } ?? 0
}

@c @implementation
public func coro_group_running(_ group: OpaquePointer?) -> Int {
    group.map { GroupRef($0).pointee.running } ?? 0
}

@c @implementation
public func coro_group_unfinished(_ group: OpaquePointer?) -> Int {
    group.map { GroupRef($0).pointee.unfinished } ?? 0
}

// -- barriers --

@c @implementation
public func coro_barrier_new(_ n: Int) -> OpaquePointer? {
    make { runtime throws(Refusal) in
        if n == 0 { throw runtime.refuseArgument("nobody waits at a barrier for 0") }
        return runtime.makeBarrier(parties: Int(clamping: UInt(bitPattern: n)))
    }
}

@c @implementation
public func coro_barrier_wait(_ barrier: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in try runtime.wait(at: runtime.find(barrier: barrier)) }
}

@c @implementation
public func coro_barrier_waiting(_ barrier: OpaquePointer?) -> Int {
    barrier.map { BarrierRef($0).pointee.head.waiters.count } ?? 0
}

@c @implementation
public func coro_barrier_free(_ barrier: OpaquePointer?) -> CInt {
    if barrier == nil { return 0 }
    return call { runtime throws(Refusal) in
        try runtime.free(runtime.find(barrier: barrier))
        return 0
    }
}

// -- once --

@c @implementation
public func coro_once_new() -> OpaquePointer? {
    make { runtime in runtime.makeOnce() }
}

@c @implementation
public func coro_once_run(_ once: OpaquePointer?, _ fn: coro_once_fn?, _ arg: UnsafeMutableRawPointer?) -> CInt {
    call { runtime throws(Refusal) in
        let once = try runtime.find(once: once)
        return try runtime.run(once, runtime.require(fn, "fn is NULL"), arg)
    }
}

@c @implementation
public func coro_once_is_done(_ once: OpaquePointer?) -> Bool {
    once.map { OnceRef($0).pointee.isDone } ?? false
}

@c @implementation
public func coro_once_free(_ once: OpaquePointer?) -> CInt {
    if once == nil { return 0 }
    return call { runtime throws(Refusal) in
        try runtime.free(runtime.find(once: once))
        return 0
    }
}

// -- wait groups --

@c @implementation
public func coro_wait_group_new() -> OpaquePointer? {
    make { runtime in runtime.makeWaitGroup() }
}

@c @implementation
public func coro_wait_group_add(_ group: OpaquePointer?, _ n: Int64) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.add(n, to: runtime.find(waitGroup: group))
        return 0
    }
}

@c @implementation
public func coro_wait_group_done(_ group: OpaquePointer?) -> CInt {
    coro_wait_group_add(group, -1)
}

@c @implementation
public func coro_wait_group_wait(_ group: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in try runtime.wait(forZeroOf: runtime.find(waitGroup: group)) }
}

@c @implementation
public func coro_wait_group_count(_ group: OpaquePointer?) -> Int64 {
    group.map { WaitGroupRef($0).pointee.count } ?? 0
}

@c @implementation
public func coro_wait_group_free(_ group: OpaquePointer?) -> CInt {
    if group == nil { return 0 }
    return call { runtime throws(Refusal) in
        try runtime.free(runtime.find(waitGroup: group))
        return 0
    }
}
