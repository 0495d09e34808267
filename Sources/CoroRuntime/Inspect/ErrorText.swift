import CCoroPlatform

/// Names and texts of error codes, ours and the system's.
enum ErrorText {
    static func name(_ code: Int32) -> UnsafePointer<CChar>? {
        if let entry = ErrorTable.find(code) { return pointer(entry.name) }
        return code == 0 ? pointer("0") : isSystem(code) ? coro_system_error_name(-code) : nil
    }

    static func text(_ code: Int32) -> UnsafePointer<CChar> {
        if let entry = ErrorTable.find(code) { return pointer(entry.text) }
        if code == 0 { return pointer("success") }
        if isSystem(code), let text = coro_system_error_text(-code) { return text }
        let (memory, capacity) = (coro_thread_text(), Int(CORO_THREAD_TEXT_SIZE.rawValue))
        var buffer = TextBuffer(memory, capacity: capacity)
        buffer.append("unknown error ")
        buffer.append(code)
        return UnsafePointer(memory)
    }

    /// "EIO (Input/output error)", or the number of a code that is the program's own.
    static func append(_ code: Int32, to buffer: inout TextBuffer) {
        guard let name = name(code) else {
            buffer.append("error ")
            buffer.append(code)
            return
        }
        buffer.append(cString: name)
        buffer.append(" (")
        buffer.append(cString: text(code))
        buffer.append(")")
    }

    private static func isSystem(_ code: Int32) -> Bool { code < 0 && code > -4096 }

    static var empty: UnsafePointer<CChar> { pointer("") }
    static var null: UnsafePointer<CChar> { pointer("(null)") }

    /// A literal ends in a zero byte.
    private static func pointer(_ text: StaticString) -> UnsafePointer<CChar> {
        UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
