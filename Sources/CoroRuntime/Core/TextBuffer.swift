/// Writes text into memory that somebody else owns: cut to fit, always terminated, and counting what did not fit.
struct TextBuffer {
    private let memory: UnsafeMutablePointer<CChar>?
    private let capacity: Int
    /// The length of the whole text.
    private(set) var length = 0

    init(_ memory: UnsafeMutablePointer<CChar>?, capacity: Int) {
        // A size_t beyond Int.max is negative here.
        self.memory = capacity != 0 ? memory : nil
        self.capacity = capacity < 0 ? .max : capacity
        if let memory = self.memory { memory[0] = 0 }
    }

    /// What comes next, that many bytes, was written by other means.
    mutating func skip(_ count: Int) { length += count }

    mutating func append(byte: UInt8) {
        if let memory, length + 1 < capacity {
            memory[length] = CChar(bitPattern: byte)
            memory[length + 1] = 0
        }
        length += 1
    }

    mutating func append(_ text: StaticString) {
        let start = text.utf8Start
        for index in 0..<text.utf8CodeUnitCount { append(byte: start[index]) }
    }

    mutating func append(cString text: UnsafePointer<CChar>) {
        var next = text
        while next.pointee != 0 {
            append(byte: UInt8(bitPattern: next.pointee))
            next += 1
        }
    }

    mutating func append(_ number: Int64) {
        if number < 0 { append(byte: UInt8(ascii: "-")) }
        append(digitsOf: number.magnitude, radix: 10)
    }

    mutating func append(unsigned number: UInt64) { append(digitsOf: number, radix: 10) }
    mutating func append(_ number: Int) { append(Int64(number)) }
    mutating func append(_ number: Int32) { append(Int64(number)) }

    mutating func append(address: UnsafeRawPointer?) {
        append("0x")
        append(digitsOf: UInt64(UInt(bitPattern: address)), radix: 16)
    }

    /// A duration for people: "1.2 s", or "340 ms" if it is less than a second.
    mutating func append(nanoseconds: Int64) {
        let tenths = max(nanoseconds, 0) / 100_000_000
        if tenths < 10 {
            append(max(nanoseconds, 0) / 1_000_000)
            append(" ms")
            return
        }
        append(tenths / 10)
        append(byte: UInt8(ascii: "."))
        append(tenths % 10)
        append(" s")
    }

    private mutating func append(digitsOf number: UInt64, radix: UInt64) {
        if number >= radix { append(digitsOf: number / radix, radix: radix) }
        let digit = UInt8(truncatingIfNeeded: number % radix)
        append(byte: digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
    }
}
