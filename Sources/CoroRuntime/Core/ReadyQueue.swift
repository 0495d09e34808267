import CCoroPlatform

/// The runnable coroutines, first in first out: a ring of references.
///
/// Not a list through the control blocks: from one switch to the next a processor then has to wait for the queue's head only,
/// not for what the head points to; and those further back can be fetched into the cache in time.
struct ReadyQueue {
    private var slots: UnsafeMutablePointer<CoroutineRef>
    private var mask: Int
    /// Both only grow; a place in the ring is their low bits.
    private var head = 0
    private var tail = 0

    private static let smallest = 64

    /// nil without memory.
    init?() {
        guard let slots = Self.allocate(Self.smallest) else { return nil }
        self.slots = slots
        mask = Self.smallest - 1
    }

    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<CoroutineRef>? {
        coro_memory_allocate(capacity * MemoryLayout<CoroutineRef>.stride, 64)?
            .bindMemory(to: CoroutineRef.self, capacity: capacity)
    }

    /// Makes room for `count` coroutines in all: false without memory. Whoever exists must have a place, because making a
    /// coroutine runnable can't fail.
    @inline(__always)
    mutating func reserve(_ count: Int) -> Bool {
        count <= mask || grow()
    }

    private mutating func grow() -> Bool {
        let capacity = (mask + 1) * 2
        guard let larger = Self.allocate(capacity) else { return false }
        let count = tail &- head
        for index in 0..<count { larger[index] = slots[(head &+ index) & mask] }
        Heap.free(slots)
        slots = larger
        mask = capacity - 1
        head = 0
        tail = count
        return true
    }

    @inline(__always)
    var isEmpty: Bool { head == tail }

    var count: Int { tail &- head }

    @inline(__always)
    mutating func append(_ coroutine: CoroutineRef) {
        slots[tail & mask] = coroutine
        tail &+= 1
    }

    @inline(__always)
    mutating func prepend(_ coroutine: CoroutineRef) {
        head &-= 1
        slots[head & mask] = coroutine
    }

    @inline(__always)
    mutating func popFirst() -> CoroutineRef? {
        if head == tail { return nil }
        let first = slots[head & mask]
        head &+= 1
        return first
    }

    /// Fetches into the cache what the next switches need: the stack of the first, the control block of the one behind it.
    /// With a thousand coroutines this is worth a third of a switch, with a hundred thousand half of it. What lies beyond the
    /// end of the queue was in it before, and fetching it does no harm.
    @inline(__always)
    func prefetch() {
        if tail &- head < 2 { return }
        if let context = slots[head & mask].pointee.context {
            coro_context_prefetch(context)
            coro_context_prefetch(context + 64)
        }
        coro_context_prefetch(slots[(head &+ 1) & mask])
    }

    /// The same for those who are about to make system calls, which leave little in the nearest cache, and take long enough to
    /// fetch more, earlier: the frames of an I/O call on the stack of the second, what a wait looks at of the third. With a
    /// thousand connections this is worth a third of what an echo takes outside the kernel.
    @inline(__always)
    func prefetchFrames() {
        if tail &- head < 3 { return }
        if let context = slots[(head &+ 1) & mask].pointee.context {
            for line in 0..<6 { coro_context_prefetch(context + line &* 64) }
        }
        let third = UnsafeMutableRawPointer(slots[(head &+ 2) & mask])
        coro_context_prefetch(third)
        coro_context_prefetch(third + 64)
    }

    /// Takes out the one `steps` places behind the first, or the last.
    mutating func pop(after steps: Int) -> CoroutineRef? {
        if isEmpty { return nil }
        let index = min(steps, tail &- head &- 1)
        let coroutine = slots[(head &+ index) & mask]
        closeGap(at: index)
        return coroutine
    }

    /// Takes out one that is in it. Needs a search: for what is rare.
    mutating func remove(_ coroutine: CoroutineRef) {
        for index in 0..<(tail &- head) where slots[(head &+ index) & mask] == coroutine {
            closeGap(at: index)
            return
        }
    }

    /// Moves those ahead of a place one back.
    private mutating func closeGap(at index: Int) {
        var gap = index
        while gap > 0 {
            slots[(head &+ gap) & mask] = slots[(head &+ gap &- 1) & mask]
            gap -= 1
        }
        head &+= 1
    }

    mutating func free() {
        Heap.free(slots)
    }
}
