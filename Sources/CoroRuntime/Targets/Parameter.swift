import CCoroPlatform

extension PrototypeParser {
    /// A parameter of the function itself.
    mutating func parameter() throws(Refusal) {
        let start = token
        if token.isEllipsis {
            throw refuse(token, "variadic functions can't be targets: write the types of the arguments instead of '...'")
        }
        if parameters.count == Self.mostParameters { throw refuse(token, "there are more than 64 parameters") }
        guard parameters.reserveOne() else { throw lackOfMemory() }
        let ownership = try takeOwnership()
        let base = try specifiers()
        let declarator = try declarator(.parameter)
        var parameter = coro_parameter()
        parameter.type = try declarator.depth == 0 ? value(base) : coro_type_of_kind(UInt32(CORO_TYPE_POINTER))
        let isText = base.isPlainChar && base.isConst && declarator.depth == 1 && declarator.first != .function
        parameter.ownership = ownership ?? UInt32(isText ? CORO_ARGUMENT_COPIED : CORO_ARGUMENT_PASSED)
        if ownership != nil, declarator.depth == 0 {
            throw refuse(start, "only a pointer can be owned or borrowed")
        }
        if let name = declarator.name { try checkIsNew(name) }
        let mayBeText = isText && ownership != UInt32(CORO_ARGUMENT_OWNED)
        parameter.value = try takeDefault(parameter.type, isText: mayBeText).map { UnsafeRawPointer($0) }
        parameter.name = declarator.name.flatMap { $0.copy() }
        parameters.appendReserved(parameter) // from here on it is freed with the others
        if parameter.name == nil, declarator.name != nil { throw lackOfMemory() }
    }

    private func checkIsNew(_ name: Token) throws(Refusal) {
        for index in 0..<parameters.count {
            if let other = parameters[index].name, name.isSame(as: other) {
                throw refuse(name, "two parameters have this name")
            }
        }
    }

    // -- what is not C --

    /// `owned` or `borrowed`, where a type follows. Where none does, it is itself the name of one.
    private mutating func takeOwnership() throws(Refusal) -> UInt32? {
        let isOwned = token.isWord("owned") || token.isWord("CORO_OWNED")
        if !isOwned, !token.isWord("borrowed"), !token.isWord("CORO_BORROWED") { return nil }
        if !typeFollows() { return nil }
        try advance()
        text.append(isOwned ? "owned" : "borrowed")
        text.space()
        return UInt32(isOwned ? CORO_ARGUMENT_OWNED : CORO_ARGUMENT_PASSED)
    }

    /// Whether a type begins after this word. `owned list` alone is a parameter `list` of a type `owned`.
    private func typeFollows() -> Bool {
        let next = peek()
        if next.kind != .word { return false }
        if next.meaning != nil || StructType.find(next) != nil { return true }
        let after = peek(2)
        return after.isMark("*") || after.kind == .word
    }

    /// `= value` or `CORO_DEFAULT(value)`; nil if there is none.
    private mutating func takeDefault(_ type: coro_type, isText: Bool) throws(Refusal) -> UnsafeMutableRawPointer? {
        let start = token
        let isMacro = token.isWord("CORO_DEFAULT")
        if !isMacro, !token.isMark("=") {
            if parameters.count > 0, parameters[parameters.count - 1].value != nil {
                throw refuse(token, "a default is missing here: the parameter before has one")
            }
            return nil
        }
        try advance()
        if isMacro { try expect("(", "a '(' is missing after CORO_DEFAULT") }
        text.append(" = ")
        let value = try defaultValue(type, isText: isText)
        if isMacro {
            guard token.isMark(")") else {
                coro_memory_free(value)
                throw refuse(start, "CORO_DEFAULT needs one value, and a ')' after it")
            }
            do throws(Refusal) { try advance() } catch {
                coro_memory_free(value)
                throw error
            }
        }
        return value
    }
}
