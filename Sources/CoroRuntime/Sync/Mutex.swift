typealias MutexRef = UnsafeMutablePointer<Mutex>

/// A lock with one owner: a coroutine, or the thread's own stack. It is handed from the one who unlocks it to the first who
/// waits, so that nobody who comes later can take it before.
struct Mutex: Lock {
    var lock: LockHead
    /// Who locked it last; nil: one that has ended. Not to be looked into before `hasEndedOwner` is false.
    fileprivate(set) var owner: CoroutineRef?
    fileprivate(set) var ownerID: Int64 = 0
    /// How often the owner has locked it; 0: it is not locked.
    fileprivate(set) var depth = 0
    /// The last owner ended while it held it, and the present one has not run since it was handed over.
    fileprivate var isInherited = false

    static var name: StaticString { "the mutex" }

    func isHeld(by coroutine: CoroutineRef) -> Bool { depth > 0 && ownerID == coroutine.pointee.id }
}

extension MutexRef {
    /// Whether the owner ended while it held it. (Control blocks are reused, but stay control blocks; ids are never reused.)
    var hasEndedOwner: Bool {
        guard pointee.depth > 0 else { return false }
        guard let owner = pointee.owner else { return true }
        return owner.pointee.id != pointee.ownerID || owner.pointee.state == .ended
    }

    @inline(__always)
    fileprivate func give(to coroutine: CoroutineRef) {
        pointee.owner = coroutine
        pointee.ownerID = coroutine.pointee.id
        pointee.depth = 1
    }
}

extension RuntimeRef {
    func makeMutex() -> MutexRef? {
        Heap.one(Mutex(lock: LockHead(.mutex, in: self)))
    }

    /// Returns 0, 1 if the caller had to wait, or an error; -EOWNERDEAD: it is the caller's, whose predecessor has ended.
    @inline(__always)
    func lock(_ mutex: MutexRef) -> Int32 {
        if mutex.pointee.depth == 0 {
            mutex.give(to: pointee.current)
            return 0
        }
        return lockHeld(mutex)
    }

    @inline(never)
    private func lockHeld(_ mutex: MutexRef) -> Int32 {
        if mutex.pointee.isHeld(by: pointee.current) || mutex.hasEndedOwner { return tryLock(mutex) }
        var error = obstacle()
        if error == 0 { error = findCycle(through: mutex) }
        if error != 0 { return error }
        mutex.noteContention(in: self)
        let code = wait(.mutex, in: mutex.waiters, of: mutex)
        let outcome = endLock(mutex, code)
        leave(mutex)
        return outcome
    }

    private func endLock(_ mutex: MutexRef, _ code: Int32) -> Int32 {
        if mutex.waiters.pointee.first == nil { mutex.noteCalm(in: self) }
        if code == 0 { return takeOver(mutex, outcome: 1) }
        if mutex.pointee.isHeld(by: pointee.current) { handOn(mutex) }
        return explainEnd(code, of: Mutex.self)
    }

    /// The caller has been given it. `outcome`: what it returns if nothing is wrong with it.
    private func takeOver(_ mutex: MutexRef, outcome: Int32) -> Int32 {
        if !mutex.pointee.isInherited { return outcome }
        mutex.pointee.isInherited = false
        return fail(Code.ownerDead) {
            $0.append("the mutex is the caller's, but its last owner ended while it held it")
        }
    }

    /// As `lock`, but returns -EBUSY where that would wait.
    func tryLock(_ mutex: MutexRef) -> Int32 {
        let me = pointee.current
        if mutex.pointee.depth == 0 {
            mutex.give(to: me)
            return 0
        }
        if mutex.pointee.isHeld(by: me) {
            mutex.pointee.depth += 1
            return 0
        }
        if !mutex.hasEndedOwner { return fail(Code.busy, other: mutex.pointee.ownerID) }
        mutex.give(to: me)
        mutex.pointee.isInherited = true
        return takeOver(mutex, outcome: 0)
    }

    /// Returns whether it was handed to somebody who waits.
    @inline(__always)
    func unlock(_ mutex: MutexRef) throws(Refusal) -> Bool {
        guard mutex.pointee.isHeld(by: pointee.current) else { throw refuseUnlock(mutex) }
        mutex.pointee.depth &-= 1
        if mutex.pointee.depth > 0 || mutex.waiters.pointee.first == nil { return false }
        return handOn(mutex)
    }

    @inline(never)
    func refuseUnlock(_ mutex: MutexRef) -> Refusal {
        let isLocked = mutex.pointee.depth > 0
        return Refusal(
            code: fail(Code.lock, other: isLocked ? mutex.pointee.ownerID : 0) {
                $0.append("the mutex is ")
                if isLocked {
                    appendHolder(mutex.pointee.owner, mutex.pointee.ownerID, to: &$0)
                } else {
                    $0.append("not locked")
                }
            })
    }

    /// Its owner has no more use for it. Returns whether somebody waits for it, whose it is now.
    @discardableResult
    private func handOn(_ mutex: MutexRef) -> Bool {
        if let next = mutex.waiters.pointee.first {
            mutex.give(to: next)
            wake(next)
            return true
        }
        mutex.pointee.depth = 0
        if mutex.pointee.isInherited {
            mutex.pointee.isInherited = false
            mutex.pointee.depth = 1
            mutex.pointee.owner = nil
            mutex.pointee.ownerID = -1
        }
        return false
    }

    /// A coroutine that ends may be the owner of a mutex for which others wait.
    func ownerEnds(_ coroutine: CoroutineRef, of mutex: MutexRef) {
        guard mutex.pointee.isHeld(by: coroutine) else { return }
        mutex.pointee.isInherited = true
        handOn(mutex)
    }

    /// What another holds is not to be freed.
    func checkFree(_ mutex: MutexRef) throws(Refusal) {
        guard mutex.pointee.depth > 0, !mutex.pointee.isHeld(by: pointee.current), !mutex.hasEndedOwner else { return }
        throw Refusal(
            code: fail(Code.busy, other: mutex.pointee.ownerID) {
                $0.append("the mutex is ")
                appendHolder(mutex.pointee.owner, mutex.pointee.ownerID, to: &$0)
            })
    }

    // -- around a wait for a condition --

    /// Unlocks it wholly. Its memory is there until `lockAgain`. Returns how often it was locked.
    func unlockWholly(_ mutex: MutexRef) -> Int {
        enter(mutex)
        let depth = mutex.pointee.depth
        handOn(mutex)
        return depth
    }

    /// Locks it again, as often as before. Nothing interrupts that; what would have is left for the next suspending call.
    /// Returns 0, -EOWNERDEAD, or, where it is not the caller's, why: it was freed, or nothing will ever unlock it.
    func lockAgain(_ mutex: MutexRef, depth: Int) -> Int32 {
        let me = pointee.current
        var interruption: Int32 = 0
        var outcome: Int32 = 0
        while outcome == 0, !mutex.pointee.isHeld(by: me) {
            if mutex.pointee.head.isFreed {
                outcome = explainEnd(Code.closed, of: Mutex.self)
            } else if mutex.pointee.depth == 0 {
                mutex.give(to: me)
            } else if mutex.hasEndedOwner {
                mutex.give(to: me)
                mutex.pointee.isInherited = true
            } else {
                outcome = findCycle(through: mutex)
                if outcome == 0 { interruption = waitFirmly(for: mutex, interruption) }
                // Nobody interrupts the thread's own stack, but nothing may be left that could unlock it.
                if me == pointee.main, interruption != 0, !mutex.pointee.isHeld(by: me) {
                    return leave(mutex, with: fail(interruption))
                }
            }
        }
        if interruption != 0 { setPendingInterrupt(of: me, interruption) }
        if mutex.pointee.isHeld(by: me) {
            mutex.pointee.depth = depth
            outcome = takeOver(mutex, outcome: 0)
        }
        return leave(mutex, with: outcome)
    }

    private func leave(_ mutex: MutexRef, with code: Int32) -> Int32 {
        leave(mutex)
        return code
    }

    /// Returns what interrupted it, or else what had interrupted it before.
    private func waitFirmly(for mutex: MutexRef, _ earlier: Int32) -> Int32 {
        mutex.noteContention(in: self)
        mutex.waiters.pointee.append(pointee.current)
        let code = parkFirmly(.mutex, on: Int(bitPattern: mutex))
        if mutex.waiters.pointee.first == nil { mutex.noteCalm(in: self) }
        return code == 0 || mutex.pointee.head.isFreed && code == Code.closed ? earlier : code
    }
}
