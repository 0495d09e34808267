import CCoroPlatform

/// The bytes between a stream and its user: taken at the front, added at the end.
struct StreamBuffer {
    private var memory: UnsafeMutableRawPointer
    private(set) var capacity: Int
    private var start = 0
    private var end = 0
    /// What was where the NUL is now.
    private var covered: UInt8?

    /// nil without memory.
    init?(capacity: Int) {
        guard let memory = StreamBuffer.allocate(nil, capacity) else { return nil }
        self.memory = memory
        self.capacity = capacity
    }

    /// With room for a NUL.
    private static func allocate(_ old: UnsafeMutableRawPointer?, _ capacity: Int) -> UnsafeMutableRawPointer? {
        coro_memory_reallocate(old, capacity + 1)
    }

    func free() { coro_memory_free(memory) }

    var count: Int { end - start }
    var first: UnsafeMutableRawPointer { memory + start }
    /// Where bytes are added, and how many may be.
    var room: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: memory + end, count: capacity - end) }

    mutating func add(_ n: Int) { end += n }

    mutating func take(_ n: Int) {
        start += n
        if start == end {
            start = 0
            end = 0
        }
    }

    /// Takes n bytes, which stay where they are, with a NUL behind them, until `uncover`.
    mutating func takeText(_ n: Int) {
        start += n
        covered = memory.load(fromByteOffset: start, as: UInt8.self)
        memory.storeBytes(of: 0, toByteOffset: start, as: UInt8.self)
    }

    mutating func uncover() {
        guard let covered else { return }
        memory.storeBytes(of: covered, toByteOffset: start, as: UInt8.self)
        self.covered = nil
    }

    /// Makes room for more behind what there is: false without memory. Bytes are moved so seldom, and memory grows so fast,
    /// that each costs a few moves at most.
    mutating func makeRoom() -> Bool {
        if start == end {
            start = 0
            end = 0
        }
        if end < capacity { return true }
        if start == 0 || start < capacity / 2 {
            if let larger = StreamBuffer.allocate(memory, capacity * 2) {
                memory = larger
                capacity *= 2
                return true
            }
            if start == 0 { return false }
        }
        memory.copyMemory(from: memory + start, byteCount: count)
        end -= start
        start = 0
        return true
    }
}
