import CCoro

/// An asynchronous sequence, for coroutines of the thread that made this.
///
///     let events = client.events.inCoroutine()
///     while let event = try events.next() { handle(event) }
///
/// Nothing is asked for before it is wanted: no task runs between two calls of `next`.
public final class AsyncSequenceReader<Base: AsyncSequence> {
    private var iterator: Base.AsyncIterator
    private var isBusy = false
    /// What came when who had asked for it was interrupted.
    private var kept: Result<Base.Element?, any Error>?

    init(_ base: Base) {
        iterator = base.makeAsyncIterator()
    }

    /// The next element; nil at the end. Suspends. Throws what the sequence throws; `CoroError.simultaneous` while another
    /// coroutine is in it; what the caller was interrupted with. Then the task in which the sequence is asked is cancelled, by
    /// which many sequences end; an element that has come all the same is the next one's.
    @available(*, noasync, message: "use the sequence itself")
    public func next() throws -> Base.Element? {
        if let kept = kept.take() { return try kept.get() }
        if isBusy { throw CoroError.simultaneous }
        isBusy = true
        defer { isBusy = false }
        try Coroutine.await { await ask() }
        return try kept.take()?.get()
    }

    /// Calls `body` with each element, until the end. Suspends. Throws what `next` and `body` throw.
    @available(*, noasync, message: "use the sequence itself")
    public func forEach(_ body: (Base.Element) throws -> Void) throws {
        while let element = try next() { try body(element) }
    }

    private func ask() async {
        // Nobody else has it meanwhile: see `isBusy`.
        var iterator = iterator
        do {
            kept = .success(try await iterator.next())
        } catch is CancellationError where Task.isCancelled {
            // Who was interrupted says so.
        } catch {
            kept = .failure(error)
        }
        self.iterator = iterator
    }
}

extension AsyncSequence {
    /// The sequence for coroutines of this thread, which is also where it runs: see `Coroutine.await`.
    public func inCoroutine() -> AsyncSequenceReader<Self> { AsyncSequenceReader(self) }
}
