import CCoroPlatform

// The results of targets.

extension CallRef {
    /// The result as `coro_join` gives it: an integer or a pointer widened to a pointer, and nil for all others.
    @inline(__always)
    var widenedResult: UnsafeMutableRawPointer? {
        let kind = Int32(bitPattern: pointee.target.pointee.signature.pointee.result.kind)
        if kind == CORO_TYPE_VOID { return nil }
        return UnsafeMutableRawPointer(bitPattern: widenedInteger(kind, result))
    }
}

/// An integer or a pointer at `place`, widened; 0 for what is neither.
@inline(__always)
private func widenedInteger(_ kind: Int32, _ place: UnsafeRawPointer) -> Int {
    switch kind {
    case CORO_TYPE_BOOL, CORO_TYPE_UINT8: Int(place.load(as: UInt8.self))
    case CORO_TYPE_INT8: Int(place.load(as: Int8.self))
    case CORO_TYPE_INT16: Int(place.load(as: Int16.self))
    case CORO_TYPE_UINT16: Int(place.load(as: UInt16.self))
    case CORO_TYPE_INT32: Int(place.load(as: Int32.self))
    case CORO_TYPE_UINT32: Int(place.load(as: UInt32.self))
    case CORO_TYPE_INT64, CORO_TYPE_UINT64, CORO_TYPE_POINTER: place.load(as: Int.self)
    default: 0
    }
}

extension RuntimeRef {
    /// Waits for a coroutine's end, and copies its result, of that size, to `result`; see `coro_join_result`. A coroutine that
    /// runs no target has a pointer as its result. result nil: the result is not wanted.
    func joinResult(
        _ coroutine: CoroutineRef, _ result: UnsafeMutableRawPointer?, size: Int, timeout: Int64
    ) throws(Refusal) {
        if let result, size != resultSize(of: coroutine) { throw refuse(size, of: coroutine, result) }
        if result == nil, size != 0 {
            throw Refusal(code: fail(Code.invalid) { $0.append("result is NULL, but size is not 0") })
        }
        try join(coroutine, timeout: timeout) {
            guard let result, $0.pointee.failure == 0 else { return }
            if let call = $0.call {
                result.copyMemory(from: call.result, byteCount: size)
            } else {
                result.storeBytes(of: $0.pointee.result, as: UnsafeMutableRawPointer?.self)
            }
        }
    }

    private func resultSize(of coroutine: CoroutineRef) -> Int {
        coroutine.call?.pointee.target.pointee.signature.pointee.result.size ?? MemoryLayout<UnsafeRawPointer>.size
    }

    @inline(never)
    private func refuse(_ size: Int, of coroutine: CoroutineRef, _ result: UnsafeMutableRawPointer) -> Refusal {
        let code = fail(Code.invalid, other: coroutine.pointee.id) {
            $0.append("the result has ")
            $0.append(resultSize(of: coroutine))
            $0.append(" bytes, not ")
            $0.append(size)
            if let call = coroutine.call, let text = call.pointee.target.pointee.signature.pointee.text {
                $0.append(": ")
                $0.append(cString: UnsafePointer(text))
            }
        }
        return Refusal(code: code)
    }

    /// The same for a result with its type; see `coro_join_value`. bytes: where a struct or a long double is stored, which must
    /// have that size.
    func joinValue(
        _ coroutine: CoroutineRef, bytes: UnsafeMutableRawPointer?, size: Int, timeout: Int64
    ) throws(Refusal) -> TargetValue {
        let type = coroutine.call?.pointee.target.pointee.signature.pointee.result
        let kind = type.map { Int32(bitPattern: $0.kind) } ?? CORO_TYPE_POINTER
        if let type, kind == CORO_TYPE_STRUCT || kind == CORO_TYPE_LONG_DOUBLE, bytes == nil || size != type.size {
            let code = fail(Code.invalid, other: coroutine.pointee.id) {
                $0.append("the result takes CORO_VALUE_BYTES with room for ")
                $0.append(type.size)
                $0.append(" bytes")
            }
            throw Refusal(code: code)
        }
        var value = TargetValue.void
        try join(coroutine, timeout: timeout) {
            guard $0.pointee.failure == 0 else { return }
            if let call = $0.call {
                value = call.value(kind, bytes)
            } else {
                value = .pointer(UnsafeRawPointer($0.pointee.result))
            }
        }
        return value
    }
}

extension CallRef {
    fileprivate func value(_ kind: Int32, _ bytes: UnsafeMutableRawPointer?) -> TargetValue {
        switch kind {
        case CORO_TYPE_VOID: return .void
        case CORO_TYPE_FLOAT: return .double(Double(result.load(as: Float.self)))
        case CORO_TYPE_DOUBLE: return .double(result.load(as: Double.self))
        case CORO_TYPE_POINTER: return .pointer(result.load(as: UnsafeRawPointer?.self))
        case CORO_TYPE_STRUCT, CORO_TYPE_LONG_DOUBLE:
            let size = pointee.target.pointee.signature.pointee.result.size
            bytes?.copyMemory(from: result, byteCount: size)
            return .bytes(UnsafeRawPointer(bytes), size)
        case CORO_TYPE_INT8, CORO_TYPE_INT16, CORO_TYPE_INT32, CORO_TYPE_INT64:
            return .signed(Int64(widenedInteger(kind, result)))
        default: return .unsigned(UInt64(UInt(bitPattern: widenedInteger(kind, result))))
        }
    }
}
