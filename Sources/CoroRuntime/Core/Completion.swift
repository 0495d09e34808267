typealias CompletionRef = UnsafeMutablePointer<Completion>

/// Something that goes on outside the loop, in the kernel or on another thread, with memory that is its caller's: so the caller
/// can't go on before it is over. Mostly it is on the caller's stack.
struct Completion {
    /// The caller, while it waits. `RuntimeRef.endWait` relies on its place.
    var waiters = WaitList()
    private(set) var result = 0
    private(set) var isDone = false

    fileprivate mutating func finish(with result: Int) {
        self.result = result
        isDone = true
    }
}

/// Whether what somebody no longer waits for can be stopped.
enum Withdrawal {
    /// It has not begun, and never will.
    case withdrawn
    /// It goes on to its end, which will come soon if it can be hurried.
    case goesOn
}

extension RuntimeRef {
    /// It is over. To be called on the loop's thread, for one that somebody waits for or is about to.
    func complete(_ completion: CompletionRef, with result: Int) {
        completion.pointee.finish(with: result)
        if let waiter = completion.pointee.waiters.first { wake(waiter) }
    }

    /// Waits until it is over. An interruption first has `withdraw` called, which tries to stop it. Returns 0 when it is over, or
    /// the code that the caller was interrupted with: if it was withdrawn, or if its result says that it was cancelled because
    /// of that. What has been done in spite of an interruption counts: then this is 0, and the next suspending call is
    /// interrupted. The caller has seen that there is no `obstacle()`.
    func wait(for completion: CompletionRef, _ kind: WaitKind, withdraw: () -> Withdrawal) -> Int32 {
        if completion.pointee.isDone { return 0 }
        let me = pointee.current
        pointee.outsideCount += 1
        var code = parkOnce(for: completion, kind)
        // What `coro_interrupt` has given is for who is told of the interruption, whatever wakes it afterwards.
        var value = me.pointee.wakeValue
        if !completion.pointee.isDone, case .withdrawn = withdraw() {
            pointee.outsideCount -= 1
            me.pointee.wakeCode = code
            return takeOutcome(of: me)
        }
        while !completion.pointee.isDone {
            // Its memory is in use: whatever comes now has to wait. The last one counts.
            let later = parkFirmly(for: completion, kind)
            if later != 0 { (code, value) = (later, me.pointee.wakeValue) }
        }
        pointee.outsideCount -= 1
        if code == 0 { return 0 }
        if completion.pointee.result == Int(-CoroErrno.cancelled) {
            me.pointee.wakeCode = code
            me.pointee.wakeValue = value
            return takeOutcome(of: me)
        }
        // The scope whose time is up interrupts the next call by itself.
        if code != Code.timeIsUp { setPendingInterrupt(of: me, code) }
        return 0
    }

    private func parkOnce(for completion: CompletionRef, _ kind: WaitKind) -> Int32 {
        let me = begin(completion, kind)
        if me.has(.timed) { waitInScope(until: .max) } else { leave() }
        return me.pointee.wakeCode
    }

    /// No scope's time ends this.
    private func parkFirmly(for completion: CompletionRef, _ kind: WaitKind) -> Int32 {
        completion.pointee.waiters.append(pointee.current)
        return parkFirmly(kind, on: Int(bitPattern: completion))
    }

    private func begin(_ completion: CompletionRef, _ kind: WaitKind) -> CoroutineRef {
        let me = pointee.current
        completion.pointee.waiters.append(me)
        me.pointee.waitKind = kind
        me.pointee.waitObject = Int(bitPattern: completion)
        me.pointee.state = .waiting
        return me
    }
}
