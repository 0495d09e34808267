import CCoroPlatform

/// Who waits for which descriptor.
extension PollerRef {
    /// Makes the current coroutine the one that waits for fd in this direction. 0 or an error.
    func addWaiter(_ me: CoroutineRef, _ fd: Int32, _ direction: Direction, in runtime: RuntimeRef) -> Int32 {
        let error = open(in: runtime)
        if error < 0 { return error }
        let descriptor = pointee.descriptors.unsafelyUnwrapped + Int(fd)
        if !descriptor.pointee.flags.contains(.registered) {
            let error = register(fd)
            if error < 0 { return error }
        }
        descriptor.pointee[waiter: direction] = me
        descriptor.pointee.flags.insert(.unverified)
        descriptor.pointee.flags.remove(.suspect)
        pointee.waiters += 1
        pointee.mayBeUnverified = true
        return 0
    }

    func register(_ fd: Int32) -> Int32 {
        let descriptor = pointee.descriptors.unsafelyUnwrapped + Int(fd)
        let error = coro_poller_add(&pointee.kernel, fd, token(fd))
        if error < 0 && error != -CoroErrno.exists { return error }
        descriptor.pointee.flags.insert(.registered)
        return error == 0 ? 0 : coro_poller_renew(&pointee.kernel, fd, token(fd))
    }

    func token(_ fd: Int32) -> UInt64 {
        UInt64(pointee.descriptors.unsafelyUnwrapped[Int(fd)].generation) << 32 | UInt64(UInt32(bitPattern: fd))
    }

    func clearWaiter(of fd: Int32, _ direction: Direction) {
        pointee.descriptors.unsafelyUnwrapped[Int(fd)][waiter: direction] = nil
        pointee.waiters -= 1
    }

    /// Makes the current coroutine one of those, any number, that wait to read from fd, which is known. 0 or an error.
    func addReader(_ me: CoroutineRef, _ fd: Int32, in runtime: RuntimeRef) -> Int32 {
        var readers = WaitList(first: pointee.descriptors.unsafelyUnwrapped[Int(fd)].reader)
        if readers.first == nil {
            let error = addWaiter(me, fd, .read, in: runtime)
            if error < 0 { return error }
        } else {
            pointee.waiters += 1
        }
        readers.append(me)
        pointee.descriptors.unsafelyUnwrapped[Int(fd)].reader = readers.first
        return 0
    }

    func clearReader(_ coroutine: CoroutineRef, of fd: Int32) {
        var readers = WaitList(first: pointee.descriptors.unsafelyUnwrapped[Int(fd)].reader)
        readers.remove(coroutine)
        pointee.descriptors.unsafelyUnwrapped[Int(fd)].reader = readers.first
        pointee.waiters -= 1
    }

    /// Has `handler` called when fd, which is known, can be read from while nobody waits for it. The loop looks for that, but
    /// does not go on because of it. 0 or an error.
    func beginUnattended(_ fd: Int32, _ handler: @escaping UnattendedHandler, in runtime: RuntimeRef) -> Int32 {
        pointee.onUnattended = handler
        return attend(fd, in: runtime)
    }

    /// Has `handler` called when anything happens to fd, which is known, whoever waits for it. It ends as the other.
    func beginHandling(_ fd: Int32, _ handler: @escaping UnattendedHandler, in runtime: RuntimeRef) -> Int32 {
        pointee.onHandled = handler
        return attend(fd, in: runtime)
    }

    private func attend(_ fd: Int32, in runtime: RuntimeRef) -> Int32 {
        let error = watch(fd, in: runtime)
        if error < 0 { return error }
        pointee.unattended += 1
        pointee.waiters += 1
        return 0
    }

    /// Has what happens to fd, which is known, reported although nobody waits for it. 0 or an error.
    func watch(_ fd: Int32, in runtime: RuntimeRef) -> Int32 {
        let error = open(in: runtime)
        if error < 0 || pointee.descriptors.unsafelyUnwrapped[Int(fd)].flags.contains(.registered) { return error }
        return register(fd)
    }

    /// One of those is no more to be looked for.
    func endUnattended() {
        pointee.unattended -= 1
        pointee.waiters -= 1
    }
}
