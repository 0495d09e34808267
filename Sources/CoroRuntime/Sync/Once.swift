typealias OnceRef = UnsafeMutablePointer<Once>

/// Something that is to be done once, by the first who needs it.
struct Once: SyncObject {
    var head: SyncHead
    /// Who does it, or is to do it next.
    var runner: CoroutineRef?
    var isDone = false

    static var name: StaticString { "the once" }
}

extension RuntimeRef {
    func makeOnce() -> OnceRef? {
        Heap.one(Once(head: SyncHead(in: self)))
    }

    /// Runs `body`, unless it is done, or waits for who does it. Returns 0 when it is done, or an error.
    func run(_ once: OnceRef, _ body: @convention(c) (UnsafeMutableRawPointer?) -> Int32, _ argument: UnsafeMutableRawPointer?)
        -> Int32
    {
        if once.pointee.isDone { return 0 }
        let me = pointee.current
        if let runner = once.pointee.runner {
            if runner == me { return refuseRunner(me) }
            let code = awaitTurn(in: once)
            if code != 0 { return code }
            if once.pointee.runner != me {
                leave(once)
                return 0
            }
        } else {
            once.pointee.runner = me
            enter(once)
        }
        let code = body(argument)
        if code < 0 {
            passOn(once)
        } else {
            once.pointee.isDone = true
            once.pointee.runner = nil
            wakeAll(of: once.waiters)
        }
        leave(once)
        return Swift.min(code, 0)
    }

    /// Waits until it is done, or the caller is to do it. Unless this returns an error, the caller has still to `leave`.
    private func awaitTurn(in once: OnceRef) -> Int32 {
        let error = obstacle()
        if error != 0 { return error }
        var code = wait(.once, in: once.waiters, of: once)
        let isTurn = once.pointee.runner == pointee.current
        if code == 0, isTurn, once.pointee.head.isFreed { code = Code.closed }
        if code == 0 { return 0 }
        if isTurn { passOn(once) }
        leave(once)
        return explainEnd(code, of: Once.self)
    }

    /// Who should have done it has not: it is the next one's turn.
    private func passOn(_ once: OnceRef) {
        once.pointee.runner = once.waiters.pointee.first
        if let next = once.pointee.runner { wake(next) }
    }

    private func refuseRunner(_ me: CoroutineRef) -> Int32 {
        fail(Code.deadlock, other: me.pointee.id) {
            $0.append("the caller is the one that does it, and would wait for itself")
        }
    }
}
