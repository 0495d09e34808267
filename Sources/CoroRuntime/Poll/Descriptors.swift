import CCoroPlatform

/// The books about descriptors: what is known of each, and when its number has come to mean another.
extension PollerRef {
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
        if descriptor.pointee.flags.contains(.registered) { _ = coro_poller_remove(&pointee.kernel, fd, token(fd)) }
        descriptor.pointee.closer = runtime.pointee.current.pointee.id
        endLife(of: descriptor, with: Code.closed, in: runtime)
    }

    /// What a number has meant so far is over: who waits for it is woken with `error`.
    func endLife(of descriptor: UnsafeMutablePointer<Descriptor>, with error: Int32, in runtime: RuntimeRef) {
        while let reader = descriptor.pointee.reader { runtime.wake(reader, with: error) }
        if let writer = descriptor.pointee.writer { runtime.wake(writer, with: error) }
        if descriptor.pointee.terminal != 0 { _ = coro_system_close(descriptor.pointee.terminal) }
        descriptor.pointee.terminal = 0
        descriptor.pointee.generation = (descriptor.pointee.generation &+ 1) & Descriptor.generations
        descriptor.pointee.kind = 0
        descriptor.pointee.flags = []
    }

    /// fd is no socket, although it was one: whether it is still to be found out what it is now. (Another thread may have
    /// closed it, and the number was given out again.)
    func rediscover(_ fd: Int32) -> Bool {
        guard let descriptor = known(fd), descriptor.pointee.reader == nil, descriptor.pointee.writer == nil,
            descriptor.pointee.isSocket
        else { return false }
        descriptor.pointee.kind = 0
        descriptor.pointee.flags = []
        return true
    }
}
