import CCoroPlatform

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
    /// Waits up to `timeout` for descriptors to become ready, and wakes who waits for them. 0 or an error.
    func wait(in runtime: RuntimeRef, timeout: Int64) -> Int32 {
        let error = open(in: runtime)
        if error < 0 { return error }
        let untilVerified = pointee.verifyNext > 0 ? 0 : Poller.verifyInterval
        let bounded = pointee.mayBeUnverified ? Swift.min(timeout, untilVerified) : timeout
        let limit = bounded == .max ? -1 : bounded
        let events = pointee.events.unsafelyUnwrapped
        var count: Int32 = 0
        if limit != 0, pointee.glance.isDue {
            count = ask(limit: 0)
            pointee.glance.note(found: count != 0)
        }
        if count == 0 { count = limit == 0 ? ask(limit: 0) : sleep(limit: limit, in: runtime) }
        if count < 0 { return count }
        for index in 0..<Int(count) { deliver(events[index], in: runtime) }
        // By epoll, the ring tells of its answers by the wakeup.
        if pointee.operations.count > 0, pointee.kernel.epoll >= 0 { harvest(in: runtime) }
        if pointee.mayBeUnverified { verifyWhenDue(in: runtime) }
        return count
    }

    /// Asks, where the thread may sleep. What the hooks around it do may let somebody run, or post: then it does not.
    private func sleep(limit: Int64, in runtime: RuntimeRef) -> Int32 {
        if !runtime.pointee.hooks.onPoll.areSet { return ask(limit: limit) }
        runtime.callPollHook(runtime.pointee.hooks.onPoll.beforeWait)
        let hasCome = !runtime.pointee.ready.isEmpty || runtime.pointee.mailbox.hasPosts
        let count = ask(limit: hasCome ? 0 : limit)
        runtime.callPollHook(runtime.pointee.hooks.onPoll.afterWait)
        return count
    }

    private func ask(limit: Int64) -> Int32 {
        let count = coro_poller_wait(&pointee.kernel, pointee.events.unsafelyUnwrapped, Poller.eventCount, limit)
        pointee.counters.polls &+= 1
        pointee.counters.events &+= UInt64(Swift.max(count, 0))
        return count
    }

    func deliver(_ event: coro_poll_event, in runtime: RuntimeRef) {
        if event.token == Poller.wakeupToken {
            withUnsafePointer(to: event) { _ = coro_poller_clear_wakeup(&pointee.kernel, $0) }
            return
        }
        if event.token == Poller.mainQueueToken { return runtime.noteMainQueue(event) }
        if event.token & RingOperation.tokenBit != 0 { return complete(event.token, with: event.result, in: runtime) }
        let fd = Int32(truncatingIfNeeded: event.token)
        guard let descriptor = known(fd), descriptor.pointee.generation == UInt32(truncatingIfNeeded: event.token >> 32) else {
            return
        }
        if event.events & UInt32(CORO_POLL_ENDED.rawValue) != 0 {
            if event.result < 0 { return endLife(of: descriptor, with: event.result, in: runtime) }
            descriptor.pointee.flags.remove(.registered)
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
        pointee.onHandled?(runtime, fd)
        if event.events & UInt32(CORO_POLL_ENDED.rawValue) != 0 { registerAgain(fd, in: runtime) }
    }

    /// The registration has ended by itself: for what nobody waits for, the next who does will register it.
    @inline(never)
    private func registerAgain(_ fd: Int32, in runtime: RuntimeRef) {
        let descriptor = pointee.descriptors.unsafelyUnwrapped + Int(fd)
        guard descriptor.pointee.reader != nil || descriptor.pointee.writer != nil || pointee.unattended > 0 else { return }
        let error = register(fd)
        if error < 0 { endLife(of: descriptor, with: error, in: runtime) }
    }
}
