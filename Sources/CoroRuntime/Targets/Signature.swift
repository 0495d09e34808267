import CCoroPlatform

typealias SignatureRef = UnsafeMutablePointer<coro_signature>

/// Frees a signature with all that it owns; nil is none.
func freeSignature(_ signature: SignatureRef?) {
    guard let signature else { return }
    coro_signature_unprepare(signature.pointee.prepared)
    freeParameters(signature.pointee.parameters, Int(signature.pointee.count))
    Heap.free(signature.pointee.name)
    Heap.free(signature.pointee.text)
    Heap.free(signature)
}

func freeParameters(_ parameters: UnsafeMutablePointer<coro_parameter>?, _ count: Int) {
    for index in 0..<count {
        Heap.free(parameters.unsafelyUnwrapped[index].name)
        Heap.free(UnsafeMutableRawPointer(mutating: parameters.unsafelyUnwrapped[index].value)?
            .assumingMemoryBound(to: UInt8.self))
    }
    Heap.free(parameters)
}

/// Where values of these types are, one after the other, as in a struct.
struct Layout {
    private(set) var size = 0
    private(set) var alignment = 1

    /// Returns where the value is.
    mutating func add(_ type: coro_type, count: Int = 1) -> Int {
        let alignment = max(Int(type.alignment), 1)
        let offset = (size + alignment - 1) / alignment * alignment
        size = offset + type.size * count
        self.alignment = max(self.alignment, alignment)
        return offset
    }
}
