import CCoroPlatform

/// What stands behind a name: lengths of arrays, and parameters.
extension PrototypeParser {
    // -- arrays --

    mutating func takeArray(_ declarator: inout Declarator, _ level: inout DeclaratorLevel) throws(Refusal) {
        if level.suffix == .function { throw refuse(token, "a function can't return an array") }
        let bracket = token
        text.append(UInt8(ascii: "["))
        let start = text.end
        try advance()
        try takeArrayQualifiers()
        var length: UInt64?
        if token.kind == .number {
            length = try integer(token)
            text.append(length.unsafelyUnwrapped)
            try advance()
        } else if declarator.role != .field || declarator.lists > 0 {
            try takeUnknownLength()
        }
        text.dropSpace()
        if !token.isMark("]") { throw refuse(token, "the length of an array must be one number, and a ']' after it") }
        if declarator.role == .field, declarator.lists == 0, length == nil || length == 0 {
            throw refuse(bracket, "an array in a struct needs a length of 1 or more")
        }
        if text.end == start, level.suffix == .array {
            throw refuse(bracket, "only the first length of an array may be left out")
        }
        text.append(UInt8(ascii: "]"))
        try advance()
        level.suffix = .array
        level.isDerived = true
        declarator.add(.array, length: length ?? 1)
    }

    /// `static` and qualifiers, which only parameters have there.
    private mutating func takeArrayQualifiers() throws(Refusal) {
        while let word = token.meaning {
            if token.isWord("static") {
                text.append("static")
                text.space()
            } else if word.kind == UInt32(CORO_WORD_QUALIFIER) {
                write(qualifiers: word.value)
            } else {
                throw refuse(word)
            }
            try advance()
        }
    }

    /// A name or a '*', where the length does not matter.
    private mutating func takeUnknownLength() throws(Refusal) {
        if token.kind != .word, !token.isMark("*") { return }
        text.append(token)
        try advance()
    }

    // -- functions --

    mutating func takeFunction(_ declarator: inout Declarator, _ level: inout DeclaratorLevel) throws(Refusal) {
        if level.suffix == .function { throw refuse(token, "a function can't return a function: a pointer to one, '(*)'") }
        if level.suffix == .array { throw refuse(token, "there are no arrays of functions: of pointers to them, '(*[4])'") }
        let isOwn = declarator.role == .function && declarator.lists == 0 && declarator.depth == 0
        level.suffix = .function
        level.isDerived = true
        declarator.add(.function)
        if isOwn {
            try ownParameters()
            return
        }
        try open(.list, &level)
        declarator.lists += 1
        if token.isMark(")") { // nothing is said of the parameters
            try closeList(&declarator, &level)
        } else {
            try beginDeclaration(isFirst: true, &declarator, &level)
        }
    }

    /// One parameter of a function that is pointed to.
    private mutating func beginDeclaration(
        isFirst: Bool, _ declarator: inout Declarator, _ level: inout DeclaratorLevel
    ) throws(Refusal) {
        let start = level.start
        level = DeclaratorLevel(kind: .list, start: start)
        level.isFirst = isFirst
        if token.isEllipsis, !isFirst {
            text.append("...")
            try advance()
            if !token.isMark(")") { throw refuse(token, "a ')' is missing after '...'") }
            try closeList(&declarator, &level)
            return
        }
        level.isVoid = try specifiers().isVoid
    }

    /// It is over: what comes is the next, or the end of the list.
    mutating func endDeclaration(_ declarator: inout Declarator, _ level: inout DeclaratorLevel) throws(Refusal) {
        text.dropSpace()
        if level.isVoid, !level.isDerived, level.isNamed || !level.isFirst || !token.isMark(")") {
            throw refuse(token, "void is no type of a parameter: it stands alone, or is 'void *'")
        }
        if token.isMark(",") {
            text.append(", ")
            try advance()
            try beginDeclaration(isFirst: false, &declarator, &level)
        } else if token.isMark(")") {
            try closeList(&declarator, &level)
        } else {
            throw refuse(token, "a ',' or a ')' is missing here")
        }
    }
}
