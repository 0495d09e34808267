/// Waits that would go round in a circle, and so never end: the owner of a mutex waits for another mutex, or for the end of a
/// coroutine, and so on, until it is the caller who would have to go on first.
extension RuntimeRef {
    /// Returns -EDEADLK if waiting for the mutex would close a circle, else 0.
    func findCycle(through mutex: MutexRef) -> Int32 {
        // A circle that others have closed, by joining, does not lead back here: so no more steps than there are coroutines.
        var steps = pointee.table.count + 1
        var next = mutex.pointee.owner
        while let holder = next, steps > 0 {
            if holder == pointee.current { return refuseCycle(through: mutex) }
            next = whoKeepsWaiting(holder)
            steps -= 1
        }
        return 0
    }

    /// Without whom `coroutine` can't go on; nil if it can, or if it is not known.
    private func whoKeepsWaiting(_ coroutine: CoroutineRef) -> CoroutineRef? {
        guard coroutine.pointee.state == .waiting else { return nil }
        switch coroutine.pointee.waitKind {
        case .mutex:
            let mutex = MutexRef(bitPattern: coroutine.pointee.waitObject).unsafelyUnwrapped
            return mutex.hasEndedOwner ? nil : mutex.pointee.owner
        case .join: return CoroutineRef(bitPattern: coroutine.pointee.waitObject)
        default: return nil
        }
    }

    @inline(never)
    private func refuseCycle(through mutex: MutexRef) -> Int32 {
        fail(Code.deadlock, other: mutex.pointee.ownerID) {
            $0.append("the wait would never end: ")
            var next = mutex.pointee.owner
            var isFirst = true
            while let holder = next, holder != pointee.current {
                if !isFirst { $0.append("; ") }
                isFirst = false
                appendNumberAndName(of: holder, to: &$0)
                $0.append(" ")
                appendWait(of: holder, to: &$0)
                next = whoKeepsWaiting(holder)
            }
        }
    }
}
