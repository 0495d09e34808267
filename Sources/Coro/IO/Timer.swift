import CCoro
import Glibc

/// A timer that expires at even intervals, however long what is done at each takes; to wait once, use `Coroutine.sleep`.
///
///     let timer = try Timer(after: .zero, every: .seconds(1))
///     while true { print("tick", try timer.wait()) }
///
/// It is a descriptor too, readable when it has expired: for other loops than this one. It goes by the system's clock, not by
/// virtual time.
public final class Timer: Descriptor {
    /// It first expires `after` from now (nil: it is not set), and then again and again, if there is an interval. Throws
    /// `CoroError.system(errno: EINVAL)` for less than nothing.
    public convenience init(after first: Duration?, every interval: Duration? = nil) throws(CoroError) {
        self.init(owning: try check(coro_timer_open(first?.nanoseconds ?? .max, interval?.nanoseconds ?? 0)))
    }

    /// Sets it anew; what has expired and was not waited for is forgotten.
    public func set(after first: Duration?, every interval: Duration? = nil) throws(CoroError) {
        try call { coro_timer_set($0, first?.nanoseconds ?? .max, interval?.nanoseconds ?? 0) }
    }

    /// Waits until it has expired. Suspends. Returns how many times it has since the last wait.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    @discardableResult
    public func wait() throws(CoroError) -> Int {
        try call(coro_timer_read)
    }
}
