import CCoro

// coro.h: Locks: keyed locks

extension RuntimeRef {
    fileprivate func find(_ locks: OpaquePointer?) throws(Refusal) -> KeyedLocksRef {
        try own(KeyedLocksRef(require(locks, "locks is NULL")))
    }
}

@c @implementation
public func coro_keyed_locks_new() -> OpaquePointer? {
    make { runtime in runtime.makeKeyedLocks() }
}

@c @implementation
public func coro_keyed_locks_lock(_ locks: OpaquePointer?, _ key: UInt64) -> CInt {
    call { runtime throws(Refusal) in
        let locks = try runtime.find(locks)
        return withUnsafePointer(to: key) { runtime.lock(locks, $0, 1) }
    }
}

@c @implementation
public func coro_keyed_locks_lock_many(_ locks: OpaquePointer?, _ keys: UnsafePointer<UInt64>?, _ n: CInt) -> CInt {
    call { runtime throws(Refusal) in
        let locks = try runtime.find(locks)
        if n < 0 { throw runtime.refuseArgument("n is negative") }
        if n == 0 { return 0 }
        return try runtime.lock(locks, runtime.require(keys, "keys is NULL"), Int(n))
    }
}

@c @implementation
public func coro_keyed_locks_try_lock(_ locks: OpaquePointer?, _ key: UInt64) -> CInt {
    call { runtime throws(Refusal) in
        let locks = try runtime.find(locks)
        let outcome = withUnsafePointer(to: key) { runtime.tryLock(locks, $0, 1) }
        return outcome ?? runtime.fail(Code.busy, other: locks.owner(of: key) ?? 0)
    }
}

@c @implementation
public func coro_keyed_locks_unlock(_ locks: OpaquePointer?, _ key: UInt64) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.unlock(key, of: runtime.find(locks))
        return 0
    }
}

@c @implementation
public func coro_keyed_locks_owner(_ locks: OpaquePointer?, _ key: UInt64) -> coro_t {
    callForID { runtime throws(Refusal) in
        let locks = try runtime.find(locks)
        return locks.owner(of: key) ?? Int64(runtime.fail(Code.lock) { $0.append("nobody holds the lock of this key") })
    }
}

@c @implementation
public func coro_keyed_locks_count(_ locks: OpaquePointer?) -> Int64 {
    callForID { runtime throws(Refusal) in try Int64(runtime.find(locks).pointee.entries.count) }
}

@c @implementation
public func coro_keyed_locks_waiting(_ locks: OpaquePointer?) -> Int64 {
    callForID { runtime throws(Refusal) in try Int64(runtime.find(locks).waiters.pointee.count) }
}

@c @implementation
public func coro_keyed_locks_free(_ locks: OpaquePointer?) -> CInt {
    if locks == nil { return 0 }
    return call { runtime throws(Refusal) in
        try runtime.freeUnused(runtime.find(locks))
        return 0
    }
}
