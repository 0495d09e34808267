import CCoro

/// Something that happens once and is remembered, with a value. It belongs to the thread that made it.
///
///     let ready = try Event<Int>()
///     _ = try Coroutine.spawn { print(try ready.wait()) }
///     try ready.set(42)
public final class Event<Value> {
    /// The object of coro.h.
    let event: OpaquePointer
    private var value: Value?
    private var waiters: [Waiter] = []

    /// Somebody who waits. He gets the value of his own time, whatever the event is set to before he goes on.
    final class Waiter {
        fileprivate(set) var value: Value?

        fileprivate init(_ value: Value?) {
            self.value = value
        }
    }

    /// A new one, not set.
    public init() throws(CoroError) {
        event = try made(coro_event_new())
    }

    deinit {
        // Nobody waits: who does holds this object.
        _ = coro_event_free(event)
    }

    /// Whether it has happened.
    public var isSet: Bool { coro_event_is_set(event) }

    /// All who wait go on, in the order they came, and get `value`, as does everybody later. Setting it again replaces the
    /// value.
    public func set(_ value: Value) throws(CoroError) {
        try check(coro_event_set(event, nil))
        self.value = value
        for waiter in waiters { waiter.value = value }
        waiters = []
    }

    /// Makes it as new. Those who were woken keep what they were given.
    public func reset() throws(CoroError) {
        try check(coro_event_reset(event))
        value = nil
    }

    /// Waits until the event is set; returns its value at once if it is. Suspends. Any number may wait. Throws what the
    /// caller was interrupted with.
    @available(*, noasync, message: "wait in a coroutine")
    public func wait() throws(CoroError) -> Value {
        if let value { return value }
        let waiter = enroll()
        defer { withdraw(waiter) }
        try check(coro_event_wait(event, nil))
        guard let value = waiter.value else { throw .closed }
        return value
    }

    /// One who is about to wait.
    func enroll() -> Waiter {
        let waiter = Waiter(value)
        if value == nil { waiters.append(waiter) }
        return waiter
    }

    /// One who waits no more.
    func withdraw(_ waiter: Waiter) {
        if let index = waiters.firstIndex(where: { $0 === waiter }) { waiters.remove(at: index) }
    }
}

extension Event where Value == Void {
    /// All who wait go on, in the order they came.
    public func set() throws(CoroError) {
        try set(())
    }
}
