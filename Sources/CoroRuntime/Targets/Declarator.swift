import CCoroPlatform

/// What a declaration says of its name beside the type before it: `*names[4]` is an array of pointers.
struct Declarator {
    enum Step: UInt8 { case none, pointer, array, function }
    /// What is declared: the function itself, one of its parameters, or a field of a struct.
    enum Role: UInt8 { case function, parameter, field }

    let role: Role
    var name: Token?
    /// How many steps it is from the name to the type before it,
    var depth = 0
    /// the first of them,
    var first = Step.none
    /// and the first that is no array.
    var element = Step.none
    /// How many elements the arrays before that have.
    var count: UInt64 = 1

    /// How many lists of parameters are open that are not the function's own: nothing in them says how it is called.
    fileprivate var lists = 0

    init(_ role: Role) { self.role = role }

    fileprivate mutating func add(_ step: Step, length: UInt64 = 1) {
        if lists > 0 { return }
        if depth == 0 { first = step }
        if depth == 0 || element == .array { element = step }
        if element == .array {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            count = overflow ? .max : product
        }
        depth += 1
    }
}

/// What is known between two parentheses of a declarator.
struct DeclaratorLevel {
    enum Kind: UInt8 {
        case whole, group
        /// A declaration in a list of parameters.
        case list
    }

    var kind = Kind.whole
    /// Pointers that what follows the parenthesis comes before.
    fileprivate var pointers = 0
    /// What the last suffix was, to refuse what C does.
    fileprivate var suffix = Declarator.Step.none
    fileprivate var isNamed = false
    /// Whether the name, or what stands for it, is behind.
    fileprivate var isPastName = false
    /// Whether there is anything but the type before it and a name.
    fileprivate var isDerived = false
    /// Of a list: whether this is its first declaration,
    fileprivate var isFirst = false
    /// and whether its type is void.
    fileprivate var isVoid = false
    /// Where its '(' is in the text.
    fileprivate var start = 0
}

extension PrototypeParser {
    /// A declarator, to the token that can't belong to it.
    mutating func declarator(_ role: Declarator.Role) throws(Refusal) -> Declarator {
        var declarator = Declarator(role)
        var level = DeclaratorLevel()
        while try takeNext(&declarator, &level) {}
        for _ in 0..<level.pointers { declarator.add(.pointer) }
        text.dropSpace()
        return declarator
    }

    /// Takes all up to the next parenthesis, and that. False: the declarator is over.
    private mutating func takeNext(
        _ declarator: inout Declarator, _ level: inout DeclaratorLevel
    ) throws(Refusal) -> Bool {
        if !level.isPastName {
            try takePointers(&level)
            if token.isMark("("), opensGroup() {
                try open(.group, &level)
                return true
            }
            try takeName(&declarator, &level)
            level.isPastName = true
        }
        while try takeAttribute() {}
        if token.isMark("[") {
            try takeArray(&declarator, &level)
            return true
        }
        if token.isMark("(") {
            try takeFunction(&declarator, &level)
            return true
        }
        switch level.kind {
        case .whole: return false
        case .group: try closeGroup(&declarator, &level)
        case .list: try endDeclaration(&declarator, &level)
        }
        return true
    }

    private mutating func takePointers(_ level: inout DeclaratorLevel) throws(Refusal) {
        while true {
            if try takeAttribute() { continue }
            if token.isMark("*") {
                text.append(UInt8(ascii: "*"))
                level.pointers += 1
                level.isDerived = true
            } else if token.isMark("^") || token.isMark("&") {
                throw refuse(token, "C has pointers by '*' alone")
            } else if level.pointers > 0, let word = token.meaning, word.kind == UInt32(CORO_WORD_QUALIFIER) {
                write(qualifiers: word.value)
            } else if token.meaning?.kind != UInt32(CORO_WORD_IGNORED) {
                return
            }
            try advance()
        }
    }

    /// Whether a '(' groups, or begins the parameters of a function without a name.
    private func opensGroup() -> Bool {
        let inside = peek()
        if inside.isMark("*") || inside.isMark("(") || inside.isMark("[") || inside.isMark("^") { return true }
        if inside.kind != .word { return false }
        if let meaning = inside.meaning { return meaning.kind == UInt32(CORO_WORD_ATTRIBUTE) }
        if StructType.find(inside) != nil { return false }
        let after = peek(2)
        return after.isMark(")") || after.isMark("[") || after.isMark("(")
    }

    private mutating func takeName(_ declarator: inout Declarator, _ level: inout DeclaratorLevel) throws(Refusal) {
        if token.kind != .word || token.isWord("CORO_DEFAULT") { return }
        if let word = token.meaning, word.kind != UInt32(CORO_WORD_TYPE) { throw refuse(word) }
        if declarator.lists == 0 { declarator.name = token }
        level.isNamed = true
        text.append(token)
        try advance()
    }

    // -- arrays --

    private mutating func takeArray(_ declarator: inout Declarator, _ level: inout DeclaratorLevel) throws(Refusal) {
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

    private mutating func takeFunction(_ declarator: inout Declarator, _ level: inout DeclaratorLevel) throws(Refusal) {
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
    private mutating func endDeclaration(_ declarator: inout Declarator, _ level: inout DeclaratorLevel) throws(Refusal) {
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

    // -- parentheses --

    private mutating func open(_ kind: DeclaratorLevel.Kind, _ level: inout DeclaratorLevel) throws(Refusal) {
        if levels.count >= Self.deepestNesting { throw refuse(token, "parentheses are nested more than 32 deep") }
        guard levels.reserveOne() else { throw lackOfMemory() }
        levels.appendReserved(level)
        text.append(UInt8(ascii: "("))
        level = DeclaratorLevel(kind: kind, start: text.end - 1)
        try advance()
    }

    private mutating func closeList(_ declarator: inout Declarator, _ level: inout DeclaratorLevel) throws(Refusal) {
        text.append(UInt8(ascii: ")"))
        try advance()
        declarator.lists -= 1
        level = levels.popLast().unsafelyUnwrapped
    }

    /// Parentheses that change nothing are left out of the text.
    private mutating func closeGroup(_ declarator: inout Declarator, _ level: inout DeclaratorLevel) throws(Refusal) {
        text.dropSpace()
        if !token.isMark(")") { throw refuse(token, "a ')' is missing here") }
        try advance()
        while try takeAttribute() {}
        let inner = level
        level = levels.popLast().unsafelyUnwrapped
        if inner.pointers > 0, token.isMark("(") || token.isMark("[") {
            text.append(UInt8(ascii: ")"))
        } else {
            text.removeParenthesis(at: inner.start)
        }
        for _ in 0..<inner.pointers { declarator.add(.pointer) }
        level.isNamed = level.isNamed || inner.isNamed
        level.isDerived = level.isDerived || inner.isDerived
        level.suffix = inner.pointers > 0 ? .none : inner.suffix
        level.isPastName = true
    }
}
