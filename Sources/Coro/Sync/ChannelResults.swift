/// What comes through a channel, as a sequence. Taking the next value suspends.
///
///     for line in lines.results { print(try line.get()) }
///
/// The sequence ends when the channel was closed, and everything sent before has been received. As a `for` loop can't throw
/// of its own accord, each value comes as a `Result`: one who is interrupted while it waits gets what with, as the last. Values
/// may be taken by many, each is given to one.
public struct ChannelResults<Element>: Sequence, IteratorProtocol {
    private let channel: Channel<Element>
    private var hasFailed = false

    init(_ channel: Channel<Element>) {
        self.channel = channel
    }

    /// The next value. Suspends. nil at the end.
    @available(*, noasync, message: "use `Channel.tryReceive`, or receive in a coroutine")
    public mutating func next() -> Result<Element, CoroError>? {
        if hasFailed { return nil }
        do throws(CoroError) {
            return try channel.next().map { .success($0) }
        } catch {
            hasFailed = true
            return .failure(error)
        }
    }
}

extension Channel {
    /// The values to come, for a `for` loop. Nothing is taken before it is asked for.
    public var results: ChannelResults<Element> { ChannelResults(self) }
}
