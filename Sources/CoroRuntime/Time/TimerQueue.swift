import CCoroPlatform

/// Where a coroutine's timer is.
struct TimerPlace: Equatable {
    private let raw: Int32

    static let none = TimerPlace(raw: -1)
    @inline(__always) static func heap(_ index: Int) -> TimerPlace { TimerPlace(raw: Int32(truncatingIfNeeded: index)) }
    @inline(__always) static func wheel(_ slot: Int) -> TimerPlace { TimerPlace(raw: -2 &- Int32(truncatingIfNeeded: slot)) }

    @inline(__always) private init(raw: Int32) { self.raw = raw }

    @inline(__always) var heapIndex: Int? { raw >= 0 ? Int(raw) : nil }
    @inline(__always) var wheelSlot: Int? { raw <= -2 ? Int(-2 &- raw) : nil }
}

/// The coroutines that wait for a time, earliest deadline first, and those with equal deadlines in the order they came.
///
/// Two parts. A deadline in the near future (the current tick of half a millisecond) is in a heap, in exact order. One further
/// off is in a hierarchical timing wheel (Varghese and Lauck, 1987, scheme 7): six levels of 256 slots, each level's slots 256
/// times as wide, where putting in and taking out are a few instructions whatever the number of timers. When time reaches a
/// slot, its timers move to finer slots, and at last into the heap, which sorts them. (A finer tick means a smaller heap, but
/// one more move for most timers, and each move misses the cache.)
///
/// The rule that keeps it right: all in the heap have a tick of at most `reached`; all in the wheel a later one, in the slot
/// and level of the highest byte in which it differs from `reached`. So the first occupied slot of the lowest occupied level
/// holds the earliest.
struct TimerQueue {
    private var heap = TimerHeap()
    private var slots: UnsafeMutablePointer<CoroutineRef?>?
    private var occupied: UnsafeMutablePointer<UInt64>?
    private var reached: UInt64 = 0
    private var nextOrder: UInt32 = 0
    private var wheelCount = 0

    private static let tickShift: UInt64 = 19
    private static let levels = 6
    private static let levelShift = 8
    private static let slotsPerLevel = 256
    private static let wordsPerLevel = 4
    /// How many timers of a slot are looked at to tell the exact time of the first.
    private static let scanLimit = 32

    var isEmpty: Bool { wheelCount == 0 && heap.isEmpty }

    var count: Int { wheelCount + heap.count }

    /// Makes room for one more: false without memory. Nothing fails after this.
    mutating func reserveOne() -> Bool {
        if occupied == nil, !allocateWheel() { return false }
        return heap.reserve(wheelCount + heap.count + 1)
    }

    /// What an earlier try has got is kept.
    private mutating func allocateWheel() -> Bool {
        if slots == nil { slots = Heap.zeroed(CoroutineRef?.self, count: Self.levels * Self.slotsPerLevel) }
        if slots != nil { occupied = Heap.zeroed(UInt64.self, count: Self.levels * Self.wordsPerLevel) }
        return occupied != nil
    }

    /// Puts in a coroutine that is not in, to wait for `deadline` (not negative).
    mutating func insert(_ coroutine: CoroutineRef, deadline: Int64) {
        coroutine.pointee.deadline = deadline
        coroutine.pointee.timerOrder = nextOrder
        nextOrder &+= 1
        place(coroutine)
    }

    private mutating func place(_ coroutine: CoroutineRef) {
        let tick = UInt64(bitPattern: coroutine.pointee.deadline) &>> Self.tickShift
        if tick <= reached {
            heap.push(coroutine)
            return
        }
        let level = (63 &- (tick ^ reached).leadingZeroBitCount) &>> 3
        let slot = level &* Self.slotsPerLevel &+ Int(truncatingIfNeeded: tick &>> UInt64(level &* Self.levelShift)) & 255
        let slots = slots.unsafelyUnwrapped
        let first = slots[slot]
        coroutine.pointee.timerNext = first
        coroutine.pointee.timerPrevious = nil
        coroutine.pointee.timerPlace = .wheel(slot)
        first?.pointee.timerPrevious = coroutine
        slots[slot] = coroutine
        if first == nil { occupied.unsafelyUnwrapped[slot &>> 6] |= 1 &<< UInt64(slot & 63) }
        wheelCount &+= 1
    }

    /// Takes out a coroutine that is in.
    mutating func remove(_ coroutine: CoroutineRef) {
        if let index = coroutine.pointee.timerPlace.heapIndex {
            heap.remove(at: index)
        } else if let slot = coroutine.pointee.timerPlace.wheelSlot {
            unlink(coroutine, from: slot)
        }
        coroutine.pointee.timerPlace = .none
    }

    private mutating func unlink(_ coroutine: CoroutineRef, from slot: Int) {
        let next = coroutine.pointee.timerNext
        next?.pointee.timerPrevious = coroutine.pointee.timerPrevious
        if let previous = coroutine.pointee.timerPrevious {
            previous.pointee.timerNext = next
        } else {
            slots.unsafelyUnwrapped[slot] = next
            if next == nil { occupied.unsafelyUnwrapped[slot &>> 6] &= ~(1 &<< UInt64(slot & 63)) }
        }
        wheelCount &-= 1
    }

    /// Whether there may be one whose deadline is at most `now`.
    func isDue(_ now: Int64) -> Bool {
        if let first = heap.first, first.pointee.deadline <= now { return true }
        return wheelCount > 0 && UInt64(bitPattern: now) &>> Self.tickShift > reached
    }

    /// Takes out the first whose deadline is at most `now`; nil if there is none.
    mutating func popDue(_ now: Int64) -> CoroutineRef? {
        let tick = UInt64(bitPattern: now) &>> Self.tickShift
        if tick > reached { advance(to: tick) }
        guard let first = heap.first, first.pointee.deadline <= now else { return nil }
        heap.remove(at: 0)
        first.pointee.timerPlace = .none
        return first
    }

    private mutating func advance(to tick: UInt64) {
        while wheelCount > 0, let (slot, start) = firstOccupied(), start <= tick {
            reached = start
            // Taken as a list first: in the same slot, none of them can land again.
            var next = slots.unsafelyUnwrapped[slot]
            slots.unsafelyUnwrapped[slot] = nil
            occupied.unsafelyUnwrapped[slot &>> 6] &= ~(1 &<< UInt64(slot & 63))
            while let coroutine = next {
                next = coroutine.pointee.timerNext
                next.map { coro_context_prefetch(UnsafeRawPointer($0) + 64) }
                wheelCount &-= 1
                place(coroutine)
            }
        }
        reached = tick
    }

    /// The slot that time reaches first, and the tick at which it does.
    private func firstOccupied() -> (slot: Int, start: UInt64)? {
        let occupied = occupied.unsafelyUnwrapped
        for level in 0..<Self.levels {
            for word in 0..<Self.wordsPerLevel {
                let bits = occupied[level &* Self.wordsPerLevel &+ word]
                if bits == 0 { continue }
                let index = word &* 64 &+ bits.trailingZeroBitCount
                let shift = UInt64(level &* Self.levelShift)
                let above = (reached &>> shift) & ~255
                return (level &* Self.slotsPerLevel &+ index, (above | UInt64(index)) &<< shift)
            }
        }
        return nil
    }

    /// A time at which to look again, not later than the first deadline; nil if there is none. It is the deadline itself,
    /// unless that is far off and shares its slot with many.
    var nextWake: Int64? {
        if let first = heap.first { return first.pointee.deadline }
        guard wheelCount > 0, let (slot, start) = firstOccupied() else { return nil }
        var earliest = Int64.max
        var next = slots.unsafelyUnwrapped[slot]
        for _ in 0..<Self.scanLimit {
            guard let coroutine = next else { return earliest }
            earliest = min(earliest, coroutine.pointee.deadline)
            next = coroutine.pointee.timerNext
        }
        return Int64(bitPattern: start &<< Self.tickShift)
    }

    mutating func free() {
        heap.free()
        Heap.free(slots)
        Heap.free(occupied)
        slots = nil
        occupied = nil
    }
}
