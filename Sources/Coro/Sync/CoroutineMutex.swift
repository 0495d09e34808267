import CCoro
import Glibc

/// A value that one coroutine at a time may use, across suspensions too.
///
///     let account = try CoroutineMutex(Account())
///     try account.withLock { account in
///         account.balance = try fetchBalance()    // suspends: nobody else gets in meanwhile
///     }
///
/// Who waits gets it first come first served. It belongs to the thread that made it. (Between two suspensions a coroutine has
/// its thread for itself: what is done without suspending needs no lock. `Synchronization.Mutex` is for threads, and must not
/// be held across a suspension.)
public final class CoroutineMutex<Value: ~Copyable> {
    private let mutex: OpaquePointer
    private let value: UnsafeMutablePointer<Value>
    /// Whether a closure has the value. coro.h lets an owner lock again; but nobody may have a value twice.
    private var isInUse = false

    /// One that nobody has, with this value. Throws `CoroError.system(errno: ENOMEM)`.
    public init(_ value: consuming Value) throws(CoroError) {
        mutex = try made(coro_mutex_new())
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
    }

    deinit {
        // Nobody has it or waits: who does holds this object.
        _ = coro_mutex_free(mutex)
        value.deinitialize(count: 1)
        value.deallocate()
    }

    /// Locks it, calls `body` with the value, and unlocks it, whether `body` returns or throws. Suspends, if another has it.
    ///
    /// Throws what `body` throws; or, without calling it, what the caller was interrupted with, or `CoroError.system(errno:
    /// EDEADLK)` if the wait would never end: the caller has it already, or who has it waits, for other locks or in joins,
    /// for the caller.
    @available(*, noasync, message: "use an actor, or lock in a coroutine")
    public func withLock<Result: ~Copyable>(_ body: (inout Value) throws -> Result) throws -> Result {
        try lock()
        defer { unlock() }
        return try body(&value.pointee)
    }

    /// The same if nobody has it; else returns nil, without calling `body`. Does not suspend itself.
    public func withLockIfAvailable<Result: ~Copyable>(_ body: (inout Value) throws -> Result) throws -> Result? {
        let code = coro_mutex_try_lock(mutex)
        if code == -EBUSY { return nil }
        if code >= 0, isInUse {
            _ = coro_mutex_unlock(mutex)
            return nil
        }
        try begin(code)
        defer { unlock() }
        return try body(&value.pointee)
    }

    /// Locks it, waits until `isReady` is true of the value, and goes on as `withLock`. Suspends. While it waits, it waits for
    /// `condition`, and others may have the lock.
    ///
    ///     let job = try jobs.withLock(waitingFor: added, until: { !$0.isEmpty }) { $0.removeFirst() }
    ///
    /// Who changes the value so that others could go on wakes them: `added.wakeOne()`. Throws, without calling `body`, what
    /// `isReady` throws, what the condition is told by `raiseAll`, and what `withLock` throws.
    @available(*, noasync, message: "use an actor, or wait in a coroutine")
    public func withLock<Signal, Result: ~Copyable>(
        waitingFor condition: Condition<Signal>, until isReady: (borrowing Value) throws -> Bool,
        _ body: (inout Value) throws -> Result
    ) throws -> Result {
        try lock()
        // Whatever is thrown: it is the caller's but after a wait that could not lock it again.
        defer { if coro_mutex_has_lock(mutex, coro_current()) { unlock() } }
        while try !isReady(value.pointee) {
            isInUse = false
            let code = condition.wait(with: mutex)
            if coro_mutex_has_lock(mutex, coro_current()) { isInUse = true }
            try check(code)
        }
        return try body(&value.pointee)
    }

    /// Whether somebody has it.
    public var isLocked: Bool { coro_mutex_is_locked(mutex) }

    /// How many coroutines wait for it; counts them.
    public var waiting: Int { Int(coro_mutex_waiting(mutex)) }

    private func lock() throws(CoroError) {
        try begin(coro_mutex_lock(mutex))
    }

    /// code: what locking it returned.
    private func begin(_ code: Int32) throws(CoroError) {
        if code == -EOWNERDEAD || code >= 0 && isInUse {
            _ = coro_mutex_unlock(mutex)
            throw .system(errno: code == -EOWNERDEAD ? EOWNERDEAD : EDEADLK)
        }
        try check(code)
        isInUse = true
    }

    private func unlock() {
        isInUse = false
        _ = coro_mutex_unlock(mutex)
    }
}

extension CoroutineMutex where Value == Void {
    /// A lock without a value.
    public convenience init() throws(CoroError) {
        try self.init(())
    }

    /// Runs `body` while it is locked. Suspends, if another has it: see `withLock` of any mutex.
    @available(*, noasync, message: "use an actor, or lock in a coroutine")
    public func withLock<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result {
        try withLock { _ in try body() }
    }
}
