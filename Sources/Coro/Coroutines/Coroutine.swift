import CCoro

/// A coroutine that runs a Swift closure, and its result.
///
///     let answer = try Coroutine.spawn {
///         try Coroutine.sleep(for: .milliseconds(10))
///         return 42
///     }
///     print(try answer.join())
///
/// It belongs to the thread that made it. Like a `Task` it goes on when nobody has this value any more; its result is then
/// lost.
public struct Coroutine<Success, Failure: Error> {
    @usableFromInline let outcome: Outcome<Success, Failure>
    /// Of one that was made with `start: .later`.
    @usableFromInline let unstarted: Unstarted?

    /// The same coroutine, as every language names it: for what can be done to any.
    public var any: AnyCoroutine { AnyCoroutine(id: id) }

    /// The number that names it in every language: never reused.
    public var id: Int64 { outcome.work.id }

    @inlinable
    init(_ outcome: Outcome<Success, Failure>, start: CoroutineStart = .queued) {
        self.outcome = outcome
        unstarted = start == .later ? Unstarted(id: outcome.work.id) : nil
    }

    /// How a coroutine begins.
    public typealias Start = CoroutineStart

    /// Creates a coroutine that runs `body`. What it throws is thrown by `join()`; who joins from another language gets the
    /// code of a `CoroError`, `CORO_EFAILED` for other errors. Throws `CoroError.system(errno: ENOMEM)`, or `EINVAL` for a size
    /// that no stack can have.
    @inlinable
    public static func spawn(
        name: String? = nil, stackSize: Int = 0, start: CoroutineStart = .queued,
        _ body: consuming @escaping () throws(Failure) -> Success
    ) throws(CoroError) -> Coroutine {
        let outcome = Outcome(body)
        let id = try Work.spawn(outcome.work.lend(), name: name, stackSize: stackSize, start: start)
        outcome.work.id = id
        return Coroutine(outcome, start: start)
    }

    /// Queues one that was made with `start: .later`.
    public func start() throws(CoroError) {
        try check(coro_start(id))
    }

    /// Whether it has been started and has not ended.
    public var isAlive: Bool { any.isAlive }

    /// Waits until it has ended, and returns its result or throws its error. Suspends. Throws `CoroError.timeout` when the
    /// time ran out, or what the caller was interrupted with.
    @available(*, noasync, message: "use `try await coroutine.value`")
    @inlinable
    @discardableResult
    public func join(timeout: Duration? = nil) throws -> Success {
        try outcome.result(timeout: timeout).get()
    }

    /// Waits until it has ended, and returns its result or its error. Suspends. Throws, of the wait itself, what `join` throws;
    /// `CoroError.shutdown` for one that was told to end before it ran.
    @available(*, noasync, message: "use `await coroutine.result`")
    @inlinable
    public func result(timeout: Duration? = nil) throws(CoroError) -> Result<Success, Failure> {
        try outcome.result(timeout: timeout)
    }

    /// Tells it to end: what it waits in, or next waits in, throws `CoroError.shutdown`.
    public func shutdown() throws(CoroError) {
        try any.shutdown()
    }
}

/// How a coroutine begins.
public enum CoroutineStart: Sendable {
    /// Queued: it first runs after the caller suspends.
    case queued
    /// It runs to its first suspension before `spawn` returns.
    case now
    /// Not before `start()`. If its last handle is dropped before, it is cancelled.
    case later
}

extension Coroutine where Failure == Never {
    /// Waits until it has ended, and returns its result. Suspends. See `join` of any coroutine.
    @available(*, noasync, message: "use `try await coroutine.value`")
    @inlinable
    @discardableResult
    public func join(timeout: Duration? = nil) throws(CoroError) -> Success {
        switch try outcome.result(timeout: timeout) {
        case .success(let value): value
        }
    }
}

extension Coroutine where Failure == CoroError {
    /// Waits until it has ended, and returns its result or throws its error. Suspends. See `join` of any coroutine.
    @available(*, noasync, message: "use `try await coroutine.value`")
    @inlinable
    @discardableResult
    public func join(timeout: Duration? = nil) throws(CoroError) -> Success {
        try outcome.result(timeout: timeout).get()
    }
}

extension Coroutine: Sendable where Success: Sendable {}

extension Coroutine: Hashable {
    public static func == (a: Self, b: Self) -> Bool { a.id == b.id }

    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// What the handles of a coroutine share that nobody has started: when none is left, nobody can join it.
@usableFromInline
final class Unstarted: Sendable {
    private let id: Int64

    @usableFromInline
    init(id: Int64) {
        self.id = id
    }

    deinit {
        let coroutine = AnyCoroutine(id: id)
        coroutine.onItsThread { if $0.state == UInt32(CORO_STATE_NEW) { _ = coro_shutdown($0.id) } }
    }
}
