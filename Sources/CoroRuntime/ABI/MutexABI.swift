import CCoro

// coro.h: Locks: mutexes

extension RuntimeRef {
    @inline(__always)
    func findMutex(_ mutex: OpaquePointer?) throws(Refusal) -> MutexRef {
        try own(MutexRef(require(mutex, "mutex is NULL")))
    }
}

/// The mutex, if it is one of this thread.
@inline(__always)
private func ownMutex(_ mutex: OpaquePointer?) -> MutexRef? {
    guard let runtime = Runtime.existing, let own = mutex.map(MutexRef.init), runtime.owns(own) else { return nil }
    return own
}

/// What is wrong with it. Apart from the calls that are made most, which so have nothing to save on the stack.
@inline(never)
private func refuse(_ mutex: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in
        _ = try runtime.findMutex(mutex)
        return 0
    }
}

@c @implementation
public func coro_mutex_new() -> OpaquePointer? {
    make { runtime in runtime.makeMutex() }
}

@c @implementation
public func coro_mutex_lock(_ mutex: OpaquePointer?) -> CInt {
    guard let runtime = Runtime.existing, let own = mutex.map(MutexRef.init), runtime.owns(own) else { return refuse(mutex) }
    return runtime.lock(own)
}

@c @implementation
public func coro_mutex_try_lock(_ mutex: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in try runtime.tryLock(runtime.findMutex(mutex)) }
}

@c @implementation
public func coro_mutex_unlock(_ mutex: OpaquePointer?) -> CInt {
    guard let runtime = Runtime.existing, let own = mutex.map(MutexRef.init), runtime.owns(own) else { return refuse(mutex) }
    do {
        return try runtime.unlock(own) ? 1 : 0
    } catch {
        return error.code
    }
}

@c @implementation
public func coro_mutex_is_locked(_ mutex: OpaquePointer?) -> Bool {
    ownMutex(mutex).map { $0.pointee.depth > 0 } ?? false
}

@c @implementation
public func coro_mutex_has_lock(_ mutex: OpaquePointer?, _ co: coro_t) -> Bool {
    ownMutex(mutex).map { $0.pointee.depth > 0 && $0.pointee.ownerID == co && !$0.hasEndedOwner } ?? false
}

@c @implementation
public func coro_mutex_waiting(_ mutex: OpaquePointer?) -> Int64 {
    callForID { runtime throws(Refusal) in try Int64(runtime.findMutex(mutex).waiters.pointee.count) }
}

@c @implementation
public func coro_mutex_free(_ mutex: OpaquePointer?) -> CInt {
    if mutex == nil { return 0 }
    return call { runtime throws(Refusal) in
        let mutex = try runtime.findMutex(mutex)
        try runtime.checkFree(mutex)
        runtime.free(mutex)
        return 0
    }
}
