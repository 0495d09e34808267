typealias ConditionRef = UnsafeMutablePointer<Condition>

/// Those who wait to be told that something has changed. It remembers nothing: who comes later was not told.
struct Condition: SyncObject {
    var head: SyncHead

    static var name: StaticString { "the condition" }

    /// What is kept of a wait, on the waiter's stack.
    struct Message {
        var value: UnsafeMutableRawPointer?
        var hasCome = false
    }
}

extension RuntimeRef {
    func makeCondition() -> ConditionRef? {
        Heap.one(Condition(head: SyncHead(in: self)))
    }

    /// Returns 0, or the error.
    func wait(for condition: ConditionRef, value: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> Int32 {
        let error = obstacle()
        if error != 0 { return error }
        let code = waitUnhindered(for: condition, value: value)
        return code == 0 ? 0 : explainEnd(code, of: Condition.self)
    }

    private func waitUnhindered(
        for condition: ConditionRef, value: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Int32 {
        var message = Condition.Message()
        return withUnsafeMutablePointer(to: &message) {
            let code = wait(.condition, in: condition.waiters, of: condition, record: $0)
            leave(condition)
            guard $0.pointee.hasCome else { return code }
            // Whoever has sent it counts on it: what has interrupted the caller since then interrupts its next call.
            if code != 0 { setPendingInterrupt(of: pointee.current, code) }
            value?.pointee = $0.pointee.value
            return 0
        }
    }

    /// The same, with a mutex of the caller unlocked meanwhile.
    func wait(
        for condition: ConditionRef, with mutex: MutexRef, value: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) throws(Refusal) -> Int32 {
        let me = pointee.current
        guard mutex.pointee.isHeld(by: me) else { throw refuseUnlock(mutex) }
        let error = obstacle()
        if error != 0 { return error }
        let depth = unlockWholly(mutex)
        let code = waitUnhindered(for: condition, value: value)
        // What `coro_interrupt_value` goes by, which locking would write over.
        let (wakeCode, wakeValue) = (me.pointee.wakeCode, me.pointee.wakeValue)
        let locking = lockAgain(mutex, depth: depth)
        me.pointee.wakeCode = wakeCode
        me.pointee.wakeValue = wakeValue
        if locking == 0 { return code == 0 ? 0 : explainEnd(code, of: Condition.self) }
        // Only one of the two can be returned; the interruption is not lost.
        if code != 0, code != Code.closed, me.pointee.pendingInterrupt == 0 { setPendingInterrupt(of: me, code) }
        return locking
    }

    /// Wakes the first `most`. Returns how many it woke.
    func notify(_ condition: ConditionRef, most: Int64, value: UnsafeMutableRawPointer?) -> Int64 {
        var count: Int64 = 0
        while count < most, let waiter = condition.waiters.pointee.first {
            if let message = waiter.pointee.wakeValue?.assumingMemoryBound(to: Condition.Message.self) {
                message.pointee.value = value
                message.pointee.hasCome = true
            }
            wake(waiter)
            count += 1
        }
        return count
    }

    /// Interrupts all. Returns how many they were.
    func raiseAll(in condition: ConditionRef, _ code: Int32) -> Int64 {
        var count: Int64 = 0
        while let waiter = condition.waiters.pointee.first {
            wake(waiter, with: code)
            count += 1
        }
        return count
    }
}
