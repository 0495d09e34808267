import CCoro

/// A number that is raised and lowered, and waited for to be zero: how many use something that is to be closed. It belongs to
/// the thread that made it.
public final class InvertedSemaphore {
    private let semaphore: OpaquePointer

    /// Throws `CoroError.system(errno: EINVAL)` for a negative value, `ENOMEM`.
    public init(_ value: Int = 0) throws(CoroError) {
        semaphore = try made(coro_inverted_semaphore_new(checked(count: value)))
    }

    deinit {
        // Nobody waits: who does holds this object.
        _ = coro_inverted_semaphore_free(semaphore)
    }

    /// Raises it. Never waits. Throws `CoroError.system(errno: EINVAL)` for a negative number, or `EOVERFLOW`.
    public func acquire(_ count: Int = 1) throws(CoroError) {
        try check(coro_inverted_semaphore_acquire(semaphore, Int64(count)))
    }

    /// Lowers it. At zero all who wait go on, even if it is raised again before they run. Does not suspend. Throws
    /// `CoroError.lock`, and leaves it as it is, if it would be less than zero.
    public func release(_ count: Int = 1) throws(CoroError) {
        try check(coro_inverted_semaphore_release(semaphore, Int64(count)))
    }

    /// Runs `body` with the number raised by one.
    public func withUse<Result: ~Copyable>(_ body: () throws -> Result) throws -> Result {
        try acquire()
        defer { _ = coro_inverted_semaphore_release(semaphore, 1) }
        return try body()
    }

    /// Waits until it is zero; returns at once if it is. Suspends. Any number may wait. Throws what the caller was interrupted
    /// with.
    @available(*, noasync, message: "wait in a coroutine")
    public func waitUntilZero() throws(CoroError) {
        try check(coro_inverted_semaphore_wait_zero(semaphore))
    }

    /// The number.
    public var value: Int { Int(coro_inverted_semaphore_value(semaphore)) }
}
