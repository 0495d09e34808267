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

/// The same for keyed locks, where one may wait for several. Only who holds some can close a circle.
extension RuntimeRef {
    /// Returns -EDEADLK if waiting for these would close a circle, else 0.
    func findCycle(in locks: KeyedLocksRef, _ keys: UnsafePointer<UInt64>, _ count: Int) -> Int32 {
        guard locks.holdsSome(pointee.current) else { return 0 }
        pointee.lastSearch &+= 1
        var unseen: KeyRequestRef?
        addOwners(of: keys, count, in: locks, for: pointee.current, to: &unseen, from: nil)
        while let request = unseen {
            unseen = request.pointee.nextUnseen
            if request.pointee.wants(ofOwner: pointee.current.pointee.id) != nil {
                return refuseCycle(endingIn: request, owner: locks.owner(of: keys, count, besides: pointee.current))
            }
            addOwners(
                of: request.pointee.keys, request.pointee.count, in: request.pointee.locks, for: request.pointee.coroutine,
                to: &unseen, from: request)
        }
        return 0
    }

    /// Those who own what `coroutine` wants, as far as they wait for keys themselves.
    private func addOwners(
        of keys: UnsafePointer<UInt64>, _ count: Int, in locks: KeyedLocksRef, for coroutine: CoroutineRef,
        to unseen: inout KeyRequestRef?, from: KeyRequestRef?
    ) {
        for index in 0..<count {
            guard let id = locks.owner(of: keys[index]),
                let owner = id == 0 ? pointee.main : pointee.table.find(id), owner != coroutine,
                owner.pointee.state == .waiting, owner.pointee.waitKind == .keys,
                let request = owner.pointee.wakeValue?.assumingMemoryBound(to: KeyedLocks.Request.self),
                request.pointee.search != pointee.lastSearch
            else { continue }
            request.pointee.search = pointee.lastSearch
            request.pointee.cameFrom = from
            request.pointee.nextUnseen = unseen
            unseen = request
        }
    }

    @inline(never)
    private func refuseCycle(endingIn last: KeyRequestRef, owner: Int64) -> Int32 {
        fail(Code.deadlock, other: owner) {
            $0.append("the wait would never end: ")
            var next: KeyRequestRef? = last
            var owner = pointee.current.pointee.id
            while let request = next {
                appendNumberAndName(of: request.pointee.coroutine, to: &$0)
                $0.append(" waits for key ")
                $0.append(Int64(bitPattern: request.pointee.wants(ofOwner: owner) ?? 0))
                $0.append(owner == pointee.current.pointee.id ? " of the caller" : " of #")
                if owner != pointee.current.pointee.id { $0.append(owner) }
                owner = request.pointee.coroutine.pointee.id
                next = request.pointee.cameFrom
                if next != nil { $0.append("; ") }
            }
        }
    }
}

extension KeyedLocks.Request {
    /// The first key that it wants and that coroutine holds.
    fileprivate func wants(ofOwner id: Int64) -> UInt64? {
        for index in 0..<count {
            if locks.owner(of: keys[index]) == id { return keys[index] }
        }
        return nil
    }
}

extension KeyedLocksRef {
    /// Who holds the first of these that another holds.
    fileprivate func owner(of keys: UnsafePointer<UInt64>, _ count: Int, besides coroutine: CoroutineRef) -> Int64 {
        for index in 0..<count {
            if let owner = owner(of: keys[index]), owner != coroutine.pointee.id { return owner }
        }
        return 0
    }
}
