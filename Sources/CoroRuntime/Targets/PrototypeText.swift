import CCoroPlatform

/// The declaration that was read, in one spelling. It grows; when there is no memory for that, it says so at the end.
struct PrototypeText {
    private var bytes = Vector<CChar>()
    /// A space is due before what comes next.
    private var spaceIsDue = false
    private(set) var isComplete = true

    /// How long it is.
    var end: Int { bytes.count }

    mutating func append(_ byte: UInt8) {
        if spaceIsDue {
            spaceIsDue = false
            append(UInt8(ascii: " "))
        }
        guard bytes.reserveOne() else {
            isComplete = false
            return
        }
        bytes.appendReserved(CChar(bitPattern: byte))
    }

    mutating func append(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount { append(text.utf8Start[index]) }
    }

    mutating func append(_ token: Token) {
        for index in 0..<token.length { append(token.byte(index)) }
    }

    mutating func append(_ number: UInt64) {
        if number >= 10 { append(number / 10) }
        append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
    }

    /// Once more what is there already.
    mutating func append(again range: Range<Int>) {
        if !isComplete { return }
        for index in range { append(UInt8(bitPattern: bytes[index])) }
    }

    /// Puts a space before what comes next, if anything does before `dropSpace`.
    mutating func space() { spaceIsDue = true }
    mutating func dropSpace() { spaceIsDue = false }

    /// Takes a '(' out again. If nothing has come after it, the space before it is still due.
    mutating func removeParenthesis(at place: Int) {
        if !isComplete { return }
        for index in place..<bytes.count - 1 { bytes[index] = bytes[index + 1] }
        _ = bytes.popLast()
        if place != bytes.count { return }
        while place > 0, bytes.count > 0, bytes[bytes.count - 1] == CChar(bitPattern: UInt8(ascii: " ")) {
            _ = bytes.popLast()
            spaceIsDue = true
        }
    }

    /// The whole as a C string, which is the caller's; nil without memory.
    mutating func take() -> UnsafeMutablePointer<CChar>? {
        spaceIsDue = false
        append(0 as UInt8)
        if !isComplete { return nil }
        let text = bytes.elements
        bytes = Vector()
        return text
    }

    mutating func free() { bytes.free() }
}
