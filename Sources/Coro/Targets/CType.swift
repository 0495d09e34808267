import Glibc

/// A type as C sees it.
public struct CType: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case void
        case bool
        case signed
        case unsigned
        case floating
        case pointer
        /// A `const char *`, of which a coroutine has a copy.
        case text
        case structure(name: String)
    }

    let kind: Kind
    /// How it is written.
    public let spelling: String
    /// In bytes; of void, 0.
    public let size: Int

    static let void = CType(kind: .void, spelling: "void", size: 0)
    static let text = CType(kind: .text, spelling: "const char *", size: MemoryLayout<UnsafeRawPointer>.size)

    static func pointer(_ spelling: String) -> CType {
        CType(kind: .pointer, spelling: spelling, size: MemoryLayout<UnsafeRawPointer>.size)
    }

    static func number<Number: BitwiseCopyable>(_ kind: Kind, _ spelling: String, _ type: Number.Type) -> CType {
        CType(kind: kind, spelling: spelling, size: MemoryLayout<Number>.size)
    }

    /// Whether a value of this type, which a Swift type has, is passed as one of `declared`, whatever either is called.
    func isPassed(as declared: CType) -> Bool {
        if kind == .pointer, declared.kind == .text { return true }
        return kind == declared.kind && size == declared.size
    }
}
