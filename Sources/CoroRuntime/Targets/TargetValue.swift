import CCoroPlatform

/// A value with its type, as `coro_value` is.
enum TargetValue {
    /// The parameter's default.
    case byDefault
    case signed(Int64)
    case unsigned(UInt64)
    case double(Double)
    case pointer(UnsafeRawPointer?)
    /// A struct or a long double.
    case bytes(UnsafeRawPointer?, Int)
    case void
}

/// Why a value is not one of its parameter's type.
enum Mismatch {
    /// It is of another type.
    case type
    /// It is a number that the type does not have.
    case range
    /// It is bytes, but not as many as there should be.
    case size
}

extension TargetValue {
    /// Stores the value as one of that type, where nothing is lost by that. Returns what is wrong; nil: nothing. (`byDefault`
    /// is nothing that can be stored.)
    func store(as type: coro_type, at place: UnsafeMutableRawPointer) -> Mismatch? {
        switch Int32(bitPattern: type.kind) {
        case CORO_TYPE_BOOL: storeBool(at: place)
        case CORO_TYPE_INT8: store(as: Int8.self, at: place)
        case CORO_TYPE_UINT8: store(as: UInt8.self, at: place)
        case CORO_TYPE_INT16: store(as: Int16.self, at: place)
        case CORO_TYPE_UINT16: store(as: UInt16.self, at: place)
        case CORO_TYPE_INT32: store(as: Int32.self, at: place)
        case CORO_TYPE_UINT32: store(as: UInt32.self, at: place)
        case CORO_TYPE_INT64: store(as: Int64.self, at: place)
        case CORO_TYPE_UINT64: store(as: UInt64.self, at: place)
        case CORO_TYPE_FLOAT: storeFloat(at: place)
        case CORO_TYPE_DOUBLE: storeDouble(at: place)
        case CORO_TYPE_LONG_DOUBLE: storeLongDouble(type, at: place)
        case CORO_TYPE_POINTER: storePointer(at: place)
        default: storeBytes(type, at: place)
        }
    }

    private func store<Integer: FixedWidthInteger>(as: Integer.Type, at place: UnsafeMutableRawPointer) -> Mismatch? {
        let integer: Integer?
        switch self {
        case .signed(let number): integer = Integer(exactly: number)
        case .unsigned(let number): integer = Integer(exactly: number)
        default: return .type
        }
        guard let integer else { return .range }
        place.storeBytes(of: integer, as: Integer.self)
        return nil
    }

    private func storeBool(at place: UnsafeMutableRawPointer) -> Mismatch? {
        switch self {
        case .signed(0), .signed(1), .unsigned(0), .unsigned(1): store(as: UInt8.self, at: place)
        case .signed, .unsigned: .range
        default: .type
        }
    }

    private func storeFloat(at place: UnsafeMutableRawPointer) -> Mismatch? {
        let number: Float?
        switch self {
        case .double(let double):
            let rounded = Float(double)
            number = rounded.isInfinite && double.isFinite ? nil : rounded
        case .signed(let integer): number = Float(exactly: integer)
        case .unsigned(let integer): number = Float(exactly: integer)
        default: return .type
        }
        guard let number else { return .range }
        place.storeBytes(of: number, as: Float.self)
        return nil
    }

    private func storeDouble(at place: UnsafeMutableRawPointer) -> Mismatch? {
        let number: Double?
        switch self {
        case .double(let double): number = double
        case .signed(let integer): number = Double(exactly: integer)
        case .unsigned(let integer): number = Double(exactly: integer)
        default: return .type
        }
        guard let number else { return .range }
        place.storeBytes(of: number, as: Double.self)
        return nil
    }

    private func storeLongDouble(_ type: coro_type, at place: UnsafeMutableRawPointer) -> Mismatch? {
        switch self {
        case .double(let number): coro_store_long_double(place, number)
        case .signed(let number): coro_store_long_double_of_signed(place, number)
        case .unsigned(let number): coro_store_long_double_of_unsigned(place, number)
        default: return storeBytes(type, at: place)
        }
        return nil
    }

    private func storePointer(at place: UnsafeMutableRawPointer) -> Mismatch? {
        guard case .pointer(let pointer) = self else { return .type }
        place.storeBytes(of: pointer, as: UnsafeRawPointer?.self)
        return nil
    }

    private func storeBytes(_ type: coro_type, at place: UnsafeMutableRawPointer) -> Mismatch? {
        guard case .bytes(let bytes, let size) = self, let bytes else { return .type }
        if size != type.size { return .size }
        place.copyMemory(from: bytes, byteCount: size)
        return nil
    }
}

extension TextBuffer {
    /// "300", "a double", for errors.
    mutating func append(_ value: TargetValue) {
        switch value {
        case .byDefault: append("the default")
        case .signed(let number): append(number)
        case .unsigned(let number): append(unsigned: number)
        case .double: append("a double")
        case .pointer: append("a pointer")
        case .bytes(nil, _): append("no bytes at all")
        case .bytes(_, let size):
            append(size)
            append(" bytes")
        case .void: append("void")
        }
    }

    /// "uint8_t", "a pointer", for errors.
    mutating func append(_ type: coro_type) {
        switch Int32(bitPattern: type.kind) {
        case CORO_TYPE_BOOL: append("bool")
        case CORO_TYPE_INT8: append("int8_t")
        case CORO_TYPE_UINT8: append("uint8_t")
        case CORO_TYPE_INT16: append("int16_t")
        case CORO_TYPE_UINT16: append("uint16_t")
        case CORO_TYPE_INT32: append("int32_t")
        case CORO_TYPE_UINT32: append("uint32_t")
        case CORO_TYPE_INT64: append("int64_t")
        case CORO_TYPE_UINT64: append("uint64_t")
        case CORO_TYPE_FLOAT: append("float")
        case CORO_TYPE_DOUBLE: append("double")
        case CORO_TYPE_LONG_DOUBLE: append("long double")
        case CORO_TYPE_POINTER: append("pointer")
        default:
            append("struct of ")
            append(type.size)
            append(" bytes")
        }
    }
}
