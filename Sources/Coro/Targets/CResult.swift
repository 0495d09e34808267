/// How what a function returns comes from C and goes there.
class CResult<Value>: @unchecked Sendable {
    final let type: CType

    fileprivate init(_ type: CType) {
        self.type = type
    }

    /// nil: it is NULL, for which Swift's type has no value.
    func load(from address: UnsafeRawPointer) -> Value? { nil }
    func store(_ value: Value, to address: UnsafeMutableRawPointer?) {}
    func declare() throws {}
}

/// A result that there is.
final class CValueResult<Value: CValue>: CResult<Value>, @unchecked Sendable {
    init() {
        super.init(Value.cType)
    }

    override func load(from address: UnsafeRawPointer) -> Value? { Value.load(from: address) }

    override func store(_ value: Value, to address: UnsafeMutableRawPointer?) {
        if let address { value.store(to: address) }
    }

    override func declare() throws { try (Value.self as? any CStruct.Type)?.declare() }
}

/// No result.
final class CVoidResult: CResult<Void>, @unchecked Sendable {
    init() {
        super.init(.void)
    }

    override func load(from address: UnsafeRawPointer) -> Void? { () }
}
