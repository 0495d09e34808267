import CCoroPlatform

/// Which way bytes go.
enum Direction {
    case read, write

    @inline(__always)
    var waitKind: WaitKind { self == .read ? .read : .write }
}

/// What the loop knows of a descriptor. It is kept while the descriptor is open, whether or not anybody waits.
struct Descriptor {
    var reader: CoroutineRef?
    var writer: CoroutineRef?
    /// Grows whenever the number may have come to mean another open file; part of the poller's token, so that an event that
    /// was reported for the file before is recognised, and dropped.
    var generation: UInt32 = 0
    /// Those that there are: one bit of the token is not the descriptor's.
    static let generations: UInt32 = 0x7fff_ffff
    /// Who closed or gave up what the number meant before: a coroutine's id, 0 for code outside every coroutine.
    var closer: Int64 = 0
    /// How to read and write it without blocking: CORO_KIND_….
    var kind: UInt8 = 0
    var flags: Flags = []
    /// For a terminal in blocking mode: a descriptor of our own to write to it. 0: none.
    var terminal: Int32 = 0

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// The poller reports changes of it.
        static let registered = Flags(rawValue: 1 << 0)
        /// Reading has said that it would block, and no event has come since: there is no need to try.
        static let drained = Flags(rawValue: 1 << 1)
        /// The same for writing.
        static let full = Flags(rawValue: 1 << 2)
        /// The peer is gone, or there are urgent data. What comes next may not be reported again: always try.
        static let alwaysTry = Flags(rawValue: 1 << 3)
        /// coro_close closed it.
        static let closed = Flags(rawValue: 1 << 4)
        /// O_NONBLOCK was off when it was first seen.
        static let blockingMode = Flags(rawValue: 1 << 5)
        /// A wait has begun since the registration was last known to be right,
        static let unverified = Flags(rawValue: 1 << 6)
        /// and has lasted for some time.
        static let suspect = Flags(rawValue: 1 << 7)
    }

    var isKnown: Bool { kind != 0 }

    var isSocket: Bool { kind == UInt8(CORO_KIND_STREAM.rawValue) || kind == UInt8(CORO_KIND_SOCKET.rawValue) }

    /// Whether a read or write that moves less than was asked for has moved all that was there, or all there was room for.
    var movesAllItCan: Bool {
        kind == UInt8(CORO_KIND_STREAM.rawValue) || kind == UInt8(CORO_KIND_BYTE_PIPE.rawValue)
    }

    subscript(waiter direction: Direction) -> CoroutineRef? {
        get { direction == .read ? reader : writer }
        set { if direction == .read { reader = newValue } else { writer = newValue } }
    }

    /// Whether an operation would certainly block.
    @inline(__always)
    func wouldBlock(_ direction: Direction) -> Bool {
        let needed = Flags.registered.rawValue | (direction == .read ? Flags.drained : Flags.full).rawValue
        return flags.rawValue & (needed | Flags.alwaysTry.rawValue) == needed
    }

    /// An operation has said that it would block, or has moved less than it could.
    @inline(__always)
    mutating func setWouldBlock(_ direction: Direction) {
        flags.insert(direction == .read ? .drained : .full)
    }
}
