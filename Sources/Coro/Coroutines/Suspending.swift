import CCoro

// What a coroutine does to itself. (That `Success` and `Failure` are `Never` is inferred: `Coroutine.sleep(for: .seconds(1))`.)
extension Coroutine where Success == Never, Failure == Never {
    /// The running coroutine; nil on a thread's own stack.
    public static var current: AnyCoroutine? { AnyCoroutine.current }

    /// Writes to a descriptor, for people, every coroutine of this thread with its stack. See `coro_dump`.
    public static func dump(to descriptor: Int32 = 2) throws(CoroError) {
        try check(coro_dump(descriptor))
    }

    /// Suspends: lets the other runnable coroutines run, and goes on after them.
    @available(*, noasync, message: "use `await Task.yield()`")
    public static func yield() throws(CoroError) {
        try check(coro_yield())
    }

    /// Suspends, and goes on in the next pass of the loop: after the timers that are due and one look at the descriptors.
    @available(*, noasync, message: "use `await Task.yield()`")
    public static func yieldSlice() throws(CoroError) {
        try check(coro_yield_slice())
    }

    /// Suspends for at least `duration`; zero is one pass of the loop. Throws what the caller was interrupted with.
    @available(*, noasync, message: "use `try await Task.sleep(for:)`")
    public static func sleep(for duration: Duration) throws(CoroError) {
        try check(coro_sleep(duration.nanoseconds))
    }

    /// Suspends until `EventLoop.now` is at least `deadline`. Throws what the caller was interrupted with.
    @available(*, noasync, message: "use `try await Task.sleep(for:)`")
    public static func sleep(until deadline: Duration) throws(CoroError) {
        try check(coro_sleep_absolute(deadline.nanoseconds))
    }

    /// Suspends until somebody calls `schedule` on the caller; returns the value given there.
    @available(*, noasync, message: "use a continuation")
    @discardableResult
    public static func park() throws(CoroError) -> UnsafeMutableRawPointer? {
        var value: UnsafeMutableRawPointer?
        try check(coro_park(&value))
        return value
    }
}

extension Duration {
    /// In nanoseconds, as coro.h counts time; the longest there is if it is longer.
    @usableFromInline
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow2) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || overflow2 ? (seconds < 0 ? .min : .max) : sum
    }
}
