/// Room for one value of any type, which whoever uses it knows: in itself if it is small, else on the heap.
@usableFromInline
struct Slot {
    @usableFromInline typealias Words = (UInt, UInt, UInt, UInt)
    @usableFromInline var words: Words = (0, 0, 0, 0)

    @inlinable
    init() {}

    @inlinable @inline(__always)
    static func fits<Value>(_: Value.Type) -> Bool {
        MemoryLayout<Value>.size <= MemoryLayout<Words>.size && MemoryLayout<Value>.alignment <= MemoryLayout<Words>.alignment
    }

    /// Puts a value into it, which must be empty. (Of an `any Error` the type must be said: it would be the error's own.)
    @inlinable @inline(__always)
    mutating func store<Value>(_ value: __owned Value, as: Value.Type) {
        if Self.fits(Value.self) {
            withUnsafeMutableBytes(of: &words) {
                _ = $0.baseAddress.unsafelyUnwrapped.initializeMemory(as: Value.self, to: value)
            }
        } else {
            let address = UnsafeMutablePointer<Value>.allocate(capacity: 1)
            address.initialize(to: value)
            words.0 = UInt(bitPattern: address)
        }
    }

    /// A copy of the value.
    @inlinable @inline(__always)
    func load<Value>(as: Value.Type) -> Value {
        if Self.fits(Value.self) {
            withUnsafeBytes(of: words) { $0.baseAddress.unsafelyUnwrapped.load(as: Value.self) }
        } else {
            UnsafePointer<Value>(bitPattern: words.0).unsafelyUnwrapped.pointee
        }
    }

    /// The value itself: it is empty then.
    @inlinable @inline(__always)
    mutating func take<Value>(as: Value.Type) -> Value {
        if Self.fits(Value.self) {
            return withUnsafeMutableBytes(of: &words) {
                $0.baseAddress.unsafelyUnwrapped.bindMemory(to: Value.self, capacity: 1).move()
            }
        }
        let address = UnsafeMutablePointer<Value>(bitPattern: words.0).unsafelyUnwrapped
        defer { address.deallocate() }
        return address.move()
    }
}
