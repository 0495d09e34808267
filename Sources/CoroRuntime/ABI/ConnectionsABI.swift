import CCoro
import CCoroPlatform

// coro.h: Names and connections, the connections

@c @implementation
public func coro_tcp_connect(_ host: UnsafePointer<CChar>?, _ port: CInt) -> CInt {
    call { runtime throws(Refusal) in
        let host = try runtime.require(host, "host is NULL")
        if !(1...65535).contains(port) { throw runtime.refuseArgument("a port to connect to is from 1 to 65535") }
        return runtime.connectTCP(host, port)
    }
}

@c @implementation
public func coro_tcp_listen(_ host: UnsafePointer<CChar>?, _ port: CInt, _ backlog: CInt) -> CInt {
    call { runtime throws(Refusal) in
        if !(0...65535).contains(port) { throw runtime.refuseArgument("a port to listen at is from 0 to 65535") }
        return runtime.listenTCP(host, port, backlog)
    }
}

@c @implementation
public func coro_tcp_port(_ fd: CInt) -> CInt {
    call {
        let port = coro_system_port(fd)
        return port < 0 ? $0.explain(port, fd) : port
    }
}

@c @implementation
public func coro_unix_connect(_ path: UnsafePointer<CChar>?) -> CInt {
    call { runtime throws(Refusal) in try runtime.connectUnix(runtime.require(path, "path is NULL")) }
}

@c @implementation
public func coro_unix_listen(_ path: UnsafePointer<CChar>?, _ backlog: CInt) -> CInt {
    call { runtime throws(Refusal) in try runtime.listenUnix(runtime.require(path, "path is NULL"), backlog) }
}
