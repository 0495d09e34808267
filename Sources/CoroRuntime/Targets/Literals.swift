import CCoroPlatform

/// A number as C writes it.
struct Number {
    var magnitude: UInt64 = 0
    var isFloating = false
}

extension PrototypeParser {
    /// An integer without a sign: 800, 0x1F, 0b101, 017, with any suffix of C's.
    func integer(_ token: Token) throws(Refusal) -> UInt64 {
        let number = try number(token)
        if number.isFloating { throw refuse(token, "a whole number is needed here") }
        return number.magnitude
    }

    /// Reads an integer; of a floating-point number it says only that it is one.
    func number(_ token: Token) throws(Refusal) -> Number {
        let second = token.length > 1 ? token.byte(1) | 0x20 : 0
        var radix: UInt64 = 10, index = 0
        if token.byte(0) == UInt8(ascii: "0"), second == UInt8(ascii: "x") {
            radix = 16
            index = 2
        } else if token.byte(0) == UInt8(ascii: "0"), second == UInt8(ascii: "b") {
            radix = 2
            index = 2
        }
        if isFloating(token, radix: radix) { return Number(isFloating: true) }
        if radix == 10, token.byte(0) == UInt8(ascii: "0") { radix = 8 }
        let first = index
        var value: UInt64 = 0
        while index < token.length, let digit = token.byte(index).digit(radix: radix) {
            let (product, tooLarge) = value.multipliedReportingOverflow(by: radix)
            let (sum, overflow) = product.addingReportingOverflow(digit)
            if tooLarge || overflow { throw refuse(token, "this number does not fit 64 bits") }
            value = sum
            index += 1
        }
        if index == first || !isIntegerSuffix(token, from: index) { throw refuse(token, "this is no number of C's") }
        return Number(magnitude: value)
    }

    private func isFloating(_ token: Token, radix: UInt64) -> Bool {
        let exponent = radix == 16 ? UInt8(ascii: "p") : UInt8(ascii: "e")
        for index in 0..<token.length where token.byte(index) == UInt8(ascii: ".") || token.byte(index) | 0x20 == exponent {
            return true
        }
        return false
    }

    /// u, l and ll, in either order.
    private func isIntegerSuffix(_ token: Token, from start: Int) -> Bool {
        var index = start, unsigned = 0, long = 0
        while index < token.length {
            let byte = token.byte(index)
            if byte | 0x20 == UInt8(ascii: "u") {
                unsigned += 1
                index += 1
            } else if byte | 0x20 == UInt8(ascii: "l") {
                long += 1
                index += index + 1 < token.length && token.byte(index + 1) == byte ? 2 : 1
            } else {
                return false
            }
        }
        return unsigned <= 1 && long <= 1
    }

    /// Stores a number with a point or an exponent, as a type that has these.
    func readFloating(_ token: Token, isNegative: Bool, as type: coro_type, at value: UnsafeMutableRawPointer) throws(Refusal) {
        let code = coro_read_floating(token.start, token.length, isNegative, type.kind, value)
        if code == -CoroErrno.range { throw refuse(token, "this number is too large for its type") }
        if code != 0 { throw refuse(token, "this is no number of C's") }
    }

    /// The value of 'x', an int.
    func character(_ token: Token) throws(Refusal) -> Int64 {
        var index = 1
        let end = token.length - 1
        if index == end { throw refuse(token, "a character is missing between the quotes") }
        let scalar = try escaped(token, &index)
        if index != end || scalar.isUnicode && scalar.value > 0x7f {
            throw refuse(token, "this is more than one character of type char")
        }
        let byte = UInt8(truncatingIfNeeded: scalar.value)
        return coro_char_is_signed() ? Int64(Int8(bitPattern: byte)) : Int64(byte)
    }

    /// One byte of a text or a character, or a character that is named by its number.
    func escaped(_ token: Token, _ index: inout Int) throws(Refusal) -> (value: UInt32, isUnicode: Bool) {
        let first = token.byte(index)
        index += 1
        if first != UInt8(ascii: "\\") { return (UInt32(first), false) }
        let kind = token.byte(index)
        if kind.digit(radix: 8) != nil { return (try escapedNumber(token, &index, radix: 8, atMost: 3), false) }
        index += 1
        switch kind {
        case UInt8(ascii: "n"): return (10, false)
        case UInt8(ascii: "t"): return (9, false)
        case UInt8(ascii: "r"): return (13, false)
        case UInt8(ascii: "a"): return (7, false)
        case UInt8(ascii: "b"): return (8, false)
        case UInt8(ascii: "f"): return (12, false)
        case UInt8(ascii: "v"): return (11, false)
        case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "?"): return (UInt32(kind), false)
        case UInt8(ascii: "x"): return (try escapedNumber(token, &index, radix: 16, atMost: .max), false)
        case UInt8(ascii: "u"): return (try universalCharacter(token, &index, digits: 4), true)
        case UInt8(ascii: "U"): return (try universalCharacter(token, &index, digits: 8), true)
        default: throw refuse(token, "C has no such escape")
        }
    }

    private func escapedNumber(
        _ token: Token, _ index: inout Int, radix: UInt64, atMost: Int
    ) throws(Refusal) -> UInt32 {
        var value: UInt64 = 0, count = 0
        while count < atMost, let digit = token.byte(index).digit(radix: radix) {
            value = value * radix + digit
            if value > 255 { throw refuse(token, "an escape is larger than a byte") }
            count += 1
            index += 1
        }
        if count == 0 { throw refuse(token, "a digit is missing after \\x") }
        return UInt32(value)
    }

    private func universalCharacter(_ token: Token, _ index: inout Int, digits: Int) throws(Refusal) -> UInt32 {
        var value: UInt64 = 0
        for _ in 0..<digits {
            guard let digit = token.byte(index).digit(radix: 16) else { throw refuse(token, "\\u needs 4 digits, and \\U 8") }
            value = value * 16 + digit
            index += 1
        }
        if value > 0x10ffff || value >= 0xd800 && value < 0xe000 { throw refuse(token, "Unicode has no such character") }
        return UInt32(value)
    }
}
