import CCoro
import Glibc

/// Locks by key, as many as there are keys: for a row, a file, a user. Only those that somebody holds or wants take memory.
/// Each has one owner, who may lock it again. They belong to the thread that made them.
///
///     let files = try KeyedLocks<String>()
///     try files.withLock(path) { try rewrite(path) }
///     try files.withLocks([from, to]) { try rename(from, to) }
public final class KeyedLocks<Key: Hashable> {
    private let locks: OpaquePointer
    /// The number of each key that is in use, by which coro.h knows it.
    private var numbers: [Key: Number] = [:]
    private var lastNumber: UInt64 = 0

    private struct Number {
        let number: UInt64
        /// How many calls hold or want it.
        var uses = 0
    }

    /// New ones, of which nobody has any. Throws `CoroError.system(errno: ENOMEM)`.
    public init() throws(CoroError) {
        locks = try made(coro_keyed_locks_new())
    }

    deinit {
        // Nobody owns any or waits: who does holds this object.
        _ = coro_keyed_locks_free(locks)
    }

    /// Runs `body` while it has the lock of `key`. Suspends, if another has it.
    ///
    /// Throws what `body` throws; or, without calling it, what the caller was interrupted with, `CoroError.system(errno:
    /// EDEADLK)` if the wait would never end, as who has it waits, for others of these locks, for the caller; or `ENOMEM`.
    @available(*, noasync, message: "use an actor, or lock in a coroutine")
    public func withLock<Result: ~Copyable>(_ key: Key, _ body: () throws -> Result) throws -> Result {
        let number = use(key)
        defer { endUse(key) }
        try begin(coro_keyed_locks_lock(locks, number), [number])
        defer { _ = coro_keyed_locks_unlock(locks, number) }
        return try body()
    }

    /// Runs `body` while it has the locks of all `keys`; while it waits it has none of them. Suspends, if others have some. A
    /// key may be given twice. Throws as `withLock`.
    @available(*, noasync, message: "use an actor, or lock in a coroutine")
    public func withLocks<Result: ~Copyable>(_ keys: [Key], _ body: () throws -> Result) throws -> Result {
        let numbers = keys.map { use($0) }
        defer { for key in keys { endUse(key) } }
        let code = numbers.withUnsafeBufferPointer {
            // An array of none has no address.
            $0.isEmpty ? 0 : coro_keyed_locks_lock_many(locks, $0.baseAddress, Int32($0.count))
        }
        try begin(code, numbers)
        defer { unlock(numbers) }
        return try body()
    }

    /// `withLock` if that need not wait; else returns nil, without calling `body`. Does not suspend itself.
    public func withLockIfAvailable<Result: ~Copyable>(_ key: Key, _ body: () throws -> Result) throws -> Result? {
        let number = use(key)
        defer { endUse(key) }
        let code = coro_keyed_locks_try_lock(locks, number)
        if code == -EBUSY { return nil }
        try begin(code, [number])
        defer { _ = coro_keyed_locks_unlock(locks, number) }
        return try body()
    }

    /// How many of them are held or waited for.
    public var count: Int { numbers.count }

    /// How many coroutines wait; counts them.
    public var waiting: Int { Int(coro_keyed_locks_waiting(locks)) }

    /// code: what locking `numbers` returned.
    private func begin(_ code: Int32, _ numbers: @autoclosure () -> [UInt64]) throws(CoroError) {
        if code == -EOWNERDEAD { unlock(numbers()) }
        try check(code)
    }

    private func unlock(_ numbers: [UInt64]) {
        for number in numbers { _ = coro_keyed_locks_unlock(locks, number) }
    }

    private func use(_ key: Key) -> UInt64 {
        if let index = numbers.index(forKey: key) {
            numbers.values[index].uses += 1
            return numbers.values[index].number
        }
        lastNumber += 1
        numbers[key] = Number(number: lastNumber, uses: 1)
        return lastNumber
    }

    private func endUse(_ key: Key) {
        guard let index = numbers.index(forKey: key) else { return }
        numbers.values[index].uses -= 1
        if numbers.values[index].uses == 0 { numbers.remove(at: index) }
    }
}
