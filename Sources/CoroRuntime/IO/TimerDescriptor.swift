import CCoroPlatform

/// Times, and ends of processes, as descriptors.
extension RuntimeRef {
    func openTimer(first: Int64, interval: Int64) throws(Refusal) -> Int32 {
        try checkTimes(first, interval)
        let fd = adopt(coro_system_timer_create(), kind: CORO_KIND_NONBLOCKING)
        if fd < 0 { return fd }
        let error = coro_system_timer_set(fd, first, interval)
        if error == 0 { return fd }
        _ = close(fd)
        return explain(error, fd)
    }

    func setTimer(_ fd: Int32, first: Int64, interval: Int64) throws(Refusal) -> Int32 {
        try checkTimes(first, interval)
        let error = coro_system_timer_set(fd, first, interval)
        return error == 0 ? 0 : explain(error, fd)
    }

    private func checkTimes(_ first: Int64, _ interval: Int64) throws(Refusal) {
        if first >= 0, interval >= 0 { return }
        throw Refusal(code: fail(Code.invalid) { $0.append("times must not be negative") })
    }

    /// Waits until it has expired, and returns how many times it has.
    func readTimer(_ fd: Int32) -> Int64 {
        var count: Int64 = 0
        let got = perform(fd, .read) { kind in
            var value: Int64 = 0
            let got = coro_system_read(fd, kind, &value, MemoryLayout<Int64>.size)
            count = value
            return got
        }
        if got == MemoryLayout<Int64>.size { return count }
        if got < 0 { return Int64(got) }
        return Int64(
            fail(Code.invalid) {
                $0.append("descriptor ")
                $0.append(fd)
                $0.append(" is not a timer")
            })
    }

    func openProcess(_ pid: Int32) throws(Refusal) -> Int32 {
        if pid < 1 { throw Refusal(code: fail(Code.invalid) { $0.append("pid must be at least 1") }) }
        let fd = coro_system_pidfd_open(pid)
        if fd != -CoroErrno.noSuchProcess { return adopt(fd, kind: CORO_KIND_NONBLOCKING) }
        return fail(fd) {
            $0.append("there is no process ")
            $0.append(pid)
        }
    }
}
