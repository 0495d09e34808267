import CCoro

// coro.h: Promises

extension RuntimeRef {
    fileprivate func find(_ promise: OpaquePointer?) throws(Refusal) -> PromiseRef {
        try own(PromiseRef(require(promise, "promise is NULL")))
    }
}

@c @implementation
public func coro_promise_new(_ release: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?) -> OpaquePointer? {
    make { runtime in Heap.one(Promise(in: runtime, release: release)) }
}

@c @implementation
public func coro_promise_keep(_ promise: OpaquePointer?, _ code: CInt, _ value: UnsafeMutableRawPointer?) -> CInt {
    guard let promise, code <= 0 else {
        return Runtime.existing?.fail(Code.invalid) { $0.append(promise == nil ? "promise is NULL" : "code is positive") }
            ?? Code.invalid
    }
    return PromiseRef(promise).keep(code, value)
}

@c @implementation
public func coro_promise_wait(_ promise: OpaquePointer?, _ value: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> CInt {
    call { runtime throws(Refusal) in
        value?.pointee = nil
        return try runtime.wait(for: runtime.find(promise), value: value)
    }
}

@c @implementation
public func coro_promise_is_kept(_ promise: OpaquePointer?) -> Bool {
    promise.map { PromiseRef($0).pointee.isKept } ?? false
}

@c @implementation
public func coro_promise_free(_ promise: OpaquePointer?) -> CInt {
    if promise == nil { return 0 }
    return call { runtime throws(Refusal) in
        try runtime.free(runtime.find(promise))
        return 0
    }
}
