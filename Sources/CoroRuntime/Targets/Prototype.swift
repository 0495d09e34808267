import CCoroPlatform

extension RuntimeRef {
    /// Reads the prototype of a function: name, parameters, result, and the text in one spelling. It is the caller's.
    func parsePrototype(_ text: UnsafePointer<CChar>) throws(Refusal) -> SignatureRef {
        var parser = try PrototypeParser(text, in: self)
        defer { parser.free() }
        return try parser.prototype()
    }
}

extension PrototypeParser {
    fileprivate mutating func prototype() throws(Refusal) -> SignatureRef {
        if token.kind == .end { throw refuse(token, "there is no declaration") }
        let base = try specifiers()
        let start = token
        let function = try declarator(.function)
        if function.first != .function {
            throw refuse(function.name ?? start, "this is no function: its parameters are missing, as in 'int f(int)'")
        }
        _ = try take(";")
        if token.kind != .end { throw refuse(token, "the declaration ends here, and something follows") }
        let result = try function.depth == 1 ? value(base, mayBeVoid: true) : coro_type_of_kind(UInt32(CORO_TYPE_POINTER))
        return try signature(name: function.name, result: result)
    }

    private mutating func signature(name: Token?, result: coro_type) throws(Refusal) -> SignatureRef {
        let copy = name.flatMap { $0.copy() }
        guard copy != nil || name == nil, let text = text.take() else {
            Heap.free(copy)
            throw lackOfMemory()
        }
        var layout = Layout()
        for index in 0..<parameters.count { parameters[index].offset = UInt32(layout.add(parameters[index].type)) }
        guard let signature = Heap.one(coro_signature()) else {
            Heap.free(copy)
            Heap.free(text)
            throw lackOfMemory()
        }
        signature.pointee.name = copy
        signature.pointee.text = text
        signature.pointee.parameters = parameters.elements
        signature.pointee.count = UInt32(parameters.count)
        signature.pointee.size = UInt32(layout.size)
        signature.pointee.result = result
        parameters = Vector()
        return signature
    }

    /// How something is passed that is of this type itself.
    func value(_ base: BaseType, mayBeVoid: Bool = false) throws(Refusal) -> coro_type {
        if base.isVoid, !mayBeVoid { throw refuse(base.token, "void is no type of a value: is 'void *' meant?") }
        if let type = base.type { return type }
        if base.tag == CORO_TAG_UNION { throw refuse(base.token, "unions can't be passed by value: pass a pointer") }
        throw refuse(base.token) {
            $0.append(base.tag == CORO_TAG_STRUCT ? "struct " : "'")
            $0.append(base.token)
            $0.append(base.tag == CORO_TAG_STRUCT ? " is not known" : "' is no type that is known")
            $0.append(": declare it by coro_struct_register()")
            if base.tag == 0 { $0.append(" if it is a struct, or write the type that it stands for") }
        }
    }

    /// The parameters of the function itself, from their '(' to their ')'.
    mutating func ownParameters() throws(Refusal) {
        try advance()
        text.append(UInt8(ascii: "("))
        if token.isMark(")") {
            text.append("void")
        } else if try !onlyVoid() {
            repeat {
                if parameters.count > 0 { text.append(", ") }
                try parameter()
            } while try take(",")
        }
        text.append(UInt8(ascii: ")"))
        try expect(")", "a ',' or a ')' is missing here")
    }

    private mutating func onlyVoid() throws(Refusal) -> Bool {
        if !token.isWord("void") || !peek().isMark(")") { return false }
        text.append("void")
        try advance()
        return true
    }
}
