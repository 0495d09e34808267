import CCoro
import Glibc

/// A place where a number of coroutines wait for each other, again and again. It belongs to the thread that made it.
public final class Barrier {
    private let barrier: OpaquePointer

    /// For `count` at a time. Throws `CoroError.system(errno: EINVAL)` if that is less than 1, `ENOMEM`.
    public init(_ count: Int) throws(CoroError) {
        if count < 1 { throw .system(errno: EINVAL) }
        barrier = try made(coro_barrier_new(count))
    }

    deinit {
        // Nobody waits: who does holds this object.
        _ = coro_barrier_free(barrier)
    }

    /// Waits until all have come, this one included; those who come next wait for each other. Suspends, but for the last.
    /// Returns true to the last, which goes on first, and false to the others, in the order they came. Throws what the caller
    /// was interrupted with: it then does not count as one that has come.
    @available(*, noasync, message: "wait in a coroutine")
    @discardableResult
    public func wait() throws(CoroError) -> Bool {
        try check(coro_barrier_wait(barrier)) == 1
    }

    /// How many wait; counts them.
    public var waiting: Int { coro_barrier_waiting(barrier) }
}
