import CCoro
import Glibc

/// Writes small pieces with few system calls: they are kept until the buffer is full, or flushed.
///
///     let writer = try Writer(connection)
///     try writer.write("HTTP/1.1 200 OK\r\n\r\n")
///     try writer.flush()
///
/// What is not flushed when this object is dropped is lost: nothing can wait then. It belongs to the thread that made it, and
/// is used by one coroutine at a time: another throws `CoroError.simultaneous`. What has not gone out is kept when a call is
/// interrupted. All calls throw what writing throws; `CoroError.closed` once the descriptor is closed; or what the caller was
/// interrupted with.
public final class Writer {
    private let writer: OpaquePointer
    /// Where its bytes go, which stays open as long as this writes there.
    private let destination: AnyObject

    /// Takes 1 byte up to all, and returns how many. May suspend.
    public typealias Consumer = (UnsafeRawBufferPointer) throws(CoroError) -> Int

    /// Writes to a descriptor, of which it holds the object.
    public init(_ descriptor: Descriptor, bufferSize: Int = 16384) throws(CoroError) {
        writer = try descriptor.stream { coro_writer_new($0, bufferSize) }
        destination = descriptor
    }

    /// Writes to `consumer`, which must not use the writer.
    public init(bufferSize: Int = 16384, _ consumer: @escaping Consumer) throws(CoroError) {
        let destination = Box(consumer)
        let writer = coro_writer_new_with(
            { argument, bytes, count in
                let consumer = Unmanaged<Box<Consumer>>.fromOpaque(argument!).takeUnretainedValue().value
                return codeOrCount { () throws(CoroError) in try consumer(UnsafeRawBufferPointer(start: bytes, count: count)) }
            }, Unmanaged.passUnretained(destination).toOpaque(), bufferSize)
        guard let writer else { throw .system(errno: ENOMEM) }
        self.writer = writer
        self.destination = destination
    }

    deinit {
        // Nobody is in it: who is holds this object.
        _ = coro_writer_free(writer)
    }

    /// Writes all of the bytes. Suspends, if they don't fit into the buffer. After an error `CoroError.progress` says how many
    /// it has taken, which are not to be written again.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func write(_ bytes: some Sequence<UInt8>) throws(CoroError) {
        try check(Bytes.inOnePiece(bytes) { coro_writer_write(self.writer, $0.baseAddress, $0.count) })
    }

    /// Writes all of the text, as UTF-8. Suspends, if it doesn't fit into the buffer.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func write(_ text: String) throws(CoroError) {
        try write(text.utf8)
    }

    /// Sends on all that it has. Suspends. What has not gone out after an error, it still has.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func flush() throws(CoroError) {
        try check(coro_writer_flush(writer))
    }

    /// How many bytes it has that have not gone out.
    public var bufferedCount: Int { coro_writer_buffered(writer) }
}

extension Descriptor {
    /// A reader or writer of C, of this descriptor.
    func stream(_ make: (Int32) -> OpaquePointer?) throws(CoroError) -> OpaquePointer {
        if !isOpen { throw .closed }
        guard let stream = make(number) else { throw .system(errno: ENOMEM) }
        return stream
    }
}

/// What a producer or a consumer returns to C: how many bytes, or the code of what it has thrown.
func codeOrCount(_ body: () throws(CoroError) -> Int) -> Int {
    do throws(CoroError) {
        return try body()
    } catch {
        return Int(error.code)
    }
}
