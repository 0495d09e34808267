import CCoroPlatform

/// A piece of a C declaration, where it is in the text.
struct Token {
    enum Kind: UInt8 {
        case end, word, number, character, text, mark
        case endlessComment, endlessQuotation
    }

    var start: UnsafePointer<CChar>
    /// From 1 on, in bytes.
    var line: UInt32
    var column: UInt32
    private var size: UInt32 = 0
    var kind: Kind

    init(_ kind: Kind, at start: UnsafePointer<CChar>, line: UInt32, column: Int) {
        self.kind = kind
        self.start = start
        self.line = line
        self.column = UInt32(truncatingIfNeeded: column)
    }

    var length: Int {
        get { Int(size) }
        set { size = UInt32(truncatingIfNeeded: newValue) }
    }

    func byte(_ index: Int) -> UInt8 { UInt8(bitPattern: start[index]) }

    func isMark(_ mark: Unicode.Scalar) -> Bool {
        kind == .mark && length == 1 && byte(0) == UInt8(ascii: mark)
    }

    /// The only mark of more than one byte.
    var isEllipsis: Bool { kind == .mark && length == 3 }

    func isWord(_ word: StaticString) -> Bool {
        if kind != .word || length != word.utf8CodeUnitCount { return false }
        for index in 0..<length where byte(index) != word.utf8Start[index] { return false }
        return true
    }

    func isSame(as other: Token) -> Bool {
        if length != other.length { return false }
        for index in 0..<length where start[index] != other.start[index] { return false }
        return true
    }

    func isSame(as name: UnsafePointer<CChar>) -> Bool {
        for index in 0..<length where start[index] != name[index] { return false }
        return name[length] == 0
    }

    /// What the word means in C; nil if that is not fixed.
    var meaning: coro_word? {
        kind == .word ? coro_word_find(start, length)?.pointee : nil
    }

    /// Its bytes as a C string; nil without memory.
    func copy() -> UnsafeMutablePointer<CChar>? {
        guard let copy = Heap.zeroed(CChar.self, count: length + 1) else { return nil }
        copy.update(from: start, count: length)
        return copy
    }
}

extension UInt8 {
    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

    /// Letters of other scripts count too: every byte of theirs.
    var isLetter: Bool {
        let lower = self | 0x20
        return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z") || self == UInt8(ascii: "_")
            || self == UInt8(ascii: "$") || self >= 0x80
    }

    /// As a digit of that radix; nil if it is none.
    func digit(radix: UInt64) -> UInt64? {
        let lower = self | 0x20
        let value: UInt64
        if isDigit {
            value = UInt64(self - UInt8(ascii: "0"))
        } else if lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "f") {
            value = UInt64(lower - UInt8(ascii: "a") + 10)
        } else {
            return nil
        }
        return value < radix ? value : nil
    }
}
