import CCoro

/// A value that is computed once, by the first who needs it, across suspensions too. It belongs to the thread that made it.
///
///     let configuration = try Once { try fetchConfiguration() }
///     print(try configuration.get().name)
public final class Once<Value> {
    private let once: OpaquePointer
    private var compute: (() throws -> Value)?
    private var value: Value?

    /// compute: how. It may suspend. It is released when it has returned a value.
    public init(_ compute: @escaping () throws -> Value) throws(CoroError) {
        once = try made(coro_once_new())
        self.compute = compute
    }

    deinit {
        // Nobody waits: who does holds this object.
        _ = coro_once_free(once)
    }

    /// The value. If nobody has computed it yet, does so, here and now; or waits for another who does. If that one fails, the
    /// first that waits tries itself. Suspends. Throws what the computation throws in the caller; or what the caller was
    /// interrupted with while it waited, or `CoroError.system(errno: EDEADLK)` if it is in the computation already.
    @available(*, noasync, message: "use it in a coroutine")
    public func get() throws -> Value {
        if let value { return value }
        var failure: (any Error)?
        let run = Box {
            do {
                try self.run()
                return 0 as Int32
            } catch {
                failure = error
                return min(error.codeElsewhere, -1)
            }
        }
        let code = withExtendedLifetime(run) {
            coro_once_run(
                once, { Unmanaged<Box<() -> Int32>>.fromOpaque($0!).takeUnretainedValue().value() },
                Unmanaged.passUnretained(run).toOpaque())
        }
        if let failure { throw failure }
        try check(code)
        guard let value else { throw CoroError.closed }
        return value
    }

    /// Whether it has been computed.
    public var isDone: Bool { coro_once_is_done(once) }

    private func run() throws {
        guard let compute else { return }
        value = try compute()
        self.compute = nil
    }
}
