import CCoro

// coro.h: Locks: conditions

extension RuntimeRef {
    fileprivate func find(_ condition: OpaquePointer?) throws(Refusal) -> ConditionRef {
        try own(ConditionRef(require(condition, "condition is NULL")))
    }
}

@c @implementation
public func coro_condition_new() -> OpaquePointer? {
    make { runtime in runtime.makeCondition() }
}

@c @implementation
public func coro_condition_wait(
    _ condition: OpaquePointer?, _ value: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> CInt {
    call { runtime throws(Refusal) in
        value?.pointee = nil
        return try runtime.wait(for: runtime.find(condition), value: value)
    }
}

@c @implementation
public func coro_condition_wait_with(
    _ condition: OpaquePointer?, _ mutex: OpaquePointer?, _ value: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> CInt {
    call { runtime throws(Refusal) in
        value?.pointee = nil
        return try runtime.wait(for: runtime.find(condition), with: runtime.findMutex(mutex), value: value)
    }
}

@c @implementation
public func coro_condition_wake_one(_ condition: OpaquePointer?, _ value: UnsafeMutableRawPointer?) -> CInt {
    call { runtime throws(Refusal) in try CInt(runtime.notify(runtime.find(condition), most: 1, value: value)) }
}

@c @implementation
public func coro_condition_wake(_ condition: OpaquePointer?, _ n: Int64, _ value: UnsafeMutableRawPointer?) -> Int64 {
    callForID { runtime throws(Refusal) in
        let condition = try runtime.find(condition)
        if n < 0 { throw runtime.refuseArgument("n is negative") }
        return runtime.notify(condition, most: n, value: value)
    }
}

@c @implementation
public func coro_condition_wake_all(_ condition: OpaquePointer?, _ value: UnsafeMutableRawPointer?) -> Int64 {
    callForID { runtime throws(Refusal) in try runtime.notify(runtime.find(condition), most: .max, value: value) }
}

@c @implementation
public func coro_condition_raise_all(_ condition: OpaquePointer?, _ code: CInt) -> Int64 {
    callForID { runtime throws(Refusal) in
        let condition = try runtime.find(condition)
        if code >= 0 { throw runtime.refuseArgument("the code of an interruption is negative") }
        return runtime.raiseAll(in: condition, code)
    }
}

@c @implementation
public func coro_condition_waiting(_ condition: OpaquePointer?) -> Int64 {
    callForID { runtime throws(Refusal) in try Int64(runtime.find(condition).waiters.pointee.count) }
}

@c @implementation
public func coro_condition_free(_ condition: OpaquePointer?) -> CInt {
    if condition == nil { return 0 }
    return call { runtime throws(Refusal) in
        try runtime.free(runtime.find(condition))
        return 0
    }
}
