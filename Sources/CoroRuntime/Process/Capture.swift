import CCoroPlatform

/// What a process writes to one of its streams: grows up to a limit; what comes after that is dropped.
struct Capture {
    private(set) var memory: UnsafeMutablePointer<UInt8>?
    private(set) var count = 0
    private var capacity = 0
    private let limit: Int

    /// Always free behind `capacity`: for what is dropped, and for the NUL at the end.
    private static let spare = 4096

    /// limit: bytes. nil without memory.
    init?(limit: Int) {
        self.limit = limit
        guard let memory = coro_memory_allocate(2 * Self.spare, 16) else { return nil }
        self.memory = memory.bindMemory(to: UInt8.self, capacity: 2 * Self.spare)
        capacity = Self.spare
    }

    enum Answer {
        case moved, wouldBlock, end, overLimit, noMemory
        case failed(Int32)
    }

    /// Reads once. Where bytes are dropped, it goes on reading all the same.
    mutating func read(_ descriptor: Int32, dropping: Bool) -> Answer {
        guard let memory else { return .noMemory }
        let isFull = count == limit
        if !dropping, !isFull, count == capacity, !grow() { return .noMemory }
        let drops = dropping || isFull
        let place = drops ? memory + capacity : self.memory.unsafelyUnwrapped + count
        let room = drops ? Self.spare : min(capacity, limit) - count
        let got = coro_system_read(descriptor, Int32(CORO_KIND_NONBLOCKING.rawValue), place, room)
        if got == Int(Code.again) { return .wouldBlock }
        if got < 0 { return .failed(Int32(truncatingIfNeeded: got)) }
        if got == 0 { return .end }
        if !drops { count += got }
        return isFull && !dropping ? .overLimit : .moved
    }

    private mutating func grow() -> Bool {
        let larger = capacity * 2
        guard let moved = coro_memory_reallocate(memory, larger + Self.spare) else { return false }
        memory = moved.bindMemory(to: UInt8.self, capacity: larger + Self.spare)
        capacity = larger
        return true
    }

    /// The bytes with a NUL behind them, which the caller owns from now on.
    mutating func take() -> UnsafeMutablePointer<UInt8>? {
        memory?[count] = 0
        defer { memory = nil }
        return memory
    }

    mutating func free() {
        Heap.free(memory)
        memory = nil
    }
}
