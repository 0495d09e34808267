import CCoroPlatform

/// The trampolines of the process, by number: in places, of which the first have their code in libcoro's own. Behind the
/// process lock.
///
/// A place that was freed waits for its next trampoline behind all that were freed before it, and not among those that were
/// freed last. So there have to be as many more places with code of libcoro's own as wait.
struct TrampolineTable {
    private var places = Vector<TrampolineRef>()
    private var lastSerial: Int64 = 0
    private var firstFreed: TrampolineRef?
    private var lastFreed: TrampolineRef?
    private var freedCount = 0

    /// How many of those that were freed last are kept.
    private static let keptCount = 256
    /// An id is a serial number above the bits of the place's number.
    private static let numberBits: Int64 = 24

    // -- for all --

    /// Makes one, which owns what is in `callee` and holds the target, if that succeeds. Returns its id, or an error.
    static func make(_ callee: Trampoline.Callee, _ target: TargetRef, context: UnsafeRawPointer?, hasContext: Bool) -> Int64 {
        Shared.withLock { shared -> Int64 in
            var error: Int32 = 0
            guard let place = shared.pointee.trampolines.takePlace(&error), let prepared = callee.prepared else {
                return Int64(error)
            }
            place.pointee.callee?.free()
            place.pointee.callee = callee
            place.pointee.target = target
            place.pointee.entry.context = context
            place.pointee.entry.has_context = hasContext
            place.pointee.entry.error = 0
            _ = coro_entry_bind(place.entry, prepared, trampolineCalled)
            shared.pointee.trampolines.lastSerial += 1
            place.pointee.id = shared.pointee.trampolines.lastSerial << numberBits | Int64(place.pointee.number)
            coro_entry_set_open(place.entry)
            return place.pointee.id
        } ?? Int64(Code.noMemory)
    }

    /// What `body` says of the trampoline of that id; nil if there is none.
    static func with<Result>(_ id: Int64, _ body: (TrampolineRef) -> Result) -> Result? {
        Shared.withLock { shared -> Result? in
            guard let place = shared.pointee.trampolines.find(id) else { return nil }
            return body(place)
        } ?? nil
    }

    /// false: there is none of that id.
    static func free(_ id: Int64) -> Bool {
        var isUnused = false
        let freed = Shared.withLock { shared -> TrampolineRef? in
            guard let place = shared.pointee.trampolines.find(id) else { return nil }
            isUnused = coro_entry_close(place.entry)
            shared.pointee.trampolines.append(place)
            return place
        }
        guard case .some(.some(let place)) = freed else { return false }
        if isUnused { place.letGoOfTarget() }
        return true
    }

    // -- behind the lock --

    private func find(_ id: Int64) -> TrampolineRef? {
        let number = Int(id & (1 << Self.numberBits - 1))
        guard id > 0, number < places.count, places[number].pointee.id == id, coro_entry_is_open(places[number].entry) else {
            return nil
        }
        return places[number]
    }

    /// A place for another. nil: see `error`.
    private mutating func takePlace(_ error: inout Int32) -> TrampolineRef? {
        let number = places.count
        if number >= Int(coro_entry_thunk_count()), let place = takeFreed() { return place }
        error = Code.noMemory
        guard number < 1 << Self.numberBits, places.reserveOne(), let place = Heap.one(Trampoline(number: number)) else {
            return nil
        }
        error = coro_entry_open(place.entry, UInt32(number))
        if error != 0 {
            Heap.free(place)
            return nil
        }
        places.appendReserved(place)
        return place
    }

    private mutating func append(_ place: TrampolineRef) {
        place.pointee.nextFreed = nil
        if let last = lastFreed { last.pointee.nextFreed = place } else { firstFreed = place }
        lastFreed = place
        freedCount += 1
    }

    /// Takes out the one that was freed first, of those that are not kept and in which no call is under way.
    private mutating func takeFreed() -> TrampolineRef? {
        var previous: TrampolineRef?
        var (next, left) = (firstFreed, freedCount - Self.keptCount)
        while left > 0, let place = next {
            if coro_entry_is_unused(place.entry), place.pointee.target == nil {
                let after = place.pointee.nextFreed
                if let previous { previous.pointee.nextFreed = after } else { firstFreed = after }
                if lastFreed == place { lastFreed = previous }
                freedCount -= 1
                return place
            }
            (previous, next, left) = (place, place.pointee.nextFreed, left - 1)
        }
        return nil
    }
}
