import CCoro

/// A coroutine that runs a Swift closure, and its result.
///
///     let answer = try Coroutine.spawn { () in
///         try Coroutine.sleep(for: .milliseconds(10))
///         return 42
///     }
///     print(try answer.join())
///
/// It belongs to the thread that made it. Like a `Task` it goes on when this object is dropped; its result is then lost.
public final class Coroutine<Success> {
    /// The same coroutine, as every language names it.
    public let any: AnyCoroutine
    private let work: Work<Success>

    public var id: Int64 { any.id }

    private init(id: Int64, work: Work<Success>) {
        self.any = AnyCoroutine(id: id)
        self.work = work
    }

    deinit {
        // Its record is of no use to anybody without the closure's result. An error means that it is gone already.
        _ = coro_detach(id)
    }

    /// How to begin.
    public enum Start: Sendable {
        /// Queued: it first runs after the caller suspends.
        case queued
        /// It runs to its first suspension before `spawn` returns.
        case now
        /// Not before `start()`.
        case later
    }

    /// Creates a coroutine that runs `body`. What it throws is thrown by `join()`; who joins from another language gets the
    /// code of a `CoroError`, `CORO_EFAILED` for other errors.
    public static func spawn(
        name: String? = nil, stackSize: Int = 0, start: Start = .queued, _ body: @escaping () throws -> Success
    ) throws(CoroError) -> Coroutine {
        let work = Work(body)
        // One reference for the coroutine, given back by `release` whether or not it ever runs.
        let argument = Unmanaged.passRetained(work as WorkBase)
        var options = coro_options()
        coro_options_init(&options)
        options.stack_size = stackSize
        options.flags = start == .now ? UInt32(CORO_START_NOW) : 0
        options.release = { Unmanaged<WorkBase>.fromOpaque($0!).release() }
        let function: coro_fn = { Unmanaged<WorkBase>.fromOpaque($0!).takeUnretainedValue().run() }
        let id = (name ?? "swift").withCString { text in
            options.name = text
            return start == .later
                ? coro_new(function, argument.toOpaque(), &options) : coro_spawn_with(function, argument.toOpaque(), &options)
        }
        if id < 0 {
            argument.release()
            throw CoroError(code: Int32(truncatingIfNeeded: id))
        }
        return Coroutine(id: id, work: work)
    }

    /// Queues one that was made with `start: .later`.
    public func start() throws(CoroError) {
        try check(coro_start(id))
    }

    public var isAlive: Bool { any.isAlive }

    /// Waits until it has ended, and returns its result or throws its error. Suspends. Throws `CoroError.timeout` when the
    /// time ran out, or what the caller was interrupted with.
    @discardableResult
    public func join(timeout: Duration? = nil) throws -> Success {
        if let outcome = work.outcome { return try outcome.get() }
        do {
            try any.join(timeout: timeout)
        } catch {
            // The error itself, rather than the code it became.
            if let outcome = work.outcome { return try outcome.get() }
            throw error
        }
        guard let outcome = work.outcome else { throw CoroError.dead }
        return try outcome.get()
    }

    /// Tells it to end: what it waits in, or next waits in, throws `CoroError.shutdown`.
    public func shutdown() throws(CoroError) {
        try any.shutdown()
    }
}

/// What the C side holds of a closure: something to run.
private class WorkBase {
    func run() -> UnsafeMutableRawPointer? { nil }
}

/// A closure, then its outcome.
private final class Work<Success>: WorkBase {
    private var body: (() throws -> Success)?
    private(set) var outcome: Result<Success, any Error>?

    init(_ body: @escaping () throws -> Success) {
        self.body = body
    }

    override func run() -> UnsafeMutableRawPointer? {
        guard let body = body.take() else { return nil }
        do {
            outcome = .success(try body())
            return nil
        } catch {
            outcome = .failure(error)
            return fail(error)
        }
    }

    private func fail(_ error: any Error) -> UnsafeMutableRawPointer? {
        if let error = error as? CoroError { return coro_fail(error.code, error.description) }
        return coro_fail(CORO_EFAILED, "\(error)")
    }
}
