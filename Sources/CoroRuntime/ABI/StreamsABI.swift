import CCoro

// coro.h: Buffered streams

extension RuntimeRef {
    fileprivate func reader(_ reader: OpaquePointer?) throws(Refusal) -> StreamRef {
        try own(StreamRef(require(reader, "reader is NULL")))
    }

    fileprivate func writer(_ writer: OpaquePointer?) throws(Refusal) -> StreamRef {
        try own(StreamRef(require(writer, "writer is NULL")))
    }

    fileprivate func checkSize(_ n: Int) throws(Refusal) {
        if n < 0 { throw refuseArgument("a size is above SSIZE_MAX") }
    }

    /// A limit that may be left to us.
    fileprivate func limit(_ given: Int, usual: Int) throws(Refusal) -> Int {
        try checkSize(given)
        return given == 0 ? usual : given
    }
}

private func callForCount(_ body: (RuntimeRef) throws(Refusal) -> Int) -> Int {
    Int(callForID { runtime throws(Refusal) in Int64(try body(runtime)) })
}

private func makeStream(_ size: Int, _ end: (RuntimeRef) throws(Refusal) -> StreamEnd) -> OpaquePointer? {
    guard let runtime = Runtime.here else { return nil }
    do throws(Refusal) {
        return OpaquePointer(try runtime.makeStream(end(runtime), size: size))
    } catch {
        return nil
    }
}

// -- readers --

@c @implementation
public func coro_reader_new(_ fd: CInt, _ buffer_size: Int) -> OpaquePointer? {
    makeStream(buffer_size) { runtime throws(Refusal) in try runtime.streamEnd(of: fd) }
}

@c @implementation
public func coro_reader_new_with(
    _ producer: coro_producer?, _ arg: UnsafeMutableRawPointer?, _ buffer_size: Int
) -> OpaquePointer? {
    makeStream(buffer_size) { runtime throws(Refusal) in
        .producer(try runtime.require(producer, "producer is NULL"), arg)
    }
}

@c @implementation
public func coro_reader_read(_ reader: OpaquePointer?, _ buffer: UnsafeMutableRawPointer?, _ n: Int) -> Int {
    callForCount { runtime throws(Refusal) in
        let stream = try runtime.reader(reader)
        try runtime.checkSize(n)
        return runtime.readSome(stream, try runtime.require(buffer, "buffer is NULL"), n)
    }
}

@c @implementation
public func coro_reader_read_exact(_ reader: OpaquePointer?, _ buffer: UnsafeMutableRawPointer?, _ n: Int) -> Int {
    callForCount { runtime throws(Refusal) in
        let stream = try runtime.reader(reader)
        try runtime.checkSize(n)
        return runtime.readExact(stream, try runtime.require(buffer, "buffer is NULL"), n)
    }
}

private let usualLimit = 65536
private let usualLimitOfAll = 64 << 20

@c @implementation
public func coro_reader_read_until(
    _ reader: OpaquePointer?, _ delimiter: UnsafeRawPointer?, _ n: Int, _ limit: Int,
    _ data: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> Int {
    data?.pointee = nil
    return callForCount { runtime throws(Refusal) in
        let stream = try runtime.reader(reader)
        let delimiter = try runtime.require(delimiter, "delimiter is NULL")
        let limit = try runtime.limit(limit, usual: usualLimit)
        if n < 1 || n > limit { throw runtime.refuseArgument("the delimiter must have 1 byte or more, and fit into the limit") }
        return runtime.readUntil(stream, delimiter, n, limit: limit, data)
    }
}

@c @implementation
public func coro_reader_read_line(
    _ reader: OpaquePointer?, _ limit: Int, _ line: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> Int {
    coro_reader_read_until(reader, newline.utf8Start, 1, limit, line)
}

private let newline: StaticString = "\n"

@c @implementation
public func coro_reader_read_all(
    _ reader: OpaquePointer?, _ limit: Int, _ data: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> Int {
    data?.pointee = nil
    return callForCount { runtime throws(Refusal) in
        let stream = try runtime.reader(reader)
        return runtime.readAll(stream, limit: try runtime.limit(limit, usual: usualLimitOfAll), data)
    }
}

@c @implementation
public func coro_reader_peek(
    _ reader: OpaquePointer?, _ n: Int, _ data: UnsafeMutablePointer<UnsafePointer<CChar>?>?
) -> Int {
    data?.pointee = nil
    return callForCount { runtime throws(Refusal) in
        let stream = try runtime.reader(reader)
        try runtime.checkSize(n)
        return runtime.peek(stream, n, data)
    }
}

@c @implementation
public func coro_reader_consume(_ reader: OpaquePointer?, _ n: Int) -> Int {
    callForCount { runtime throws(Refusal) in
        let stream = try runtime.reader(reader)
        try runtime.checkSize(n)
        return runtime.consume(stream, n)
    }
}

@c @implementation
public func coro_reader_buffered(_ reader: OpaquePointer?) -> Int {
    reader.map { StreamRef($0).pointee.buffer.count } ?? 0
}

@c @implementation
public func coro_reader_free(_ reader: OpaquePointer?) -> CInt {
    if reader == nil { return 0 }
    return call { runtime throws(Refusal) in
        runtime.freeStream(try runtime.reader(reader))
        return 0
    }
}

// -- writers --

@c @implementation
public func coro_writer_new(_ fd: CInt, _ buffer_size: Int) -> OpaquePointer? {
    makeStream(buffer_size) { runtime throws(Refusal) in try runtime.streamEnd(of: fd) }
}

@c @implementation
public func coro_writer_new_with(
    _ consumer: coro_consumer?, _ arg: UnsafeMutableRawPointer?, _ buffer_size: Int
) -> OpaquePointer? {
    makeStream(buffer_size) { runtime throws(Refusal) in
        .consumer(try runtime.require(consumer, "consumer is NULL"), arg)
    }
}

@c @implementation
public func coro_writer_write(_ writer: OpaquePointer?, _ data: UnsafeRawPointer?, _ n: Int) -> Int {
    callForCount { runtime throws(Refusal) in
        let stream = try runtime.writer(writer)
        try runtime.checkSize(n)
        return n == 0 ? 0 : runtime.writeAll(stream, try runtime.require(data, "data is NULL"), n)
    }
}

/// coro_writer_print() is in print.c, for it is variadic; this is what it says when there is no text.
@c(coro_writer_refuse_text)
public func refuseText(_ error: CInt) -> CInt {
    call { runtime throws(Refusal) in
        if error == Code.invalid { throw runtime.refuseArgument("format is NULL") }
        return runtime.fail(error) { $0.append("the text could not be made") }
    }
}

@c @implementation
public func coro_writer_flush(_ writer: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in runtime.flush(try runtime.writer(writer)) }
}

@c @implementation
public func coro_writer_buffered(_ writer: OpaquePointer?) -> Int {
    writer.map { StreamRef($0).pointee.buffer.count } ?? 0
}

@c @implementation
public func coro_writer_close(_ writer: OpaquePointer?) -> CInt {
    if writer == nil { return 0 }
    return call { runtime throws(Refusal) in runtime.closeWriter(try runtime.writer(writer)) }
}

@c @implementation
public func coro_writer_free(_ writer: OpaquePointer?) -> CInt {
    if writer == nil { return 0 }
    return call { runtime throws(Refusal) in runtime.freeWriter(try runtime.writer(writer)) }
}
