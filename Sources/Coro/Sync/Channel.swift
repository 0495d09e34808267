import CCoro
import Glibc

/// Hands values from the coroutines that send to those that receive, first come first served on both sides.
///
///     let lines = try Channel<String>()
///     _ = try Coroutine.spawn {
///         while let line = try lines.next() { print(line) }
///     }
///     try lines.send("one")
///     lines.close()
///
/// It belongs to the thread that made it. Values are moved, never copied: they may be noncopyable. Those that nobody has
/// received are released with the channel.
///
/// What has changed hands counts: who is interrupted when its value was taken, or when it was given one, returns as usual, and
/// is interrupted in its next call that would suspend. Time limits are `Coroutine.withTimeout`'s.
public final class Channel<Element: ~Copyable> {
    /// The object of coro.h: elements are the bytes of the values.
    @usableFromInline let channel: OpaquePointer

    /// A new one. capacity: how many values it holds that nobody has received; 0: none, so that a send is done when somebody
    /// has received the value. Throws `CoroError.system(errno: ENOMEM)`, or `EINVAL` for a negative capacity.
    public init(capacity: Int = 0) throws(CoroError) {
        if capacity < 0 { throw .system(errno: EINVAL) }
        channel = try made(coro_channel_new(MemoryLayout<Element>.size, capacity))
    }

    deinit {
        // Nobody waits: who does holds this object.
        let place = UnsafeMutablePointer<Element>.allocate(capacity: 1)
        while coro_channel_try_receive(channel, place) == 0 { place.deinitialize(count: 1) }
        place.deallocate()
        _ = coro_channel_free(channel)
    }

    /// Sends a value. Suspends until there is room for it, or somebody to receive it. Throws, with nothing sent and the value
    /// released, `CoroError.closed`, or what the caller was interrupted with.
    @available(*, noasync, message: "use `trySend`, or send from a coroutine")
    @inlinable
    public func send(_ element: consuming Element) throws(CoroError) {
        try check(Self.lend(element) { coro_channel_send(channel, $0) })
    }

    /// Sends a value if that can be done at once. Does not suspend. Returns whether it was; if not, the value is released.
    /// Throws `CoroError.closed`.
    @inlinable
    public func trySend(_ element: consuming Element) throws(CoroError) -> Bool {
        let code = Self.lend(element) { coro_channel_try_send(channel, $0) }
        if code == -EAGAIN { return false }
        try check(code)
        return true
    }

    /// Receives the next value. Suspends until there is one. Throws `CoroError.closed` if the channel was closed and everything
    /// sent before has been received, or what the caller was interrupted with.
    @available(*, noasync, message: "use `tryReceive`, or receive in a coroutine")
    @inlinable
    public func receive() throws(CoroError) -> Element {
        var element: Element?
        try check(Self.take(into: &element) { coro_channel_receive(channel, $0) })
        return element!
    }

    /// Receives the next value if there is one. Does not suspend. Returns nil if there is none. Throws `CoroError.closed`.
    @inlinable
    public func tryReceive() throws(CoroError) -> Element? {
        var element: Element?
        let code = Self.take(into: &element) { coro_channel_try_receive(channel, $0) }
        if code != -EAGAIN { try check(code) }
        return element
    }

    /// Receives the next value; nil at the end: when the channel was closed, and everything sent before has been received.
    /// Suspends. Throws what the caller was interrupted with.
    ///
    ///     while let job = try jobs.next() { job() }
    @available(*, noasync, message: "use `tryReceive`, or receive in a coroutine")
    @inlinable
    public func next() throws(CoroError) -> Element? {
        var element: Element?
        let code = Self.take(into: &element) { coro_channel_receive(channel, $0) }
        if code != CORO_ECLOSED { try check(code) }
        return element
    }

    /// Calls `body` with each value that comes, until the end. Suspends. Throws what `body` throws, or what the caller was
    /// interrupted with.
    @available(*, noasync, message: "use `tryReceive`, or receive in a coroutine")
    public func forEach(_ body: (consuming Element) throws -> Void) throws {
        while let element = try next() { try body(element) }
    }

    /// Says that nothing more will be sent. Those who wait to send, and send later, get `CoroError.closed`; what the channel
    /// holds can still be received. Closing it again changes nothing. Does not suspend.
    public func close() {
        _ = coro_channel_close(channel)
    }

    /// Whether `close()` was called.
    public var isClosed: Bool { coro_channel_is_closed(channel) }

    /// How many values it holds that nobody has received.
    public var count: Int { coro_channel_length(channel) }

    /// How many it can hold.
    public var capacity: Int { coro_channel_capacity(channel) }

    /// How many wait to send, each case of a `Coroutine.select` counted.
    public var senders: Int { coro_channel_senders(channel) }

    /// How many wait to receive, each case of a `Coroutine.select` counted.
    public var receivers: Int { coro_channel_receivers(channel) }
}

extension Channel where Element: ~Copyable {
    /// Has `send` move the bytes of a value away. The value is released if it did not.
    ///
    /// It is in memory of its own meanwhile, on the coroutine's stack: it is read where it is while the coroutine waits.
    @inlinable @inline(__always)
    static func lend(_ element: consuming Element, to send: (UnsafeMutablePointer<Element>) -> Int32) -> Int32 {
        var element: Element? = consume element
        return withUnsafeTemporaryAllocation(of: Element.self, capacity: 1) { memory in
            let place = memory.baseAddress!
            place.initialize(to: element.take()!)
            let code = send(place)
            if code != 0 { place.deinitialize(count: 1) }
            return code
        }
    }

    /// Has `receive` move the bytes of a value into memory of its own, for `element`. Returns what `receive` returned.
    @inlinable @inline(__always)
    static func take(into element: inout Element?, _ receive: (UnsafeMutablePointer<Element>) -> Int32) -> Int32 {
        withUnsafeTemporaryAllocation(of: Element.self, capacity: 1) { memory in
            let place = memory.baseAddress!
            let code = receive(place)
            if code == 0 { element = place.move() }
            return code
        }
    }
}

extension Channel where Element == Void {
    /// Sends the fact alone. Suspends.
    @available(*, noasync, message: "use `trySend`, or send from a coroutine")
    public func send() throws(CoroError) {
        try send(())
    }

    /// Sends the fact alone, if that can be done at once.
    public func trySend() throws(CoroError) -> Bool {
        try trySend(())
    }
}
