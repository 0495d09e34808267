import CCoro

/// An argument or a result of a C function that is known by its prototype alone. It is written as a literal, or made of a
/// value that C has: `["a.png", 640, .of(handle)]`.
public enum TargetValue: Hashable {
    /// The default that the prototype has for the parameter.
    case omitted
    /// A number of a signed type.
    case signed(Int64)
    /// A number of an unsigned type, or a bool.
    case unsigned(UInt64)
    /// A float or a double.
    case floating(Double)
    /// An address; nil: NULL.
    case pointer(UnsafeRawPointer?)
    /// A text, which is copied for the coroutine.
    case text(String)
    /// A struct, or a long double.
    case bytes([UInt8])
    /// The result of a function that has none.
    case nothing

    /// A number, a pointer or a struct.
    public static func of(_ value: some CValue) -> TargetValue {
        var arguments = CArguments()
        // Only texts fail.
        try? value.pass(to: &arguments)
        return arguments.values.first.map { TargetValue($0) } ?? .nothing
    }

    init(_ value: coro_value) {
        self = switch Int32(value.kind) {
        case CORO_VALUE_SIGNED: .signed(value.as.i)
        case CORO_VALUE_UNSIGNED: .unsigned(value.as.u)
        case CORO_VALUE_DOUBLE: .floating(value.as.d)
        case CORO_VALUE_POINTER: .pointer(value.as.p)
        case CORO_VALUE_BYTES: .bytes([UInt8](UnsafeRawBufferPointer(start: value.as.p, count: Int(value.size))))
        default: .nothing
        }
    }

    func pass(to arguments: inout CArguments) throws {
        switch self {
        case .omitted: arguments.append(CORO_VALUE_DEFAULT) { _ in }
        case .nothing: arguments.append(CORO_VALUE_VOID) { _ in }
        case .signed(let value): arguments.append(CORO_VALUE_SIGNED) { $0.as.i = value }
        case .unsigned(let value): arguments.append(CORO_VALUE_UNSIGNED) { $0.as.u = value }
        case .floating(let value): arguments.append(CORO_VALUE_DOUBLE) { $0.as.d = value }
        case .pointer(let value): arguments.append(value)
        case .text(let value): try arguments.append(value)
        case .bytes(let bytes):
            arguments.append(bytes: bytes.count) {
                UnsafeMutableRawBufferPointer(start: $0, count: bytes.count).copyBytes(from: bytes)
            }
        }
    }

    /// The struct whose bytes these are; nil if it isn't one of that size.
    public func load<Value: CStruct>(as: Value.Type) -> Value? {
        guard case .bytes(let bytes) = self, bytes.count == MemoryLayout<Value>.stride else { return nil }
        return withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { copy in
            UnsafeMutableRawBufferPointer(copy).copyBytes(from: bytes)
            return copy[0]
        }
    }
}

extension TargetValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
    public init(integerLiteral value: Int64) { self = .signed(value) }
    public init(floatLiteral value: Double) { self = .floating(value) }
    public init(stringLiteral value: String) { self = .text(value) }
    public init(booleanLiteral value: Bool) { self = .unsigned(value ? 1 : 0) }
    public init(nilLiteral: ()) { self = .pointer(nil) }
}
