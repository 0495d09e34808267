import CCoroPlatform

/// Writes lines to a descriptor by plain, blocking calls, several lines at a time. After an error it writes no more.
struct LineWriter {
    private let fd: Int32
    private let memory: UnsafeMutablePointer<CChar>
    private var used = 0
    private var error: Int32 = 0

    private static let capacity = 4096
    /// How long a line may be; the rest is cut.
    private static let longestLine = 1024

    /// nil without memory.
    init?(fd: Int32) {
        guard let memory = Heap.zeroed(CChar.self, count: Self.capacity) else { return nil }
        self.fd = fd
        self.memory = memory
    }

    /// Writes a line, without its end.
    mutating func write(_ compose: (inout TextBuffer) -> Void) {
        if Self.capacity - used < Self.longestLine { flush() }
        var text = TextBuffer(memory + used, capacity: Self.longestLine - 1)
        compose(&text)
        used += Swift.min(text.length, Self.longestLine - 2)
        memory[used] = CChar(bitPattern: UInt8(ascii: "\n"))
        used += 1
    }

    /// Writes out what is left, and frees the memory. 0, or the first error.
    mutating func finish() -> Int32 {
        flush()
        Heap.free(memory)
        return error
    }

    private mutating func flush() {
        if error == 0 { error = Self.writeWhole(fd, memory, used) }
        used = 0
    }

    /// Writes n bytes, in one call if the descriptor takes them so. 0 or an error, which SIGPIPE does not go before.
    static func writeWhole(_ fd: Int32, _ text: UnsafePointer<CChar>, _ n: Int) -> Int32 {
        var done = 0
        while done < n {
            let written = coro_system_write(fd, Int32(CORO_KIND_NONBLOCKING.rawValue), text + done, n - done)
            if written <= 0 { return written < 0 ? Int32(truncatingIfNeeded: written) : -CoroErrno.inputOutput }
            done += written
        }
        return 0
    }
}
