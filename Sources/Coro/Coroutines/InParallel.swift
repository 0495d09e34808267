import CCoro
import Glibc

extension Coroutine where Success == Never, Failure == Never {
    /// Runs all `bodies`, each in a coroutine of its own, started in their order, and waits until all have ended.
    /// Suspends. Returns what they returned, in their order.
    ///
    ///     let pages = try Coroutine.inParallel(urls.map { url in { try fetch(url) } }, limit: 10)
    ///
    /// At most `limit` run at once. Throws `InParallelError` if any of them threw, after all have ended; or when `timeout`,
    /// for all together, has run out: then what runs goes on, and what has not been started never is. A caller that is
    /// interrupted throws what it was interrupted with, and all are run to their end. Closures are released when they have
    /// run, or never will.
    @available(*, noasync, message: "use a task group, or call it in a coroutine")
    @discardableResult
    public static func inParallel<Value>(
        _ bodies: [() throws -> Value], limit: Int = .max, timeout: Duration? = nil
    ) throws -> [Value] {
        if limit < 1 { throw CoroError.system(errno: EINVAL) }
        var options = coro_parallel_options()
        coro_parallel_options_init(&options)
        options.limit = limit
        // To C, no time at all, or less than a nanosecond, would be all the time there is.
        options.timeout = timeout.map { $0.nanoseconds == 0 ? 1 : $0.nanoseconds } ?? 0
        options.release = Work.giveBack
        let outcomes = bodies.map { Outcome($0) }
        var calls = outcomes.map { outcome in
            var call = coro_call()
            call.fn = Work.function
            call.arg = outcome.work.lend()
            return call
        }
        let code = calls.withUnsafeMutableBufferPointer { coro_in_parallel_with($0.baseAddress, Int32($0.count), &options) }
        // The code alone could also be that of an interruption: by it no outcome is told.
        if code < 0, !calls.contains(where: { $0.error != 0 }) { throw CoroError(code: code) }
        let results = zip(outcomes, calls).map { outcome, call in outcome.result ?? .failure(CoroError(code: call.error)) }
        if code < 0 { throw InParallelError(results: results, isTimeout: code == CORO_ETIMEOUT) }
        return try results.map { try $0.get() }
    }
}

/// Some of the closures that were run in parallel failed, or did not end in time.
///
/// Unchecked: the values needn't be `Sendable`, as they and the error stay on the thread whose coroutines made them.
public struct InParallelError<Value>: CodedError, @unchecked Sendable {
    /// What became of each, in the order in which they were given: `CoroError.timeout` for one that had not ended in time,
    /// `CoroError.shutdown` for one that was told to end before it ran.
    public let results: [Result<Value, any Error>]
    /// Whether the time for all together ran out.
    public let isTimeout: Bool

    /// The code that C would have got.
    public var code: Int32 { isTimeout ? CORO_ETIMEOUT : CORO_EINPARALLEL }
}

extension InParallelError: CustomStringConvertible {
    /// `2 of 10 failed: [3] no such file or directory; [7] time ran out`
    public var description: String {
        let failures = results.indices.compactMap { index in
            if case .failure(let error) = results[index] { "[\(index)] \(error)" } else { nil }
        }
        return "\(failures.count) of \(results.count) failed: \(failures.joined(separator: "; "))"
    }
}
