import CCoroPlatform

/// Dispatch's main queue, which is served by the loop of the process's first thread: what is queued there, jobs of Swift's main
/// actor among it, waits for somebody who holds that thread.
struct MainQueue {
    /// Whether the loop is to serve it, if it is there.
    fileprivate(set) var isWanted = true
    /// What can be read from when something is queued; -1: it is not known of. It is libdispatch's.
    fileprivate var descriptor: Int32 = -1
    /// Whether the poller tells of it.
    fileprivate var isRegistered = false
    /// When to look next, on the loop's clock; `.max`: never.
    fileprivate(set) var nextLook: Int64 = .max

    /// How often to look while the loop does not wait, which has the poller tell: every 100 µs. Each look is a system call.
    fileprivate static let interval: Int64 = 100_000
}

extension RuntimeRef {
    /// The loop begins: libdispatch may have come since it last did.
    func findMainQueue() {
        guard pointee.mainQueue.isWanted, pointee.mainQueue.descriptor < 0 else { return }
        pointee.mainQueue.descriptor = coro_main_queue_find()
        if pointee.mainQueue.descriptor >= 0 { pointee.mainQueue.nextLook = .min }
    }

    /// Runs what has been queued, if anything has.
    @inline(never)
    func serveMainQueue() {
        pointee.mainQueue.nextLook = pointee.clock.isVirtual ? .min : pointee.now &+ MainQueue.interval
        if coro_main_queue_take(pointee.mainQueue.descriptor) { callBack { coro_main_queue_run() } }
    }

    /// The loop is about to wait: the poller has to tell when something is queued. Where it can't be told to, the loop goes on
    /// without.
    func registerMainQueue() {
        if pointee.mainQueue.descriptor < 0 || pointee.mainQueue.isRegistered { return }
        let error = coro_poller_add_level(
            &pointee.poller.pointee.kernel, pointee.mainQueue.descriptor, Poller.mainQueueToken)
        pointee.mainQueue.isRegistered = error == 0
    }

    /// The poller tells.
    func noteMainQueue(_ event: coro_poll_event) {
        if event.events & UInt32(CORO_POLL_ENDED.rawValue) != 0 { pointee.mainQueue.isRegistered = false }
        if pointee.mainQueue.descriptor >= 0 { pointee.mainQueue.nextLook = .min }
    }

    func setServeMainQueue(_ on: Bool) {
        pointee.mainQueue.isWanted = on
        if on {
            if pointee.loopState != .idle { findMainQueue() }
        } else {
            forgetMainQueue()
        }
    }

    private func forgetMainQueue() {
        if pointee.mainQueue.isRegistered {
            let descriptor = pointee.mainQueue.descriptor
            _ = coro_poller_remove(&pointee.poller.pointee.kernel, descriptor, Poller.mainQueueToken)
        }
        pointee.mainQueue.isRegistered = false
        pointee.mainQueue.descriptor = -1
        pointee.mainQueue.nextLook = .max
    }

    /// In the child of a fork, after the poller was replaced: the descriptor is shared with the parent.
    func leaveMainQueueToParent() {
        pointee.mainQueue.isRegistered = false
        forgetMainQueue()
    }
}
