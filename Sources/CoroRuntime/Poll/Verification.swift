import CCoroPlatform

/// Waits that last are held against the kernel now and then: somebody may have closed the descriptor behind our back.
extension PollerRef {
    func verifyWhenDue(in runtime: RuntimeRef) {
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
        var error = coro_poller_renew(&pointee.kernel, fd, token(fd))
        if error == -CoroErrno.noEntry { error = register(fd) }
        if error < 0 { endLife(of: pointee.descriptors.unsafelyUnwrapped + Int(fd), with: error, in: runtime) }
    }
}
