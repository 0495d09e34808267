import CCoro
import Glibc

/// What accepts the connections of clients.
///
///     let listener = try Listener(port: 8080)
///     try listener.serve { connection in
///         while let bytes = try connection.read() { try connection.write(bytes) }
///     }
public final class Listener {
    /// The socket that listens.
    public let socket: Socket

    /// One that has been bound, and listens from now on. backlog: how many connections may wait to be accepted; nil: as many as
    /// the system allows.
    public init(_ socket: Socket, backlog: Int? = nil) throws(CoroError) {
        self.socket = socket
        try socket.call { coro_listen($0, Int32(clamping: backlog ?? Int(SOMAXCONN))) }
    }

    /// A TCP server's. host: a name or an address of this machine; nil: all of its addresses, IPv6 and IPv4. port 0: one that
    /// is free, see `port`. Suspends, if the host is a name. Throws `CoroError.system(errno:)`: EADDRINUSE, EADDRNOTAVAIL,
    /// EACCES; or as `SocketAddress.resolve`.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public init(host: String? = nil, port: Int, backlog: Int? = nil) throws(CoroError) {
        let port = Int32(clamping: port), backlog = Int32(clamping: backlog ?? 0)
        func listen(_ host: UnsafePointer<CChar>?) -> Int32 { coro_tcp_listen(host, port, backlog) }
        let number = if let host { try withText(host) { listen($0) } } else { listen(nil) }
        socket = Socket(owning: try check(number))
    }

    /// A Unix stream server's; "@name" is an abstract path. A socket's file that nobody listens to any more is replaced;
    /// removing it is the program's matter. Throws `CoroError.system(errno: EADDRINUSE)` if somebody listens there.
    public init(path: String, backlog: Int? = nil) throws(CoroError) {
        socket = Socket(
            owning: try check(withText(path) { coro_unix_listen($0, Int32(clamping: backlog ?? 0)) }))
    }

    /// Where it listens.
    public var address: SocketAddress {
        get throws(CoroError) { try socket.localAddress }
    }

    /// The port that it listens at. Throws `CoroError.system(errno: EAFNOSUPPORT)` for a Unix socket.
    public var port: Int {
        get throws(CoroError) { try socket.call(coro_tcp_port) }
    }

    /// Stops listening: who waits for a connection throws `CoroError.closed`.
    public func close() throws(CoroError) {
        try socket.close()
    }

    /// Waits for a connection. Suspends. Where there is no room for another descriptor it waits for that too. Throws
    /// `CoroError.closed`, `CoroError.simultaneous` if another coroutine waits already, or what the caller was interrupted
    /// with.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func accept() throws(CoroError) -> Socket {
        Socket(owning: Int32(try socket.call { coro_accept($0, nil, nil) }))
    }

    /// Waits for a connection, then takes those that are there, at most `count` and at most 256. Suspends. Throws as `accept`.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func accept(upTo count: Int) throws(CoroError) -> [Socket] {
        let count = min(count, 256)
        if count < 1 { throw .system(errno: EINVAL) }
        let numbers = UnsafeMutableBufferPointer<Int32>.allocate(capacity: count)
        defer { numbers.deallocate() }
        let accepted = try socket.call { coro_accept_many($0, numbers.baseAddress, Int32(count)) }
        return numbers[..<accepted].map(Socket.init(owning:))
    }
}
