import CCoro
import CCoroPlatform

// coro.h: I/O

/// `call` for functions that return a number of bytes.
@inline(__always)
func callForCount(_ body: (RuntimeRef) -> Int) -> Int {
    guard let runtime = Runtime.here else { return Int(Code.noMemory) }
    return body(runtime)
}

@c @implementation
public func coro_wait_for(_ fd: CInt, _ events: CInt) -> CInt {
    call { runtime throws(Refusal) in
        switch events {
        case CORO_READ: return runtime.waitFor(fd, .read)
        case CORO_WRITE: return runtime.waitFor(fd, .write)
        default: throw runtime.refuseArgument("events must be CORO_READ or CORO_WRITE")
        }
    }
}

@c @implementation
public func coro_read(_ fd: CInt, _ buffer: UnsafeMutableRawPointer?, _ n: Int) -> Int {
    callForCount { $0.read(fd, buffer, n) }
}

@c @implementation
public func coro_write(_ fd: CInt, _ buffer: UnsafeRawPointer?, _ n: Int) -> Int {
    callForCount { $0.write(fd, buffer, n) }
}

@c @implementation
public func coro_recv(_ fd: CInt, _ buffer: UnsafeMutableRawPointer?, _ n: Int, _ flags: CInt) -> Int {
    callForCount { $0.receive(fd, buffer, n, flags: flags) }
}

@c @implementation
public func coro_recvfrom(
    _ fd: CInt, _ buffer: UnsafeMutableRawPointer?, _ n: Int, _ flags: CInt,
    _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?
) -> Int {
    callForCount { runtime in
        runtime.perform(fd, .read) { _ in coro_system_recvfrom(fd, buffer, n, flags, address, length) }
    }
}

@c @implementation
public func coro_recv_exact(_ fd: CInt, _ buffer: UnsafeMutableRawPointer?, _ n: Int) -> Int {
    callForCount { $0.receiveExact(fd, buffer, n) }
}

@c @implementation
public func coro_send(_ fd: CInt, _ buffer: UnsafeRawPointer?, _ n: Int, _ flags: CInt) -> Int {
    callForCount { $0.send(fd, buffer, n, flags: flags) }
}

@c @implementation
public func coro_sendto(
    _ fd: CInt, _ buffer: UnsafeRawPointer?, _ n: Int, _ flags: CInt, _ address: UnsafePointer<sockaddr>?,
    _ length: socklen_t
) -> Int {
    callForCount { runtime in
        runtime.perform(fd, .write) { _ in coro_system_sendto(fd, buffer, n, flags, address, length) }
    }
}

@c @implementation
public func coro_socket(_ family: CInt, _ type: CInt, _ protocolNumber: CInt) -> CInt {
    call { $0.makeSocket(family, type, protocolNumber) }
}

@c @implementation
public func coro_socketpair(
    _ family: CInt, _ type: CInt, _ protocolNumber: CInt, _ fds: UnsafeMutablePointer<CInt>
) -> CInt {
    call { $0.makePair(family, type, protocolNumber, fds) }
}

@c @implementation
public func coro_pipe(_ fds: UnsafeMutablePointer<CInt>, _ flags: CInt) -> CInt {
    call { $0.makePipe(fds, flags: flags) }
}

@c @implementation
public func coro_bind(_ fd: CInt, _ address: UnsafePointer<sockaddr>?, _ length: socklen_t) -> CInt {
    call { $0.bind(fd, address, length) }
}

@c @implementation
public func coro_listen(_ fd: CInt, _ backlog: CInt) -> CInt {
    call { runtime in
        let result = runtime.result(of: coro_system_listen(fd, backlog), fd)
        // Accepting goes on when no descriptor is free: by then the loop must have its own.
        if result == 0 { _ = runtime.pointee.poller.open(in: runtime) }
        return result
    }
}

@c @implementation
public func coro_accept(
    _ fd: CInt, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?
) -> CInt {
    call { $0.accept(fd, address, length, flags: Int32(SOCK_CLOEXEC.rawValue)) }
}

@c @implementation
public func coro_accept4(
    _ fd: CInt, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?, _ flags: CInt
) -> CInt {
    call { runtime throws(Refusal) in
        if flags & ~Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue) != 0 {
            throw runtime.refuseArgument("flags must be SOCK_CLOEXEC, SOCK_NONBLOCK, both or 0")
        }
        return runtime.accept(fd, address, length, flags: flags)
    }
}

@c @implementation
public func coro_accept_many(_ fd: CInt, _ fds: UnsafeMutablePointer<CInt>?, _ n: CInt) -> CInt {
    call { runtime throws(Refusal) in
        let fds = try runtime.require(fds, "fds is NULL")
        if n < 1 { throw runtime.refuseArgument("n must be at least 1") }
        return runtime.acceptMany(fd, fds, n, flags: Int32(SOCK_CLOEXEC.rawValue))
    }
}

@c @implementation
public func coro_connect(_ fd: CInt, _ address: UnsafePointer<sockaddr>?, _ length: socklen_t) -> CInt {
    call { $0.connect(fd, address, length) }
}

@c @implementation
public func coro_close(_ fd: CInt) -> CInt {
    call { $0.close(fd) }
}

@c @implementation
public func coro_forget(_ fd: CInt) -> CInt {
    call { $0.forget(fd) }
}

@c @implementation
public func coro_set_nonblocking(_ fd: CInt) -> CInt {
    call { $0.setNonblocking(fd) }
}

@c @implementation
public func coro_shutdown_socket(_ fd: CInt, _ how: CInt) -> CInt {
    call { $0.result(of: coro_system_shutdown(fd, how), fd) }
}

@c @implementation
public func coro_dup(_ fd: CInt) -> CInt {
    call { runtime in
        let copy = coro_system_dup(fd)
        if copy < 0 { return copy == Code.badDescriptor ? runtime.explain(copy, fd) : runtime.explainCreation(copy) }
        // The number may have meant something else. What it means now is found out when it is first used.
        runtime.pointee.poller.beginLife(of: copy, in: runtime)
        return copy
    }
}

@c @implementation
public func coro_get_live_sockets() -> CInt {
    Int32(truncatingIfNeeded: Runtime.existing?.pointee.poller.socketCount ?? 0)
}

@c @implementation
public func coro_has_ipv6() -> Bool {
    coro_system_has_ipv6()
}

@c @implementation
public func coro_getsockname(
    _ fd: CInt, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?
) -> CInt {
    call { $0.result(of: coro_system_getsockname(fd, address, length), fd) }
}

@c @implementation
public func coro_getpeername(
    _ fd: CInt, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?
) -> CInt {
    call { $0.result(of: coro_system_getpeername(fd, address, length), fd) }
}

@c @implementation
public func coro_getsockopt(
    _ fd: CInt, _ level: CInt, _ option: CInt, _ value: UnsafeMutableRawPointer?, _ length: UnsafeMutablePointer<socklen_t>?
) -> CInt {
    call { $0.result(of: coro_system_getsockopt(fd, level, option, value, length), fd) }
}

@c @implementation
public func coro_setsockopt(
    _ fd: CInt, _ level: CInt, _ option: CInt, _ value: UnsafeRawPointer?, _ length: socklen_t
) -> CInt {
    call { $0.result(of: coro_system_setsockopt(fd, level, option, value, length), fd) }
}

@c @implementation
public func coro_set_selfishness(_ n: CInt) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.checkSelfishness(n)
        let before = runtime.pointee.selfishness
        runtime.pointee.selfishness = UInt16(truncatingIfNeeded: n)
        return Int32(before)
    }
}

@c @implementation
public func coro_set_max_selfish_acts(_ co: coro_t, _ n: CInt) -> CInt {
    call { runtime throws(Refusal) in
        let coroutine = try runtime.find(co)
        try runtime.checkSelfishness(n)
        let before = runtime.selfishActs(of: coroutine)
        coroutine.pointee.maxSelfishActs = UInt16(truncatingIfNeeded: n)
        coroutine.pointee.selfishActsLeft = UInt16(truncatingIfNeeded: n)
        return Int32(before)
    }
}

extension RuntimeRef {
    fileprivate func checkSelfishness(_ n: Int32) throws(Refusal) {
        guard n >= 1, n <= 32768 else { throw refuseArgument("n must be from 1 to 32768") }
    }
}

@c @implementation
public func coro_fdopen(_ fd: CInt, _ mode: UnsafePointer<CChar>?) -> UnsafeMutablePointer<FILE>? {
    guard let runtime = Runtime.here else { return nil }
    guard let mode else {
        _ = runtime.refuseArgument("mode is NULL")
        return nil
    }
    var error: Int32 = 0
    guard runtime.pointee.poller.obtain(fd, error: &error) != nil else {
        _ = runtime.explain(error, fd)
        return nil
    }
    guard let stream = openStream(fd, mode) else {
        _ = runtime.fail(-coro_errno_here().pointee) { $0.append("no stream could be made: is the mode one of fopen's?") }
        return nil
    }
    return stream
}

extension RuntimeRef {
    /// What a call on fd returned, with a report if it failed.
    fileprivate func result(of result: Int32, _ fd: Int32) -> Int32 {
        result < 0 ? explain(result, fd) : result
    }
}
