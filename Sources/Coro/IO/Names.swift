import CCoro
import Glibc

extension SocketAddress {
    /// The addresses of a host: as the system looks up names, while other coroutines run. Suspends, unless it is numeric. In
    /// the order in which to try them.
    ///
    /// Throws `CoroError.unknownHost` if there is no such name, another of the codes `CORO_EAI_...`, or what the caller was
    /// interrupted with. See `coro_getaddrinfo`.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func resolve(_ host: String, port: Int = 0) throws(CoroError) -> [SocketAddress] {
        try lookUp(host, try service(port), AI_NUMERICSERV)
    }

    /// The same with the name of a service, "https", which stands for its TCP port. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func resolve(_ host: String, service: String) throws(CoroError) -> [SocketAddress] {
        try lookUp(host, service, 0)
    }

    /// The names of the host and the service that have this address; in numbers, what has no name. Suspends. Throws as
    /// `resolve`.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func resolveNames() throws(CoroError) -> (host: String, service: String) {
        try names(0)
    }

    static func service(_ port: Int) throws(CoroError) -> String {
        if !(0...65535).contains(port) { throw .system(errno: EINVAL) }
        return "\(port)"
    }

    static func lookUp(_ host: String, _ service: String, _ flags: Int32) throws(CoroError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_flags = flags
        // Each address once, and not for each kind of socket.
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        try check(
            withText(host) { host throws(CoroError) in
                try withText(service) { service in coro_getaddrinfo(host, service, &hints, &list) }
            })
        defer { coro_freeaddrinfo(list) }
        return sequence(first: list) { $0?.pointee.ai_next }.prefix { $0 != nil }.compactMap { entry in
            guard let entry = entry?.pointee, let address = entry.ai_addr else { return nil }
            return SocketAddress(address, length: Int(entry.ai_addrlen))
        }
    }

    func names(_ flags: Int32) throws(CoroError) -> (host: String, service: String) {
        let hostSize = Int(NI_MAXHOST), serviceSize = Int(NI_MAXSERV)
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: hostSize + serviceSize)
        defer { text.deallocate() }
        let service = text + hostSize
        try check(
            withSockaddr { address, length in
                coro_getnameinfo(address, length, text, socklen_t(hostSize), service, socklen_t(serviceSize), flags)
            })
        return (String(cString: text), String(cString: service))
    }
}

extension CoroError {
    /// There is no such host: `CORO_EAI_NONAME`.
    public static var unknownHost: CoroError { .other(code: CORO_EAI_NONAME) }
}

/// Runs `body` with the text as C has it. Throws `CoroError.system(errno: EINVAL)` for one with a NUL in it, of which C would
/// see no more than what is before that.
func withText<Result>(
    _ text: String, _ body: (UnsafePointer<CChar>) throws(CoroError) -> Result
) throws(CoroError) -> Result {
    if text.utf8.contains(0) { throw .system(errno: EINVAL) }
    do {
        return try text.withCString { try body($0) }
    } catch {
        // It throws nothing else.
        throw error as? CoroError ?? .failed
    }
}
