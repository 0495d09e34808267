import CCoro
import Glibc

/// Reads by lines, by delimiters and by exact lengths, with few system calls.
///
///     let reader = try Reader(connection)
///     while let line = try reader.readLine() { ... }
///
/// It belongs to the thread that made it, and is used by one coroutine at a time: another throws `CoroError.simultaneous`. What
/// has come is kept when a call is interrupted. All calls throw what reading throws; `CoroError.closed` once the descriptor is
/// closed; or what the caller was interrupted with.
public final class Reader {
    private let reader: OpaquePointer
    /// What it reads from, which stays open as long as this is read from it.
    private let source: AnyObject

    /// Fills memory with 1 byte up to all that it has room for, and returns how many; 0 at the end. May suspend.
    public typealias Producer = (UnsafeMutableRawBufferPointer) throws(CoroError) -> Int

    /// Reads from a descriptor, of which it holds the object.
    public init(_ descriptor: Descriptor, bufferSize: Int = 16384) throws(CoroError) {
        reader = try descriptor.stream { coro_reader_new($0, bufferSize) }
        source = descriptor
    }

    /// Reads what `producer` delivers. It must not use the reader.
    public init(bufferSize: Int = 16384, _ producer: @escaping Producer) throws(CoroError) {
        let source = Box(producer)
        let reader = coro_reader_new_with(
            { argument, memory, count in
                let producer = Unmanaged<Box<Producer>>.fromOpaque(argument!).takeUnretainedValue().value
                return codeOrCount { () throws(CoroError) in
                    try producer(UnsafeMutableRawBufferPointer(start: memory, count: count))
                }
            }, Unmanaged.passUnretained(source).toOpaque(), bufferSize)
        guard let reader else { throw .system(errno: ENOMEM) }
        self.reader = reader
        self.source = source
    }

    deinit {
        // Nobody is in it: who is holds this object.
        _ = coro_reader_free(reader)
    }

    /// Reads what there is, at most `count` bytes. Suspends. Returns nil at the end.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func read(upTo count: Int = 16384) throws(CoroError) -> [UInt8]? {
        let bytes = try Bytes.filled(count) { buffer throws(CoroError) in
            try check(coro_reader_read(self.reader, buffer.baseAddress, buffer.count))
        }
        return bytes.isEmpty && count > 0 ? nil : bytes
    }

    /// Reads exactly so many bytes. Suspends. Throws `CoroError.endOfFile` if the stream ends before: nothing was taken then.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func read(exactly count: Int) throws(CoroError) -> [UInt8] {
        if count < 0 { throw .system(errno: EINVAL) }
        // A look that has come to its end, and then what it has seen: a call that is interrupted takes nothing.
        var data: UnsafePointer<CChar>?
        if try check(coro_reader_peek(reader, count, &data)) < count { throw .endOfFile }
        defer { _ = coro_reader_consume(reader, count) }
        return Array(UnsafeRawBufferPointer(start: data, count: count))
    }

    /// Reads a line, without its end: "\n" or "\r\n". Suspends. The last line may come without one; nil at the end. What is not
    /// UTF-8 becomes U+FFFD. Throws `CoroError.system(errno: EOVERFLOW)` if there is no end within `limit` bytes: nothing was
    /// taken then.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func readLine(limit: Int = 65536) throws(CoroError) -> String? {
        try taken { coro_reader_read_line($0, limit, $1) }.map { line in
            var text = line[...]
            if text.last == UInt8(ascii: "\n") {
                text = text.dropLast()
                if text.last == UInt8(ascii: "\r") { text = text.dropLast() }
            }
            return String(decoding: text, as: UTF8.self)
        }
    }

    /// Reads up to and including the next occurrence of `delimiter`. Suspends. What is left before the end may come without
    /// one; nil at the end. Throws `CoroError.system(errno: EOVERFLOW)` as `readLine`.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func read(until delimiter: some Sequence<UInt8>, limit: Int = 65536) throws(CoroError) -> [UInt8]? {
        try taken { reader, data in
            Bytes.inOnePiece(delimiter) { coro_reader_read_until(reader, $0.baseAddress, $0.count, limit, data) }
        }.map { Array($0) }
    }

    /// Reads up to and including the next occurrence of a text. Suspends. See `read(until:limit:)`.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func read(until delimiter: String, limit: Int = 65536) throws(CoroError) -> [UInt8]? {
        try read(until: delimiter.utf8, limit: limit)
    }

    /// Reads all up to the end. Suspends. Throws `CoroError.system(errno: EOVERFLOW)` if there is more than `limit`, and
    /// nothing was taken then.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func readToEnd(limit: Int = 64 << 20) throws(CoroError) -> [UInt8] {
        try taken { coro_reader_read_all($0, limit, $1) }.map { Array($0) } ?? []
    }

    /// Waits until it has `count` bytes, or the end has come, and returns all that it has: so many or more, fewer at the end.
    /// Takes nothing. Suspends, unless it has them.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func peek(_ count: Int) throws(CoroError) -> [UInt8] {
        var data: UnsafePointer<CChar>?
        let available = Int(try check(coro_reader_peek(reader, count, &data)))
        return Array(UnsafeRawBufferPointer(start: data, count: available))
    }

    /// Takes so many of the bytes that it has, as if they had been read. Throws `CoroError.system(errno: EINVAL)` if it has
    /// fewer.
    public func skip(_ count: Int) throws(CoroError) {
        try check(coro_reader_consume(reader, count))
    }

    /// How many bytes it has: what can be read without suspending.
    public var bufferedCount: Int { coro_reader_buffered(reader) }

    /// What a call of C has taken, in the reader's memory: valid until the next. nil at the end.
    private func taken(
        _ call: (OpaquePointer, UnsafeMutablePointer<UnsafePointer<CChar>?>) -> Int
    ) throws(CoroError) -> UnsafeRawBufferPointer? {
        var data: UnsafePointer<CChar>?
        let count = try check(call(reader, &data))
        return count == 0 ? nil : UnsafeRawBufferPointer(start: data, count: count)
    }
}
