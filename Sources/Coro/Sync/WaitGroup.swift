import CCoro

/// A count of what is still to be done, for those who wait until it is nothing. It belongs to the thread that made it. (To
/// start coroutines and wait for their ends, `Coroutine.withGroup` does more.)
public final class WaitGroup {
    private let group: OpaquePointer

    /// A new one, at 0.
    public init() throws(CoroError) {
        group = try made(coro_wait_group_new())
    }

    deinit {
        // Nobody waits: who does holds this object.
        _ = coro_wait_group_free(group)
    }

    /// Adds `count`, which may be negative. At 0 all who wait go on, in the order they came, whatever is added before they run.
    /// Does not suspend. Throws `CoroError.lock`, and changes nothing, if it would be negative; `CoroError.system(errno:
    /// EOVERFLOW)`.
    public func add(_ count: Int = 1) throws(CoroError) {
        try check(coro_wait_group_add(group, Int64(count)))
    }

    /// Takes one off, for what is done. Throws `CoroError.lock` if nothing is to be done.
    public func done() throws(CoroError) {
        try check(coro_wait_group_done(group))
    }

    /// Waits until the count is 0; returns at once if it is. Suspends. Any number may wait. Throws what the caller was
    /// interrupted with.
    @available(*, noasync, message: "wait in a coroutine")
    public func wait() throws(CoroError) {
        try check(coro_wait_group_wait(group))
    }

    /// How much is still to be done.
    public var count: Int { Int(coro_wait_group_count(group)) }
}
