import Coro
import NIOCore

extension EventLoopPromise where Value: Sendable {
    /// Completes the promise with what `body` returns or throws, which runs in a new coroutine on the thread of `executor`,
    /// whose loop has to run: the counterpart of `completeWithTask`. To be called on any thread; does not wait.
    ///
    /// Cancelling the task that is returned tells the coroutine to end: what it waits in throws `CoroError.shutdown`, for which
    /// the promise fails with `CancellationError`. If there is no coroutine to be had, because memory is short or that thread
    /// has ended, it fails with a `CoroError`: it never stays open.
    @discardableResult
    public func completeWithCoroutine(
        on executor: LoopExecutor, name: String? = nil, _ body: @escaping @Sendable () throws -> Value
    ) -> Task<Void, Never> {
        Task(executorPreference: executor) {
            do {
                succeed(try await executor.run(name: name, body))
            } catch {
                fail(error)
            }
        }
    }
}

extension NIOCore.EventLoop {
    /// A future of this event loop for what `body` returns or throws, which runs in a new coroutine on the thread of
    /// `executor`, whose loop has to run: the counterpart of `makeFutureWithTask`. To be called on any thread; does not wait.
    ///
    ///     // In a handler of SwiftNIO:
    ///     context.eventLoop.makeFutureWithCoroutine(on: executor) {
    ///         try Coroutine.withTimeout(.seconds(1)) { try answer(to: question) }
    ///     }.whenComplete { ... }
    ///
    /// See `EventLoopPromise.completeWithCoroutine`.
    public func makeFutureWithCoroutine<Value: Sendable>(
        on executor: LoopExecutor, name: String? = nil, file: StaticString = #fileID, line: UInt = #line,
        _ body: @escaping @Sendable () throws -> Value
    ) -> EventLoopFuture<Value> {
        let promise = makePromise(of: Value.self, file: file, line: line)
        promise.completeWithCoroutine(on: executor, name: name, body)
        return promise.futureResult
    }
}
