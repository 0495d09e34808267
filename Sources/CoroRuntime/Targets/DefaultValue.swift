import CCoroPlatform

extension PrototypeParser {
    /// The value of a parameter that is not given, of its type, in memory that is the caller's. It is what is next.
    mutating func defaultValue(_ type: coro_type, isText: Bool) throws(Refusal) -> UnsafeMutableRawPointer {
        if token.kind == .text {
            if !isText { throw refuse(token, "a text can be the default of a 'const char *' alone, and of none that is owned") }
            return try textLiteral()
        }
        guard let memory = coro_memory_allocate(max(type.size, 1), 16) else { throw lackOfMemory() }
        do throws(Refusal) {
            switch Int32(type.kind) {
            case CORO_TYPE_STRUCT: throw refuse(token, "a struct can't have a default")
            case CORO_TYPE_POINTER: try nullPointer()
            default: try numberValue(type, at: memory)
            }
        } catch {
            coro_memory_free(memory)
            throw error
        }
        return memory
    }

    private mutating func nullPointer() throws(Refusal) {
        if token.isWord("NULL") || token.isWord("nullptr") {
            text.append("NULL")
        } else if token.kind == .number, try number(token).magnitude == 0, try !number(token).isFloating {
            text.append("NULL")
        } else {
            throw refuse(token, "the default of a pointer is NULL (of a 'const char *' also a \"text\")")
        }
        try advance()
    }

    private mutating func numberValue(_ type: coro_type, at memory: UnsafeMutableRawPointer) throws(Refusal) {
        if token.isWord("true") || token.isWord("false") {
            try store(token.isWord("true") ? 1 : 0, isNegative: false, as: type, at: memory)
            text.append(token)
            return try advance()
        }
        let isNegative = token.isMark("-")
        if isNegative { text.append(UInt8(ascii: "-")) }
        if isNegative || token.isMark("+") { try advance() }
        switch token.kind {
        case .character:
            let value = try character(token)
            try store(value.magnitude, isNegative: (value < 0) != isNegative, as: type, at: memory)
        case .number:
            let number = try number(token)
            if !number.isFloating {
                try store(number.magnitude, isNegative: isNegative, as: type, at: memory)
            } else if type.kind >= UInt32(CORO_TYPE_FLOAT) {
                try readFloating(token, isNegative: isNegative, as: type, at: memory)
            } else {
                throw refuse(token, "the default of an integer must be a whole number")
            }
        default: throw refuse(token, "a value is missing here: a number, 'c', \"text\", true, false or NULL")
        }
        text.append(token)
        try advance()
    }

    /// Stores an integer as any type of numbers.
    private func store(
        _ magnitude: UInt64, isNegative: Bool, as type: coro_type, at memory: UnsafeMutableRawPointer
    ) throws(Refusal) {
        if type.kind >= UInt32(CORO_TYPE_FLOAT) {
            if coro_store_integer_as_floating(magnitude, isNegative, type.kind, memory) { return }
            throw refuse(token, "this number is not exact in its parameter's type: write it with a point")
        }
        let isSigned = type.kind >= UInt32(CORO_TYPE_INT8) && type.kind & 1 == 0
        let bits = type.kind == UInt32(CORO_TYPE_BOOL) ? 1 : UInt64(type.size) * 8
        let largest = UInt64.max >> (64 - (isSigned ? bits - 1 : bits))
        let fits = isNegative ? magnitude <= (isSigned ? largest + 1 : 0) : magnitude <= largest
        if !fits { throw refuse(token, "this number does not fit its parameter's type") }
        let value = isNegative ? 0 &- magnitude : magnitude
        switch type.size {
        case 1: memory.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
        case 2: memory.storeBytes(of: UInt16(truncatingIfNeeded: value), as: UInt16.self)
        case 4: memory.storeBytes(of: UInt32(truncatingIfNeeded: value), as: UInt32.self)
        default: memory.storeBytes(of: value, as: UInt64.self)
        }
    }
}
