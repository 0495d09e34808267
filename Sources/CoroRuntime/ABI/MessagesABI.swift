import CCoro
import CCoroPlatform

// coro.h: Messages and vectors

/// `callForCount` for functions that refuse arguments.
@inline(__always)
private func callForCheckedCount(_ body: (RuntimeRef) throws(Refusal) -> Int) -> Int {
    callForCount { runtime in
        do throws(Refusal) {
            return try body(runtime)
        } catch {
            return Int(error.code)
        }
    }
}

@c @implementation
public func coro_readv(_ fd: CInt, _ vector: UnsafePointer<iovec>?, _ count: CInt) -> Int {
    callForCheckedCount { runtime throws(Refusal) in
        let (vector, total) = try runtime.checkVector(vector, count)
        return runtime.readVector(fd, vector, total: total)
    }
}

@c @implementation
public func coro_readv_exact(_ fd: CInt, _ vector: UnsafePointer<iovec>?, _ count: CInt) -> Int {
    callForCheckedCount { runtime throws(Refusal) in
        let (vector, total) = try runtime.checkVector(vector, count)
        return runtime.readVectorExact(fd, vector, total: total)
    }
}

@c @implementation
public func coro_writev(_ fd: CInt, _ vector: UnsafePointer<iovec>?, _ count: CInt) -> Int {
    callForCheckedCount { runtime throws(Refusal) in
        let (vector, total) = try runtime.checkVector(vector, count)
        return runtime.writeVector(fd, vector, total: total)
    }
}

@c @implementation
public func coro_recvmsg(_ fd: CInt, _ message: UnsafeMutablePointer<msghdr>?, _ flags: CInt) -> Int {
    callForCheckedCount { runtime throws(Refusal) in
        runtime.receive(fd, try runtime.require(message, "message is NULL"), flags: flags)
    }
}

@c @implementation
public func coro_sendmsg(_ fd: CInt, _ message: UnsafePointer<msghdr>?, _ flags: CInt) -> Int {
    callForCheckedCount { runtime throws(Refusal) in
        try runtime.send(fd, try runtime.require(message, "message is NULL"), flags: flags)
    }
}

@c @implementation
public func coro_send_fds(
    _ fd: CInt, _ fds: UnsafePointer<CInt>?, _ count: CInt, _ data: UnsafeRawPointer?, _ n: Int
) -> Int {
    callForCheckedCount { runtime throws(Refusal) in
        let data = try runtime.require(data, "data is NULL")
        if n == 0 { throw runtime.refuseArgument("n is 0: descriptors can only be sent with at least a byte of data") }
        if count < 0 || count > CORO_MOST_FDS.rawValue { throw runtime.refuseArgument("count must be from 0 to 253") }
        if fds == nil, count > 0 { throw runtime.refuseArgument("fds is NULL") }
        return runtime.send(fd, data, n, descriptors: UnsafeBufferPointer(start: fds, count: fds == nil ? 0 : Int(count)))
    }
}

@c @implementation
public func coro_recv_fds(
    _ fd: CInt, _ fds: UnsafeMutablePointer<CInt>?, _ room: CInt, _ count: UnsafeMutablePointer<CInt>?,
    _ data: UnsafeMutableRawPointer?, _ n: Int
) -> Int {
    callForCheckedCount { runtime throws(Refusal) in
        let count = try runtime.require(count, "count is NULL")
        count.pointee = 0
        let data = try runtime.require(data, "data is NULL")
        if n == 0 { throw runtime.refuseArgument("n is 0: descriptors only come with at least a byte of data") }
        if room < 0 || fds == nil && room > 0 { throw runtime.refuseArgument("fds must have room for `room` descriptors") }
        return runtime.receive(fd, data, n, descriptors: fds, room: room, count: count)
    }
}

@c @implementation
public func coro_sendfile(_ out: CInt, _ file: CInt, _ offset: UnsafeMutablePointer<off_t>?, _ n: Int) -> Int {
    callForCount { $0.sendFile(out, file, offset, n) }
}
