import CCoroPlatform

/// Finds a coroutine by its id. Ids only grow and are never reused, so a stale one finds nothing.
///
/// A hash table with chains through `tableNext`. Ids given out one after the other lie side by side, as they are used; each
/// full turn round the table is shifted by another amount, so that ids a power of two apart (the long-lived ones of a server,
/// say) do not end up in one chain.
struct CoroutineTable {
    private var buckets: UnsafeMutablePointer<CoroutineRef?>?
    private var shift: Int64 = 0
    private(set) var count = 0

    private static let smallestShift: Int64 = 6

    private var capacity: Int { buckets == nil ? 0 : 1 << Int(shift) }

    @inline(__always)
    private func bucket(_ id: Int64) -> UnsafeMutablePointer<CoroutineRef?> {
        let turn = id &>> shift
        let index = (id &+ turn &* 0x9E37_79B9) & ((1 &<< shift) &- 1)
        return buckets.unsafelyUnwrapped + Int(truncatingIfNeeded: index)
    }

    /// Makes room for one more: false without memory.
    @inline(__always)
    mutating func reserveOne() -> Bool {
        count < capacity || grow()
    }

    private mutating func grow() -> Bool {
        let (old, oldCapacity) = (buckets, capacity)
        let newShift = old == nil ? Self.smallestShift : shift + 1
        guard let larger = Heap.zeroed(CoroutineRef?.self, count: 1 << Int(newShift)) else { return false }
        buckets = larger
        shift = newShift
        count = 0
        for index in 0..<oldCapacity {
            var next = old.unsafelyUnwrapped[index]
            while let coroutine = next {
                next = coroutine.pointee.tableNext
                insert(coroutine)
            }
        }
        Heap.free(old)
        return true
    }

    /// After `reserveOne` has said true.
    @inline(__always)
    mutating func insert(_ coroutine: CoroutineRef) {
        let bucket = bucket(coroutine.pointee.id)
        coroutine.pointee.tableNext = bucket.pointee
        bucket.pointee = coroutine
        count &+= 1
    }

    @inline(__always)
    func find(_ id: Int64) -> CoroutineRef? {
        guard buckets != nil else { return nil }
        var next = bucket(id).pointee
        while let coroutine = next, coroutine.pointee.id != id { next = coroutine.pointee.tableNext }
        return next
    }

    /// Takes out one that is in it.
    @inline(__always)
    mutating func remove(_ coroutine: CoroutineRef) {
        let bucket = bucket(coroutine.pointee.id)
        count &-= 1
        guard var previous = bucket.pointee, previous != coroutine else {
            bucket.pointee = coroutine.pointee.tableNext
            return
        }
        while let next = previous.pointee.tableNext, next != coroutine { previous = next }
        previous.pointee.tableNext = coroutine.pointee.tableNext
    }

    /// Calls body with each, in no order. It must not add or remove any.
    func forEach(_ body: (CoroutineRef) -> Void) {
        for index in 0..<capacity {
            var next = buckets.unsafelyUnwrapped[index]
            while let coroutine = next {
                next = coroutine.pointee.tableNext
                body(coroutine)
            }
        }
    }

    mutating func free() {
        Heap.free(buckets)
        buckets = nil
        count = 0
    }
}
