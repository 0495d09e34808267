/// What somebody who waits to hand something over, or to be given something, leaves for those who come: on the stack of the
/// waiter, whose `wakeValue` is its address meanwhile. What it says counts, whatever the waiter is interrupted with later.
struct Handover {
    /// Where the element is, or is to be put; nil: it has no bytes, or nobody wants them.
    let element: UnsafeMutableRawPointer?
    fileprivate(set) var isDone = false

    init(element: UnsafeMutableRawPointer?) {
        self.element = element
    }
}

extension CoroutineRef {
    /// What one that waits for such a thing has left.
    @inline(__always)
    var handover: UnsafeMutablePointer<Handover> {
        pointee.wakeValue.unsafelyUnwrapped.assumingMemoryBound(to: Handover.self)
    }
}

extension RuntimeRef {
    /// Waits in one of the object's lists until something was handed over: 0 or what the wait ended with. It is still to be
    /// explained, and the object to be left.
    @inline(__always)
    func waitForHandover<Object: SyncObject>(
        _ kind: WaitKind, in list: UnsafeMutablePointer<WaitList>, of object: UnsafeMutablePointer<Object>,
        _ element: UnsafeMutableRawPointer?
    ) -> Int32 {
        var handover = Handover(element: element)
        return withUnsafeMutablePointer(to: &handover) {
            let me = pointee.current
            me.pointee.wakeValue = UnsafeMutableRawPointer($0)
            let code = wait(kind, in: list, of: object)
            guard $0.pointee.isDone else { return code }
            // Done before it was interrupted: the next call that would suspend is.
            if code != 0 { setPendingInterrupt(of: me, code) }
            return 0
        }
    }

    /// The element of a waiter was moved.
    @inline(__always)
    func finishHandover(with waiter: CoroutineRef) {
        waiter.handover.pointee.isDone = true
        wake(waiter)
    }
}
