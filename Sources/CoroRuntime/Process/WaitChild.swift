import CCoroPlatform

/// Waiting for children by their pid.
extension RuntimeRef {
    /// waitpid(2) for one child. Returns pid with its status; 0 if it runs and `looksOnly`; or an error.
    func waitChild(_ pid: Int32, looksOnly: Bool, status: UnsafeMutablePointer<Int32>) throws(Refusal) -> Int32 {
        switch ChildRegistry.claim(pid, by: pointee.current.pointee.id) {
        case .done: break
        case .taken(let claim): throw refuseTaken(claim)
        case .noMemory: throw Refusal(code: fail(Code.noMemory))
        }
        var result = reap(pid, status)
        if result == 0, !looksOnly { result = awaitEnd(of: pid, status) }
        ChildRegistry.release(pid)
        if result < 0 { throw Refusal(code: result) }
        return result
    }

    private func refuseTaken(_ claim: ChildClaim) -> Refusal {
        Refusal(
            code: fail(Code.simultaneous, other: claim.waiter) {
                if claim.process != 0 {
                    $0.append("process ")
                    $0.append(claim.pid)
                    $0.append(" was started by coro_process_start(): wait for it by coro_process_wait() with ")
                    $0.append(claim.process)
                } else {
                    if claim.waiter == 0 {
                        $0.append("code outside every coroutine")
                    } else {
                        $0.append("coroutine #")
                        $0.append(claim.waiter)
                    }
                    $0.append(" waits already for process ")
                    $0.append(claim.pid)
                }
            })
    }

    /// Takes the status if it has ended: pid, 0 or an error.
    func reap(_ pid: Int32, _ status: UnsafeMutablePointer<Int32>) -> Int32 {
        let result = coro_system_reap(pid, status)
        return result < 0 ? explainReaping(result, pid) : result
    }

    func explainReaping(_ error: Int32, _ pid: Int32) -> Int32 {
        fail(error) {
            $0.append("process ")
            $0.append(pid)
            if error == -CoroErrno.noChild {
                $0.append(" is no child of this process, or no more: something else has waited for it, or SIGCHLD is ignored, ")
                $0.append("so that the system throws the status away")
            }
        }
    }

    /// Waits by a descriptor of its own.
    private func awaitEnd(of pid: Int32, _ status: UnsafeMutablePointer<Int32>) -> Int32 {
        let error = obstacle()
        if error != 0 { return error }
        let descriptor = openWatch(on: pid)
        if descriptor < 0 { return descriptor }
        var result: Int32 = 0
        // What was reported may be nothing.
        while result == 0 {
            result = awaitReport(of: ChildWait(process: pid, descriptor: descriptor))
            if result == 0 { result = reap(pid, status) }
        }
        discard(descriptor)
        return result
    }

    /// A descriptor that can be read from when the child has ended, or an error.
    func openWatch(on pid: Int32) -> Int32 {
        let descriptor = coro_system_pidfd_open(pid)
        // It runs, so that it can't be gone: if it is, it was reaped just now.
        if descriptor == -CoroErrno.noSuchProcess { return explainReaping(-CoroErrno.noChild, pid) }
        if descriptor == -CoroErrno.noSystemCall {
            return fail(descriptor) { $0.append("this system has no pidfd_open(2), which is in Linux since 5.3") }
        }
        return adopt(descriptor, kind: CORO_KIND_NONBLOCKING)
    }

    /// Closes a descriptor of our own.
    func discard(_ descriptor: Int32) {
        pointee.poller.forget(descriptor, in: self)
        _ = coro_system_close(descriptor)
    }

    /// Waits until something is reported of a process: most likely that it has ended. Any number may. 0 or an error.
    func awaitReport(of child: ChildWait, until deadline: Int64 = .max) -> Int32 {
        var error = obstacle()
        if error == 0 { error = beginReport(of: child) }
        return error != 0 ? error : endReport(of: child, until: deadline)
    }

    /// The two halves of that, for who has seen to obstacles: 0 or an error; and what the wait ends with.
    func beginReport(of child: ChildWait) -> Int32 {
        let error = pointee.poller.addReader(pointee.current, child.descriptor, in: self)
        return error < 0 ? explain(error, child.descriptor) : 0
    }

    func endReport(of child: ChildWait, until deadline: Int64 = .max) -> Int32 {
        parkFor(child.descriptor, .child, on: child.packed, until: deadline)
    }
}
