import CCoroPlatform

typealias PollerRef = UnsafeMutablePointer<Poller>
/// What to do when something has happened to a descriptor that no coroutine waits for. Told the runtime and the descriptor.
typealias UnattendedHandler = @convention(c) (UnsafeMutableRawPointer, Int32) -> Void

/// Which descriptors are ready: by epoll or io_uring, edge-triggered, with registrations that stay until the descriptor is closed.
/// So a wait costs no system call but the one that all share.
///
/// Used by reference: waking a coroutine comes back here, to take it out of the waiters.
struct Poller {
    /// What asks the kernel.
    var kernel = coro_poller(epoll: -1, wakeup: -1, ring: nil, fallback: 0, is_substitute: false, ring_error: 0)
    var backend = Backend()
    var operations = RingOperations()
    var descriptors: UnsafeMutablePointer<Descriptor>?
    var capacity = 0
    var events: UnsafeMutablePointer<coro_poll_event>?
    var waiters = 0
    var unattended = 0
    var onUnattended: UnattendedHandler?
    var onHandled: UnattendedHandler?
    var mayBeUnverified = false
    var verifyAt: Int64 = 0
    /// The descriptor at which the look that has begun goes on; 0: none has.
    var verifyNext: Int32 = 0
    var glance = Glance()
    var counters = Counters()

    struct Counters {
        /// How often the kernel was asked.
        var polls: UInt64 = 0
        /// How many changes of descriptors it has told of.
        var events: UInt64 = 0
    }

    static let eventCount: Int32 = 256
    /// That of no descriptor.
    static let wakeupToken = UInt64(UInt32.max)
    static let mainQueueToken = UInt64(UInt32.max - 2) // the ring has one between
    /// How often to look for waits that are as old as this, on descriptors that may have been closed behind our back.
    static let verifyInterval: Int64 = 100_000_000
    /// How many to look at in a pass, and how many to ask the kernel about: thousands would hold up the loop.
    static let verifyLooks: Int32 = 2048
    static let verifyCalls = 64
}

extension PollerRef {
    /// For how much it is looked at: descriptors that coroutines wait for, those that nobody does, and what the ring does.
    var waiterCount: Int { pointee.waiters &+ pointee.operations.count }

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

    /// How many of them are sockets.
    var socketCount: Int {
        var count = 0
        for fd in 0..<pointee.capacity where pointee.descriptors.unsafelyUnwrapped[fd].isSocket { count += 1 }
        return count
    }

    var isOpen: Bool { pointee.kernel.wakeup >= 0 }

    /// Opens the poller if it is not open. 0 or an error.
    @inline(__always)
    func open(in runtime: RuntimeRef) -> Int32 {
        isOpen ? 0 : openNow(in: runtime)
    }

    @inline(never)
    private func openNow(in runtime: RuntimeRef) -> Int32 {
        if pointee.events == nil { pointee.events = Heap.zeroed(coro_poll_event.self, count: Int(Poller.eventCount)) }
        if pointee.events == nil { return Code.noMemory }
        let error = coro_poller_open(&pointee.kernel, pointee.backend.chosen, Poller.wakeupToken)
        if error < 0 { return error }
        runtime.pointee.mailbox.setWakeup(pointee.kernel.wakeup)
        return 0
    }

    /// In the child of a fork: the descriptors of the poller are the parent's too, and are replaced by others. Who waits is
    /// registered again.
    func reopen(in runtime: RuntimeRef) {
        if !isOpen { return }
        coro_poller_abandon(&pointee.kernel)
        cancelOperations(in: runtime)
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
        dropOperations()
        coro_poller_close(&pointee.kernel)
        Heap.free(pointee.descriptors)
        Heap.free(pointee.events)
        Heap.free(self)
    }
}
