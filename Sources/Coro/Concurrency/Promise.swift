import CCoro
import Glibc

/// A value, or an error, that is yet to come: from whatever thread, for coroutines of any thread and for async code. What joins
/// them to libraries that have futures or callbacks of their own.
///
///     let answer = Promise<String, any Error>()
///     client.ask(question) { answer.complete(with: $0) }     // on any thread
///     print(try answer.wait())                               // in a coroutine: `try await answer.value` in async code
///
/// It belongs to no thread. A loop that coroutines wait on for one knows that it is to come, and is not idle meanwhile:
/// somebody has to complete it.
public final class Promise<Value: Sendable, Failure: Error>: Sendable {
    private let state = Guarded(State())

    private struct State {
        var result: Result<Value, Failure>?
        var waiters: [Waiter] = []
        var lastTicket = 0

        mutating func newTicket() -> Int {
            lastTicket += 1
            return lastTicket
        }

        mutating func append(_ waiter: Waiter.Kind, _ ticket: Int) {
            waiters.append(Waiter(ticket: ticket, kind: waiter))
        }

        mutating func remove(_ ticket: Int) -> Waiter? {
            waiters.firstIndex { $0.ticket == ticket }.map { waiters.remove(at: $0) }
        }
    }

    /// Who waits, by a number that is not given out again.
    private struct Waiter: @unchecked Sendable {
        let ticket: Int
        let kind: Kind

        enum Kind {
            case coroutine(OpaquePointer)
            case task(UnsafeContinuation<Result<Value, Failure>?, Never>)
        }
    }

    /// A new one, which nobody has completed.
    public init() {}

    /// All who wait go on, and get `result`, as does everybody later. Returns false, and changes nothing, if it was completed
    /// before. From any thread; does not suspend.
    @discardableResult
    public func complete(with result: Result<Value, Failure>) -> Bool {
        let waiters = state.withLock { state -> [Waiter]? in
            if state.result != nil { return nil }
            state.result = result
            defer { state.waiters = [] }
            return state.waiters
        }
        guard let waiters else { return false }
        for waiter in waiters {
            switch waiter.kind {
            case .coroutine(let promise): coro_promise_keep(promise, 0, nil)
            case .task(let continuation): continuation.resume(returning: result)
            }
        }
        return true
    }

    /// `complete(with:)` a value.
    @discardableResult
    public func succeed(_ value: Value) -> Bool { complete(with: .success(value)) }

    /// `complete(with:)` an error.
    @discardableResult
    public func fail(_ error: Failure) -> Bool { complete(with: .failure(error)) }

    /// What it was completed with; nil if it was not. From any thread.
    public var completion: Result<Value, Failure>? { state.withLock { $0.result } }

    /// Waits until it is completed, and returns its value or throws its error. Suspends, unless it is. Any number may wait;
    /// they go on in the order they came. Throws what the caller was interrupted with: the promise stays.
    @available(*, noasync, message: "use `try await promise.value`")
    public func wait() throws -> Value {
        try waitForResult().get()
    }

    /// The same in async code. Throws `CancellationError` if the task is cancelled: the promise stays.
    public var value: Value {
        get async throws { try await resultUnlessCancelled().get() }
    }
}

extension Promise where Failure == Never {
    /// Suspends: `wait` of any promise.
    @available(*, noasync, message: "use `try await promise.value`")
    public func wait() throws(CoroError) -> Value {
        try waitForResult().get()
    }
}

extension Promise where Failure == CoroError {
    /// Suspends: `wait` of any promise.
    @available(*, noasync, message: "use `try await promise.value`")
    public func wait() throws(CoroError) -> Value {
        try waitForResult().get()
    }
}

extension Promise where Value == Void {
    /// `complete(with:)` nothing but the fact.
    @discardableResult
    public func succeed() -> Bool { succeed(()) }
}

// How it is waited for.
extension Promise {
    private func waitForResult() throws(CoroError) -> Result<Value, Failure> {
        if let completion { return completion }
        guard let promise = coro_promise_new(nil) else { throw .system(errno: ENOMEM) }
        defer { _ = coro_promise_free(promise) }
        let (ticket, result) = state.withLock { state in
            let ticket = state.newTicket()
            if state.result == nil { state.append(.coroutine(promise), ticket) }
            return (ticket, state.result)
        }
        if let result {
            coro_promise_keep(promise, 0, nil)
            return result
        }
        let code = coro_promise_wait(promise, nil)
        if code < 0 {
            // Who completes it keeps it, unless nobody will now.
            if state.withLock({ $0.remove(ticket) }) != nil { coro_promise_keep(promise, 0, nil) }
            throw CoroError(code: code)
        }
        guard let completion else { throw .closed }
        return completion
    }

    /// What it is completed with. Throws `CancellationError` if the task is cancelled meanwhile.
    private func resultUnlessCancelled() async throws -> Result<Value, Failure> {
        if let completion { return completion }
        let ticket = state.withLock { $0.newTicket() }
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                suspend(continuation, ticket)
                // It may have been cancelled before there was anybody to tell.
                if Task.isCancelled { giveUp(ticket) }
            }
        } onCancel: {
            giveUp(ticket)
        }
        guard let result else { throw CancellationError() }
        return result
    }

    /// What it is completed with, for a task that waits for it to the end. `onCancel`: as `withTaskCancellationHandler` has it.
    func result(onCancel: @Sendable () -> Void = {}) async -> Result<Value, Failure> {
        let ticket = state.withLock { $0.newTicket() }
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { suspend($0, ticket) }
        } onCancel: {
            onCancel()
        }
        guard let result else { fatalError("nobody else has this ticket") }
        return result
    }

    private func suspend(_ continuation: UnsafeContinuation<Result<Value, Failure>?, Never>, _ ticket: Int) {
        let result = state.withLock { state in
            if state.result == nil { state.append(.task(continuation), ticket) }
            return state.result
        }
        if let result { continuation.resume(returning: result) }
    }

    private func giveUp(_ ticket: Int) {
        guard case .task(let continuation)? = state.withLock({ $0.remove(ticket) })?.kind else { return }
        continuation.resume(returning: nil)
    }
}
