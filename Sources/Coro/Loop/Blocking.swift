import CCoro

extension Coroutine where Success == Never, Failure == Never {
    /// Runs `body`, which blocks its thread, on a thread of the pool. Suspends only the caller meanwhile.
    ///
    ///     let rows = try Coroutine.blocking { try database.query("select ...") }
    ///
    /// Returns what it returns, or throws what it throws. On its thread nothing suspends. A caller that is interrupted before
    /// it has begun throws that, and it never runs; one that is interrupted later gets its result, and is interrupted in its
    /// next suspending call. `abandonable`: such a caller throws at once what it was interrupted with, `body` runs on, and
    /// nobody gets its result. Closure and result are released exactly when nobody can use them any more, on either thread.
    ///
    /// Also throws `CoroError.system(errno: EAGAIN)` if the pool has no thread, and none can be started. See `coro_blocking`.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func blocking<Value: Sendable, E: Error>(
        abandonable: Bool = false, _ body: @escaping @Sendable () throws(E) -> Value
    ) throws -> Value {
        let work = BlockingWork(body)
        var options = coro_blocking_options()
        coro_blocking_options_init(&options)
        options.flags = abandonable ? UInt32(CORO_BLOCKING_ABANDON) : 0
        options.discard = { argument, _ in Unmanaged<Box<() -> Void>>.fromOpaque(argument!).release() }
        let call = Unmanaged.passRetained(Box { work.run() })
        // After an error C gives it back.
        try check(coro_blocking_with(Self.runCall, call.toOpaque(), &options, nil))
        call.release()
        guard let outcome = work.outcome else { throw CoroError.dead }
        return try outcome.get()
    }

    private static var runCall: coro_fn {
        { argument in
            Unmanaged<Box<() -> Void>>.fromOpaque(argument!).takeUnretainedValue().value()
            return nil
        }
    }
}

/// A closure, then its outcome, that goes to a thread of the pool and comes back.
private final class BlockingWork<Value: Sendable, E: Error> {
    private var body: (@Sendable () throws(E) -> Value)?
    private(set) var outcome: Result<Value, E>?

    init(_ body: @escaping @Sendable () throws(E) -> Value) {
        self.body = body
    }

    func run() {
        guard let body = body.take() else { return }
        do throws(E) {
            outcome = .success(try body())
        } catch {
            outcome = .failure(error)
        }
    }
}

extension EventLoop {
    /// How many threads there are at most, in this process, for `Coroutine.blocking`, names and files: 1 to 1024. Default: 32.
    /// Returns what it was.
    @discardableResult
    public static func setMaxBlockingThreads(_ count: Int) throws(CoroError) -> Int {
        Int(try check(coro_set_max_blocking_threads(Int32(clamping: count))))
    }
}
