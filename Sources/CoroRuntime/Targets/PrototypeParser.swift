import CCoroPlatform

/// Reads declarations of C. What it has read it writes down in one spelling as it goes.
///
/// It calls itself for nothing but the parameters of the function, so that it takes little stack however deep declarators are
/// nested: these have a stack of their own.
struct PrototypeParser {
    let runtime: RuntimeRef
    private var scanner: Scanner
    /// What is next.
    private(set) var token: Token
    var text = PrototypeText()
    /// Of the function that is declared.
    var parameters = Vector<coro_parameter>()
    /// The parentheses that are open in the declarators.
    var levels = Vector<DeclaratorLevel>()

    static let longestText = 65535
    static let longestName = 255
    static let deepestNesting = 32
    static let mostParameters = 64

    init(_ text: UnsafePointer<CChar>, in runtime: RuntimeRef) throws(Refusal) {
        self.runtime = runtime
        scanner = Scanner(text)
        token = Token(.end, at: text, line: 1, column: 1)
        if Heap.length(of: text) > Self.longestText { throw refuse(token, "the declaration is longer than 65535 bytes") }
        try advance()
    }

    mutating func free() {
        text.free()
        levels.free()
        freeParameters(parameters.elements, parameters.count)
    }

    // -- tokens --

    mutating func advance() throws(Refusal) {
        token = scanner.scan()
        if token.kind == .endlessComment { throw refuse(token, "this comment does not end") }
        if token.kind == .endlessQuotation { throw refuse(token, "its closing quote is missing") }
        if token.kind == .word, token.length > Self.longestName { throw refuse(token, "a name has more than 255 bytes") }
    }

    /// The token after the next, or the one after that.
    func peek(_ distance: Int = 1) -> Token {
        var copy = scanner
        var found = copy.scan()
        for _ in 1..<distance { found = copy.scan() }
        return found
    }

    mutating func take(_ mark: Unicode.Scalar) throws(Refusal) -> Bool {
        if !token.isMark(mark) { return false }
        try advance()
        return true
    }

    mutating func expect(_ mark: Unicode.Scalar, _ otherwise: StaticString) throws(Refusal) {
        if !(try take(mark)) { throw refuse(token, otherwise) }
    }

    // -- errors --

    /// -EINVAL, with the place and the reason.
    func refuse(_ token: Token, _ why: StaticString) -> Refusal {
        refuse(token) { $0.append(why) }
    }

    func refuse(_ token: Token, _ write: (inout TextBuffer) -> Void) -> Refusal {
        Refusal(
            code: runtime.fail(Code.invalid) {
                $0.append("line ")
                $0.append(Int64(token.line))
                $0.append(", column ")
                $0.append(Int64(token.column))
                $0.append(": ")
                write(&$0)
                $0.append(", near ")
                $0.append(near: token)
            })
    }

    func lackOfMemory() -> Refusal { Refusal(code: runtime.fail(Code.noMemory)) }
}

extension TextBuffer {
    /// A token, cut if it is long.
    mutating func append(_ token: Token) {
        let shown = min(token.length, 40)
        for index in 0..<shown {
            let byte = token.byte(index)
            append(byte: byte < 32 || byte == 127 ? UInt8(ascii: "?") : byte)
        }
        if shown < token.length { append("...") }
    }

    /// "'width'".
    fileprivate mutating func append(near token: Token) {
        if token.kind == .end { return append("the end") }
        append("'")
        append(token)
        append("'")
    }
}
