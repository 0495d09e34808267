import CCoro

/// A Swift type that C functions take: numbers, pointers, `String`, and structs that are a `CStruct`.
///
/// Of a type of your own make a `CStruct`: nothing else is meant to be one.
public protocol CArgument: SendableMetatype {
    /// What it is in C.
    static var cType: CType { get }

    /// What C passes, which `address` points to; nil if that is NULL, for which this type has no value.
    static func load(from address: UnsafeRawPointer) -> Self?

    /// Passes it to C.
    func pass(to arguments: inout CArguments) throws
}

/// A Swift type that C functions take and return: its memory is that of the C type.
public protocol CValue: CArgument {
    /// Stores it where C finds it.
    func store(to address: UnsafeMutableRawPointer)
}

extension CValue where Self: BitwiseCopyable {
    public static func load(from address: UnsafeRawPointer) -> Self? {
        address.loadUnaligned(as: Self.self)
    }

    public func store(to address: UnsafeMutableRawPointer) {
        address.storeBytes(of: self, as: Self.self)
    }
}

/// Values on their way to C, with the memory that they point to.
public struct CArguments: ~Copyable {
    private(set) var values: [coro_value] = []
    private var memory: [UnsafeMutableRawPointer] = []

    deinit {
        for block in memory { block.deallocate() }
    }

    mutating func append(_ kind: Int32, _ set: (inout coro_value) -> Void) {
        var value = coro_value()
        value.kind = UInt32(kind)
        set(&value)
        values.append(value)
    }

    mutating func append(_ pointer: UnsafeRawPointer?) {
        append(CORO_VALUE_POINTER) { $0.as.p = pointer }
    }

    /// A copy, to be read by C before this is dropped.
    mutating func append(_ text: String) throws {
        // C would see no more than what is before it.
        if text.utf8.contains(0) { throw TargetError("a text for C has a NUL in it: \(text.debugDescription)") }
        append(UnsafeRawPointer(copy(text)))
    }

    /// The bytes of a struct, or of what else C takes by its bytes.
    mutating func append(bytes size: Int, _ write: (UnsafeMutableRawPointer) -> Void) {
        let bytes = block(size) { write($0.baseAddress!) }
        append(CORO_VALUE_BYTES) {
            $0.size = UInt32(size)
            $0.as.p = UnsafeRawPointer(bytes)
        }
    }

    private mutating func block(_ size: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) -> UnsafeMutableRawPointer {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: max(size, 1), alignment: 16)
        block.initializeMemory(as: UInt8.self, repeating: 0)
        memory.append(block.baseAddress!)
        fill(block)
        return block.baseAddress!
    }

    /// How many values, and where they and their names are. A name that is nil: the value is for the next parameter.
    consuming func withValues<Success>(
        named names: [String?],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<coro_value>?, Int32) -> Success
    ) -> Success {
        var texts: [UnsafePointer<CChar>?] = []
        for name in names {
            if let name { texts.append(copy(name)) } else { texts.append(nil) }
        }
        return texts.withUnsafeBufferPointer { texts in
            values.withUnsafeBufferPointer { body(names.isEmpty ? nil : texts.baseAddress, $0.baseAddress, Int32($0.count)) }
        }
    }

    private mutating func copy(_ text: String) -> UnsafePointer<CChar> {
        let copy = text.utf8CString
        let bytes = block(copy.count) { bytes in copy.withUnsafeBytes { bytes.copyMemory(from: $0) } }
        return UnsafePointer(bytes.assumingMemoryBound(to: CChar.self))
    }
}
