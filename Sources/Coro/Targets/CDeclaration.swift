import CCoro
import Glibc

/// The types in a prototype that libcoro has written, or that was made here: only so far as it takes to say whether Swift's
/// types are the same.
struct CPrototype {
    let result: CType?
    let parameters: [CType?]
    private let declarations: [Substring]

    /// nil: it is no prototype of a form that is known here.
    init?(_ text: String) {
        guard let opening = text.firstIndex(of: "(") else { return nil }
        let inside = text.index(after: opening)
        if let star = text[inside...].firstIndex(where: { $0 != " " }), text[star] == "*" {
            // It returns a pointer to a function: `void (*name(int))(int)`.
            guard let list = text[star...].firstIndex(of: "(") else { return nil }
            result = .pointer("void *")
            guard let declarations = Self.declarations(text[text.index(after: list)...]) else { return nil }
            self.declarations = declarations
        } else {
            result = CDeclaration.type(text[..<opening])
            guard let declarations = Self.declarations(text[inside...]) else { return nil }
            self.declarations = declarations
        }
        parameters = declarations.map(CDeclaration.type)
    }

    /// What is declared of the parameter that a text is passed to, by its position or by its name, if that is a pointer for
    /// which nobody keeps a copy of the text; nil for all others.
    func refusal(ofTextAt index: Int, named name: String?) -> Substring? {
        guard let name else {
            return declarations.indices.contains(index) && parameters[index]?.kind == .pointer ? declarations[index] : nil
        }
        let candidates = declarations.indices.filter { CDeclaration.words(declarations[$0]).contains(name) }
        // In that of a text, no word is there but its name.
        if candidates.contains(where: { parameters[$0]?.kind == .text }) { return nil }
        return candidates.first { parameters[$0]?.kind == .pointer }.map { declarations[$0] }
    }

    /// Those before the `)` that ends the list.
    private static func declarations(_ text: Substring) -> [Substring]? {
        var declarations: [Substring] = []
        var depth = 0
        var quote: Character?
        var start = text.startIndex
        var index = start
        while index < text.endIndex {
            let character = text[index]
            if let open = quote {
                if character == "\\" {
                    index = text.index(after: index)
                } else if character == open {
                    quote = nil
                }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == "(" || character == "[" {
                depth += 1
            } else if (character == "," || character == ")") && depth == 0 {
                declarations.append(text[start..<index].drop { $0 == " " })
                if character == ")" { return isVoid(declarations) ? [] : declarations }
                start = text.index(after: index)
            } else if character == ")" || character == "]" {
                depth -= 1
            }
            if index < text.endIndex { index = text.index(after: index) }
        }
        return nil
    }

    private static func isVoid(_ declarations: [Substring]) -> Bool {
        declarations.count == 1 && (declarations[0].isEmpty || CDeclaration.type(declarations[0]) == .void)
    }
}

/// One declaration of a prototype: `const char *path`.
enum CDeclaration {
    /// Its type; nil if that isn't known here.
    static func type(_ declaration: Substring) -> CType? {
        let declared = declaration.prefix { $0 != "=" }
        var words = words(declaration)
        let isOwned = words.first == "borrowed" || words.first == "owned"
        if declared.contains(where: { "*[(".contains($0) }) {
            return isText(declared) && !isOwned ? .text : .pointer(String(declared))
        }
        words.removeAll { $0 == "const" || $0 == "volatile" }
        // With a name, or without.
        return named(words) ?? named(words.dropLast())
    }

    /// All names and keywords in it; not those of a default.
    static func words(_ declaration: Substring) -> [String] {
        declaration.prefix { $0 != "=" }.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
    }

    /// Whether it is `const char *path` or `const char path[]`.
    private static func isText(_ declared: Substring) -> Bool {
        let marks = declared.filter { "*[(".contains($0) }
        let words = declared.prefix { !"*[(".contains($0) }.split(separator: " ")
        let isOfText = words.count >= 2 && Set(words.prefix(2)) == ["const", "char"]
        return isOfText && (marks == "*" && words.count == 2 || marks == "[" && words.count <= 3)
    }

    private static func named(_ words: [String]) -> CType? {
        guard let first = words.first else { return nil }
        if first == "enum" { return words.count == 2 ? Int32.cType : nil }
        if first == "struct" { return words.count == 2 ? structure(words[1]) : nil }
        if let type = CNames.types[words.joined(separator: " ")] { return type }
        return words.count == 1 ? structure(first) : nil
    }

    private static func structure(_ name: String) -> CType? {
        let size = coro_struct_size(name)
        return size < 0 ? nil : CType(kind: .structure(name: name), spelling: name, size: size)
    }
}

/// The names that C has for types of numbers, as prototypes in one spelling have them.
enum CNames {
    private static let pointer = CType.pointer("void *")

    #if arch(x86_64)
    private static let longDouble = Float80.cType
    #else
    /// Swift has no such type.
    private static let longDouble = CType(kind: .floating, spelling: "long double", size: 16)
    #endif

    static let types: [String: CType] = [
        "void": .void, "bool": Bool.cType, "float": Float.cType, "double": Double.cType, "long double": longDouble,
        "char": CChar.cType, "signed char": Int8.cType, "unsigned char": UInt8.cType, "short": Int16.cType,
        "unsigned short": UInt16.cType, "int": Int32.cType, "unsigned int": UInt32.cType, "long": CLong.cType,
        "unsigned long": CUnsignedLong.cType, "long long": Int64.cType, "unsigned long long": UInt64.cType,
        "int8_t": Int8.cType, "uint8_t": UInt8.cType, "int16_t": Int16.cType, "uint16_t": UInt16.cType,
        "int32_t": Int32.cType, "uint32_t": UInt32.cType, "int64_t": Int64.cType, "uint64_t": UInt64.cType,
        "intmax_t": intmax_t.cType, "uintmax_t": uintmax_t.cType, "intptr_t": Int.cType, "uintptr_t": UInt.cType,
        "size_t": UInt.cType, "ssize_t": Int.cType, "ptrdiff_t": Int.cType,
        "int_least8_t": int_least8_t.cType, "uint_least8_t": uint_least8_t.cType,
        "int_least16_t": int_least16_t.cType, "uint_least16_t": uint_least16_t.cType,
        "int_least32_t": int_least32_t.cType, "uint_least32_t": uint_least32_t.cType,
        "int_least64_t": int_least64_t.cType, "uint_least64_t": uint_least64_t.cType,
        "int_fast8_t": int_fast8_t.cType, "uint_fast8_t": uint_fast8_t.cType,
        "int_fast16_t": int_fast16_t.cType, "uint_fast16_t": uint_fast16_t.cType,
        "int_fast32_t": int_fast32_t.cType, "uint_fast32_t": uint_fast32_t.cType,
        "int_fast64_t": int_fast64_t.cType, "uint_fast64_t": uint_fast64_t.cType,
        "char16_t": UInt16.cType, "char32_t": UInt32.cType, "off_t": off_t.cType, "time_t": time_t.cType,
        "pid_t": pid_t.cType, "uid_t": uid_t.cType, "gid_t": gid_t.cType, "mode_t": mode_t.cType, "id_t": id_t.cType,
        "dev_t": dev_t.cType, "ino_t": ino_t.cType, "nlink_t": nlink_t.cType, "blksize_t": blksize_t.cType,
        "blkcnt_t": blkcnt_t.cType, "key_t": key_t.cType, "clock_t": clock_t.cType, "clockid_t": clockid_t.cType,
        "useconds_t": useconds_t.cType, "suseconds_t": suseconds_t.cType, "socklen_t": socklen_t.cType,
        "sa_family_t": sa_family_t.cType, "in_addr_t": in_addr_t.cType, "in_port_t": in_port_t.cType,
        "coro_t": coro_t.cType, "coro_loop_t": coro_loop_t.cType, "coro_local_t": coro_local_t.cType,
        "coro_process_t": coro_process_t.cType, "coro_timeout_t": coro_timeout_t.cType,
        "coro_target_t": coro_target_t.cType, "coro_trampoline_t": coro_trampoline_t.cType,
        "coro_fn": pointer, "coro_function": pointer, "coro_handler": pointer, "coro_notifier": pointer,
        "coro_signal_handler": pointer, "coro_producer": pointer, "coro_consumer": pointer,
    ]
}
