import CCoro

/// One of the things that `Coroutine.select` waits for, and what to do when it has happened. It may be used again; it holds the
/// objects it is about.
public struct SelectCase<Value> {
    /// Makes the case for one select.
    let arm: () -> SelectArm<Value>
}

/// A case in a select.
struct SelectArm<Value> {
    /// As coro.h knows it.
    let called: coro_select_case
    /// It has happened; given the case as coro.h left it.
    let happen: (coro_select_case) throws -> Value
    /// It has not, and will not.
    var giveBack: () -> Void = {}
}

extension SelectCase {
    /// Never happens: a case that is left out.
    public static var never: SelectCase {
        SelectCase { SelectArm(called: coro_select_case(), happen: { throw CoroError(code: $0.error) }) }
    }

    /// A value was received: `body` gets it. Throws `CoroError.closed` if the channel was closed and is empty.
    public static func receive<Element: ~Copyable>(
        from channel: Channel<Element>, _ body: @escaping (consuming Element) throws -> Value
    ) -> SelectCase {
        .next(of: channel) { element in
            guard let element else { throw CoroError.closed }
            return try body(element)
        }
    }

    /// A value was received, or the channel was closed and is empty: `body` gets nil.
    public static func next<Element: ~Copyable>(
        of channel: Channel<Element>, _ body: @escaping (consuming Element?) throws -> Value
    ) -> SelectCase {
        SelectCase {
            let place = UnsafeMutablePointer<Element>.allocate(capacity: 1)
            var called = coro_select_case()
            called.kind = CORO_SELECT_RECEIVE
            called.object = UnsafeMutableRawPointer(channel.channel)
            called.element = UnsafeMutableRawPointer(place)
            return SelectArm(called: called) { ended in
                let element: Element? = ended.error == 0 ? place.move() : nil
                place.deallocate()
                if ended.error != CORO_ECLOSED { try check(ended.error) }
                return try body(element)
            } giveBack: {
                place.deallocate()
            }
        }
    }

    /// `element` was sent. Throws `CoroError.closed` if the channel was closed. (Only what was sent leaves this object.)
    public static func send<Element>(
        _ element: Element, to channel: Channel<Element>, _ body: @escaping () throws -> Value
    ) -> SelectCase {
        SelectCase {
            // A copy, which the channel gets or nobody.
            let place = UnsafeMutablePointer<Element>.allocate(capacity: 1)
            place.initialize(to: element)
            var called = coro_select_case()
            called.kind = CORO_SELECT_SEND
            called.object = UnsafeMutableRawPointer(channel.channel)
            called.element = UnsafeMutableRawPointer(place)
            return SelectArm(called: called) { ended in
                if ended.error != 0 { place.deinitialize(count: 1) }
                place.deallocate()
                try check(ended.error)
                return try body()
            } giveBack: {
                place.deinitialize(count: 1)
                place.deallocate()
            }
        }
    }

    /// A value was taken from the queue: `body` gets it.
    public static func pop<Element>(
        from queue: Queue<Element>, _ body: @escaping (Element) throws -> Value
    ) -> SelectCase {
        SelectCase {
            var called = coro_select_case()
            called.kind = CORO_SELECT_POP
            called.object = UnsafeMutableRawPointer(queue.fifo)
            return SelectArm(called: called) { ended in
                try check(ended.error)
                return try body(Queue<Element>.open(ended.value))
            }
        }
    }

    /// The event is set: `body` gets its value.
    public static func event<Occurrence>(
        _ event: Event<Occurrence>, _ body: @escaping (Occurrence) throws -> Value
    ) -> SelectCase {
        SelectCase {
            let waiter = event.enroll()
            var called = coro_select_case()
            called.kind = CORO_SELECT_EVENT
            called.object = UnsafeMutableRawPointer(event.event)
            return SelectArm(called: called) { ended in
                event.withdraw(waiter)
                try check(ended.error)
                guard let value = waiter.value else { throw CoroError.closed }
                return try body(value)
            } giveBack: {
                event.withdraw(waiter)
            }
        }
    }

    /// The descriptor can be read from, or reports an error. Somebody else may be faster to read.
    public static func readable(_ descriptor: Int32, _ body: @escaping () throws -> Value) -> SelectCase {
        told(CORO_SELECT_FD, id: Int64(descriptor), events: CORO_READ) { code in
            try check(code)
            return try body()
        }
    }

    /// The descriptor can be written to, or reports an error.
    public static func writable(_ descriptor: Int32, _ body: @escaping () throws -> Value) -> SelectCase {
        told(CORO_SELECT_FD, id: Int64(descriptor), events: CORO_WRITE) { code in
            try check(code)
            return try body()
        }
    }

    /// The coroutine has ended: `body` gets its result. Throws what the coroutine threw.
    public static func join<Success, Failure>(
        _ coroutine: Coroutine<Success, Failure>, _ body: @escaping (Success) throws -> Value
    ) -> SelectCase {
        told(CORO_SELECT_JOIN, id: coroutine.id) { _ in
            // Joined before is as good: the result says whether.
            try body(coroutine.outcome.result(timeout: .zero).get())
        }
    }

    /// The coroutine has ended, or is gone.
    public static func end(of coroutine: AnyCoroutine, _ body: @escaping () throws -> Value) -> SelectCase {
        told(CORO_SELECT_JOIN, id: coroutine.id) { _ in try body() }
    }

    /// The child process of that id has ended, or there is none.
    public static func exit(of pid: Int32, _ body: @escaping () throws -> Value) -> SelectCase {
        told(CORO_SELECT_CHILD, id: Int64(pid)) { _ in try body() }
    }

    /// A case that only tells that something can be done; `happen` is given its error.
    private static func told(
        _ kind: Int32, id: Int64, events: Int32 = 0, _ happen: @escaping (Int32) throws -> Value
    ) -> SelectCase {
        SelectCase {
            var called = coro_select_case()
            called.kind = kind
            called.id = id
            called.events = events
            return SelectArm(called: called) { try happen($0.error) }
        }
    }
}
