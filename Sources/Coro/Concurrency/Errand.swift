import CCoro

/// A closure that runs in a coroutine of some loop for async code, which waits for what becomes of it.
///
/// Unchecked: what changes is used on the loop's thread alone.
final class Errand<Success: Sendable, Failure: Error>: @unchecked Sendable {
    /// What the closure returned or threw. It fails with `CoroError.shutdown` if the coroutine was told to end before it ran,
    /// `CoroError.dead` if its thread ended before it did, and with what `spawn` throws.
    let outcome = Promise<Result<Success, Failure>, CoroError>()
    private let loop: coro_loop_t
    private var coroutine: AnyCoroutine?
    private var isCancelled = false

    /// Throws `CoroError.dead` if the loop's thread has ended; fails with that if, there, `isRefused` says so.
    init(
        on loop: coro_loop_t, name: String?, stackSize: Int = 0, unless isRefused: @escaping @Sendable () -> Bool = { false },
        _ body: sending @escaping () throws(Failure) -> Success
    ) throws(CoroError) {
        self.loop = loop
        let body = Sent(body)
        try EventLoop.post(to: loop) {
            if isRefused() {
                self.outcome.fail(.dead)
            } else {
                self.begin(name: name, stackSize: stackSize, body.value)
            }
        }
    }

    /// Tells the coroutine to end; one that has not run never does. From any thread.
    func cancel() {
        // An error means that the thread has ended, and with it all of this.
        try? EventLoop.post(to: loop) {
            self.isCancelled = true
            try? self.coroutine?.shutdown()
        }
    }

    private func begin(name: String?, stackSize: Int, _ body: @escaping () throws(Failure) -> Success) {
        let completion = Completion(outcome)
        // Whoever has it last says that nothing ran: why is told first.
        defer { withExtendedLifetime(completion) {} }
        do throws(CoroError) {
            let spawned = try Coroutine<Void, Never>.spawn(name: name, stackSize: stackSize) {
                completion.outcome.succeed(Result(catching: body))
            }
            coroutine = spawned.any
            // What different threads post may come in another order.
            if isCancelled { try spawned.shutdown() }
        } catch {
            outcome.fail(error)
        }
    }

    /// What the coroutine holds of it; it goes with the closure of one that never runs.
    private final class Completion {
        let outcome: Promise<Result<Success, Failure>, CoroError>
        private let ticket: PendingErrands.Ticket

        init(_ outcome: Promise<Result<Success, Failure>, CoroError>) {
            self.outcome = outcome
            ticket = PendingErrands.add { outcome.fail(.dead) }
        }

        deinit {
            PendingErrands.remove(ticket)
            outcome.fail(.shutdown)
        }
    }
}

/// What is to be told if this thread ends first: the coroutines that are suspended then release nothing.
private final class PendingErrands {
    typealias Ticket = Int

    private static let ofThisThread = ThreadOwned<PendingErrands>()

    private var lastTicket = 0
    private var fails: [Ticket: () -> Void] = [:]

    deinit {
        for fail in fails.values { fail() }
    }

    static func add(_ fail: @escaping () -> Void) -> Ticket {
        let pending = ofThisThread.value ?? PendingErrands()
        ofThisThread.value = pending
        pending.lastTicket += 1
        pending.fails[pending.lastTicket] = fail
        return pending.lastTicket
    }

    static func remove(_ ticket: Ticket) {
        ofThisThread.value?.fails[ticket] = nil
    }
}

/// A value that is handed to another thread, and no longer used by who had it.
struct Sent<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: sending Value) {
        self.value = value
    }
}
