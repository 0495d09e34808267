import CCoro
import Glibc

extension Coroutine where Success == Never, Failure == Never {
    /// Waits for the first of several things, does that one, and returns what its closure returns.
    ///
    ///     let text = try Coroutine.select(
    ///         .receive(from: messages) { message in "received \(message)" },
    ///         .send(1, to: numbers) { "sent" },
    ///         .readable(descriptor) { "something to read" },
    ///         timeout: .seconds(10))
    ///
    /// If several can happen, one of them is drawn. The others are not touched: nothing is sent, received or taken by them, and
    /// none of their closures is called. Suspends unless one can happen at once; the closure may suspend too.
    ///
    /// Throws what the closure throws; `CoroError.timeout` if none could happen in time; or what the caller was interrupted
    /// with. What has changed hands counts: then the closure is called, and the next call that would suspend is interrupted.
    /// See `coro_select` for the rest.
    @available(*, noasync, message: "select in a coroutine")
    public static func select<Value>(_ cases: SelectCase<Value>..., timeout: Duration? = nil) throws -> Value {
        try select(cases, timeout: timeout)
    }

    /// The same for cases that are made while the program runs. Suspends.
    @available(*, noasync, message: "select in a coroutine")
    public static func select<Value>(_ cases: [SelectCase<Value>], timeout: Duration? = nil) throws -> Value {
        try perform(cases) { coro_select($0, $1, timeout.map { max($0.nanoseconds, 0) } ?? .max) }
    }

    /// The same for what can happen now; else returns nil. Does not suspend, but for what the closure does.
    public static func trySelect<Value>(_ cases: SelectCase<Value>...) throws -> Value? {
        try trySelect(cases)
    }

    /// The same for cases that are made while the program runs.
    public static func trySelect<Value>(_ cases: [SelectCase<Value>]) throws -> Value? {
        do {
            return try perform(cases, coro_try_select)
        } catch is NothingHappened {
            return nil
        }
    }

    /// Has `select` choose one of the cases, and does that one.
    private static func perform<Value>(
        _ cases: [SelectCase<Value>], _ select: (UnsafeMutablePointer<coro_select_case>?, Int32) -> Int32
    ) throws -> Value {
        let arms = cases.map { $0.arm() }
        var called = arms.map(\.called)
        let chosen = withExtendedLifetime(cases) {
            called.withUnsafeMutableBufferPointer { select($0.baseAddress, Int32($0.count)) }
        }
        for (index, arm) in arms.enumerated() where index != Int(chosen) { arm.giveBack() }
        if chosen == -EAGAIN { throw NothingHappened() }
        let index = Int(try check(chosen))
        return try arms[index].happen(called[index])
    }
}

/// No case could happen now.
private struct NothingHappened: Error {}
