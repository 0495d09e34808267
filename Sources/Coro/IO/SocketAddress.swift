import CCoro
import Glibc

/// Where a socket is: an IP address and a port, or the path of a Unix socket.
///
///     let here = try SocketAddress(ip: "127.0.0.1", port: 8080)
///     let unix = try SocketAddress(path: "/run/server.sock")
public struct SocketAddress: Hashable, Sendable {
    /// A sockaddr, as long as its length.
    private let bytes: [UInt8]

    /// From what C has filled in.
    public init(_ address: UnsafePointer<sockaddr>, length: Int) {
        bytes = Array(UnsafeRawBufferPointer(start: address, count: length))
    }

    /// An IPv4 or IPv6 address in numbers: "127.0.0.1", "::1", "fe80::1%eth0". Throws `CoroError.unknownHost` for anything
    /// else, `CoroError.system(errno: EINVAL)` for a port that is none.
    public init(ip: String, port: Int) throws(CoroError) {
        let found = try Self.lookUp(ip, try Self.service(port), AI_NUMERICHOST | AI_NUMERICSERV)
        guard let first = found.first else { throw .unknownHost }
        self = first
    }

    /// The path of a Unix socket, of at most 107 bytes; "@name" is an abstract one. Throws `CoroError.system(errno:)`
    /// `ENAMETOOLONG`, or `EINVAL` for an empty one or one with a NUL.
    public init(path: String) throws(CoroError) {
        var address = sockaddr_un()
        let room = MemoryLayout.size(ofValue: address.sun_path)
        let text = Array(path.utf8)
        if text.isEmpty || text.contains(0) { throw .system(errno: EINVAL) }
        if text.count >= room { throw .system(errno: ENAMETOOLONG) }
        let isAbstract = text[0] == UInt8(ascii: "@")
        address.sun_family = sa_family_t(AF_UNIX)
        bytes = withUnsafeMutableBytes(of: &address) { memory in
            let start = memory.count - room
            UnsafeMutableRawBufferPointer(rebasing: memory[start...]).copyBytes(from: text)
            if isAbstract { memory[start] = 0 }
            return Array(memory[..<(start + text.count + (isAbstract ? 0 : 1))])
        }
    }

    /// Which kind of address.
    public enum Family: Sendable {
        /// IPv4: an address of 4 bytes, and a port.
        case ipv4
        /// IPv6: an address of 16 bytes, and a port.
        case ipv6
        /// A path of this machine.
        case unix

        var code: Int32 {
            switch self {
            case .ipv4: AF_INET
            case .ipv6: AF_INET6
            case .unix: AF_UNIX
            }
        }
    }

    /// nil for one that is none of them.
    public var family: Family? {
        if bytes.count < 2 { return nil }
        return switch Int32(bytes.withUnsafeBytes { $0.load(as: sa_family_t.self) }) {
        case AF_INET: .ipv4
        case AF_INET6: .ipv6
        case AF_UNIX: .unix
        default: nil
        }
    }

    private var isIP: Bool { family == .ipv4 || family == .ipv6 }

    /// The port of an IP address.
    public var port: Int? { isIP && bytes.count >= 4 ? Int(bytes[2]) << 8 | Int(bytes[3]) : nil }

    /// The IP address in numbers, without the port.
    public var ip: String? {
        isIP ? (try? names(NI_NUMERICHOST | NI_NUMERICSERV))?.host : nil
    }

    /// The path of a Unix socket, "@name" for an abstract one; nil if it has none, as the clients of most servers.
    public var path: String? {
        if family != .unix { return nil }
        let text = bytes[2...]
        guard let first = text.first else { return nil }
        if first == 0 { return text.count == 1 ? nil : "@" + String(decoding: text.dropFirst(), as: UTF8.self) }
        return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Runs `body` with the address as C has it.
    public func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result) rethrows -> Result {
        // In memory as large and as aligned as any address may need.
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: bytes.prefix($0.count)) }
        return try withUnsafePointer(to: storage) {
            try UnsafeRawPointer($0).withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(bytes.count))
            }
        }
    }

    /// The address that a call of C fills in: of a socket that has none, one without a family.
    static func filled(
        _ call: (UnsafeMutablePointer<sockaddr>, inout socklen_t) throws(CoroError) -> Void
    ) throws(CoroError) -> SocketAddress {
        let storage = UnsafeMutablePointer<sockaddr_storage>.allocate(capacity: 1)
        storage.initialize(to: sockaddr_storage())
        defer { storage.deallocate() }
        let address = UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self)
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try call(address, &length)
        return SocketAddress(address, length: min(Int(length), MemoryLayout<sockaddr_storage>.size))
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:80`, `[::1]:80`, `/run/server.sock`, `@name`
    public var description: String {
        if let path { return path }
        guard let ip, let port else { return family == .unix ? "(unnamed)" : "(no address)" }
        return family == .ipv6 ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }
}
