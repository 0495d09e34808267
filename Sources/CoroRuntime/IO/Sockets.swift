import CCoroPlatform

/// Making, connecting and closing descriptors.
extension RuntimeRef {
    /// Takes a descriptor that was just made into the books. Returns it, or the error: then it is closed.
    func adopt(_ fd: Int32, kind: coro_descriptor_kind) -> Int32 {
        if fd < 0 { return explainCreation(fd) }
        if pointee.poller.adopt(fd, kind: UInt8(truncatingIfNeeded: kind.rawValue), in: self) { return fd }
        _ = coro_system_close(fd)
        return fail(Code.noMemory)
    }

    func explainCreation(_ error: Int32) -> Int32 {
        fail(error) {
            if error == -CoroErrno.tooManyFiles {
                $0.append("this process may not open more descriptors: close some, or raise the limit (ulimit -n)")
            } else if error == -CoroErrno.tooManyFilesInSystem {
                $0.append("the system has no more open files to give: see fs.file-max")
            }
        }
    }

    func makeSocket(_ family: Int32, _ type: Int32, _ protocolNumber: Int32) -> Int32 {
        adopt(
            coro_system_socket(family, type, protocolNumber), kind: coro_system_socket_kind(family, type, protocolNumber))
    }

    func makePair(_ family: Int32, _ type: Int32, _ protocolNumber: Int32, _ fds: UnsafeMutablePointer<Int32>) -> Int32 {
        adoptPair(
            coro_system_socketpair(family, type, protocolNumber, fds), fds,
            kind: coro_system_socket_kind(family, type, protocolNumber))
    }

    func makePipe(_ fds: UnsafeMutablePointer<Int32>, flags: Int32) -> Int32 {
        adoptPair(coro_system_pipe(fds, flags), fds, kind: coro_system_pipe_kind(flags))
    }

    private func adoptPair(_ result: Int32, _ fds: UnsafeMutablePointer<Int32>, kind: coro_descriptor_kind) -> Int32 {
        if result < 0 { return explainCreation(result) }
        let first = adopt(fds[0], kind: kind)
        let second = adopt(fds[1], kind: kind)
        if first >= 0 && second >= 0 { return 0 }
        if first >= 0 { _ = close(first) }
        if second >= 0 { _ = close(second) }
        return Swift.min(first, second)
    }

    /// accept(2) and connect(2) have no form that does not block on a descriptor in blocking mode.
    func refuseBlockingMode(_ fd: Int32) -> Int32 {
        var error: Int32 = 0
        guard let descriptor = pointee.poller.obtain(fd, error: &error) else { return explain(error, fd) }
        guard descriptor.pointee.flags.contains(.blockingMode) else { return 0 }
        return fail(Code.blocking) {
            $0.append("descriptor ")
            $0.append(fd)
            $0.append(" is in blocking mode: make it by coro_socket(), or call coro_set_nonblocking() on it")
        }
    }

    /// flags: those of accept4(2). While the process may have no more descriptors, or the system has no memory for one, the
    /// connection stays where it is, and the caller waits.
    func accept(
        _ fd: Int32, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?, flags: Int32
    ) -> Int32 {
        let error = refuseBlockingMode(fd)
        if error < 0 { return error }
        while true {
            let taken = Int32(perform(fd, .read) { _ in Int(acceptSound(fd, address, length, flags: flags)) })
            if taken >= 0 { return adopt(taken, from: fd) }
            guard AcceptRoom.isLacking(taken) else { return taken }
            let code = awaitRoom(toAcceptFrom: fd, lacking: taken)
            if code < 0 { return code }
        }
    }

    /// What is accepted is of the listener's kind.
    private func adopt(_ accepted: Int32, from listener: Int32) -> Int32 {
        let kind = pointee.poller.known(listener)?.pointee.kind ?? 0
        return adopt(accepted, kind: coro_descriptor_kind(rawValue: UInt32(kind)))
    }

    /// Passes over connections that broke before they were accepted, and network errors that accept(2) passes on.
    private func acceptSound(
        _ fd: Int32, _ address: UnsafeMutablePointer<sockaddr>?, _ length: UnsafeMutablePointer<socklen_t>?, flags: Int32
    ) -> Int32 {
        while true {
            let taken = coro_system_accept(fd, address, length, flags)
            if taken >= 0 || !coro_system_is_of_connection(-taken) { return taken }
        }
    }

    /// How many connections one call takes at most: clients that come without end would keep it from returning.
    private static var mostAccepted: Int32 { 256 }

    /// Waits for one connection, and takes those that are pending.
    func acceptMany(_ fd: Int32, _ fds: UnsafeMutablePointer<Int32>, _ n: Int32, flags: Int32) -> Int32 {
        var count: Int32 = 0
        var taken = accept(fd, nil, nil, flags: flags)
        if taken < 0 { return taken }
        while taken >= 0 {
            fds[Int(count)] = taken
            count += 1
            if count == Swift.min(n, Self.mostAccepted) { break }
            taken = acceptSound(fd, nil, nil, flags: flags)
            if taken == Code.again {
                pointee.poller.known(fd)?.pointee.setWouldBlock(.read)
            } else if taken >= 0 {
                taken = adopt(taken, from: fd)
            }
        }
        return count
    }

    func connect(_ fd: Int32, _ address: UnsafePointer<sockaddr>?, _ length: socklen_t) -> Int32 {
        if let code = takeTurn(fd) { return code }
        let refusal = refuseBlockingMode(fd)
        if refusal < 0 { return refusal }
        while true {
            let result = coro_system_connect(fd, address, length)
            if result == -CoroErrno.inProgress || result == -CoroErrno.already || result == -CoroErrno.interrupted {
                return finishConnecting(fd)
            }
            if result != Code.again { return result == 0 ? 0 : explain(result, fd) }
            // The backlog of a Unix socket is full. Nothing reports when it is not: look again a little later.
            let generation = pointee.poller.known(fd)?.pointee.generation
            let code = sleep(until: addClamped(pointee.clock.read(), 1_000_000), now: 0)
            if code < 0 { return fail(code) }
            // Closed meanwhile: the number may mean another socket now.
            if pointee.poller.known(fd)?.pointee.generation != generation { return explainClosed(fd) }
        }
    }

    private func finishConnecting(_ fd: Int32) -> Int32 {
        while true {
            pointee.poller.known(fd)?.pointee.setWouldBlock(.write)
            let code = awaitReady(fd, .write)
            if code < 0 { return code }
            let error = coro_system_socket_error(fd)
            if error < 0 { return explain(error, fd) }
            // An event may be older than the connection attempt.
            if coro_system_is_connected(fd) { return 0 }
        }
    }

    func bind(_ fd: Int32, _ address: UnsafePointer<sockaddr>?, _ length: socklen_t) -> Int32 {
        coro_system_allow_reuse(fd)
        let result = coro_system_bind(fd, address, length)
        return result == 0 ? 0 : explain(result, fd)
    }

    /// Closes fd, and wakes who waits for it.
    func close(_ fd: Int32) -> Int32 {
        let wasClosed = pointee.poller.known(fd)?.pointee.flags.contains(.closed) ?? false
        if !wasClosed { pointee.poller.forget(fd, in: self) }
        endJobs(on: fd)
        let result = coro_system_close(fd)
        if result == Code.badDescriptor, wasClosed { return 0 }
        if result == Code.badDescriptor { return explain(result, fd) }
        // With any other error (of writing back what was written before) the number is free all the same.
        pointee.poller.noteClosed(fd, in: self)
        endHandler(of: fd)
        noteRoom(after: fd)
        return result == 0 ? 0 : explain(result, fd)
    }

    /// Gives fd up without closing it.
    func forget(_ fd: Int32) -> Int32 {
        pointee.poller.forget(fd, in: self)
        endJobs(on: fd)
        endHandler(of: fd)
        endRoomWait(toAcceptFrom: fd)
        var blocking = false
        let kind = coro_system_descriptor_kind(fd, &blocking)
        return kind < 0 ? explain(kind, fd) : 0
    }

    func setNonblocking(_ fd: Int32) -> Int32 {
        let result = coro_system_set_nonblocking(fd)
        if result < 0 { return explain(result, fd) }
        if let descriptor = pointee.poller.known(fd), descriptor.pointee.flags.contains(.blockingMode) {
            descriptor.pointee.flags.remove(.blockingMode)
            if descriptor.pointee.kind == UInt8(CORO_KIND_PIPE.rawValue) {
                descriptor.pointee.kind = UInt8(CORO_KIND_NONBLOCKING.rawValue)
            }
        }
        return 0
    }

    func refuseFile(_ fd: Int32) -> Int32 {
        fail(-CoroErrno.notPermitted) {
            $0.append("descriptor ")
            $0.append(fd)
            $0.append(" is a file: it is always ready, and can't be waited for")
        }
    }

    /// Waits until fd can be read from or written to.
    func waitFor(_ fd: Int32, _ direction: Direction) -> Int32 {
        if let code = takeTurn(fd) { return code }
        var code: Int32 = 0
        repeat {
            var error: Int32 = 0
            guard let descriptor = pointee.poller.obtain(fd, error: &error) else { return explain(error, fd) }
            if descriptor.pointee.kind == UInt8(CORO_KIND_FILE.rawValue) { return refuseFile(fd) }
            let ready = coro_system_ready(fd, direction == .write)
            if ready != 0 { return ready < 0 ? explain(ready, fd) : 0 }
            descriptor.pointee.setWouldBlock(direction)
            // What has been reported may be of data that somebody has read since.
            code = awaitReady(fd, direction)
        } while code == 0
        return code
    }
}
