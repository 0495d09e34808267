import CCoro
import Glibc

/// A number of things, of which anybody takes some and gives some back: to bound how many do something at once. First come
/// first served: who wants more than there is holds up those who come later. It belongs to the thread that made it.
///
///     let connections = try Semaphore(10)
///     try connections.withPermit { try fetch(url) }
public final class Semaphore {
    private let semaphore: OpaquePointer

    /// One of `count` things. Throws `CoroError.system(errno: EINVAL)` for a negative number, `ENOMEM`.
    public init(_ count: Int) throws(CoroError) {
        semaphore = try made(coro_semaphore_new(checked(count: count)))
    }

    deinit {
        // Nobody waits: who does holds this object.
        _ = coro_semaphore_free(semaphore)
    }

    /// Takes `count`. Suspends until they are there, all of them. Throws, with none taken, what the caller was interrupted
    /// with, or `CoroError.system(errno: EINVAL)` for a negative number.
    @available(*, noasync, message: "wait in a coroutine")
    public func wait(_ count: Int = 1) throws(CoroError) {
        try check(coro_semaphore_acquire(semaphore, Int64(count)))
    }

    /// Takes `count` if they are there and nobody waits. Does not suspend. Returns whether they were taken.
    public func tryWait(_ count: Int = 1) throws(CoroError) -> Bool {
        let code = coro_semaphore_try_acquire(semaphore, Int64(count))
        if code == -EAGAIN { return false }
        try check(code)
        return true
    }

    /// Gives `count`, taken before or new. Does not suspend. Throws `CoroError.system(errno: EINVAL)` for a negative number, or
    /// `EOVERFLOW`.
    public func signal(_ count: Int = 1) throws(CoroError) {
        try check(coro_semaphore_release(semaphore, Int64(count)))
    }

    /// Runs `body` while it has `count` of them. Suspends until they are there. Throws what `body` throws; or, without calling
    /// it, what `wait` throws.
    @available(*, noasync, message: "wait in a coroutine")
    public func withPermit<Result: ~Copyable>(count: Int = 1, _ body: () throws -> Result) throws -> Result {
        try wait(count)
        defer { _ = coro_semaphore_release(semaphore, Int64(count)) }
        return try body()
    }

    /// How many are there.
    public var available: Int { Int(coro_semaphore_available(semaphore)) }

    /// How many coroutines wait for some; counts them.
    public var waiting: Int { Int(coro_semaphore_waiting(semaphore)) }
}
