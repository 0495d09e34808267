import CCoroPlatform

/// Who has to do with a child: a coroutine that waits for it, or a process handle.
struct ChildClaim {
    /// 0: none yet, or it was reaped.
    var pid: Int32
    /// The coroutine that waits in `coro_waitpid`; 0: the thread's own stack, or there is a handle.
    var waiter: Int64 = 0
    /// The handle; 0: there is none.
    var process: Int64 = 0
    /// Whether the handle is open.
    var isOpen = false
    /// Whether its thread has ended: whoever comes by reaps it.
    var isStray = false
}

/// The children of the process that somebody has to do with, on whichever thread: a child has one status, which one may take.
/// The list is searched from end to end: it has as many entries as there are children, and each cost a fork.
enum ChildRegistry {
    enum Answer {
        case done
        case taken(ChildClaim)
        case noMemory
    }

    /// The current coroutine of a thread is the one that waits for pid.
    static func claim(_ pid: Int32, by waiter: Int64) -> Answer {
        Shared.withLock { shared -> Answer in
            if let index = index(in: shared, { $0.pid == pid }) { return .taken(shared.pointee.children[index]) }
            guard shared.pointee.children.reserveOne() else { return .noMemory }
            shared.pointee.children.appendReserved(ChildClaim(pid: pid, waiter: waiter))
            return .done
        } ?? .noMemory
    }

    /// It waits no more.
    static func release(_ pid: Int32) {
        remove { $0.pid == pid && $0.process == 0 }
    }

    /// The name of a new handle; nil without memory.
    static func openHandle() -> Int64? {
        Shared.withLock { shared -> Int64? in
            guard shared.pointee.children.reserveOne() else { return nil }
            shared.pointee.lastProcess += 1
            let process = shared.pointee.lastProcess
            shared.pointee.children.appendReserved(ChildClaim(pid: 0, process: process, isOpen: true))
            return process
        } ?? nil
    }

    /// What the handle is of. 0: its process was reaped.
    static func setPid(_ pid: Int32, of process: Int64) {
        change(process) { $0.pid = pid }
    }

    static func close(_ process: Int64) {
        change(process) { $0.isOpen = false }
    }

    /// Nothing more is to be known of it.
    static func drop(_ process: Int64) {
        remove { $0.process == process }
    }

    /// Its thread ends while it runs.
    static func leave(_ process: Int64) {
        _ = Shared.withLock { shared in
            guard let index = index(in: shared, { $0.process == process }) else { return }
            var claim = shared.pointee.children[index]
            claim.isOpen = false
            claim.isStray = true
            shared.pointee.children[index] = claim
            shared.pointee.strayCount += 1
        }
    }

    /// Reaps what threads that have ended have left behind, as far as it has ended.
    static func reapStrays() {
        _ = Shared.withLock { shared in
            var next = 0
            while shared.pointee.strayCount > 0, next < shared.pointee.children.count {
                let claim = shared.pointee.children[next]
                var status: Int32 = 0
                if claim.isStray, coro_system_reap(claim.pid, &status) != 0 {
                    shared.pointee.children.removeSwappingLast(at: next)
                    shared.pointee.strayCount -= 1
                } else {
                    next += 1
                }
            }
        }
    }

    /// What became of a handle that is none of this thread's.
    enum Fate {
        case never, closed, ofOtherThread
    }

    static func fate(of process: Int64) -> Fate {
        Shared.withLock { shared -> Fate in
            guard process > 0, process <= shared.pointee.lastProcess else { return .never }
            guard let index = index(in: shared, { $0.process == process }), shared.pointee.children[index].isOpen else {
                return .closed
            }
            return .ofOtherThread
        } ?? .never
    }

    /// In the child of a fork: none of them is a child of this process.
    static func forgetAll() {
        _ = Shared.withLock { shared in
            shared.pointee.children.removeAll()
            shared.pointee.strayCount = 0
        }
    }

    private static func index(in shared: UnsafeMutablePointer<Shared>, _ isIt: (ChildClaim) -> Bool) -> Int? {
        for index in 0..<shared.pointee.children.count where isIt(shared.pointee.children[index]) { return index }
        return nil
    }

    private static func change(_ process: Int64, _ body: (inout ChildClaim) -> Void) {
        _ = Shared.withLock { shared in
            guard let index = index(in: shared, { $0.process == process }) else { return }
            var claim = shared.pointee.children[index]
            body(&claim)
            shared.pointee.children[index] = claim
        }
    }

    private static func remove(_ isIt: (ChildClaim) -> Bool) {
        _ = Shared.withLock { shared in
            if let index = index(in: shared, isIt) { shared.pointee.children.removeSwappingLast(at: index) }
        }
    }
}
