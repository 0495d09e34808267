import CCoroPlatform

typealias CoroutineRef = UnsafeMutablePointer<Coroutine>

/// A coroutine's control block: everything about it that is not on its stack.
///
/// Three cache lines. The first has all that a switch touches; the second what it waits for; the third its life. What few
/// coroutines have (a name, locals, ...) is in `Extras`, allocated when first needed. It is always used by reference and in
/// short accesses: another coroutine may change any field while this one is suspended.
struct Coroutine {
    // -- the switch --

    /// The stack pointer while it is suspended; nil before it first runs. `CoroutineRef.contextSlot` relies on its place.
    var context: UnsafeMutableRawPointer?
    /// The thread's C++ exceptions and errno, as it left them.
    var caughtExceptions: UnsafeMutableRawPointer?
    var uncaughtExceptions: UInt32 = 0
    var savedErrno: Int32 = 0
    var state: State = .new
    var flags: Flags = []
    var waitKind: WaitKind = .none
    var stackClass: UInt8 = 0
    /// Why it was woken: 0, or the error that its suspending call returns.
    var wakeCode: Int32 = 0
    /// An interrupt that came while it ran: its next suspending call returns it.
    var pendingInterrupt: Int32 = 0
    /// How often it was switched to; wraps.
    var switches: UInt32 = 0
    var id: Int64 = 0
    /// How many more I/O calls in a row may succeed at once before it has to let others run.
    var selfishActsLeft: UInt16 = 0
    /// When it was created: see `createdAt`.
    fileprivate var createdHigh: UInt16 = 0
    fileprivate var createdLow: UInt32 = 0

    // -- the wait --

    /// What it was woken with. While it waits in an object's list it may be the object's: what it keeps of this wait, on the
    /// waiter's stack.
    var wakeValue: UnsafeMutableRawPointer?
    /// What `waitKind` is about: a descriptor, a process and its descriptor (`ChildWait`), or the address of a control block or
    /// of something that begins with a `WaitList`.
    var waitObject: Int = 0
    /// Its neighbours in the list of those who wait for the same. `waitNext` is also the next in the queue for the next pass,
    /// and among the unused.
    var waitNext: CoroutineRef?
    var waitPrevious: CoroutineRef?
    /// When the wait ends by itself; see `TimerQueue` for the rest.
    var deadline: Int64 = 0
    var timerNext: CoroutineRef?
    var timerPrevious: CoroutineRef?
    var timerOrder: UInt32 = 0
    var timerPlace: TimerPlace = .none
    /// Its own number of I/O calls in a row; 0: the thread's. Here, because each wait for a descriptor looks at it.
    var maxSelfishActs: UInt16 = 0

    // -- the life --

    /// The next in its bucket of the `CoroutineTable`.
    var tableNext: CoroutineRef?
    var function: CoroutineFunction?
    var argument: UnsafeMutableRawPointer?
    /// What its function has returned. Until then its place is `release`'s.
    var result: UnsafeMutableRawPointer?
    /// The code it failed with; 0: none.
    var failure: Int32 = 0
    /// How many joins hold on to the record.
    var holders: Int32 = 0
    /// Who waits for its end, first come first.
    var joiners = WaitList()
    var stackBottom: UnsafeMutableRawPointer?
    var extras: UnsafeMutablePointer<Extras>?
    /// The address after the call that created it.
    var spawnSite: UnsafeRawPointer?

    enum State: UInt8 {
        case new, ready, running, waiting, ended
        /// It is none, but a `StandIn` of one.
        case standIn
    }

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// Nobody will take its result.
        static let detached = Flags(rawValue: 1 << 0)
        /// It has run.
        static let started = Flags(rawValue: 1 << 1)
        /// Its result was taken by a join.
        static let taken = Flags(rawValue: 1 << 2)
        /// It is in the ready queue although it was cancelled: whoever takes it out drops it.
        static let cancelledInQueue = Flags(rawValue: 1 << 3)
        /// Its floating-point control words are its own.
        static let savesFloatingPoint = Flags(rawValue: 1 << 4)
        /// Somebody wants to hear of switches (see `Observers`). Every coroutine of a thread has this, or none.
        static let observed = Flags(rawValue: 1 << 5)
        /// It has ended and is no longer in the table, but a queue or a join still refers to it.
        static let forgotten = Flags(rawValue: 1 << 6)
        /// It is in a timeout scope.
        static let timed = Flags(rawValue: 1 << 7)

        /// Those that make a switch more than a switch.
        static let slowSwitch: Flags = [.savesFloatingPoint, .observed]
    }

    /// What few coroutines have.
    struct Extras {
        /// What AddressSanitizer keeps for a stack while it is left. `CoroutineRef.fakeStackSlot` relies on its place.
        var fakeStack: UnsafeMutableRawPointer?
        /// What the switch hooks keep for it. `CoroutineRef.hookStateSlot` relies on its place.
        var hookState: UnsafeMutableRawPointer?
        /// Owned; nil: the default.
        var name: UnsafeMutablePointer<CChar>?
        /// Owned; what `coro_fail` said.
        var failureMessage: UnsafeMutablePointer<CChar>?
        var locals = LocalValues()
        var floatingPoint = coro_fp_control()
        var timeouts = TimeoutScopes()
        /// For how long it has run while that was counted, in nanoseconds.
        var runTime: Int64 = 0
    }
}

typealias CoroutineFunction = @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?
typealias ReleaseFunction = @convention(c) (UnsafeMutableRawPointer?) -> Void

extension Coroutine {
    /// What its argument is given back to, before it has a result.
    var release: ReleaseFunction? {
        get { unsafeBitCast(result, to: ReleaseFunction?.self) }
        set { result = unsafeBitCast(newValue, to: UnsafeMutableRawPointer?.self) }
    }
}

/// What a waiting coroutine waits for. The numbers are `CORO_WAIT_…`.
enum WaitKind: UInt8 {
    case none, park, pass, sleep, join, read, write, child
    // `waitObject` is the address of the `WaitList` that it is in:
    case parallel, event, semaphore, zero, mutex, readLock, writeLock, condition, send, receive, fifo, keys, group, barrier
    case once, waitGroup, blocking, names, file, room
    // `waitObject` is the address of a `SelectWait`:
    case select
    // As those before that:
    case promise

    /// Whether such a wait is done, and has not failed, when its own time is up.
    var endsWithTime: Bool { self == .sleep || self == .room }
}

extension Coroutine {
    /// When it was created, on the loop's clock, to the microsecond. (48 bits of 1,024 ns: nine years.)
    var createdAt: Int64 {
        get { (Int64(createdHigh) << 32 | Int64(createdLow)) << 10 }
        set {
            createdHigh = UInt16(truncatingIfNeeded: newValue >> 42)
            createdLow = UInt32(truncatingIfNeeded: newValue >> 10)
        }
    }

    /// How long ago it was created.
    func age(at now: Int64) -> Int64 { (now &- createdAt) & (1 << 58 &- 1) }
}

/// What a coroutine that waits for a process has as its `waitObject`.
struct ChildWait {
    var process: Int32
    /// Can be read from when it has ended.
    var descriptor: Int32

    init(process: Int32, descriptor: Int32) {
        self.process = process
        self.descriptor = descriptor
    }

    init(packed: Int) {
        process = Int32(truncatingIfNeeded: packed >> 32)
        descriptor = Int32(truncatingIfNeeded: packed)
    }

    var packed: Int { Int(process) << 32 | Int(descriptor) }
}

extension CoroutineRef {
    /// Where the switch saves the stack pointer. Not `&pointee.context`: no access to the block may span a switch.
    @inline(__always)
    var contextSlot: UnsafeMutablePointer<UnsafeMutableRawPointer?> {
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    }

    var fakeStackSlot: UnsafeMutablePointer<UnsafeMutableRawPointer?>? {
        UnsafeMutableRawPointer(pointee.extras)?.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    }

    /// Not `&extras.hookState`: no access to the extras may span a hook.
    var hookStateSlot: UnsafeMutablePointer<UnsafeMutableRawPointer?>? {
        fakeStackSlot?.advanced(by: 1)
    }

    @inline(__always)
    func has(_ flag: Coroutine.Flags) -> Bool {
        pointee.flags.rawValue & flag.rawValue != 0
    }

    @inline(__always)
    func set(_ flag: Coroutine.Flags) {
        pointee.flags = Coroutine.Flags(rawValue: pointee.flags.rawValue | flag.rawValue)
    }

    /// Whether that is its function.
    @inline(__always)
    func runs(_ function: CoroutineFunction) -> Bool {
        unsafeBitCast(pointee.function, to: UInt.self) == unsafeBitCast(function, to: UInt.self)
    }

    @inline(__always)
    func clear(_ flag: Coroutine.Flags) {
        pointee.flags = Coroutine.Flags(rawValue: pointee.flags.rawValue & ~flag.rawValue)
    }

    /// The extras, which are made if there are none; nil without memory.
    func obtainExtras() -> UnsafeMutablePointer<Coroutine.Extras>? {
        if let extras = pointee.extras { return extras }
        guard let extras = Heap.one(Coroutine.Extras()) else { return nil }
        pointee.extras = extras
        return extras
    }

    func freeExtras() {
        guard let extras = pointee.extras else { return }
        Heap.free(extras.pointee.name)
        Heap.free(extras.pointee.failureMessage)
        extras.pointee.locals.free()
        extras.pointee.timeouts.free()
        Heap.free(extras)
        pointee.extras = nil
    }
}
