import CCoro
import Glibc

/// A coroutine that Swift has made: what its handles share, and, until it has ended, C. First it has what is to be run, then
/// what came of that; `Outcome` knows of what types these are. (No generic class: what is called through the metadata of one
/// is never specialized.)
///
/// Unchecked: it is used on the coroutine's thread alone, but for what every thread may call; and no access to what it has is
/// open while anybody else's code runs.
@usableFromInline
class Work: @unchecked Sendable {
    @usableFromInline
    enum State: UInt8 {
        /// The slot has the closure, which has not run.
        case closure
        /// The slot is empty: the closure runs, or there is none.
        case running
        /// The slot has what was returned.
        case success
        /// The slot has what was thrown.
        case failure
        /// The slot is empty: the closure has gone, and never ran.
        case cancelled
    }

    /// What takes knowledge of the types.
    @usableFromInline
    enum Step {
        /// Runs the closure, whose outcome takes its place.
        case run
        /// Drops what is in the slot.
        case drop
    }

    /// Negative if there is no coroutine.
    @exclusivity(unchecked) @usableFromInline final var id: Int64
    @exclusivity(unchecked) @usableFromInline final var state: State
    @exclusivity(unchecked) @usableFromInline final var slot = Slot()
    /// Whether the coroutine's record has gone, with a join.
    @exclusivity(unchecked) final var isTaken = false
    /// Returns the coroutine's result for C.
    private final let perform: (Work, Step) -> UnsafeMutableRawPointer?
    private final let thread = pthread_self()

    @usableFromInline
    init(id: Int64 = -1, state: State, perform: @escaping (Work, Step) -> UnsafeMutableRawPointer?) {
        self.id = id
        self.state = state
        self.perform = perform
    }

    deinit {
        dropContents()
        // Its record is of no use to anybody without its result.
        if id < 0 || isTaken { return }
        if isHere { _ = coro_detach(id) } else { AnyCoroutine(id: id).onItsThread { _ = coro_detach($0.id) } }
    }

    private final func dropContents() {
        if state != .running, state != .cancelled { _ = perform(self, .drop) }
    }

    // -- on the coroutine's thread --

    /// Whether the caller is there.
    final var isHere: Bool { thread == pthread_self() }

    /// Whether there is nothing to wait for.
    final var isDone: Bool {
        switch state {
        case .closure, .running: false
        case .success, .failure, .cancelled: true
        }
    }

    /// Waits until it is done. Suspends. Throws what became of the wait.
    @usableFromInline
    func wait(timeout: Int64) throws(CoroError) {
        if !isHere { throw .wrongThread }
        if isDone { return }
        let code = coro_join(id, nil, timeout)
        // What the coroutine has failed with is told as an error about it, and anything else is the caller's own.
        isTaken = code == 0 || isDone && coro_error_other() == id
        if !isTaken { throw CoroError(code: code) }
    }

    /// Makes the coroutine that runs what was lent, and returns its id; as a member of a group, if there is one: nobody joins
    /// that.
    @usableFromInline
    @discardableResult
    static func spawn(
        _ argument: UnsafeMutableRawPointer, name: String? = nil, stackSize: Int = 0, start: CoroutineStart = .queued,
        in group: OpaquePointer? = nil
    ) throws(CoroError) -> Int64 {
        let flags = start == .now ? UInt32(CORO_START_NOW) : 0
        var options = coro_options(
            struct_size: MemoryLayout<coro_options>.size, name: nil, stack_size: stackSize, flags: flags, reserved: 0,
            release: Work.giveBack)
        let id: Int64
        if let name {
            id = name.withCString { text in
                options.name = text
                return make(argument, &options, start, group)
            }
        } else {
            id = make(argument, &options, start, group)
        }
        if id < 0 {
            Work.giveBack(argument)
            throw CoroError(code: Int32(truncatingIfNeeded: id))
        }
        return id
    }

    @inline(__always)
    private static func make(
        _ argument: UnsafeMutableRawPointer, _ options: UnsafePointer<coro_options>, _ start: CoroutineStart,
        _ group: OpaquePointer?
    ) -> Int64 {
        if let group { return coro_group_spawn_with(group, Work.function, argument, options) }
        if start == .later { return coro_new(Work.function, argument, options) }
        return coro_spawn_with(Work.function, argument, options)
    }

    // -- for C --

    /// A reference for the C side: the argument of `function`, then of `giveBack`.
    @inlinable @inline(__always)
    final func lend() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

    static var function: coro_fn {
        { Unmanaged<Work>.fromOpaque($0.unsafelyUnwrapped)._withUnsafeGuaranteedRef { $0.perform($0, .run) } }
    }

    static var giveBack: @convention(c) (UnsafeMutableRawPointer?) -> Void {
        {
            let reference = Unmanaged<Work>.fromOpaque($0.unsafelyUnwrapped)
            reference._withUnsafeGuaranteedRef { if $0.state == .closure { $0.cancel() } }
            reference.release()
        }
    }

    private final func cancel() {
        dropContents()
        state = .cancelled
    }
}
