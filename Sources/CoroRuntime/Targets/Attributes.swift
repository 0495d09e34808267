import CCoroPlatform

extension PrototypeParser {
    /// `__attribute__((...))` and `[[...]]`, if they say nothing about how a function is called. False: none is next.
    mutating func takeAttribute() throws(Refusal) -> Bool {
        if token.isMark("["), peek().isMark("[") {
            try skipBalanced("this attribute does not end")
            return true
        }
        guard let word = token.meaning, word.kind == UInt32(CORO_WORD_ATTRIBUTE) else { return false }
        try advance()
        if !token.isMark("(") { throw refuse(token, "a '(' is missing after __attribute__") }
        try skipBalanced("this attribute does not end")
        return true
    }

    /// From an opening mark to the one that closes it. Which kind of parenthesis is which is left to C.
    private mutating func skipBalanced(_ otherwise: StaticString) throws(Refusal) {
        let start = token
        var open = 0
        repeat {
            if token.kind == .end { throw refuse(start, otherwise) }
            if token.kind == .word, coro_attribute_has_effect(token.start, token.length) {
                throw refuse(token, "this attribute changes how values are passed, which libcoro can't do")
            }
            if token.isMark("(") || token.isMark("[") { open += 1 }
            if token.isMark(")") || token.isMark("]") { open -= 1 }
            try advance()
        } while open > 0
    }
}
