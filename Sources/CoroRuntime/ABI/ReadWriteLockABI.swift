import CCoro

// coro.h: Locks: read-write locks

extension RuntimeRef {
    @inline(__always)
    fileprivate func find(_ lock: OpaquePointer?) throws(Refusal) -> ReadWriteLockRef {
        try own(ReadWriteLockRef(require(lock, "lock is NULL")))
    }
}

@c @implementation
public func coro_rwlock_new() -> OpaquePointer? {
    make { runtime in runtime.makeReadWriteLock() }
}

@c @implementation
public func coro_rwlock_read_lock(_ lock: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in try runtime.readLock(runtime.find(lock)) }
}

@c @implementation
public func coro_rwlock_write_lock(_ lock: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in try runtime.writeLock(runtime.find(lock)) }
}

@c @implementation
public func coro_rwlock_try_read_lock(_ lock: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in try runtime.tryReadLock(runtime.find(lock)) ?? runtime.fail(Code.busy) }
}

@c @implementation
public func coro_rwlock_try_write_lock(_ lock: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in try runtime.tryWriteLock(runtime.find(lock)) ?? runtime.fail(Code.busy) }
}

@c @implementation
public func coro_rwlock_read_unlock(_ lock: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.readUnlock(runtime.find(lock))
        return 0
    }
}

@c @implementation
public func coro_rwlock_write_unlock(_ lock: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.writeUnlock(runtime.find(lock))
        return 0
    }
}

@c @implementation
public func coro_rwlock_waiting(_ lock: OpaquePointer?) -> Int64 {
    callForID { runtime throws(Refusal) in
        let lock = try runtime.find(lock)
        return Int64(lock.waiters.pointee.count + lock.writers.pointee.count)
    }
}

@c @implementation
public func coro_rwlock_free(_ lock: OpaquePointer?) -> CInt {
    if lock == nil { return 0 }
    return call { runtime throws(Refusal) in
        try runtime.freeUnused(runtime.find(lock))
        return 0
    }
}
