import CCoroPlatform

/// What stands before the declarators: `const unsigned long`, `struct point`, `FILE`.
struct BaseType {
    /// Its first word, or the name after `struct`.
    var token: Token
    /// How it is passed; nil if that is not known. Of void: its kind is CORO_TYPE_VOID.
    var type: coro_type?
    var tag: Int32 = 0
    var isConst = false
    var isPlainChar = false

    var isVoid: Bool { type?.kind == UInt32(CORO_TYPE_VOID) }
}

private struct SpecifierWords {
    var qualifiers: UInt64 = 0
    var parts: UInt64 = 0
    var first: Token?
    /// A type of one word, by its own name.
    var named: coro_word?
    var tag: Int32 = 0

    /// That there is a type already, so that a further name is that of what is declared.
    var hasType: Bool { first != nil }
}

extension PrototypeParser {
    mutating func specifiers() throws(Refusal) -> BaseType {
        var words = SpecifierWords()
        while try takeSpecifier(&words) {}
        guard let first = words.first else { throw refuse(token, "a type is missing here") }
        var base = BaseType(token: first, tag: words.tag)
        base.isConst = words.qualifiers & UInt64(CORO_QUALIFIER_CONST) != 0
        write(qualifiers: words.qualifiers)
        if words.parts != 0 {
            guard let (spelling, kind) = integerType(words.parts) ?? otherType(words.parts) else {
                throw refuse(first, "these words together are no type")
            }
            base.type = coro_type_of_kind(kind)
            base.isPlainChar = words.parts == UInt64(CORO_PART_CHAR)
            text.append(spelling)
        } else {
            base.type = try type(named: first, words)
            text.append(first)
        }
        text.space()
        return base
    }

    /// Takes one word. False: none of them is next.
    private mutating func takeSpecifier(_ words: inout SpecifierWords) throws(Refusal) -> Bool {
        if try takeAttribute() { return true }
        // Behind a type, a default may follow at once: the parameter has no name.
        if token.kind != .word || words.hasType && token.isWord("CORO_DEFAULT") { return false }
        guard let word = token.meaning else { return try takeName(&words) }
        switch Int32(word.kind) {
        case CORO_WORD_IGNORED: break
        case CORO_WORD_QUALIFIER: words.qualifiers |= word.value
        case CORO_WORD_PART:
            if words.hasType, words.parts == 0 { throw refuse(token, "there are two types here") }
            if words.first == nil { words.first = token }
            // Three `long`s are as wrong as fifteen, and each has room for fifteen.
            if words.parts & (word.value &* 15) >= word.value &* 3 { throw refuse(token, "these words together are no type") }
            words.parts += word.value
        case CORO_WORD_TYPE:
            if words.hasType { return false }
            words.first = token
            words.named = word
        case CORO_WORD_TAG: return try takeTag(word, &words)
        default: throw refuse(word)
        }
        try advance()
        return true
    }

    /// A word that means nothing in C: a type's name, if there is no type yet.
    private mutating func takeName(_ words: inout SpecifierWords) throws(Refusal) -> Bool {
        if words.hasType { return false }
        words.first = token
        try advance()
        return true
    }

    /// `struct point`.
    private mutating func takeTag(_ word: coro_word, _ words: inout SpecifierWords) throws(Refusal) -> Bool {
        if words.hasType { throw refuse(token, "there are two types here") }
        words.tag = Int32(word.value)
        try advance()
        while try takeAttribute() {}
        try refuseDefinition(words.tag)
        if token.kind != .word || token.meaning != nil { throw refuse(token, "a name is missing here") }
        words.first = token
        try advance()
        try refuseDefinition(words.tag)
        return true
    }

    private func refuseDefinition(_ tag: Int32) throws(Refusal) {
        if !token.isMark("{") { return }
        switch tag {
        case CORO_TAG_ENUM: throw refuse(token, "an enum can't be defined here: write its name alone, or int")
        case CORO_TAG_UNION: throw refuse(token, "a union can't be defined here, nor passed by value: pass a pointer")
        default: throw refuse(token, "a struct can't be defined here: do so by coro_struct_register()")
        }
    }

    /// The type that a name stands for; nil if that is not known. Writes the tag down.
    private mutating func type(named name: Token, _ words: SpecifierWords) throws(Refusal) -> coro_type? {
        if let word = words.named { return coro_type_of_kind(UInt32(word.value)) }
        switch words.tag {
        case CORO_TAG_UNION: text.append("union ")
        case CORO_TAG_ENUM:
            text.append("enum ")
            return coro_type_of_kind(UInt32(CORO_TYPE_INT32))
        case CORO_TAG_STRUCT:
            text.append("struct ")
            return StructType.find(name)?.pointee.type
        default: return StructType.find(name)?.pointee.type
        }
        return nil
    }

    /// A word that can't be taken.
    func refuse(_ word: coro_word) -> Refusal {
        refuse(token) {
            if let reason = word.reason {
                $0.append(cString: reason)
            } else {
                $0.append("this word of C can't be a name")
            }
        }
    }

    mutating func write(qualifiers: UInt64) {
        write(CORO_QUALIFIER_CONST, "const", of: qualifiers)
        write(CORO_QUALIFIER_VOLATILE, "volatile", of: qualifiers)
        write(CORO_QUALIFIER_RESTRICT, "restrict", of: qualifiers)
    }

    private mutating func write(_ qualifier: Int32, _ spelling: StaticString, of qualifiers: UInt64) {
        if qualifiers & UInt64(qualifier) == 0 { return }
        text.append(spelling)
        text.space()
    }
}

// -- types of several words, in any order --

/// char, and what `short`, `long`, `int`, `signed` and `unsigned` make together; nil if it is another type.
private func integerType(_ parts: UInt64) -> (StaticString, UInt32)? {
    let int = UInt64(CORO_PART_INT), signed = UInt64(CORO_PART_SIGNED), unsigned = UInt64(CORO_PART_UNSIGNED)
    let short = UInt64(CORO_PART_SHORT), long = UInt64(CORO_PART_LONG), char = UInt64(CORO_PART_CHAR)
    if parts == char { return ("char", coro_type_of_integer(1, coro_char_is_signed())) }
    let isUnsigned = parts & (unsigned &* 15) != 0
    var size = parts
    if isUnsigned { size -= unsigned } else if size & (signed &* 15) != 0 { size -= signed }
    if size & (int &* 15) != 0, size & ((short | long) &* 15) != 0 { size -= int }
    let longSize = MemoryLayout<CLong>.size
    switch size {
    case char: return (isUnsigned ? "unsigned char" : "signed char", coro_type_of_integer(1, !isUnsigned))
    case short: return (isUnsigned ? "unsigned short" : "short", coro_type_of_integer(2, !isUnsigned))
    case 0, int: return (isUnsigned ? "unsigned int" : "int", coro_type_of_integer(4, !isUnsigned))
    case long: return (isUnsigned ? "unsigned long" : "long", coro_type_of_integer(longSize, !isUnsigned))
    case long &* 2: return (isUnsigned ? "unsigned long long" : "long long", coro_type_of_integer(8, !isUnsigned))
    default: return nil
    }
}

private func otherType(_ parts: UInt64) -> (StaticString, UInt32)? {
    switch parts {
    case UInt64(CORO_PART_VOID): ("void", UInt32(CORO_TYPE_VOID))
    case UInt64(CORO_PART_BOOL): ("bool", UInt32(CORO_TYPE_BOOL))
    case UInt64(CORO_PART_FLOAT): ("float", UInt32(CORO_TYPE_FLOAT))
    case UInt64(CORO_PART_DOUBLE): ("double", UInt32(CORO_TYPE_DOUBLE))
    case UInt64(CORO_PART_DOUBLE) + UInt64(CORO_PART_LONG): ("long double", UInt32(CORO_TYPE_LONG_DOUBLE))
    default: nil
    }
}
