/// Control blocks: carved from slabs, so that they lie side by side and apart from the stacks, and reused last in first out.
struct CoroutinePool {
    private var free: CoroutineRef?
    private var slabs = Vector<CoroutineRef>()
    private var unused = 0

    /// Multiples of a cache line, so that the hot part of a block is one line.
    private static let slabCount = 128

    /// A block of an earlier coroutine or a new one; nil without memory.
    @inline(__always)
    mutating func take() -> CoroutineRef? {
        if let coroutine = free {
            free = coroutine.pointee.waitNext
            return coroutine
        }
        return carve()
    }

    private mutating func carve() -> CoroutineRef? {
        if unused == 0 {
            guard slabs.reserveOne(),
                let slab = Heap.zeroed(Coroutine.self, count: Self.slabCount, alignment: 64)
            else { return nil }
            slabs.appendReserved(slab)
            unused = Self.slabCount
        }
        unused -= 1
        return slabs[slabs.count - 1] + unused
    }

    @inline(__always)
    mutating func give(_ coroutine: CoroutineRef) {
        coroutine.pointee.waitNext = free
        free = coroutine
    }

    mutating func freeAll() {
        while let slab = slabs.popLast() { Heap.free(slab) }
        slabs.free()
        free = nil
        unused = 0
    }
}
