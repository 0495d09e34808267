/// A binary heap of coroutines by (deadline, order of arrival). Each knows its place in it, so that any can be taken out.
struct TimerHeap {
    private var entries: UnsafeMutablePointer<Entry>?
    private(set) var count = 0
    private var capacity = 0

    private struct Entry {
        var deadline: Int64
        var coroutine: CoroutineRef
        var order: UInt32

        /// Orders wrap; two that are alive at once are never half the range apart.
        @inline(__always)
        func isBefore(_ other: Entry) -> Bool {
            deadline != other.deadline ? deadline < other.deadline : Int32(bitPattern: order &- other.order) < 0
        }
    }

    var isEmpty: Bool { count == 0 }
    var first: CoroutineRef? { count == 0 ? nil : entries.unsafelyUnwrapped[0].coroutine }

    /// Makes room for `total` entries: false without memory.
    @inline(__always)
    mutating func reserve(_ total: Int) -> Bool {
        total <= capacity || grow(total)
    }

    private mutating func grow(_ total: Int) -> Bool {
        let larger = max(total, capacity * 2, 64)
        guard let moved = Heap.zeroed(Entry.self, count: larger) else { return false }
        if let entries { moved.update(from: entries, count: count) }
        Heap.free(entries)
        entries = moved
        capacity = larger
        return true
    }

    mutating func push(_ coroutine: CoroutineRef) {
        let entry = Entry(
            deadline: coroutine.pointee.deadline, coroutine: coroutine, order: coroutine.pointee.timerOrder)
        count &+= 1
        siftUp(entry, from: count &- 1)
    }

    mutating func remove(at index: Int) {
        count &-= 1
        if index == count { return }
        let last = entries.unsafelyUnwrapped[count]
        if index > 0, last.isBefore(entries.unsafelyUnwrapped[(index &- 1) / 2]) {
            siftUp(last, from: index)
        } else {
            siftDown(last, from: index)
        }
    }

    @inline(__always)
    private func put(_ entry: Entry, at index: Int) {
        entries.unsafelyUnwrapped[index] = entry
        entry.coroutine.pointee.timerPlace = .heap(index)
    }

    private func siftUp(_ entry: Entry, from start: Int) {
        var index = start
        while index > 0 {
            let parent = (index &- 1) / 2
            guard entry.isBefore(entries.unsafelyUnwrapped[parent]) else { break }
            put(entries.unsafelyUnwrapped[parent], at: index)
            index = parent
        }
        put(entry, at: index)
    }

    private func siftDown(_ entry: Entry, from start: Int) {
        var index = start
        while true {
            var child = index &* 2 &+ 1
            if child >= count { break }
            let entries = entries.unsafelyUnwrapped
            if child &+ 1 < count, entries[child &+ 1].isBefore(entries[child]) { child &+= 1 }
            guard entries[child].isBefore(entry) else { break }
            put(entries[child], at: index)
            index = child
        }
        put(entry, at: index)
    }

    mutating func free() {
        Heap.free(entries)
        entries = nil
        count = 0
        capacity = 0
    }
}
