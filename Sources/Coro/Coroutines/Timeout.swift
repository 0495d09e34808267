import CCoro

extension Coroutine where Success == Never, Failure == Never {
    /// Runs `body`, here and now, and bounds the time of all that it waits for.
    ///
    ///     let header = try Coroutine.withTimeout(.seconds(5)) { try connection.readHeader() }
    ///
    /// When the time is up, the call in which `body` waits, or the next that would suspend, throws `CoroError.interrupted`,
    /// once. `body` cleans up and fails, with that or an error of its own, and this throws `CoroError.timeout`: but only the
    /// one whose time it was, so that nested limits are never taken for each other. What is done before the interruption
    /// reaches it counts, and is returned or thrown as it is. A coroutine that was told to end, whether before or after, throws
    /// `CoroError.shutdown`. Coroutines that `body` has started run on.
    ///
    /// If `body` keeps the interruption to itself and returns, the time has run out all the same: what it returned goes to
    /// `late`, if that is given, and then `CoroError.timeout` is thrown.
    ///
    ///     let connection = try Coroutine.withTimeout(.seconds(5)) { try connect() } late: { $0.close() }
    ///
    /// A `duration` of zero or less: nothing may suspend. On a thread's own stack, outside the loop, this also gets
    /// blocking system calls out: they fail with `EINTR`. See Timeouts in coro.h.
    public static func withTimeout<Value: ~Copyable>(
        _ duration: Duration, _ body: () throws -> Value, late: (consuming Value) -> Void = { _ in }
    ) throws -> Value {
        let scope = try check(coro_timeout_begin(duration.nanoseconds))
        let value: Value
        do {
            value = try body()
        } catch {
            // An error for an error, so that `CoroError.progress` stays what it was.
            let hasExpired = coro_timeout_end(scope, Int64(CORO_EINTERRUPTED)) == CORO_ETIMEOUT
            // Being told to end comes but once, and is no consequence of the timeout.
            throw hasExpired && error as? CoroError != .shutdown ? CoroError.timeout : error
        }
        do {
            try check(coro_timeout_end(scope, 0))
        } catch {
            late(value)
            throw error
        }
        return value
    }

    /// When the first of the limits around the caller runs out, by `EventLoop.now`; nil if none will.
    public static var timeoutDeadline: Duration? {
        let deadline = coro_timeout_deadline()
        return deadline == .max ? nil : .nanoseconds(deadline)
    }
}
