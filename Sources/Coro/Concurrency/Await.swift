import CCoro
import Glibc

extension Coroutine where Success == Never, Failure == Never {
    /// Runs async code, and waits until it has ended: only the calling coroutine is suspended.
    ///
    ///     let user = try Coroutine.await { try await database.user(id) }
    ///
    /// `body` runs in a task of its own, which prefers this thread: it runs between coroutines, in jobs of this loop (see
    /// `LoopExecutor`), but where it calls what is isolated elsewhere. So it may use what the caller uses, which needn't be
    /// `Sendable`; other coroutines of this thread run whenever it awaits. It has the caller's task-local values.
    ///
    /// When the caller is interrupted, by `shutdown()`, a timeout or whatever else, the task is cancelled. This waits for its
    /// end all the same, and then throws what it was interrupted with last, whatever the task returned or threw. One that has
    /// not begun by then never does. Otherwise throws what `body` throws; `CoroError.yieldFromMain` where nothing may suspend,
    /// without running it; `CoroError.system(errno:)` without memory or descriptors.
    @available(*, noasync, message: "this is async code: await it")
    public static func await<Value>(
        name: String? = nil, priority: TaskPriority? = nil, _ body: () async throws -> Value
    ) throws -> Value {
        let executor = try EventLoop.executor
        guard let end = coro_promise_new(nil) else { throw CoroError.system(errno: ENOMEM) }
        defer { _ = coro_promise_free(end) }
        return try withoutActuallyEscaping(body) { body in
            let call = AsyncCall(body, end: end)
            let task = Task(name: name, executorPreference: executor, priority: priority) { await call.run() }
            return try call.waitForEnd(of: task)
        }
    }
}

/// Async code that a coroutine waits for.
///
/// Unchecked: it is used on the coroutine's thread alone, which the task prefers.
private final class AsyncCall<Value>: @unchecked Sendable {
    /// nil: it has begun, or never will.
    private var body: (() async throws -> Value)?
    private var result: Result<Value, any Error>?
    /// Kept by the task.
    private let end: OpaquePointer

    init(_ body: @escaping () async throws -> Value, end: OpaquePointer) {
        self.body = body
        self.end = end
    }

    func run() async {
        if let body = body.take() { result = await Self.result(of: body) }
        coro_promise_keep(end, 0, nil)
    }

    private static func result(of body: () async throws -> Value) async -> Result<Value, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    func waitForEnd(of task: Task<Void, Never>) throws -> Value {
        var interruption: CoroError?
        while true {
            let code = coro_promise_wait(end, nil)
            if code == 0 { break }
            interruption = CoroError(code: code)
            task.cancel()
            if body.take() != nil { break }
        }
        if let interruption { throw interruption }
        guard let result else { throw CoroError.dead }
        return try result.get()
    }
}
