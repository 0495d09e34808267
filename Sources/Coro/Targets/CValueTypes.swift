import CCoro

// The types of Swift that C has too.

extension CValue where Self: FixedWidthInteger & SignedInteger {
    public func pass(to arguments: inout CArguments) {
        arguments.append(CORO_VALUE_SIGNED) { $0.as.i = Int64(self) }
    }
}

extension CValue where Self: FixedWidthInteger & UnsignedInteger {
    public func pass(to arguments: inout CArguments) {
        arguments.append(CORO_VALUE_UNSIGNED) { $0.as.u = UInt64(self) }
    }
}

extension Int8: CValue {
    public static var cType: CType { .number(.signed, "int8_t", Self.self) }
}

extension Int16: CValue {
    public static var cType: CType { .number(.signed, "int16_t", Self.self) }
}

extension Int32: CValue {
    public static var cType: CType { .number(.signed, "int", Self.self) }
}

extension Int64: CValue {
    public static var cType: CType { .number(.signed, "int64_t", Self.self) }
}

extension Int: CValue {
    public static var cType: CType { .number(.signed, "long", Self.self) }
}

extension UInt8: CValue {
    public static var cType: CType { .number(.unsigned, "uint8_t", Self.self) }
}

extension UInt16: CValue {
    public static var cType: CType { .number(.unsigned, "uint16_t", Self.self) }
}

extension UInt32: CValue {
    public static var cType: CType { .number(.unsigned, "unsigned int", Self.self) }
}

extension UInt64: CValue {
    public static var cType: CType { .number(.unsigned, "uint64_t", Self.self) }
}

extension UInt: CValue {
    public static var cType: CType { .number(.unsigned, "unsigned long", Self.self) }
}

extension Bool: CValue {
    public static var cType: CType { .number(.bool, "bool", Self.self) }

    public func pass(to arguments: inout CArguments) {
        arguments.append(CORO_VALUE_UNSIGNED) { $0.as.u = self ? 1 : 0 }
    }
}

extension Float: CValue {
    public static var cType: CType { .number(.floating, "float", Self.self) }

    public func pass(to arguments: inout CArguments) {
        arguments.append(CORO_VALUE_DOUBLE) { $0.as.d = Double(self) }
    }
}

extension Double: CValue {
    public static var cType: CType { .number(.floating, "double", Self.self) }

    public func pass(to arguments: inout CArguments) {
        arguments.append(CORO_VALUE_DOUBLE) { $0.as.d = self }
    }
}

#if arch(x86_64)
extension Float80: CValue {
    public static var cType: CType { .number(.floating, "long double", Self.self) }

    public func pass(to arguments: inout CArguments) {
        arguments.append(bytes: MemoryLayout<Self>.size) { $0.storeBytes(of: self, as: Self.self) }
    }
}
#endif

/// A type whose optional is what C calls a pointer: nil is NULL.
public protocol CNullable: CArgument {}

/// A pointer type: its optional, too, has the memory of C's.
public protocol CPointer: CNullable, CValue, BitwiseCopyable {
    /// Where it points.
    var cAddress: UnsafeRawPointer { get }
}

extension CPointer {
    public static func load(from address: UnsafeRawPointer) -> Self? {
        address.loadUnaligned(as: Self?.self)
    }

    public func pass(to arguments: inout CArguments) {
        arguments.append(cAddress)
    }
}

extension UnsafeRawPointer: CPointer {
    public static var cType: CType { .pointer("const void *") }
    public var cAddress: UnsafeRawPointer { self }
}

extension UnsafeMutableRawPointer: CPointer {
    public static var cType: CType { .pointer("void *") }
    public var cAddress: UnsafeRawPointer { UnsafeRawPointer(self) }
}

extension UnsafePointer: CPointer, CNullable, CValue, CArgument {
    public static var cType: CType { .pointer("const void *") }
    public var cAddress: UnsafeRawPointer { UnsafeRawPointer(self) }
}

extension UnsafeMutablePointer: CPointer, CNullable, CValue, CArgument {
    public static var cType: CType { .pointer("void *") }
    public var cAddress: UnsafeRawPointer { UnsafeRawPointer(self) }
}

extension OpaquePointer: CPointer {
    public static var cType: CType { .pointer("void *") }
    public var cAddress: UnsafeRawPointer { UnsafeRawPointer(self) }
}

/// A `const char *`, whose text is copied whichever way it goes. As a result it would have no owner: return a pointer.
extension String: CNullable {
    public static var cType: CType { .text }

    public static func load(from address: UnsafeRawPointer) -> String? {
        address.loadUnaligned(as: UnsafePointer<CChar>?.self).map(String.init(cString:))
    }

    public func pass(to arguments: inout CArguments) throws {
        try arguments.append(self)
    }
}

extension Optional: CArgument where Wrapped: CNullable {
    public static var cType: CType { Wrapped.cType }

    public static func load(from address: UnsafeRawPointer) -> Wrapped?? {
        .some(Wrapped.load(from: address))
    }

    public func pass(to arguments: inout CArguments) throws {
        if let self { try self.pass(to: &arguments) } else { arguments.append(nil as UnsafeRawPointer?) }
    }
}

extension Optional: CValue where Wrapped: CPointer {
    public func store(to address: UnsafeMutableRawPointer) {
        address.storeBytes(of: self?.cAddress, as: UnsafeRawPointer?.self)
    }
}
