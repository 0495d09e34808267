import CCoro
import Glibc

/// A socket: a connection, or what sends and receives datagrams. What listens for connections is a `Listener`.
///
///     let connection = try Socket.connect(to: "example.org", port: 80)
///     try connection.write("GET / HTTP/1.0\r\n\r\n")
///     print(String(decoding: try connection.readToEnd(), as: UTF8.self))
public final class Socket: Descriptor {
    /// What a socket transports.
    public enum Kind: Sendable {
        /// A stream of bytes: TCP, or a Unix stream.
        case stream
        /// Messages: UDP, or Unix datagrams.
        case datagram
        /// Messages of a Unix connection, in their order.
        case sequentialPackets

        var code: Int32 {
            switch self {
            case .stream: Int32(SOCK_STREAM.rawValue)
            case .datagram: Int32(SOCK_DGRAM.rawValue)
            case .sequentialPackets: Int32(SOCK_SEQPACKET.rawValue)
            }
        }
    }

    /// A new one, for `bind`, `connect` or `send(_:to:)`. Not blocking, close-on-exec.
    public static func make(
        _ family: SocketAddress.Family, _ kind: Kind, protocol number: Int32 = 0
    ) throws(CoroError) -> Socket {
        Socket(owning: try check(coro_socket(family.code, kind.code, number)))
    }

    /// Two Unix sockets that are connected with each other.
    public static func pair(_ kind: Kind = .stream) throws(CoroError) -> (Socket, Socket) {
        let (first, second) = try Descriptor.pair { coro_socketpair(AF_UNIX, kind.code, 0, $0) }
        return (Socket(owning: first), Socket(owning: second))
    }

    /// A socket for datagrams that is bound to an address.
    public static func datagrams(boundTo address: SocketAddress) throws(CoroError) -> Socket {
        let socket = try make(address, .datagram)
        try socket.bind(to: address)
        return socket
    }

    fileprivate static func make(_ address: SocketAddress, _ kind: Kind) throws(CoroError) -> Socket {
        guard let family = address.family else { throw .system(errno: EAFNOSUPPORT) }
        return try make(family, kind)
    }

    /// Gives it an address, after SO_REUSEADDR for a stream socket of IP.
    public func bind(to address: SocketAddress) throws(CoroError) {
        try call { number in address.withSockaddr { coro_bind(number, $0, $1) } }
    }

    /// Its own address.
    public var localAddress: SocketAddress {
        get throws(CoroError) { try address(coro_getsockname) }
    }

    /// The address of the other side. Throws `CoroError.system(errno: ENOTCONN)` if there is none.
    public var peerAddress: SocketAddress {
        get throws(CoroError) { try address(coro_getpeername) }
    }

    private func address(
        _ function: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
    ) throws(CoroError) -> SocketAddress {
        try SocketAddress.filled { address, length throws(CoroError) in try call { function($0, address, &length) } }
    }

    /// Which directions of a connection.
    public enum Direction: Sendable {
        /// What the other side sends.
        case reading
        /// What this side sends.
        case writing
        /// Both.
        case both

        fileprivate var code: Int32 {
            switch self {
            case .reading: Int32(SHUT_RD)
            case .writing: Int32(SHUT_WR)
            case .both: Int32(SHUT_RDWR)
            }
        }
    }

    /// Ends a direction of the connection: after `.writing` the other side reads the end, and can still be read from.
    public func shutdown(_ direction: Direction) throws(CoroError) {
        try call { coro_shutdown_socket($0, direction.code) }
    }

    /// An option that is a number, as setsockopt(2) calls it: `setOption(SO_KEEPALIVE, to: 1)`.
    public func setOption(_ option: Int32, level: Int32 = SOL_SOCKET, to value: Int32) throws(CoroError) {
        try call { number in
            withUnsafePointer(to: value) {
                coro_setsockopt(number, level, option, $0, socklen_t(MemoryLayout<Int32>.size))
            }
        }
    }

    /// The value of an option that is a number, as getsockopt(2) calls it.
    public func option(_ option: Int32, level: Int32 = SOL_SOCKET) throws(CoroError) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        try call { coro_getsockopt($0, level, option, &value, &length) }
        return value
    }
}

extension Socket {
    /// Connects to a TCP server: looks up its name, and connects to the first of its addresses that answers, IPv6 and IPv4 in
    /// turn (RFC 8305). It has TCP_NODELAY set. Suspends; `Coroutine.withTimeout` bounds the time.
    ///
    /// Throws why no address could be connected to, `CoroError.system(errno: ECONNREFUSED)` perhaps, with all of them as
    /// `CoroError.detail`; as `SocketAddress.resolve`; `CoroError.system(errno: EINVAL)` for a port that is none; or what the
    /// caller was interrupted with. Nothing is left behind then.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func connect(to host: String, port: Int) throws(CoroError) -> Socket {
        Socket(owning: try check(withText(host) { coro_tcp_connect($0, Int32(clamping: port)) }))
    }

    /// Connects to a Unix stream server; "@name" is an abstract path. Suspends while the server's backlog is full.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func connect(toPath path: String) throws(CoroError) -> Socket {
        Socket(owning: try check(withText(path) { coro_unix_connect($0) }))
    }

    /// Connects to an address. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func connect(to address: SocketAddress, _ kind: Kind = .stream) throws(CoroError) -> Socket {
        let socket = try make(address, kind)
        try socket.connect(to: address)
        return socket
    }

    /// Connects to an address; of datagrams, sets where they are sent, and from where they are received. Suspends. An attempt
    /// that is interrupted goes on in the system: call it again to wait for it, or close the socket.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func connect(to address: SocketAddress) throws(CoroError) {
        try call { number in address.withSockaddr { coro_connect(number, $0, $1) } }
    }
}
