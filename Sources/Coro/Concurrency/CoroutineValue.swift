import CCoro

extension Coroutine where Success: Sendable {
    /// Waits, in async code on any thread, until the coroutine has ended, and returns its result or throws its error.
    ///
    ///     let page = try await coroutine.value
    ///
    /// When the task that waits is cancelled, the coroutine is told to end, as by `shutdown()`; this waits for its end all the
    /// same, and throws `CancellationError` for the `CoroError.shutdown` that it then ends with. Any number of tasks and
    /// coroutines may wait. Throws `CoroError.notStarted` if nobody has started it, `CoroError.dead` if its thread has ended,
    /// or ends before it does.
    public var value: Success {
        get async throws {
            try await asyncOutcome().getAsTask().getAsTask()
        }
    }

    /// The same, with its error as part of the result. Throws, of the wait itself, what `value` throws;
    /// `CoroError.shutdown` for one that was told to end before it ran.
    public var result: Result<Success, Failure> {
        get async throws(CoroError) {
            try await asyncOutcome().get()
        }
    }

    private func asyncOutcome() async -> Result<Result<Success, Failure>, CoroError> {
        let coroutine = any
        return await coroutine.outcome {
            () throws(CoroError) in try coroutine.waitForEnd { () throws(CoroError) in try outcome.result(timeout: nil) }
        }
    }
}

extension AnyCoroutine {
    /// Waits, in async code on any thread, until the coroutine has ended, whatever language it is written in. See
    /// `Coroutine.value`. Throws what it failed with. Like the first `join()`, it drops what is kept of the coroutine.
    public func ended() async throws {
        let outcome = await outcome { () throws(CoroError) in
            _ = try waitForEnd { () throws(CoroError) in try join() }
        }
        try outcome.getAsTask()
    }

    /// What `body` returns, or throws, in a coroutine of the thread of this one; when the task is cancelled, this one is told
    /// to end.
    fileprivate func outcome<Success: Sendable>(
        _ body: sending @escaping () throws(CoroError) -> Success
    ) async -> Result<Success, CoroError> {
        do throws(CoroError) {
            let errand = try Errand(on: coro_loop_of(id), name: "await #\(id)", body)
            return await errand.outcome.result { onItsThread { try? $0.shutdown() } }.flatMap { $0 }
        } catch {
            return .failure(error)
        }
    }

    /// Calls `join` until the coroutine has ended: what interrupts the caller meanwhile is not what is waited for.
    fileprivate func waitForEnd<Success>(_ join: () throws(CoroError) -> Success) throws(CoroError) -> Success {
        var failure: CoroError
        repeat {
            do throws(CoroError) { return try join() } catch { failure = error }
        } while isAlive
        do throws(CoroError) {
            return try join()
        } catch {
            // The first time it was told what became of the coroutine.
            throw error == .dead ? failure : error
        }
    }
}
