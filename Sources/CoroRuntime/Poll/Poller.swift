import CCoroPlatform

typealias PollerRef = UnsafeMutablePointer<Poller>
/// What to do when something has happened to a descriptor that no coroutine waits for. Told the runtime and the descriptor.
typealias UnattendedHandler = @convention(c) (UnsafeMutableRawPointer, Int32) -> Void

/// Which descriptors are ready: epoll, edge-triggered, with registrations that stay until the descriptor is closed. So a
/// wait costs no system call but the one that all share.
///
/// Used by reference: waking a coroutine comes back here, to take it out of the waiters.
struct Poller {
    fileprivate var epoll: Int32 = -1
    fileprivate var wakeup: Int32 = -1
    fileprivate var descriptors: UnsafeMutablePointer<Descriptor>?
    fileprivate var capacity = 0
    fileprivate var events: UnsafeMutablePointer<coro_poll_event>?
    fileprivate var waiters = 0
    fileprivate var unattended = 0
    fileprivate var onUnattended: UnattendedHandler?
    fileprivate var mayBeUnverified = false
    fileprivate var verifyAt: Int64 = 0
    fileprivate var glance = Glance()
    fileprivate(set) var counters = Counters()

    struct Counters {
        /// How often the kernel was asked.
        var polls: UInt64 = 0
        /// How many changes of descriptors it has told of.
        var events: UInt64 = 0
    }

    fileprivate static let eventCount: Int32 = 256
    fileprivate static let wakeupToken = UInt64.max
    /// How often to look for waits that are as old as this, on descriptors that may have been closed behind our back.
    fileprivate static let verifyInterval: Int64 = 100_000_000
}

/// Whether to look, without waiting, before a wait with a limit, which costs the kernel a timer each time. That pays where
/// something is ready nearly always (two coroutines that talk through a pipe), and is a call for nothing elsewhere: so it is
/// done for as long as it finds something, and tried now and then.
struct Glance {
    private var finds = false
    private var skipped: UInt8 = 0

    private static let tryAfter: UInt8 = 32

    var isDue: Bool {
        mutating get {
            if finds { return true }
            skipped &+= 1
            return skipped % Self.tryAfter == 0
        }
    }

    mutating func note(found: Bool) {
        finds = found
    }
}

extension PollerRef {
    /// For how many descriptors it is looked at: those that coroutines wait for, and those that nobody does.
    var waiterCount: Int { pointee.waiters }

    /// Whether a coroutine waits for a descriptor.
    var hasCoroutines: Bool { pointee.waiters != pointee.unattended }

    /// How many waits of coroutines there are for descriptors.
    var coroutineCount: Int { pointee.waiters - pointee.unattended }

    /// Of how many descriptors anything is known. Looks at each: for what is rare.
    var knownCount: Int {
        var count = 0
        for fd in 0..<pointee.capacity where pointee.descriptors.unsafelyUnwrapped[fd].isKnown { count += 1 }
        return count
    }

    // -- descriptors --

    /// What is known of fd, which is found out if it is not; nil if it is not open, with the error.
    @inline(__always)
    func obtain(_ fd: Int32, error: inout Int32) -> UnsafeMutablePointer<Descriptor>? {
        if fd >= 0, Int(fd) < pointee.capacity {
            let descriptor = pointee.descriptors.unsafelyUnwrapped + Int(fd)
            if descriptor.pointee.isKnown { return descriptor }
        }
        return explore(fd, error: &error)
    }

    @inline(never)
    private func explore(_ fd: Int32, error: inout Int32) -> UnsafeMutablePointer<Descriptor>? {
        var blocking = false
        let kind = coro_system_descriptor_kind(fd, &blocking)
        if kind < 0 {
            error = kind
            return nil
        }
        guard let descriptor = slot(fd) else {
            error = Code.noMemory
            return nil
        }
        descriptor.pointee.kind = UInt8(truncatingIfNeeded: kind)
        descriptor.pointee.flags = blocking ? .blockingMode : []
        if kind == Int32(CORO_KIND_PIPE.rawValue) {
            let terminal = coro_system_reopen_terminal(fd)
            if terminal > 0 {
                descriptor.pointee.terminal = terminal
                descriptor.pointee.kind = UInt8(CORO_KIND_TERMINAL.rawValue)
            }
        }
        return descriptor
    }

    /// The descriptor by which to write to what fd refers to.
    @inline(__always)
    func writable(_ fd: Int32) -> Int32 {
        guard let descriptor = known(fd), descriptor.pointee.terminal != 0 else { return fd }
        return descriptor.pointee.terminal
    }

    /// Notes down a descriptor that was just made, whose number may have meant something else before; false without memory.
    func adopt(_ fd: Int32, kind: UInt8, in runtime: RuntimeRef) -> Bool {
        guard slot(fd) != nil else { return false }
        beginLife(of: fd, in: runtime)
        pointee.descriptors.unsafelyUnwrapped[Int(fd)].kind = kind
        pointee.descriptors.unsafelyUnwrapped[Int(fd)].flags = []
        return true
    }

    /// The place for fd, a number that is open.
    private func slot(_ fd: Int32) -> UnsafeMutablePointer<Descriptor>? {
        if Int(fd) >= pointee.capacity {
            var larger = max(pointee.capacity, 64)
            while larger <= Int(fd) { larger *= 2 }
            guard let moved = Heap.zeroed(Descriptor.self, count: larger) else { return nil }
            if let old = pointee.descriptors { moved.update(from: old, count: pointee.capacity) }
            Heap.free(pointee.descriptors)
            pointee.descriptors = moved
            pointee.capacity = larger
        }
        return pointee.descriptors.unsafelyUnwrapped + Int(fd)
    }

    /// Notes down that fd, which was open, was closed by the current coroutine.
    func noteClosed(_ fd: Int32, in runtime: RuntimeRef) {
        guard let descriptor = slot(fd) else { return }
        descriptor.pointee.flags = .closed
        descriptor.pointee.closer = runtime.pointee.current.pointee.id
    }

    /// What is known of fd, if anything is.
    func known(_ fd: Int32) -> UnsafeMutablePointer<Descriptor>? {
        guard fd >= 0, Int(fd) < pointee.capacity else { return nil }
        return pointee.descriptors.unsafelyUnwrapped + Int(fd)
    }

    /// fd is a number that was just given out: what it meant before is over. If that is known already, so is who ended it.
    func beginLife(of fd: Int32, in runtime: RuntimeRef) {
        guard let descriptor = known(fd), descriptor.pointee.flags.contains(.closed) else { return forget(fd, in: runtime) }
        descriptor.pointee.flags = []
    }

    /// Ends all that hangs on what fd has meant so far: wakes who waits, and takes it out of the poller.
    func forget(_ fd: Int32, in runtime: RuntimeRef) {
        guard let descriptor = known(fd) else { return }
        // A duplicate elsewhere would keep the registration alive after the close.
        if descriptor.pointee.flags.contains(.registered) { _ = coro_system_poller_remove(pointee.epoll, fd) }
        descriptor.pointee.closer = runtime.pointee.current.pointee.id
        endLife(of: descriptor, with: Code.closed, in: runtime)
    }

    /// What a number has meant so far is over: who waits for it is woken with `error`.
    private func endLife(of descriptor: UnsafeMutablePointer<Descriptor>, with error: Int32, in runtime: RuntimeRef) {
        while let reader = descriptor.pointee.reader { runtime.wake(reader, with: error) }
        if let writer = descriptor.pointee.writer { runtime.wake(writer, with: error) }
        if descriptor.pointee.terminal != 0 { _ = coro_system_close(descriptor.pointee.terminal) }
        descriptor.pointee.terminal = 0
        descriptor.pointee.generation &+= 1
        descriptor.pointee.kind = 0
        descriptor.pointee.flags = []
    }

    /// fd is no socket, although it was one: whether it is still to be found out what it is now. (Another thread may have
    /// closed it, and the number was given out again.)
    func rediscover(_ fd: Int32) -> Bool {
        guard let descriptor = known(fd), descriptor.pointee.reader == nil, descriptor.pointee.writer == nil,
            descriptor.pointee.kind == UInt8(CORO_KIND_STREAM.rawValue)
                || descriptor.pointee.kind == UInt8(CORO_KIND_SOCKET.rawValue)
        else { return false }
        descriptor.pointee.kind = 0
        descriptor.pointee.flags = []
        return true
    }

    // -- waiting --

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

    private func register(_ fd: Int32) -> Int32 {
        let descriptor = pointee.descriptors.unsafelyUnwrapped + Int(fd)
        let error = coro_system_poller_add(pointee.epoll, fd, token(fd))
        if error < 0 && error != -CoroErrno.exists { return error }
        descriptor.pointee.flags.insert(.registered)
        return error == 0 ? 0 : coro_system_poller_renew(pointee.epoll, fd, token(fd))
    }

    private func token(_ fd: Int32) -> UInt64 {
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
        var error = open(in: runtime)
        if error == 0, !pointee.descriptors.unsafelyUnwrapped[Int(fd)].flags.contains(.registered) { error = register(fd) }
        if error < 0 { return error }
        pointee.onUnattended = handler
        pointee.unattended += 1
        pointee.waiters += 1
        return 0
    }

    /// One of those is no more to be looked for.
    func endUnattended() {
        pointee.unattended -= 1
        pointee.waiters -= 1
    }

    /// Waits up to `timeout` for descriptors to become ready, and wakes who waits for them. 0 or an error.
    func wait(in runtime: RuntimeRef, timeout: Int64) -> Int32 {
        let error = open(in: runtime)
        if error < 0 { return error }
        let bounded = pointee.mayBeUnverified ? Swift.min(timeout, Poller.verifyInterval) : timeout
        let limit = bounded == .max ? -1 : bounded
        let events = pointee.events.unsafelyUnwrapped
        var count: Int32 = 0
        if limit != 0, pointee.glance.isDue {
            count = ask(limit: 0)
            pointee.glance.note(found: count != 0)
        }
        if count == 0 { count = ask(limit: limit) }
        if count < 0 { return count }
        for index in 0..<Int(count) { deliver(events[index], in: runtime) }
        if pointee.mayBeUnverified { verifyWhenDue(in: runtime) }
        return count
    }

    private func ask(limit: Int64) -> Int32 {
        let count = coro_system_poller_wait(pointee.epoll, pointee.events.unsafelyUnwrapped, Poller.eventCount, limit)
        pointee.counters.polls &+= 1
        pointee.counters.events &+= UInt64(Swift.max(count, 0))
        return count
    }

    private func deliver(_ event: coro_poll_event, in runtime: RuntimeRef) {
        if event.token == Poller.wakeupToken {
            coro_system_wakeup_clear(pointee.wakeup)
            return
        }
        let fd = Int32(truncatingIfNeeded: event.token)
        guard let descriptor = known(fd), descriptor.pointee.generation == UInt32(truncatingIfNeeded: event.token >> 32) else {
            return
        }
        if event.events & UInt32(CORO_POLL_HANGUP.rawValue | CORO_POLL_URGENT.rawValue) != 0 {
            descriptor.pointee.flags.insert(.alwaysTry)
        }
        if event.events & UInt32(CORO_POLL_READ.rawValue | CORO_POLL_URGENT.rawValue) != 0 {
            descriptor.pointee.flags.remove(.drained)
            if descriptor.pointee.reader == nil, pointee.unattended > 0 { pointee.onUnattended?(runtime, fd) }
            while let reader = descriptor.pointee.reader { runtime.wake(reader) }
        }
        if event.events & UInt32(CORO_POLL_WRITE.rawValue) != 0 {
            descriptor.pointee.flags.remove(.full)
            if let writer = descriptor.pointee.writer { runtime.wake(writer) }
        }
    }

    private func verifyWhenDue(in runtime: RuntimeRef) {
        let now = runtime.pointee.now
        if now < pointee.verifyAt { return }
        pointee.verifyAt = addClamped(now, Poller.verifyInterval)
        pointee.mayBeUnverified = false
        for fd in 0..<Int32(pointee.capacity) {
            let descriptor = pointee.descriptors.unsafelyUnwrapped + Int(fd)
            guard descriptor.pointee.flags.contains(.unverified) else { continue }
            guard descriptor.pointee.reader != nil || descriptor.pointee.writer != nil else { continue }
            if descriptor.pointee.flags.contains(.suspect) {
                descriptor.pointee.flags.remove(.unverified)
                verifyRegistration(of: fd, in: runtime)
            } else {
                descriptor.pointee.flags.insert(.suspect)
                pointee.mayBeUnverified = true
            }
        }
    }

    /// Holds a wait against the kernel. If the descriptor was closed without our knowledge, its registration went with it: if
    /// the number means another file now, that one is registered, else the waiter gets EBADF.
    private func verifyRegistration(of fd: Int32, in runtime: RuntimeRef) {
        var error = coro_system_poller_renew(pointee.epoll, fd, token(fd))
        if error == -CoroErrno.noEntry { error = register(fd) }
        if error < 0 { endLife(of: pointee.descriptors.unsafelyUnwrapped + Int(fd), with: error, in: runtime) }
    }

    // -- the kernel's side --

    /// Opens the poller if it is not open. 0 or an error.
    @inline(__always)
    func open(in runtime: RuntimeRef) -> Int32 {
        pointee.epoll >= 0 ? 0 : openNow(in: runtime)
    }

    @inline(never)
    private func openNow(in runtime: RuntimeRef) -> Int32 {
        if pointee.events == nil { pointee.events = Heap.zeroed(coro_poll_event.self, count: Int(Poller.eventCount)) }
        if pointee.events == nil { return Code.noMemory }
        let newEpoll = coro_system_poller_create()
        if newEpoll < 0 { return newEpoll }
        let newWakeup = coro_system_wakeup_create()
        let error = newWakeup < 0 ? newWakeup : coro_system_poller_add_wakeup(newEpoll, newWakeup, Poller.wakeupToken)
        if error < 0 {
            _ = coro_system_close(newEpoll)
            if newWakeup >= 0 { _ = coro_system_close(newWakeup) }
            return error
        }
        pointee.epoll = newEpoll
        pointee.wakeup = newWakeup
        runtime.pointee.mailbox.setWakeup(newWakeup)
        return 0
    }

    /// In the child of a fork: the descriptors of the poller are the parent's too, and are replaced by others. Who waits is
    /// registered again.
    func reopen(in runtime: RuntimeRef) {
        if pointee.epoll < 0 { return }
        _ = coro_system_close(pointee.epoll)
        _ = coro_system_close(pointee.wakeup)
        pointee.epoll = -1
        runtime.pointee.mailbox.setWakeup(-1)
        let error = openNow(in: runtime)
        for fd in 0..<Int32(pointee.capacity) {
            let descriptor = pointee.descriptors.unsafelyUnwrapped + Int(fd)
            descriptor.pointee.flags.remove(.registered)
            // The parent's children are none of this process.
            while let reader = descriptor.pointee.reader, reader.pointee.waitKind == .child {
                runtime.wake(reader, with: -CoroErrno.noChild)
            }
            guard descriptor.pointee.reader != nil || descriptor.pointee.writer != nil else { continue }
            let failure = error < 0 ? error : register(fd)
            if failure < 0 { endLife(of: descriptor, with: failure, in: runtime) }
        }
    }

    func close() {
        for fd in 0..<pointee.capacity {
            let terminal = pointee.descriptors.unsafelyUnwrapped[fd].terminal
            if terminal != 0 { _ = coro_system_close(terminal) }
        }
        if pointee.epoll >= 0 {
            _ = coro_system_close(pointee.epoll)
            _ = coro_system_close(pointee.wakeup)
        }
        Heap.free(pointee.descriptors)
        Heap.free(pointee.events)
        Heap.free(self)
    }
}
