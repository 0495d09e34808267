import CCoro

// coro.h: Coroutine-locals

@c @implementation
public func coro_local_new(_ destroy: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?) -> coro_local_t {
    callForID { runtime in LocalKey.make(destroy) ?? Int64(runtime.fail(Code.noMemory)) }
}

@c @implementation
public func coro_local_set(_ local: coro_local_t, _ value: UnsafeMutableRawPointer?) -> CInt {
    call { $0.setLocal(local, value) }
}

@c @implementation
public func coro_local_get(_ local: coro_local_t, _ value: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> CInt {
    call { runtime throws(Refusal) in try runtime.getLocal(local, runtime.require(value, "value is NULL")) }
}

@c @implementation
public func coro_local_delete(_ local: coro_local_t) -> CInt {
    call { $0.deleteLocal(local) }
}

@c @implementation
public func coro_local_list(_ locals: UnsafeMutablePointer<coro_local_t>?, _ n: CInt) -> CInt {
    call { runtime in
        guard let extras = runtime.pointee.current.pointee.extras else { return 0 }
        let count = extras.pointee.locals.count
        if let locals, n > 0 {
            for index in 0..<min(count, Int(n)) { locals[index] = extras.pointee.locals.key(at: index) }
        }
        return Int32(truncatingIfNeeded: count)
    }
}

@c @implementation
public func coro_local_free(_ local: coro_local_t) -> CInt {
    call { $0.freeLocal(local) }
}
