import CCoroPlatform

typealias FifoRef = UnsafeMutablePointer<Fifo>
typealias Item = UnsafeMutableRawPointer?

/// Pointers in a row, as many as there is memory for, and those who wait for one. Nobody waits while there is an item: what is
/// pushed then is handed to the first who waits.
struct Fifo: SyncObject {
    var head: SyncHead
    fileprivate(set) var items = ItemRing()
    /// Takes back what is left when the fifo is freed.
    let release: ReleaseFunction?

    static var name: StaticString { "the fifo" }
}

/// A ring of items that grows.
struct ItemRing {
    private var slots: UnsafeMutablePointer<Item>?
    private var mask = -1
    private var head = 0
    private(set) var count = 0

    private static let smallest = 16

    /// Makes room for one more: false without memory.
    mutating func reserveOne() -> Bool { count <= mask || grow() }

    private mutating func grow() -> Bool {
        let capacity = Swift.max(Self.smallest, (mask + 1) * 2)
        guard let larger = Heap.zeroed(Item.self, count: capacity) else { return false }
        for index in 0..<count { larger[index] = self[index] }
        Heap.free(slots)
        slots = larger
        mask = capacity - 1
        head = 0
        return true
    }

    /// The items, the next to be taken first.
    subscript(index: Int) -> Item { slots.unsafelyUnwrapped[(head &+ index) & mask] }

    /// After `reserveOne` has said true.
    mutating func append(_ item: Item) {
        slots.unsafelyUnwrapped[(head &+ count) & mask] = item
        count &+= 1
    }

    /// After `reserveOne` has said true.
    mutating func prepend(_ item: Item) {
        head = (head &- 1) & mask
        slots.unsafelyUnwrapped[head] = item
        count &+= 1
    }

    /// Only if there is one.
    mutating func takeFirst() -> Item {
        let first = self[0]
        head = (head &+ 1) & mask
        count &-= 1
        return first
    }

    mutating func free() {
        Heap.free(slots)
        self = ItemRing()
    }
}

extension RuntimeRef {
    func makeFifo(_ release: ReleaseFunction?) -> FifoRef? {
        Heap.one(Fifo(head: SyncHead(in: self), release: release))
    }

    /// Puts an item at the end, or in front of all others. 0, or -ENOMEM.
    func push(_ item: Item, to fifo: FifoRef, inFront: Bool = false) -> Int32 {
        if let popper = fifo.waiters.pointee.first {
            popper.handover.pointee.element?.storeBytes(of: item, as: Item.self)
            finishHandover(with: popper)
            return 0
        }
        guard fifo.pointee.items.reserveOne() else { return fail(Code.noMemory) }
        if inFront {
            fifo.pointee.items.prepend(item)
        } else {
            fifo.pointee.items.append(item)
        }
        return 0
    }

    /// Takes the first item, if there is one.
    func tryPop(from fifo: FifoRef, into item: UnsafeMutablePointer<Item>?) -> Bool {
        if fifo.pointee.items.count == 0 { return false }
        let first = fifo.pointee.items.takeFirst()
        item?.pointee = first
        return true
    }

    /// Takes the first item as soon as there is one. 0 or an error.
    func pop(from fifo: FifoRef, into item: UnsafeMutablePointer<Item>?) -> Int32 {
        if tryPop(from: fifo, into: item) { return 0 }
        let error = obstacle()
        if error != 0 { return error }
        let code = waitForHandover(.fifo, in: fifo.waiters, of: fifo, item)
        leave(fifo)
        return code == 0 ? 0 : explainEnd(code, of: Fifo.self)
    }

    /// Takes all items, up to n of them, as soon as there is one: how many, or an error.
    func popAll(from fifo: FifoRef, into items: UnsafeMutablePointer<Item>, _ n: Int) -> Int {
        if fifo.pointee.items.count > 0 { return drain(fifo, into: items, n) }
        let error = obstacle()
        if error != 0 { return Int(error) }
        let code = waitForHandover(.fifo, in: fifo.waiters, of: fifo, items)
        // With what has come since, of which nothing is left if the fifo was freed.
        let taken = code == 0 ? 1 + drain(fifo, into: items + 1, n - 1) : 0
        leave(fifo)
        return code == 0 ? taken : Int(explainEnd(code, of: Fifo.self))
    }

    private func drain(_ fifo: FifoRef, into items: UnsafeMutablePointer<Item>, _ n: Int) -> Int {
        var taken = 0
        while taken < n, fifo.pointee.items.count > 0 {
            items[taken] = fifo.pointee.items.takeFirst()
            taken += 1
        }
        return taken
    }

    /// Frees it, and has what is in it taken back.
    func freeWithItems(_ fifo: FifoRef) {
        var left = fifo.pointee.items
        fifo.pointee.items = ItemRing()
        while left.count > 0 { giveBack(left.takeFirst(), to: fifo.pointee.release) }
        left.free()
        fifo.pointee.items.free() // which release functions may have pushed
        free(fifo)
    }
}
