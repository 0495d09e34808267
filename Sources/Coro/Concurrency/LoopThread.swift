import CCoro
import Glibc

/// A thread of its own that runs an event loop: for programs whose main is `async`, and for whoever wants coroutines beside the
/// thread that it is on.
///
///     let io = try LoopThread(name: "io")
///     let page = try await io.run {
///         try Coroutine.withTimeout(.seconds(5)) { try fetch(url) }
///     }
///     await io.stop()
///
/// It blocks the signals that the program's main thread blocks, as the programs will that its coroutines start.
public final class LoopThread: Sendable {
    /// Runs Swift's tasks on this thread.
    public let executor: LoopExecutor
    private let life: Life

    /// Starts it. Its name, cut to 15 bytes, is what debuggers and `ps -L` show. Throws `CoroError.system(errno:)` without
    /// memory, threads or descriptors for it.
    public init(name: String = "coro-loop") throws(CoroError) {
        life = try Life.start(name: name)
        executor = try life.executor()
    }

    /// The thread ends as by `stop()`. Nobody is in `run` meanwhile: who is holds this object.
    deinit {
        life.beginEnd()
        life.join(mayWait: false)
    }

    /// Runs `body` in a coroutine of the thread. See `LoopExecutor.run`.
    @discardableResult
    public func run<Success: Sendable, Failure: Error>(
        name: String? = nil, stackSize: Int = 0, _ body: sending @escaping () throws(Failure) -> Success
    ) async throws -> Success {
        defer { withExtendedLifetime(self) {} }
        return try await executor.run(name: name, stackSize: stackSize, body)
    }

    /// Ends the thread, and returns when it has ended. All of its coroutines are told to end, as by `shutdown()`, and go on
    /// until they have, or until nothing could ever wake those that are left; `run` throws `CoroError.dead` from then on. The
    /// loop has then ended for whoever else uses it: see `LoopExecutor`. May be called more than once. Not to be called by its
    /// own coroutines, which can call `EventLoop.exit()` for the same.
    public func stop() async {
        life.beginEnd()
        _ = await life.end.result()
        life.join(mayWait: true)
    }

    /// Its executor, for as long as the process lives.
    func forever() -> LoopExecutor {
        _ = Unmanaged.passRetained(self)
        return executor
    }
}
