import CCoroPlatform

extension RuntimeRef {
    /// 0, also for the same again; -EEXIST, or -ENOMEM.
    func registerStruct(_ name: UnsafePointer<CChar>, _ fields: UnsafePointer<CChar>) throws(Refusal) -> Int32 {
        try checkStructName(name)
        var parser = try PrototypeParser(fields, in: self)
        defer { parser.free() }
        let candidate = try parser.structType(name)
        let (code, isTaken) = StructType.register(candidate)
        if !isTaken { candidate.free() }
        if code == 0 { return 0 }
        return fail(code) {
            if code != -CoroErrno.exists { return }
            $0.append("struct ")
            $0.append(cString: name)
            $0.append(" is registered with other fields: give this one another name")
        }
    }

    func findStruct(_ name: UnsafePointer<CChar>) throws(Refusal) -> StructRef {
        if let found = StructType.find(name) { return found }
        throw refuse(name, "no struct of this name is registered: ")
    }

    /// Where the field begins, in bytes.
    func offset(of field: UnsafePointer<CChar>, in structure: StructRef) throws(Refusal) -> Int64 {
        if let found = structure.field(field) { return Int64(found.offset) }
        throw refuse(field, "the struct has no field of this name: ")
    }

    private func refuse(_ name: UnsafePointer<CChar>, _ why: StaticString) -> Refusal {
        Refusal(
            code: fail(-CoroErrno.noEntry) {
                $0.append(why)
                $0.append(cString: name)
            })
    }

    private func checkStructName(_ name: UnsafePointer<CChar>) throws(Refusal) {
        var scanner = Scanner(name)
        let token = scanner.scan()
        if token.kind == .word, token.meaning == nil, token.start == name, name[token.length] == 0,
            token.length <= PrototypeParser.longestName
        {
            return
        }
        throw refuseArgument("the name of a struct must be a name in C that has no meaning yet, as \"point\"")
    }
}

extension PrototypeParser {
    /// A struct that is longer makes no sense on a stack.
    private static let largestStruct = 65536

    /// All the fields, to the end of the text.
    fileprivate mutating func structType(_ name: UnsafePointer<CChar>) throws(Refusal) -> StructRef {
        var fields = Vector<StructField>()
        do throws(Refusal) {
            var layout = Layout()
            if token.kind == .end { throw refuse(token, "a struct needs a field, as in \"double x;\"") }
            while token.kind != .end { try fieldDeclaration(&fields, &layout) }
            return try makeStruct(name, fields)
        } catch {
            freeFields(fields)
            throw error
        }
    }

    private mutating func makeStruct(
        _ name: UnsafePointer<CChar>, _ fields: Vector<StructField>
    ) throws(Refusal) -> StructRef {
        guard let copy = Heap.copy(name) else { throw lackOfMemory() }
        guard let text = text.take() else {
            Heap.free(copy)
            throw lackOfMemory()
        }
        if let made = Heap.one(StructType(name: copy, text: text, fields: fields, type: coro_type())) { return made }
        Heap.free(copy)
        Heap.free(text)
        throw lackOfMemory()
    }

    /// `int a, *b[4];`, which becomes a declaration for each.
    private mutating func fieldDeclaration(_ fields: inout Vector<StructField>, _ layout: inout Layout) throws(Refusal) {
        if fields.count > 0 { text.append(UInt8(ascii: " ")) }
        let start = text.end
        let base = try specifiers()
        let end = text.end
        if token.isMark(";") { throw refuse(token, "a field has no name here") }
        while true {
            try field(base, &fields, &layout)
            text.append(UInt8(ascii: ";"))
            if !(try take(",")) { break }
            text.append(UInt8(ascii: " "))
            text.append(again: start..<end)
            text.space()
        }
        try expect(";", "a ';' is missing here")
    }

    private mutating func field(
        _ base: BaseType, _ fields: inout Vector<StructField>, _ layout: inout Layout
    ) throws(Refusal) {
        let declarator = try declarator(.field)
        if token.isMark(":") { throw refuse(token, "bit-fields can't be passed by value: pass a pointer to the struct") }
        if token.isMark("=") { throw refuse(token, "the fields of a struct have no defaults") }
        guard let name = declarator.name else { throw refuse(token, "a field has no name here") }
        if declarator.element == .function { throw refuse(name, "a field can't be a function: a pointer to one, '(*)'") }
        for index in 0..<fields.count where name.isSame(as: fields[index].name) {
            throw refuse(name, "two fields have this name")
        }
        let isItself = declarator.depth == 0 || declarator.element == .array
        let type = try isItself ? value(base) : coro_type_of_kind(UInt32(CORO_TYPE_POINTER))
        let room = UInt64((Self.largestStruct - layout.size) / max(type.size, 1))
        if declarator.count > room { throw refuse(name, "the struct is larger than 65536 bytes: pass a pointer to it") }
        guard fields.reserveOne(), let copy = name.copy() else { throw lackOfMemory() }
        let count = Int(declarator.count)
        fields.appendReserved(
            StructField(name: copy, type: type, count: count, offset: layout.add(type, count: count)))
    }
}
