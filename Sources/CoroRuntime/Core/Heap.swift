import CCoroPlatform

/// The heap, for code that answers for running out of memory instead of trapping.
enum Heap {
    /// extra: bytes behind it, all zero.
    static func one<T>(_ value: T, alignment: Int = 16, extra: Int = 0) -> UnsafeMutablePointer<T>? {
        guard let memory = coro_memory_allocate(MemoryLayout<T>.stride + extra, alignment) else { return nil }
        let typed = memory.bindMemory(to: T.self, capacity: 1)
        typed.initialize(to: value)
        return typed
    }

    /// `count` values of all zero bits.
    static func zeroed<T>(_ type: T.Type, count: Int, alignment: Int = 16) -> UnsafeMutablePointer<T>? {
        coro_memory_allocate(MemoryLayout<T>.stride * count, alignment)?.bindMemory(to: T.self, capacity: count)
    }

    /// A copy of a C string, or nil without memory.
    static func copy(_ text: UnsafePointer<CChar>) -> UnsafeMutablePointer<CChar>? {
        let length = length(of: text)
        guard let copy = zeroed(CChar.self, count: length + 1) else { return nil }
        copy.update(from: text, count: length)
        return copy
    }

    static func length(of text: UnsafePointer<CChar>) -> Int {
        var length = 0
        while text[length] != 0 { length += 1 }
        return length
    }

    /// Whether two C strings are the same.
    static func isSame(_ left: UnsafePointer<CChar>, _ right: UnsafePointer<CChar>) -> Bool {
        var index = 0
        while left[index] == right[index] {
            if left[index] == 0 { return true }
            index += 1
        }
        return false
    }

    static func free<T>(_ memory: UnsafeMutablePointer<T>?) {
        coro_memory_free(UnsafeMutableRawPointer(memory))
    }
}

/// An array of plain values that answers for running out of memory.
struct Vector<Element> {
    private(set) var elements: UnsafeMutablePointer<Element>?
    private(set) var count = 0
    private var capacity = 0

    subscript(index: Int) -> Element {
        get { elements.unsafelyUnwrapped[index] }
        nonmutating set { elements.unsafelyUnwrapped[index] = newValue }
    }

    /// Makes room for one more: false without memory.
    @inline(__always)
    mutating func reserveOne() -> Bool {
        count < capacity || grow()
    }

    private mutating func grow() -> Bool {
        let larger = capacity == 0 ? 16 : capacity * 2
        guard let memory = coro_memory_reallocate(elements, larger * MemoryLayout<Element>.stride) else { return false }
        elements = memory.bindMemory(to: Element.self, capacity: larger)
        capacity = larger
        return true
    }

    /// After `reserveOne` has said true.
    @inline(__always)
    mutating func appendReserved(_ element: Element) {
        elements.unsafelyUnwrapped.advanced(by: count).initialize(to: element)
        count &+= 1
    }

    @inline(__always)
    mutating func popLast() -> Element? {
        if count == 0 { return nil }
        count &-= 1
        return elements.unsafelyUnwrapped[count]
    }

    mutating func removeSwappingLast(at index: Int) {
        count -= 1
        self[index] = self[count]
    }

    mutating func removeAll() {
        count = 0
    }

    mutating func free() {
        Heap.free(elements)
        elements = nil
        count = 0
        capacity = 0
    }
}
