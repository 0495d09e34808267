/// Values by number, in memory that grows with how many there are: open addressing with linear probing. Values move; no pointer
/// to one is good after another was put in or taken out.
struct KeyTable<Value> {
    /// The value is first: a pointer to a slot is a pointer to its value.
    private struct Slot {
        var value: Value
        var key: UInt64
        var isUsed: Bool
    }

    private var slots: UnsafeMutablePointer<Slot>?
    private var capacity = 0
    private(set) var count = 0

    private static var smallest: Int { 8 }

    /// Where a key belongs. (Fibonacci hashing: Knuth, volume 3, 6.4.)
    private func home(of key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> 32) & (capacity &- 1)
    }

    /// Where a key is, or else where it would be put.
    private func place(of key: UInt64) -> Int {
        var index = home(of: key)
        while let slot = slots?[index], slot.isUsed, slot.key != key { index = (index &+ 1) & (capacity &- 1) }
        return index
    }

    func find(_ key: UInt64) -> UnsafeMutablePointer<Value>? {
        guard let slots else { return nil }
        let slot = slots + place(of: key)
        return slot.pointee.isUsed ? value(in: slot) : nil
    }

    private func value(in slot: UnsafeMutablePointer<Slot>) -> UnsafeMutablePointer<Value> {
        UnsafeMutableRawPointer(slot).assumingMemoryBound(to: Value.self)
    }

    /// Makes room for that many in all: false without memory. A quarter of the slots stays free, so that a search is short.
    mutating func reserve(_ total: Int) -> Bool {
        if total <= capacity &- capacity / 4 { return true }
        var larger = Swift.max(capacity, Self.smallest)
        while larger - larger / 4 < total { larger *= 2 }
        return move(to: larger)
    }

    /// Gives back what is not needed for `total`, as far as that is much.
    mutating func shrink(to total: Int) {
        if capacity > Self.smallest, total < capacity / 8 { _ = move(to: capacity / 2) }
    }

    private mutating func move(to newCapacity: Int) -> Bool {
        guard let memory = Heap.zeroed(Slot.self, count: newCapacity) else { return false }
        let (old, oldCapacity) = (slots, capacity)
        slots = memory
        capacity = newCapacity
        for index in 0..<oldCapacity {
            if let slot = old?[index], slot.isUsed { memory[place(of: slot.key)] = slot }
        }
        Heap.free(old)
        return true
    }

    /// A key that is not there, after `reserve` has said true.
    mutating func insert(_ key: UInt64, _ value: Value) {
        slots.unsafelyUnwrapped[place(of: key)] = Slot(value: value, key: key, isUsed: true)
        count &+= 1
    }

    /// Takes a key out, if it is there, and closes the gap: those behind it move up as far as they may.
    mutating func remove(_ key: UInt64) {
        guard let slots else { return }
        var gap = place(of: key)
        if !slots[gap].isUsed { return }
        count &-= 1
        var index = gap
        while true {
            index = (index &+ 1) & (capacity &- 1)
            if !slots[index].isUsed { break }
            let distance = (index &- home(of: slots[index].key)) & (capacity &- 1)
            if distance >= (index &- gap) & (capacity &- 1) {
                slots[gap] = slots[index]
                gap = index
            }
        }
        slots[gap].isUsed = false
    }

    /// The first, in no order, of which `body` says true. It must not put any in or take any out.
    func first(where body: (UInt64, UnsafeMutablePointer<Value>) -> Bool) -> UInt64? {
        for index in 0..<capacity {
            guard let slots, slots[index].isUsed else { continue }
            if body(slots[index].key, value(in: slots + index)) { return slots[index].key }
        }
        return nil
    }

    /// Takes out all of which `body` says true. Returns whether there were any.
    mutating func removeAll(where body: (UInt64) -> Bool) -> Bool {
        let before = count
        var index = 0
        while let slots, index < capacity {
            // What closes the gap comes from behind, or has been seen.
            if slots[index].isUsed, body(slots[index].key) { remove(slots[index].key) } else { index += 1 }
        }
        return count < before
    }

    mutating func free() {
        Heap.free(slots)
        slots = nil
        capacity = 0
        count = 0
    }
}
