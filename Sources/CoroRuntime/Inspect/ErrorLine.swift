import CCoroPlatform

/// A line on stderr: whose it is, when, what.
enum ErrorLine {
    /// Room for an id, a date, and what is between them.
    private static let headSize = 64

    /// Writes `<id>:\t<date> text\n` in one call. Keeps errno.
    static func write(_ text: UnsafePointer<CChar>) {
        let errno = coro_errno_here()
        let before = errno.pointee
        let size = headSize + Heap.length(of: text)
        if let memory = Heap.zeroed(CChar.self, count: size) {
            write(text, in: memory, size)
            Heap.free(memory)
        } else if let memory = Runtime.existing?.pointee.overflowText {
            write(text, in: memory, OverflowReport.size)
        }
        errno.pointee = before
    }

    /// Cut to fit.
    private static func write(_ text: UnsafePointer<CChar>, in memory: UnsafeMutablePointer<CChar>, _ size: Int) {
        var line = TextBuffer(memory, capacity: size - 1)
        line.append(Runtime.existing?.pointee.current.pointee.id ?? 0)
        line.append(":\t")
        coro_system_date(memory + line.length)
        line.skip(Heap.length(of: memory + line.length))
        line.append(" ")
        line.append(cString: text)
        let end = Swift.min(line.length, size - 2)
        memory[end] = CChar(bitPattern: UInt8(ascii: "\n"))
        _ = LineWriter.writeWhole(2, memory, end + 1)
    }
}
