import CCoro
import Glibc

/// A value that many coroutines may read at a time, or one may change, across suspensions too. Who wants to change it comes
/// first: while one waits to, nobody new gets in to read. It belongs to the thread that made it.
///
///     let routes = try ReadWriteLock([String: Route]())
///     let route = try routes.withReadLock { $0[path] }
///     try routes.withWriteLock { $0[path] = try loadRoute(path) }
public final class ReadWriteLock<Value: ~Copyable> {
    private let lock: OpaquePointer
    private let value: UnsafeMutablePointer<Value>
    // What closures do with the value now. coro.h lets who has the lock take it again either way: for a value that would be to
    // read and change it at once.
    private var readers = 0
    private var isWriting = false

    /// One that nobody has, with this value. Throws `CoroError.system(errno: ENOMEM)`.
    public init(_ value: consuming Value) throws(CoroError) {
        lock = try made(coro_rwlock_new())
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
    }

    deinit {
        // Nobody has it or waits: who does holds this object.
        _ = coro_rwlock_free(lock)
        value.deinitialize(count: 1)
        value.deallocate()
    }

    /// Calls `body` with the value, which nobody changes meanwhile. Suspends, if another changes it or waits to. Who reads may
    /// read again.
    ///
    /// Throws what `body` throws; or, without calling it, what the caller was interrupted with, `CoroError.system(errno:
    /// EDEADLK)` if the caller changes the value already, or `ENOMEM`.
    @available(*, noasync, message: "use an actor, or lock in a coroutine")
    public func withReadLock<Result: ~Copyable>(_ body: (borrowing Value) throws -> Result) throws -> Result {
        try beginReading(coro_rwlock_read_lock(lock))
        defer { endReading() }
        return try body(value.pointee)
    }

    /// Calls `body` with the value, which nobody else uses meanwhile. Suspends, if others do.
    ///
    /// Throws what `body` throws; or, without calling it, what the caller was interrupted with, or `CoroError.system(errno:
    /// EDEADLK)` if the caller reads or changes the value already.
    @available(*, noasync, message: "use an actor, or lock in a coroutine")
    public func withWriteLock<Result: ~Copyable>(_ body: (inout Value) throws -> Result) throws -> Result {
        try beginWriting(coro_rwlock_write_lock(lock))
        defer { endWriting() }
        return try body(&value.pointee)
    }

    /// `withReadLock` if that need not wait; else returns nil, without calling `body`. Does not suspend itself.
    public func withReadLockIfAvailable<Result: ~Copyable>(
        _ body: (borrowing Value) throws -> Result
    ) throws -> Result? {
        let code = coro_rwlock_try_read_lock(lock)
        if code == -EBUSY { return nil }
        try beginReading(code)
        defer { endReading() }
        return try body(value.pointee)
    }

    /// `withWriteLock` if that need not wait; else returns nil, without calling `body`. Does not suspend itself.
    public func withWriteLockIfAvailable<Result: ~Copyable>(
        _ body: (inout Value) throws -> Result
    ) throws -> Result? {
        let code = coro_rwlock_try_write_lock(lock)
        if code == -EBUSY { return nil }
        try beginWriting(code)
        defer { endWriting() }
        return try body(&value.pointee)
    }

    /// How many coroutines wait for it; counts them.
    public var waiting: Int { Int(coro_rwlock_waiting(lock)) }

    /// code: what locking it returned.
    private func beginReading(_ code: Int32) throws(CoroError) {
        if code == -EOWNERDEAD || code >= 0 && isWriting {
            _ = coro_rwlock_read_unlock(lock)
            throw .system(errno: code == -EOWNERDEAD ? EOWNERDEAD : EDEADLK)
        }
        try check(code)
        readers += 1
    }

    private func endReading() {
        readers -= 1
        _ = coro_rwlock_read_unlock(lock)
    }

    /// code: what locking it returned.
    private func beginWriting(_ code: Int32) throws(CoroError) {
        // Readers: they are the caller itself.
        if code == -EOWNERDEAD || code >= 0 && (isWriting || readers > 0) {
            _ = coro_rwlock_write_unlock(lock)
            throw .system(errno: code == -EOWNERDEAD ? EOWNERDEAD : EDEADLK)
        }
        try check(code)
        isWriting = true
    }

    private func endWriting() {
        isWriting = false
        _ = coro_rwlock_write_unlock(lock)
    }
}
