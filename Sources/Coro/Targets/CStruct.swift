import CCoro

/// A struct of C, which functions take and return by value.
///
///     extension point: CStruct {
///         static let cName = "point"
///         static let cFields = "double x; double y;"
///     }
///
/// It must be declared by C, or laid out as C would.
public protocol CStruct: CValue {
    /// What it is called in C, without `struct`.
    static var cName: String { get }
    /// What is between its braces there.
    static var cFields: String { get }
}

extension CStruct {
    public static var cType: CType {
        CType(kind: .structure(name: cName), spelling: cName, size: MemoryLayout<Self>.stride)
    }

    public static func load(from address: UnsafeRawPointer) -> Self? {
        address.load(as: Self.self)
    }

    public func store(to address: UnsafeMutableRawPointer) {
        address.initializeMemory(as: Self.self, to: self)
    }

    public func pass(to arguments: inout CArguments) {
        arguments.append(bytes: MemoryLayout<Self>.stride, store)
    }

    /// Has libcoro know it; as often as one likes.
    static func declare() throws {
        // What C copies must be no more than bytes.
        if !_isPOD(Self.self) { throw TargetError("\(Self.self) is no struct of C: it has references to objects") }
        try check(coro_struct_register(cName, cFields))
        let size = coro_struct_size(cName)
        if size == MemoryLayout<Self>.stride { return }
        let ownSize = MemoryLayout<Self>.stride
        throw TargetError("struct \(cName) { \(cFields) } has \(size) bytes, and Swift's \(Self.self) has \(ownSize)")
    }
}
