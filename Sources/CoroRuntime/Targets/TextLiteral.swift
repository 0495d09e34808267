import CCoroPlatform

extension PrototypeParser {
    /// Texts in a row, which are one. What it returns begins with a pointer to what follows it; it is the caller's.
    mutating func textLiteral() throws(Refusal) -> UnsafeMutableRawPointer {
        var bytes = Vector<UInt8>()
        defer { bytes.free() }
        text.append(UInt8(ascii: "\""))
        while token.kind == .text {
            var index = 1
            while index < token.length - 1 {
                let character = try escaped(token, &index)
                if character.value == 0 { throw refuse(token, "a text ends at its first '\\0': leave it out") }
                if character.isUnicode {
                    try appendUnicode(character.value, to: &bytes)
                } else {
                    try append(UInt8(truncatingIfNeeded: character.value), to: &bytes)
                }
            }
            try advance()
        }
        text.append(UInt8(ascii: "\""))
        let head = MemoryLayout<UnsafeRawPointer>.stride
        guard let memory = coro_memory_allocate(head + bytes.count + 1, 16) else { throw lackOfMemory() }
        memory.storeBytes(of: memory + head, as: UnsafeMutableRawPointer.self)
        if let start = bytes.elements { (memory + head).copyMemory(from: start, byteCount: bytes.count) }
        return memory
    }

    private mutating func appendUnicode(_ scalar: UInt32, to bytes: inout Vector<UInt8>) throws(Refusal) {
        if scalar < 0x80 { return try append(UInt8(scalar), to: &bytes) }
        let count: UInt32 = scalar < 0x800 ? 1 : scalar < 0x10000 ? 2 : 3
        let mark: UInt32 = count == 1 ? 0xc0 : count == 2 ? 0xe0 : 0xf0
        try append(UInt8(mark | scalar >> (6 * count)), to: &bytes)
        for index in (0..<count).reversed() { try append(UInt8(0x80 | scalar >> (6 * index) & 0x3f), to: &bytes) }
    }

    /// Appends it to the text that is meant, and to the one that is written down.
    private mutating func append(_ byte: UInt8, to bytes: inout Vector<UInt8>) throws(Refusal) {
        guard bytes.reserveOne() else { throw lackOfMemory() }
        bytes.appendReserved(byte)
        switch byte {
        case UInt8(ascii: "\""): text.append("\\\"")
        case UInt8(ascii: "\\"): text.append("\\\\")
        case 10: text.append("\\n")
        case 9: text.append("\\t")
        case 0..<32, 127:
            // Three digits, so that one that follows is not taken for a part of it.
            text.append(UInt8(ascii: "\\"))
            var shift: UInt8 = 9
            while shift > 0 {
                shift -= 3
                text.append(UInt8(ascii: "0") + (byte >> shift & 7))
            }
        default: text.append(byte)
        }
    }
}
