import CCoro

/// A channel as async code uses it, on any thread: a sequence of what comes through it, and a way to send.
///
///     let lines = try channel.async                       // on the channel's thread
///     Task {
///         for try await line in lines { print(line) }     // on any
///     }
///
/// All of it is done on the channel's thread, whose loop has to run, by coroutines that wait as any other: who came first is
/// served first, and who sends waits for room. A task that is cancelled throws `CancellationError`, unless a value of its has
/// changed hands. Values may be received by many, each is given to one.
public struct AsyncChannelHandle<Element: Sendable>: AsyncSequence, Sendable {
    private let reference: Reference

    /// Called on the channel's thread.
    init(_ channel: Channel<Element>) throws(CoroError) {
        reference = Reference(channel, loop: try check(coro_loop_current()))
    }

    /// Sends a value. Throws `CoroError.closed` if the channel was closed; `CoroError.dead` if its thread has ended, or ends
    /// meanwhile; `CancellationError`.
    public func send(_ element: Element) async throws {
        try await reference.perform { channel throws(CoroError) in try channel.send(element) }
    }

    /// Receives the next value; nil at the end: when the channel was closed, and everything sent before has been received.
    /// Throws `CoroError.dead` if its thread has ended, or ends meanwhile; `CancellationError`.
    public func next() async throws -> Element? {
        try await reference.perform { channel throws(CoroError) in try channel.next() }
    }

    /// Says that nothing more will be sent, as `Channel.close()`: when the loop comes round to it.
    public func close() {
        // An error means that the thread has ended, and the channel with it.
        try? EventLoop.post(to: reference.loop) { [reference] in reference.channel.close() }
    }

    /// Takes the values to come. They may be taken by many, each is given to one.
    public func makeAsyncIterator() -> Iterator { Iterator(handle: self) }

    /// What `for try await` asks for values.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let handle: AsyncChannelHandle

        /// The next value; nil at the end. As `next()` of the handle.
        public mutating func next() async throws -> Element? { try await handle.next() }
    }

    /// A reference to the channel for any thread.
    ///
    /// Unchecked: the channel is used, and given back, on its own thread alone.
    private final class Reference: @unchecked Sendable {
        let loop: coro_loop_t
        private let unmanaged: Unmanaged<Channel<Element>>

        init(_ channel: Channel<Element>, loop: coro_loop_t) {
            unmanaged = .passRetained(channel)
            self.loop = loop
        }

        deinit {
            // Where the thread has ended, its loop can't free the channel any more, nor can anybody else.
            try? EventLoop.post(to: loop) { [unmanaged = Sent(unmanaged)] in unmanaged.value.release() }
        }

        var channel: Channel<Element> { unmanaged.takeUnretainedValue() }

        func perform<Success: Sendable>(
            _ body: @escaping @Sendable (Channel<Element>) throws(CoroError) -> Success
        ) async throws -> Success {
            try Task.checkCancellation()
            let errand = try Errand(on: loop, name: "await channel") { () throws(CoroError) in try body(self.channel) }
            let outcome = await errand.outcome.result { errand.cancel() }
            return try outcome.getAsTask().getAsTask()
        }
    }
}

extension Channel where Element: Sendable {
    /// The channel for async code on any thread. To be taken on the channel's own. Throws `CoroError.system(errno:)` if the
    /// thread's loop can't be made.
    public var async: AsyncChannelHandle<Element> {
        get throws(CoroError) { try AsyncChannelHandle(self) }
    }
}
