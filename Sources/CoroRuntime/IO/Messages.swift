import CCoroPlatform

/// sendmsg(2), recvmsg(2), and descriptors that are passed on.
extension RuntimeRef {
    /// Sends the message, on a stream all of it: what is beside its bytes goes with the first of them.
    func send(_ fd: Int32, _ message: UnsafePointer<msghdr>, flags: Int32) throws(Refusal) -> Int {
        let (vector, total) = try checkVector(message.pointee.msg_iov, count: Int(message.pointee.msg_iovlen))
        var rest = vector
        rest.advance(by: 0)
        return moveAll(total) { done in
            let sent = perform(fd, .write) { _ in coro_system_sendmsg(fd, message, rest, done == 0, flags) }
            if sent > 0 { rest.advance(by: sent) }
            return sent
        }
    }

    func receive(_ fd: Int32, _ message: UnsafeMutablePointer<msghdr>, flags: Int32) -> Int {
        let got = perform(fd, .read) { _ in coro_system_recvmsg(fd, message, flags) }
        if got < 0 { return got }
        var index = 0
        while true {
            let received = coro_system_received_fd(message, index)
            if received < 0 { return got }
            pointee.poller.beginLife(of: received, in: self)
            index += 1
        }
    }

    /// Sends data, on a stream all of it, with descriptors.
    func send(_ fd: Int32, _ data: UnsafeRawPointer, _ n: Int, descriptors: UnsafeBufferPointer<Int32>) -> Int {
        moveAll(n) { done in
            if done > 0 { return send(fd, data + done, n - done, flags: 0) }
            return perform(fd, .write) { _ in
                coro_system_send_fds(fd, descriptors.baseAddress, Int32(descriptors.count), data, n)
            }
        }
    }

    /// Receives data and as many descriptors as come with it, whose number is stored in *count.
    func receive(
        _ fd: Int32, _ data: UnsafeMutableRawPointer, _ n: Int, descriptors: UnsafeMutablePointer<Int32>?, room: Int32,
        count: UnsafeMutablePointer<Int32>
    ) -> Int {
        count.pointee = 0
        let got = perform(fd, .read) { _ in coro_system_recv_fds(fd, descriptors, room, count, data, n) }
        if got < 0 { return got }
        let error = count.pointee
        if error < 0 {
            count.pointee = 0
            return Int(refuseDescriptors(error, progress: got))
        }
        for index in 0..<Int(count.pointee) {
            pointee.poller.beginLife(of: descriptors.unsafelyUnwrapped[index], in: self)
        }
        return got
    }

    private func refuseDescriptors(_ error: Int32, progress: Int) -> Int32 {
        fail(error, progress: progress) {
            if error == -CoroErrno.messageTooLong {
                $0.append("more descriptors came than there is room for")
            } else {
                $0.append("this process may not have all the descriptors that came: raise the limit (ulimit -n), or close some")
            }
            $0.append("; they were closed, and the data is in the buffer")
        }
    }
}
