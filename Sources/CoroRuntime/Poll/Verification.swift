import CCoroPlatform

/// Waits that last are held against the kernel now and then: somebody may have closed the descriptor behind our back.
extension PollerRef {
    func verifyWhenDue(in runtime: RuntimeRef) {
        let now = runtime.pointee.now
        if pointee.verifyNext == 0 {
            if now < pointee.verifyAt { return }
            pointee.verifyAt = addClamped(now, Poller.verifyInterval)
            pointee.mayBeUnverified = false
        }
        var fd = pointee.verifyNext
        var calls = 0
        let end = Swift.min(fd &+ Poller.verifyLooks, Int32(truncatingIfNeeded: pointee.capacity))
        while fd < end, calls < Poller.verifyCalls {
            if verify(fd, in: runtime) { calls += 1 }
            fd += 1
        }
        pointee.verifyNext = Int(fd) < pointee.capacity ? fd : 0
        if pointee.verifyNext > 0 { pointee.mayBeUnverified = true }
    }

    /// Who waits for fd is suspected, or, the next time, held against the kernel: then true.
    private func verify(_ fd: Int32, in runtime: RuntimeRef) -> Bool {
        let descriptor = pointee.descriptors.unsafelyUnwrapped + Int(fd)
        guard descriptor.pointee.flags.contains(.unverified) else { return false }
        guard descriptor.pointee.reader != nil || descriptor.pointee.writer != nil else { return false }
        if descriptor.pointee.flags.contains(.suspect) {
            descriptor.pointee.flags.remove(.unverified)
            verifyRegistration(of: fd, in: runtime)
            return true
        }
        descriptor.pointee.flags.insert(.suspect)
        pointee.mayBeUnverified = true
        return false
    }

    /// Holds a wait against the kernel. If the descriptor was closed without our knowledge, its registration went with it: if
    /// the number means another file now, that one is registered, else the waiter gets EBADF.
    private func verifyRegistration(of fd: Int32, in runtime: RuntimeRef) {
        var error = coro_poller_renew(&pointee.kernel, fd, token(fd))
        if error == -CoroErrno.noEntry { error = register(fd) }
        if error < 0 { endLife(of: pointee.descriptors.unsafelyUnwrapped + Int(fd), with: error, in: runtime) }
    }
}
