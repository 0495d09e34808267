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
    var lists = 0

    init(_ role: Role) { self.role = role }

    mutating func add(_ step: Step, length: UInt64 = 1) {
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
    var pointers = 0
    /// What the last suffix was, to refuse what C does.
    var suffix = Declarator.Step.none
    var isNamed = false
    /// Whether the name, or what stands for it, is behind.
    var isPastName = false
    /// Whether there is anything but the type before it and a name.
    var isDerived = false
    /// Of a list: whether this is its first declaration,
    var isFirst = false
    /// and whether its type is void.
    var isVoid = false
    /// Where its '(' is in the text.
    var start = 0
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

    // -- parentheses --

    mutating func open(_ kind: DeclaratorLevel.Kind, _ level: inout DeclaratorLevel) throws(Refusal) {
        if levels.count >= Self.deepestNesting { throw refuse(token, "parentheses are nested more than 32 deep") }
        guard levels.reserveOne() else { throw lackOfMemory() }
        levels.appendReserved(level)
        text.append(UInt8(ascii: "("))
        level = DeclaratorLevel(kind: kind, start: text.end - 1)
        try advance()
    }

    mutating func closeList(_ declarator: inout Declarator, _ level: inout DeclaratorLevel) throws(Refusal) {
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
            for _ in 0..<inner.pointers { declarator.add(.pointer) }
        } else {
            text.removeParenthesis(at: inner.start)
            level.pointers += inner.pointers
            level.suffix = inner.suffix
        }
        level.isNamed = level.isNamed || inner.isNamed
        level.isDerived = level.isDerived || inner.isDerived
        level.isPastName = true
    }
}
