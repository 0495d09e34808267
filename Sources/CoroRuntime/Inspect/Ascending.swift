extension RuntimeRef {
    /// Calls body with all that have not ended, by ascending id, until it returns false; it must not add or remove any. Takes
    /// a fixed amount of memory, however many there are: each turn through the table finds the next few. false: there is none.
    func forEachAscending(_ body: (CoroutineRef) -> Bool) -> Bool {
        guard var few = FewSmallest() else { return false }
        var after: Int64 = 0
        while true {
            few.empty()
            pointee.table.forEach {
                if $0.pointee.id > after, $0.pointee.state != .ended { few.offer($0) }
            }
            var index = 0
            while index < few.count, body(few[index]) { index += 1 }
            if few.count == 0 || index < few.count { break }
            after = few[few.count - 1].pointee.id
        }
        few.free()
        return true
    }

    /// How many satisfy the predicate.
    func countAll(_ predicate: (CoroutineRef) -> Bool) -> Int {
        var count = 0
        pointee.table.forEach { if predicate($0) { count += 1 } }
        return count
    }
}

/// The coroutines with the smallest ids of those that were offered, in order. On the heap: whoever asks may have a small stack.
private struct FewSmallest {
    private(set) var count = 0
    private let slots: UnsafeMutablePointer<CoroutineRef>

    private static let capacity = 256

    /// nil without memory.
    init?() {
        guard let slots = Heap.zeroed(CoroutineRef.self, count: Self.capacity) else { return nil }
        self.slots = slots
    }

    subscript(index: Int) -> CoroutineRef { slots[index] }

    mutating func empty() { count = 0 }

    mutating func offer(_ coroutine: CoroutineRef) {
        let id = coroutine.pointee.id
        if count == Self.capacity {
            if slots[count - 1].pointee.id < id { return }
            count -= 1
        }
        var place = count
        while place > 0, slots[place - 1].pointee.id > id {
            slots[place] = slots[place - 1]
            place -= 1
        }
        slots[place] = coroutine
        count += 1
    }

    func free() { Heap.free(slots) }
}
