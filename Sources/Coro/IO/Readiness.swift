import CCoro

/// What a descriptor is ready for.
public struct ReadinessEvents: OptionSet, Sendable {
    public let rawValue: Int32

    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// There is something to read, or the end.
    public static let readable = ReadinessEvents(rawValue: CORO_READ)
    /// There is room to write.
    public static let writable = ReadinessEvents(rawValue: CORO_WRITE)
}

extension Descriptor {
    /// From now on `handler` is called, in a new coroutine, whenever the descriptor is ready for one of `events`, beginning
    /// with what it is ready for now; one at a time. Does not suspend.
    ///
    /// When a handler has ended, the descriptor is looked at again: one that leaves data unread is called again at once. It may
    /// do all that coroutines may. If it throws, that is reported as of any coroutine, and it is called again all the same.
    /// `once`: the first event ends it. It also ends by `removeHandler()`, and with the descriptor; the closure, which should
    /// hold the descriptor by `weak` or `unowned`, is then released. A loop that runs until idle does not go on for its sake.
    ///
    /// Throws `CoroError.simultaneous` if there is one already, `CoroError.system(errno: EPERM)` for what is always ready, as a
    /// file. See `coro_set_handler`.
    public final func onReady(
        _ events: ReadinessEvents, once: Bool = false, _ handler: @escaping (ReadinessEvents) throws -> Void
    ) throws(CoroError) {
        let readiness = Readiness(isOnce: once, handler)
        readiness.descriptor = self
        let argument = Unmanaged.passUnretained(readiness).toOpaque()
        try call {
            coro_set_handler($0, events.rawValue, Readiness.function, argument, UInt32(once ? CORO_HANDLER_ONCE : 0))
        }
        self.readiness = readiness
    }

    /// Ends what `onReady` began. A handler that has begun goes on. Throws `CoroError.system(errno: ENOENT)` if there is none.
    public final func removeHandler() throws(CoroError) {
        try call(coro_unset_handler)
        readiness = nil
    }
}

/// The closure that is called when a descriptor is ready. C holds it without a reference: it makes no call of it after it was
/// unset, or its descriptor closed, which is before the descriptor drops it.
final class Readiness {
    private let isOnce: Bool
    private let handler: (ReadinessEvents) throws -> Void
    unowned(unsafe) var descriptor: Descriptor?

    init(isOnce: Bool, _ handler: @escaping (ReadinessEvents) throws -> Void) {
        self.isOnce = isOnce
        self.handler = handler
    }

    static var function: coro_fd_handler {
        { _, events, argument in
            let readiness = Unmanaged<Readiness>.fromOpaque(argument!).takeUnretainedValue()
            if readiness.isOnce { readiness.descriptor?.readiness = nil }
            do { try readiness.handler(ReadinessEvents(rawValue: events)) } catch { _ = error.failCoroutine() }
        }
    }
}
