import CCoro

// coro.h: Locks: semaphores, inverted semaphores

extension RuntimeRef {
    /// How many of something an argument asks for.
    @inline(__always)
    fileprivate func checkCount(_ count: Int64) throws(Refusal) -> Int64 {
        if count < 0 { throw refuseArgument("a count is negative") }
        return count
    }

    @inline(__always)
    fileprivate func find(_ semaphore: OpaquePointer?) throws(Refusal) -> SemaphoreRef {
        try own(SemaphoreRef(require(semaphore, "semaphore is NULL")))
    }

    @inline(__always)
    fileprivate func findInverted(_ semaphore: OpaquePointer?) throws(Refusal) -> InvertedSemaphoreRef {
        try own(InvertedSemaphoreRef(require(semaphore, "semaphore is NULL")))
    }
}

@c @implementation
public func coro_semaphore_new(_ n: Int64) -> OpaquePointer? {
    make { runtime throws(Refusal) in try runtime.makeSemaphore(available: runtime.checkCount(n)) }
}

@c @implementation
public func coro_semaphore_acquire(_ semaphore: OpaquePointer?, _ k: Int64) -> CInt {
    call { runtime throws(Refusal) in try runtime.acquire(runtime.checkCount(k), from: runtime.find(semaphore)) }
}

@c @implementation
public func coro_semaphore_try_acquire(_ semaphore: OpaquePointer?, _ k: Int64) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.take(runtime.checkCount(k), from: runtime.find(semaphore)) ? 0 : runtime.fail(Code.again)
    }
}

@c @implementation
public func coro_semaphore_release(_ semaphore: OpaquePointer?, _ k: Int64) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.release(runtime.checkCount(k), to: runtime.find(semaphore))
        return 0
    }
}

@c @implementation
public func coro_semaphore_available(_ semaphore: OpaquePointer?) -> Int64 {
    callForID { runtime throws(Refusal) in try runtime.find(semaphore).pointee.available }
}

@c @implementation
public func coro_semaphore_waiting(_ semaphore: OpaquePointer?) -> Int64 {
    callForID { runtime throws(Refusal) in try Int64(runtime.find(semaphore).waiters.pointee.count) }
}

@c @implementation
public func coro_semaphore_free(_ semaphore: OpaquePointer?) -> CInt {
    if semaphore == nil { return 0 }
    return call { runtime throws(Refusal) in
        try runtime.free(runtime.find(semaphore) as SemaphoreRef)
        return 0
    }
}

@c @implementation
public func coro_inverted_semaphore_new(_ n: Int64) -> OpaquePointer? {
    make { runtime throws(Refusal) in try runtime.makeInvertedSemaphore(count: runtime.checkCount(n)) }
}

@c @implementation
public func coro_inverted_semaphore_acquire(_ semaphore: OpaquePointer?, _ k: Int64) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.add(runtime.checkCount(k), to: runtime.findInverted(semaphore))
        return 0
    }
}

@c @implementation
public func coro_inverted_semaphore_release(_ semaphore: OpaquePointer?, _ k: Int64) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.add(-runtime.checkCount(k), to: runtime.findInverted(semaphore))
        return 0
    }
}

@c @implementation
public func coro_inverted_semaphore_wait_zero(_ semaphore: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in try runtime.wait(forZeroOf: runtime.findInverted(semaphore)) }
}

@c @implementation
public func coro_inverted_semaphore_value(_ semaphore: OpaquePointer?) -> Int64 {
    callForID { runtime throws(Refusal) in try runtime.findInverted(semaphore).pointee.count }
}

@c @implementation
public func coro_inverted_semaphore_free(_ semaphore: OpaquePointer?) -> CInt {
    if semaphore == nil { return 0 }
    return call { runtime throws(Refusal) in
        try runtime.free(runtime.findInverted(semaphore))
        return 0
    }
}
