import CCoro
import Glibc

/// Values for whoever comes to take them, first come first served: as many as come, so that nobody waits to put one in. It
/// belongs to the thread that made it. What nobody has taken is released with it. (A `Channel` holds up who is too fast, and
/// can be closed.)
public final class Queue<Element> {
    /// The object of coro.h: its items are boxes.
    let fifo: OpaquePointer

    /// A new one, with nothing in it. Throws `CoroError.system(errno: ENOMEM)`.
    public init() throws(CoroError) {
        fifo = try made(coro_fifo_new { if let item = $0 { Unmanaged<AnyObject>.fromOpaque(item).release() } })
    }

    deinit {
        // Nobody waits: who does holds this object.
        _ = coro_fifo_free(fifo)
    }

    /// Puts a value at the end. If somebody waits, the first of them has it. Does not suspend. Throws `CoroError.system(errno:
    /// ENOMEM)`.
    public func push(_ element: Element) throws(CoroError) {
        try put(element, coro_fifo_push)
    }

    /// Puts a value in front of all others.
    public func pushFront(_ element: Element) throws(CoroError) {
        try put(element, coro_fifo_push_front)
    }

    /// Takes the first value. Suspends until there is one. Throws what the caller was interrupted with; but one who was given a
    /// value first returns it, and is interrupted in its next call that would suspend.
    @available(*, noasync, message: "use `tryPop`, or wait in a coroutine")
    public func pop() throws(CoroError) -> Element {
        let item = try take(coro_fifo_pop)
        return Self.open(item)
    }

    /// Takes the first value; nil if there is none. Does not suspend.
    public func tryPop() -> Element? {
        (try? take(coro_fifo_try_pop)).map(Self.open)
    }

    /// Takes all values, in their order. Suspends until there is one. Throws as `pop`.
    @available(*, noasync, message: "use `tryPop`, or wait in a coroutine")
    public func popAll() throws(CoroError) -> [Element] {
        var elements = [try pop()]
        elements.reserveCapacity(count + 1)
        while let element = tryPop() { elements.append(element) }
        return elements
    }

    /// The first value, which stays; nil if there is none.
    public var first: Element? {
        (try? take(coro_fifo_top)).map { Unmanaged<Box<Element>>.fromOpaque($0!).takeUnretainedValue().value }
    }

    /// How many values are in it.
    public var count: Int { coro_fifo_length(fifo) }

    /// Whether there are none.
    public var isEmpty: Bool { count == 0 }

    /// The value of an item that was taken.
    static func open(_ item: UnsafeMutableRawPointer?) -> Element {
        Unmanaged<Box<Element>>.fromOpaque(item!).takeRetainedValue().value
    }

    private func put(_ element: Element, _ push: (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32) throws(CoroError) {
        let box = Unmanaged.passRetained(Box(element))
        let code = push(fifo, box.toOpaque())
        if code < 0 { box.release() }
        try check(code)
    }

    private func take(
        _ pop: (OpaquePointer?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> Int32
    ) throws(CoroError) -> UnsafeMutableRawPointer? {
        // Of its own, as it is written while the caller waits.
        try withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: 1) { memory throws(CoroError) in
            let place = memory.baseAddress!
            place.initialize(to: nil)
            try check(pop(fifo, place))
            return place.pointee
        }
    }
}
