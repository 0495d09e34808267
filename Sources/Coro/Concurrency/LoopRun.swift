import CCoro

extension LoopExecutor {
    /// Runs `body` in a coroutine of this loop's thread, and returns what it returns: for async code, wherever that runs.
    ///
    ///     let answer = try await executor.run { try connection.ask(question) }
    ///
    /// When the task is cancelled, the coroutine is told to end, as by `shutdown()`, or never run; this waits for its end all
    /// the same, and throws `CancellationError` for the `CoroError.shutdown` that it then ends with. Otherwise it throws what
    /// `body` throws, `CoroError.dead` if the thread has ended, or ends before the coroutine does, `CoroError.shutdown` for a
    /// coroutine that was told to end before it ran (so may be one that the end of the thread has kept from running),
    /// `CoroError.system(errno: ENOMEM)`.
    @discardableResult
    public func run<Success: Sendable, Failure: Error>(
        name: String? = nil, stackSize: Int = 0, _ body: sending @escaping () throws(Failure) -> Success
    ) async throws -> Success {
        try Task.checkCancellation()
        let errand = try Errand(on: loop, name: name, stackSize: stackSize, unless: { self.isEnding }, body)
        let outcome = await errand.outcome.result { errand.cancel() }
        return try outcome.getAsTask().getAsTask()
    }
}

extension Result {
    /// As `get`, in a task: where that was cancelled, it is why a coroutine was told to end.
    func getAsTask() throws -> Success {
        do {
            return try get()
        } catch {
            throw error as? CoroError == .shutdown && Task.isCancelled ? CancellationError() : error
        }
    }
}
