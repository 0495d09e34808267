import CCoro

/// What the C side holds of a closure: something to run.
class Work {
    func run() -> UnsafeMutableRawPointer? { nil }

    /// A reference for the C side: the argument of `function`, then of `giveBack`.
    final func lend() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

    static var function: coro_fn { { Unmanaged<Work>.fromOpaque($0!).takeUnretainedValue().run() } }
    static var giveBack: @convention(c) (UnsafeMutableRawPointer?) -> Void { { Unmanaged<Work>.fromOpaque($0!).release() } }
}

/// A closure, then its outcome.
final class ClosureOutcome<Success, Failure: Error>: Outcome<Success, Failure>, @unchecked Sendable {
    private var body: (() throws(Failure) -> Success)?
    private(set) var outcome: Result<Success, Failure>?

    init(_ body: @escaping () throws(Failure) -> Success) {
        self.body = body
    }

    override func run() -> UnsafeMutableRawPointer? {
        guard let body = body.take() else { return nil }
        do throws(Failure) {
            outcome = .success(try body())
            return nil
        } catch {
            outcome = .failure(error)
            return error.failCoroutine()
        }
    }

    override func result(timeout: Duration?) throws(CoroError) -> Result<Success, Failure> {
        if !isHere { throw .wrongThread }
        if let outcome { return outcome }
        do throws(CoroError) {
            try check(coro_join(id, nil, timeout?.nanoseconds ?? .max))
            isTaken = true
        } catch {
            // The error itself, rather than the code it became. Any other code is what the caller was interrupted with.
            guard case .failure(let own)? = outcome, own.codeElsewhere == error.code else { throw error }
            isTaken = true
        }
        guard let outcome else { throw .dead }
        return outcome
    }

    /// Makes the coroutine that runs this.
    func spawn(name: String?, stackSize: Int, start: CoroutineStart) throws(CoroError) {
        // Given back by `release` whether or not the coroutine ever runs.
        let argument = lend()
        var options = coro_options()
        coro_options_init(&options)
        options.stack_size = stackSize
        options.flags = start == .now ? UInt32(CORO_START_NOW) : 0
        options.release = Work.giveBack
        id = (name ?? "swift").withCString { text in
            options.name = text
            return start == .later
                ? coro_new(Work.function, argument, &options) : coro_spawn_with(Work.function, argument, &options)
        }
        if id < 0 {
            Work.giveBack(argument)
            throw CoroError(code: Int32(truncatingIfNeeded: id))
        }
    }
}
