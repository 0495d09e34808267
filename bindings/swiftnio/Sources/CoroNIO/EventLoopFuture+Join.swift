import Coro
import NIOCore

extension EventLoopFuture where Value: Sendable {
    /// Waits in a coroutine for the future, and returns its value or throws its error, as `join()` of a coroutine. Suspends the
    /// calling coroutine alone: the others of its thread go on, as do SwiftNIO's threads.
    ///
    ///     let channel = try bootstrap.connect(host: "example.org", port: 80).join()
    ///
    /// `Coroutine.withTimeout` bounds the time. Throws, too, what the caller was interrupted with: the future can't be
    /// cancelled, so what it stands for goes on, and its result is dropped. On a thread of SwiftNIO's nothing may be waited
    /// for: it throws `CoroError.yieldFromMain` on the future's own.
    @available(*, noasync, message: "use `try await future.get()`")
    public func join() throws -> Value {
        // A coroutine on the event loop's thread is that of an embedded loop, which others run.
        if eventLoop.inEventLoop, AnyCoroutine.current == nil { throw CoroError.yieldFromMain }
        let promise = Promise<Value, any Error>()
        whenComplete { promise.complete(with: $0) }
        return try promise.wait()
    }
}
