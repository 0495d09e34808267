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
    /// The same coroutine, as every language names it: for what can be done to any.
    public let any: AnyCoroutine
    private let outcome: any Outcome<Success>

    public var id: Int64 { any.id }

    init(id: Int64, outcome: any Outcome<Success>) {
        self.any = AnyCoroutine(id: id)
        self.outcome = outcome
    }

    deinit {
        // Its record is of no use to anybody without its result. An error means that it is gone already.
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
        let work = TypedWork(body)
        // Given back by `release` whether or not the coroutine ever runs.
        let argument = work.lend()
        var options = coro_options()
        coro_options_init(&options)
        options.stack_size = stackSize
        options.flags = start == .now ? UInt32(CORO_START_NOW) : 0
        options.release = Work.giveBack
        let id = (name ?? "swift").withCString { text in
            options.name = text
            return start == .later
                ? coro_new(Work.function, argument, &options) : coro_spawn_with(Work.function, argument, &options)
        }
        if id < 0 {
            Work.giveBack(argument)
            throw CoroError(code: Int32(truncatingIfNeeded: id))
        }
        return Coroutine(id: id, outcome: work)
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
        try outcome.join(any, timeout: timeout)
    }

    /// Tells it to end: what it waits in, or next waits in, throws `CoroError.shutdown`.
    public func shutdown() throws(CoroError) {
        try any.shutdown()
    }
}
