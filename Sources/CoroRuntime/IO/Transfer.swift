import CCoroPlatform

/// Trying, and waiting where trying says "would block": what every I/O call is made of.
extension RuntimeRef {
    /// Does `operation` (which returns -EAGAIN if it would block) on fd as soon as it can be done. Nothing tells that of a file:
    /// there it returns -EAGAIN, without a report.
    @inline(__always)
    func perform(_ fd: Int32, _ direction: Direction, _ operation: (Int32) -> Int) -> Int {
        if let code = takeTurn(fd) { return Int(code) }
        var disappointments = 0
        while true {
            var error: Int32 = 0
            guard let descriptor = pointee.poller.obtain(fd, error: &error) else { return Int(explain(error, fd)) }
            if !descriptor.pointee.wouldBlock(direction) || triesAnyway {
                let result = operation(Int32(descriptor.pointee.kind))
                if result == Int(-CoroErrno.notSocket), pointee.poller.rediscover(fd) { continue }
                if result != Int(Code.again) { return result < 0 ? Int(explain(Int32(result), fd)) : result }
                if descriptor.pointee.kind == UInt8(CORO_KIND_FILE.rawValue) { return result }
                descriptor.pointee.setWouldBlock(direction)
            }
            // An event may have been for nothing: one of an earlier life, or taken by somebody else.
            let code = disappointments < 4 ? awaitReady(fd, direction) : pause(beforeRetrying: fd)
            if code < 0 { return Int(code) }
            disappointments += 1
        }
    }

    /// Counts one more call, and lets the others run first when there have been enough since the last that had to wait. Whether fd
    /// is ready does not matter for that: only the caller's turn is over. nil, or the error that the call returns.
    @inline(__always)
    func takeTurn(_ fd: Int32) -> Int32? {
        let me = pointee.current
        if me.pointee.selfishActsLeft > 0 {
            me.pointee.selfishActsLeft &-= 1
            return nil
        }
        return me == pointee.main || pointee.obstacles.forbidden != 0 ? nil : giveTurnAway(of: me, fd)
    }

    /// The others may close fd, and open another file of that number: it is the one that it means now, or none.
    @inline(never)
    private func giveTurnAway(of me: CoroutineRef, _ fd: Int32) -> Int32? {
        var error: Int32 = 0
        guard let descriptor = pointee.poller.obtain(fd, error: &error) else { return explain(error, fd) }
        let generation = descriptor.pointee.generation
        let code = yield()
        if code != 0 { return code }
        me.pointee.selfishActsLeft = selfishActs(of: me) &- 1
        return pointee.poller.known(fd)?.pointee.generation == generation ? nil : explainClosed(fd)
    }

    /// Whether to try what would block as far as is known: in a scope whose time is up there is no waiting for news of a
    /// descriptor, and data that have come meanwhile count. The thread's own stack, whose calls in a row nobody counts, tries
    /// a few times only, so that its interruption comes.
    private var triesAnyway: Bool {
        let me = pointee.current
        return me.has(.timed) && isTimeUp(for: me) && (me != pointee.main || me.pointee.selfishActsLeft > 0)
    }

    /// How many calls in a row a coroutine may make that need not wait.
    func selfishActs(of coroutine: CoroutineRef) -> UInt16 {
        let own = coroutine.pointee.maxSelfishActs
        return own > 0 ? own : pointee.selfishness
    }

    /// Some descriptors are called ready again and again although they are not: a datagram socket of Unix whose peer's queue
    /// is full, for one. So as not to take all the processor, they are looked at every millisecond.
    @inline(never)
    private func pause(beforeRetrying fd: Int32) -> Int32 {
        let generation = pointee.poller.known(fd)?.pointee.generation
        let now = pointee.clock.read()
        let code = sleep(until: addClamped(now, 1_000_000), now: now)
        if code < 0 { return code }
        return pointee.poller.known(fd)?.pointee.generation == generation ? 0 : explainClosed(fd)
    }

    /// Waits until something has happened to fd in that direction: CORO_ETIMEOUT after `deadline`. 0 or an error.
    func awaitReady(_ fd: Int32, _ direction: Direction, until deadline: Int64 = .max) -> Int32 {
        var error = obstacle()
        if error != 0 { return error }
        pointee.current.pointee.selfishActsLeft = selfishActs(of: pointee.current)
        guard let descriptor = pointee.poller.obtain(fd, error: &error) else { return explain(error, fd) }
        if let other = descriptor.pointee[waiter: direction] { return refuseSecond(fd, direction, other) }
        error = pointee.poller.addWaiter(pointee.current, fd, direction, in: self)
        if error < 0 { return explain(error, fd) }
        pointee.ready.prefetchFrames()
        return parkFor(fd, direction.waitKind, on: Int(fd), until: deadline)
    }

    /// Waits, as one of those that the poller knows to wait for fd, until something has happened to it. 0 or an error.
    @inline(__always)
    func parkFor(_ fd: Int32, _ kind: WaitKind, on object: Int, until deadline: Int64 = .max) -> Int32 {
        let generation = pointee.poller.known(fd)?.pointee.generation
        let code = park(kind, on: object, until: deadline)
        if code != 0 && code != Code.closed { return fail(code) }
        // Closed while it waited, or between the event and now: the number may mean another file.
        guard let now = pointee.poller.known(fd), now.pointee.generation == generation else { return explainClosed(fd) }
        return code == 0 ? 0 : fail(code)
    }

    func refuseSecond(_ fd: Int32, _ direction: Direction, _ other: CoroutineRef) -> Int32 {
        fail(Code.simultaneous, other: other.pointee.id) {
            $0.append("coroutine #")
            $0.append(other.pointee.id)
            $0.append(direction == .read ? " waits already to read from descriptor " : " waits already to write to descriptor ")
            $0.append(fd)
        }
    }

    func explainClosed(_ fd: Int32) -> Int32 {
        let closer = pointee.poller.known(fd)?.pointee.closer ?? 0
        return fail(Code.closed, other: closer) {
            $0.append("descriptor ")
            $0.append(fd)
            $0.append(" was closed by ")
            if closer == 0 {
                $0.append("code outside every coroutine")
            } else {
                $0.append("coroutine #")
                $0.append(closer)
            }
        }
    }

    /// The error to return for a call on fd that failed with `error`, with its report.
    @inline(never)
    func explain(_ error: Int32, _ fd: Int32) -> Int32 {
        if error == Code.closed { return explainClosed(fd) }
        if error == Code.badDescriptor, let descriptor = pointee.poller.known(fd), descriptor.pointee.flags.contains(.closed) {
            return explainClosed(fd)
        }
        return fail(error) {
            $0.append("descriptor ")
            $0.append(fd)
        }
    }

    /// What a read that got fewer bytes than it had room for says of the descriptor: that it is empty, where that follows.
    @inline(__always)
    func noteShort(_ fd: Int32, _ direction: Direction, moved: Int, of n: Int) {
        guard moved > 0, moved < n, let descriptor = pointee.poller.known(fd), descriptor.pointee.movesAllItCan else { return }
        descriptor.pointee.setWouldBlock(direction)
    }

    /// read(2).
    func read(_ fd: Int32, _ buffer: UnsafeMutableRawPointer?, _ n: Int) -> Int {
        if n == 0 { return readNothing(fd, buffer) }
        let got = perform(fd, .read) { coro_system_read(fd, $0, buffer, n) }
        if got == Int(Code.again) { return transferOutside(CORO_FILE_READ, fd, buffer, n) }
        noteShort(fd, .read, moved: got, of: n)
        return got
    }

    /// What a socket has no recv(2) for: that would wait, and take a datagram.
    @inline(never)
    private func readNothing(_ fd: Int32, _ buffer: UnsafeMutableRawPointer?) -> Int {
        let result = coro_system_read(fd, Int32(CORO_KIND_NONBLOCKING.rawValue), buffer, 0)
        return result < 0 ? Int(explain(Int32(result), fd)) : result
    }

    /// recv(2). A peek takes nothing, so it says nothing either.
    func receive(_ fd: Int32, _ buffer: UnsafeMutableRawPointer?, _ n: Int, flags: Int32) -> Int {
        let got = perform(fd, .read) { _ in coro_system_recv(fd, buffer, n, flags) }
        if flags == 0 { noteShort(fd, .read, moved: got, of: n) }
        return got
    }

    /// Reads until n bytes have come.
    func receiveExact(_ fd: Int32, _ buffer: UnsafeMutableRawPointer?, _ n: Int) -> Int {
        moveAll(n) { done in
            let got = read(fd, buffer.map { $0 + done }, n - done)
            return got == 0 && n > 0 ? Int(failAtEnd(after: done, of: n)) : got
        }
    }

    func failAtEnd(after done: Int, of n: Int) -> Int32 {
        fail(Code.endOfFile, progress: done) {
            $0.append("the end came after ")
            $0.append(done)
            $0.append(" of ")
            $0.append(n)
            $0.append(" bytes")
        }
    }

    /// write(2), until all is written.
    func write(_ fd: Int32, _ buffer: UnsafeRawPointer?, _ n: Int) -> Int {
        moveAll(n) { done in
            let sent = perform(fd, .write) {
                coro_system_write(pointee.poller.writable(fd), $0, buffer.map { $0 + done }, n - done)
            }
            if sent == Int(Code.again) {
                return transferOutside(CORO_FILE_WRITE, fd, UnsafeMutableRawPointer(mutating: buffer).map { $0 + done }, n - done)
            }
            noteShort(fd, .write, moved: sent, of: n - done)
            return sent
        }
    }

    /// send(2), until all is sent, unless the socket keeps messages apart: those go whole or not at all.
    func send(_ fd: Int32, _ buffer: UnsafeRawPointer?, _ n: Int, flags: Int32) -> Int {
        moveAll(n) { done in
            let sent = perform(fd, .write) { _ in coro_system_send(fd, buffer.map { $0 + done }, n - done, flags) }
            noteShort(fd, .write, moved: sent, of: n - done)
            return sent
        }
    }

    /// Repeats `step`, which is told how much has been moved and returns how much it moved, until n bytes are. If it fails,
    /// the report says how far it got.
    @inline(__always)
    func moveAll(_ n: Int, _ step: (Int) -> Int) -> Int {
        var done = 0
        while true {
            let moved = step(done)
            if moved < 0 {
                pointee.report.progress = Int64(done)
                return moved
            }
            done += moved
            if done >= n || moved == 0 { return done }
        }
    }
}
