import CCoro
import Glibc

// Datagrams, flags, and descriptors that go from process to process.
extension Socket {
    /// Sends one datagram. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func send(_ bytes: some Sequence<UInt8>, to address: SocketAddress, flags: Int32 = 0) throws(CoroError) {
        try call { number in
            Bytes.inOnePiece(bytes) { bytes in
                address.withSockaddr { coro_sendto(number, bytes.baseAddress, bytes.count, flags, $0, $1) }
            }
        }
    }

    /// Receives one datagram, of which what is beyond `count` bytes is lost, and says where it came from. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func receiveFrom(
        upTo count: Int = 65536, flags: Int32 = 0
    ) throws(CoroError) -> (bytes: [UInt8], sender: SocketAddress) {
        var bytes: [UInt8] = []
        let sender = try SocketAddress.filled { address, length throws(CoroError) in
            var filled = length
            bytes = try Bytes.filled(count) { buffer throws(CoroError) in
                try self.call { coro_recvfrom($0, buffer.baseAddress, buffer.count, flags, address, &filled) }
            }
            length = filled
        }
        return (bytes, sender)
    }

    /// Sends with flags, `MSG_MORE` perhaps: all of it on a stream, otherwise a message. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func send(_ bytes: some Sequence<UInt8>, flags: Int32 = 0) throws(CoroError) {
        try call { number in Bytes.inOnePiece(bytes) { coro_send(number, $0.baseAddress, $0.count, flags) } }
    }

    /// Receives with flags, `MSG_PEEK` perhaps: what there is of a stream, or a message. Suspends. Empty at the end of a
    /// stream.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func receive(upTo count: Int = 65536, flags: Int32 = 0) throws(CoroError) -> [UInt8] {
        try Bytes.filled(count) { buffer throws(CoroError) in
            try self.call { coro_recv($0, buffer.baseAddress, buffer.count, flags) }
        }
    }

    /// Sends bytes, at least one, over a Unix socket, and with the first of them at most 253 descriptors, which stay open here:
    /// the receiver gets its own of the same open files. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func send(_ bytes: some Sequence<UInt8>, with descriptors: [Descriptor]) throws(CoroError) {
        let numbers = descriptors.map(\.number)
        if numbers.contains(where: { $0 < 0 }) { throw .closed }
        defer { withExtendedLifetime(descriptors) {} }
        try call { number in
            Bytes.inOnePiece(bytes) { bytes in
                numbers.withUnsafeBufferPointer {
                    coro_send_fds(number, $0.baseAddress, Int32(clamping: $0.count), bytes.baseAddress, bytes.count)
                }
            }
        }
    }

    /// Receives bytes, and the descriptors that come with them. Suspends. No bytes: the end. Throws
    /// `CoroError.system(errno: EMSGSIZE)` if more than `room` descriptors came: all are closed then.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func receiveWithDescriptors(
        upTo count: Int = 65536, room: Int = 16
    ) throws(CoroError) -> (bytes: [UInt8], descriptors: [Descriptor]) {
        if !(0...253).contains(room) { throw .system(errno: EINVAL) }
        let numbers = UnsafeMutableBufferPointer<Int32>.allocate(capacity: room)
        defer { numbers.deallocate() }
        var arrived: Int32 = 0
        let bytes = try Bytes.filled(count) { buffer throws(CoroError) in
            try self.call {
                coro_recv_fds($0, numbers.baseAddress, Int32(room), &arrived, buffer.baseAddress, buffer.count)
            }
        }
        return (bytes, numbers[..<Int(arrived)].map(Descriptor.init(owning:)))
    }

    /// Sends `count` bytes of a file, or those up to its end, from `offset` on. Suspends. Returns how many went out. What of
    /// the file is not in memory the thread waits for. After an error `CoroError.progress` says how many went out.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    @discardableResult
    public func send(_ file: File, from offset: Int = 0, count: Int = .max) throws(CoroError) -> Int {
        if !file.isOpen { throw .closed }
        if offset < 0 || count < 0 { throw .system(errno: EINVAL) }
        defer { withExtendedLifetime(file) {} }
        var position = off_t(offset)
        return try call { coro_sendfile($0, file.number, &position, count) }
    }
}
