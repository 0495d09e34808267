import CCoro
import Glibc

// Reading and writing bytes. What each throws beside what is said: `CoroError.system`, `.closed`, `.simultaneous`, or what the
// caller was interrupted with.
extension Descriptor {
    /// Reads what there is, at most `count` bytes, and waits until there is something. Suspends. Returns nil at the end.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public final func read(upTo count: Int = 16384) throws(CoroError) -> [UInt8]? {
        let bytes = try Bytes.filled(count) { buffer throws(CoroError) in try self.read(into: buffer) }
        return bytes.isEmpty && count > 0 ? nil : bytes
    }

    /// Reads what there is into memory that must stay, and waits until there is something. Suspends. Returns how many bytes
    /// that are; 0 at the end.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public final func read(into buffer: UnsafeMutableRawBufferPointer) throws(CoroError) -> Int {
        try call { coro_read($0, buffer.baseAddress, buffer.count) }
    }

    /// Reads exactly so many bytes. Suspends. Throws `CoroError.endOfFile` if the stream ends before; what had come is lost
    /// then, as it is when the caller is interrupted: a `Reader` loses nothing.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public final func read(exactly count: Int) throws(CoroError) -> [UInt8] {
        try Bytes.filled(count) { buffer throws(CoroError) in
            try self.read(exactlyInto: buffer)
            return buffer.count
        }
    }

    /// Fills the memory, which must stay. Suspends. Throws `CoroError.endOfFile` if the stream ends before:
    /// `CoroError.progress` bytes are there then.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public final func read(exactlyInto buffer: UnsafeMutableRawBufferPointer) throws(CoroError) {
        try call { coro_recv_exact($0, buffer.baseAddress, buffer.count) }
    }

    /// Reads all up to the end. Suspends. Throws `CoroError.system(errno: EOVERFLOW)` if that is more than `limit` bytes.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public final func readToEnd(limit: Int = .max) throws(CoroError) -> [UInt8] {
        var all: [UInt8] = []
        while let bytes = try read(upTo: 65536) {
            if bytes.count > limit - all.count { throw .system(errno: EOVERFLOW) }
            all += bytes
        }
        return all
    }

    /// Writes all of the bytes. Suspends. After an error `CoroError.progress` says how many went out.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public final func write(_ bytes: some Sequence<UInt8>) throws(CoroError) {
        try call { number in Bytes.inOnePiece(bytes) { coro_write(number, $0.baseAddress, $0.count) } }
    }

    /// Writes all of the text, as UTF-8. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public final func write(_ text: String) throws(CoroError) {
        try write(text.utf8)
    }

    /// Writes all of the bytes. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public final func write(_ span: RawSpan) throws(CoroError) {
        try call { number in span.withUnsafeBytes { coro_write(number, $0.baseAddress, $0.count) } }
    }
}

extension CoroError {
    /// How many bytes the last call on this thread that failed had moved before: what a `write` that was interrupted had sent.
    public static var progress: Int { Int(coro_error_progress()) }
}

/// Bytes that C reads and writes.
enum Bytes {
    /// An array of what `fill` puts into its memory: it returns how many.
    static func filled(
        _ capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(CoroError) -> Int
    ) throws(CoroError) -> [UInt8] {
        if capacity < 0 { throw .system(errno: EINVAL) }
        var failure: CoroError?
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            do throws(CoroError) {
                count = try fill(UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: capacity))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Runs `body` with the bytes where they are, or with a copy of bytes that aren't in one piece.
    static func inOnePiece<Result>(_ bytes: some Sequence<UInt8>, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withContiguousStorageIfAvailable { body(UnsafeRawBufferPointer($0)) }
            ?? Array(bytes).withUnsafeBytes(body)
    }
}
