import CCoroPlatform

/// All that the threads of a process share. It is touched behind the process lock only, for a few instructions each time, and
/// never over a switch.
struct Shared {
    /// The loops, by number.
    var loops = Vector<LoopEntry>()
    var lastLoopSerial: Int64 = 0
    /// The coroutine-local variables.
    var localKeys = Vector<LocalKey>()
    var lastLocalKey: Int64 = 0
    /// The structs that may be passed by value.
    var structs = Vector<StructRef>()
    /// The children that somebody waits for or has a handle of.
    var children = Vector<ChildClaim>()
    /// How many of them nobody is left to wait for.
    var strayCount = 0
    var lastProcess: Int64 = 0
    var targets = TargetRegistry()
    var trampolines = TrampolineTable()

    /// Does body behind the lock; returns nil if there is no memory for what is shared.
    static func withLock<Result>(_ body: (UnsafeMutablePointer<Shared>) -> Result) -> Result? {
        coro_process_lock()
        defer { coro_process_unlock() }
        if let memory = coro_process_shared_get() { return body(memory.assumingMemoryBound(to: Shared.self)) }
        guard let shared = Heap.one(Shared()) else { return nil }
        coro_process_shared_set(shared)
        return body(shared)
    }
}
