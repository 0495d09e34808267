import CCoroPlatform

/// Clients and servers by name and port, or by path.
extension RuntimeRef {
    /// Connects to a TCP server. Returns the socket, or an error with its report.
    func connectTCP(_ host: UnsafePointer<CChar>, _ port: Int32) -> Int32 {
        var addresses: AddressList?
        let code = lookUpHost(host, flags: 0, port, &addresses)
        guard code == 0, let list = addresses else { return code }
        defer { coro_system_free_addresses(list) }
        return connectFirst(of: list)
    }

    /// Ports are not part of the question: so those who ask for several of a host ask once.
    private func lookUpHost(_ host: UnsafePointer<CChar>, flags: Int32, _ port: Int32, _ list: inout AddressList?) -> Int32 {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_socktype = Int32(CORO_SOCKET_STREAM)
        guard let question = Heap.one(hints) else { return fail(Code.noMemory) }
        let code = lookUp(NameQuery(node: host, service: nil, hints: question), &list)
        Heap.free(question)
        coro_system_set_ports(list, port)
        return code
    }

    /// A TCP server's socket; host nil: for all addresses of both families.
    func listenTCP(_ host: UnsafePointer<CChar>?, _ port: Int32, _ backlog: Int32) -> Int32 {
        guard let host else { return listenEverywhere(port, backlog) }
        var addresses: AddressList?
        let code = lookUpHost(host, flags: AI_PASSIVE, port, &addresses)
        guard code == 0, let list = addresses else { return code }
        defer { coro_system_free_addresses(list) }
        var result = Code.invalid, next = UnsafePointer<addrinfo>?(list)
        while let address = next {
            result = listen(address.pointee.ai_family, address.pointee.ai_addr, address.pointee.ai_addrlen, backlog)
            // Only what this machine does not have is passed over: a port that is taken is an error.
            if result >= 0 || !coro_system_is_of_address(-result) { break }
            next = UnsafePointer(address.pointee.ai_next)
        }
        return result
    }

    private func listenEverywhere(_ port: Int32, _ backlog: Int32) -> Int32 {
        var storage = sockaddr_storage()
        let result = withSocketAddress(&storage, coro_system_any_address(AF_INET6, port, &storage)) {
            listen(AF_INET6, $0, $1, backlog, isDualStack: true)
        }
        if result >= 0 || !coro_system_is_of_address(-result) { return result }
        return withSocketAddress(&storage, coro_system_any_address(AF_INET, port, &storage)) {
            listen(AF_INET, $0, $1, backlog)
        }
    }

    private func listen(
        _ family: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t, _ backlog: Int32, isDualStack: Bool = false
    ) -> Int32 {
        let fd = coro_system_socket(family, Int32(CORO_SOCKET_STREAM), 0)
        if fd < 0 { return explainCreation(fd) }
        coro_system_allow_reuse(fd)
        coro_system_set_no_delay(fd)
        var error = isDualStack ? coro_system_set_dual_stack(fd) : 0
        if error == 0 { error = coro_system_bind(fd, address, length) }
        if error == 0 { error = coro_system_listen(fd, backlog > 0 ? backlog : SOMAXCONN) }
        if error == 0 { return adopt(fd, kind: CORO_KIND_STREAM) }
        _ = coro_system_close(fd)
        return fail(error) {
            $0.append("listening at ")
            $0.append(address, length)
        }
    }

    /// Connects to a Unix stream server.
    func connectUnix(_ path: UnsafePointer<CChar>) -> Int32 {
        guard let storage = Heap.one(sockaddr_storage()) else { return fail(Code.noMemory) }
        defer { Heap.free(storage) }
        let length = coro_system_unix_address(path, storage)
        if length < 0 { return explainPath(length, path) }
        let fd = makeSocket(AF_UNIX, Int32(CORO_SOCKET_STREAM), 0)
        if fd < 0 { return fd }
        let code = connect(fd, UnsafeRawPointer(storage).assumingMemoryBound(to: sockaddr.self), socklen_t(length))
        if code == 0 { return fd }
        _ = close(fd)
        return explainPath(code, path)
    }

    /// A Unix stream server's socket. The file of one that is gone is replaced.
    func listenUnix(_ path: UnsafePointer<CChar>, _ backlog: Int32) -> Int32 {
        var storage = sockaddr_storage()
        let length = coro_system_unix_address(path, &storage)
        if length < 0 { return explainPath(length, path) }
        let fd = coro_system_socket(AF_UNIX, Int32(CORO_SOCKET_STREAM), 0)
        if fd < 0 { return explainCreation(fd) }
        // Another that starts at this moment must not take ours for stale: it is bound, but nobody listens yet.
        let lock = coro_system_lock_directory(path)
        defer { coro_system_unlock_directory(lock) }
        var error = withSocketAddress(&storage, socklen_t(length)) { coro_system_bind(fd, $0, $1) }
        if error == -CoroErrno.addressInUse, coro_system_remove_stale_socket(path, &storage, socklen_t(length)) {
            error = withSocketAddress(&storage, socklen_t(length)) { coro_system_bind(fd, $0, $1) }
        }
        if error == 0 { error = coro_system_listen(fd, backlog > 0 ? backlog : SOMAXCONN) }
        if error == 0 { return adopt(fd, kind: CORO_KIND_SOCKET) }
        _ = coro_system_close(fd)
        return explainPath(error, path)
    }

    private func explainPath(_ error: Int32, _ path: UnsafePointer<CChar>) -> Int32 {
        fail(error) {
            switch error {
            case Code.invalid: $0.append("the path of a Unix socket is empty")
            case -CoroErrno.nameTooLong:
                $0.append("the path of a Unix socket has at most 107 bytes; this is longer: ")
                $0.append(cString: path)
            default:
                $0.append("the Unix socket ")
                $0.append(cString: path)
            }
        }
    }

    private func withSocketAddress(
        _ storage: UnsafePointer<sockaddr_storage>, _ length: socklen_t, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        body(UnsafeRawPointer(storage).assumingMemoryBound(to: sockaddr.self), length)
    }
}
