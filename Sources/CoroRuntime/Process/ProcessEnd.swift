import CCoroPlatform

/// The end of a handle: by closing it, with its thread, and in the child of a fork.
extension RuntimeRef {
    private func hasEnded(_ process: ProcessRef) -> Bool {
        do throws(Refusal) {
            try look(at: process)
        } catch {
            return false
        }
        return process.pointee.state != .running
    }

    /// The end of one that nobody attends to was reported, or that of something else.
    fileprivate func reapUnattended(_ watch: Int32) {
        guard let process = processes({ $0.pointee.watch == watch && $0.pointee.isUnattended }) else { return }
        if hasEnded(process) { forget(process) }
    }

    /// Closes the pipes, and lets the process run on, if it does: it is reaped when it ends.
    func closeProcess(_ process: ProcessRef) {
        for stream in 0...2 { closePipe(of: process, stream) }
        guard process.pointee.state == .running, !hasEnded(process) else { return forget(process) }
        ChildRegistry.close(process.pointee.id)
        wakeWaiters(of: process)
        let error = pointee.poller.beginUnattended(
            process.pointee.watch,
            { runtime, watch in runtime.assumingMemoryBound(to: Runtime.self).reapUnattended(watch) }, in: self)
        if error == 0 {
            process.pointee.isUnattended = true
        } else {
            leave(process)
        }
    }

    private func wakeWaiters(of process: ProcessRef) {
        while let waiter = pointee.poller.known(process.pointee.watch)?.pointee.reader { wake(waiter, with: Code.closed) }
    }

    /// It is somebody else's to reap.
    private func leave(_ process: ProcessRef) {
        ChildRegistry.leave(process.pointee.id)
        removeRecord(of: process)
    }

    private func forget(_ process: ProcessRef) {
        ChildRegistry.drop(process.pointee.id)
        removeRecord(of: process)
    }

    private func removeRecord(of process: ProcessRef) {
        if process.pointee.isUnattended { pointee.poller.endUnattended() }
        if process.pointee.watch >= 0 { discard(process.pointee.watch) }
        for index in 0..<pointee.processes.count where pointee.processes[index] == process {
            pointee.processes.removeSwappingLast(at: index)
            break
        }
        Heap.free(process)
    }

    // -- the end of the thread, and fork --

    /// The thread ends. What still runs is reaped by another, when it comes by.
    func leaveProcesses() {
        while pointee.processes.count > 0 {
            let process = pointee.processes[0]
            for stream in 0...2 { closePipe(of: process, stream) }
            if process.pointee.state == .running, !hasEnded(process) {
                leave(process)
            } else {
                forget(process)
            }
        }
        pointee.processes.free()
        leaveWaits()
    }

    /// Coroutines that are suspended for ever wait for no process any more: others may, and their descriptors are closed.
    private func leaveWaits() {
        pointee.table.forEach {
            if $0.pointee.waitKind == .select { endWait(of: $0) }
            guard $0.pointee.waitKind == .child else { return }
            let child = ChildWait(packed: $0.pointee.waitObject)
            ChildRegistry.release(child.process)
            discard(child.descriptor)
        }
    }

    /// In the child of a fork: the processes are the parent's children. Whoever waits was told by the poller.
    func disownProcesses() {
        var index = pointee.processes.count
        while index > 0 {
            index -= 1
            let process = pointee.processes[index]
            guard process.pointee.state == .running else { continue }
            process.pointee.state = .foreign
            if process.pointee.isUnattended {
                removeRecord(of: process)
            } else {
                discard(process.pointee.watch)
                process.pointee.watch = -1
            }
        }
    }
}
