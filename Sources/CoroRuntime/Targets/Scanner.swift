/// Cuts the text of a C declaration into tokens. A copy of it looks ahead.
struct Scanner {
    private var next: UnsafePointer<CChar>
    private var line: UInt32 = 1
    private var lineStart: UnsafePointer<CChar>

    init(_ text: UnsafePointer<CChar>) {
        next = text
        lineStart = text
    }

    private func byte(_ offset: Int = 0) -> UInt8 { UInt8(bitPattern: next[offset]) }

    /// At the end of the text it stays there.
    mutating func scan() -> Token {
        if let broken = skipSpace() { return broken }
        var token = Token(.mark, at: next, line: line, column: next - lineStart + 1)
        let first = byte()
        if first == 0 {
            token.kind = .end
        } else if first.isDigit || first == UInt8(ascii: ".") && byte(1).isDigit {
            token.kind = .number
            skipNumber()
        } else if first.isLetter {
            token.kind = .word
            while byte().isLetter || byte().isDigit { next += 1 }
        } else if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
            skipQuoted(first, &token)
        } else if first == UInt8(ascii: "."), byte(1) == first, byte(2) == first {
            next += 3
        } else {
            next += 1
        }
        token.length = next - token.start
        return token
    }

    /// Spaces, ends of lines and comments. Returns a token if a comment does not end.
    private mutating func skipSpace() -> Token? {
        while true {
            switch byte() {
            case UInt8(ascii: "\n"):
                next += 1
                line += 1
                lineStart = next
            case UInt8(ascii: " "), 9, 11, 12, 13:
                next += 1
            case UInt8(ascii: "\\") where byte(1) == UInt8(ascii: "\n"):
                next += 1
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"):
                while byte() != 0, byte() != UInt8(ascii: "\n") { next += 1 }
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*"):
                if let broken = skipComment() { return broken }
            default:
                return nil
            }
        }
    }

    private mutating func skipComment() -> Token? {
        var token = Token(.endlessComment, at: next, line: line, column: next - lineStart + 1)
        token.length = 2
        next += 2
        while byte() != UInt8(ascii: "*") || byte(1) != UInt8(ascii: "/") {
            if byte() == 0 { return token }
            if byte() == UInt8(ascii: "\n") {
                line += 1
                lineStart = next + 1
            }
            next += 1
        }
        next += 2
        return nil
    }

    /// As C's preprocessor does, which takes in whatever could belong to a number.
    private mutating func skipNumber() {
        while true {
            let here = byte(), lower = here | 0x20
            let isExponent = lower == UInt8(ascii: "e") || lower == UInt8(ascii: "p")
            if isExponent, byte(1) == UInt8(ascii: "+") || byte(1) == UInt8(ascii: "-") {
                next += 2
            } else if here.isLetter || here.isDigit || here == UInt8(ascii: ".") {
                next += 1
            } else {
                return
            }
        }
    }

    private mutating func skipQuoted(_ quote: UInt8, _ token: inout Token) {
        token.kind = quote == UInt8(ascii: "'") ? .character : .text
        next += 1
        while byte() != quote {
            if byte() == 0 || byte() == UInt8(ascii: "\n") {
                token.kind = .endlessQuotation
                return
            }
            next += byte() == UInt8(ascii: "\\") && byte(1) != 0 && byte(1) != UInt8(ascii: "\n") ? 2 : 1
        }
        next += 1
    }
}
