typealias ReadWriteLockRef = UnsafeMutablePointer<ReadWriteLock>

/// A lock that many may hold to read, or one to write. Writers come first: while one waits, nobody new gets in to read. One who
/// holds it either way may lock it again, and the writer may read.
struct ReadWriteLock: Lock {
    /// Its waiters are those who want to read;
    var lock: LockHead
    /// and these want to write. `ReadWriteLockRef.writers` relies on its place.
    private var writers = WaitList()
    fileprivate(set) var writer: CoroutineRef?
    fileprivate(set) var writerID: Int64 = 0
    /// How often the writer has locked it; 0: nobody writes.
    fileprivate(set) var depth = 0
    /// Who reads, by id, and how often each has locked it. There is room for those who wait to read, too.
    fileprivate(set) var readers = KeyTable<Int>()
    fileprivate var waitingReaders = 0
    /// A writer ended while it held it, and none has had it since.
    fileprivate var isSpoiled = false

    static var name: StaticString { "the read-write lock" }

    init(in runtime: RuntimeRef) {
        lock = LockHead(.readWriteLock, in: runtime)
    }

    @inline(__always)
    fileprivate func isWriter(_ coroutine: CoroutineRef) -> Bool { depth > 0 && writerID == coroutine.pointee.id }
}

extension ReadWriteLockRef {
    var writers: UnsafeMutablePointer<WaitList> {
        (UnsafeMutableRawPointer(self) + MemoryLayout<LockHead>.stride).assumingMemoryBound(to: WaitList.self)
    }

    fileprivate func count(of reader: CoroutineRef) -> UnsafeMutablePointer<Int>? {
        pointee.readers.find(UInt64(bitPattern: reader.pointee.id))
    }

    fileprivate func canRead(_ coroutine: CoroutineRef) -> Bool {
        pointee.depth == 0 && writers.pointee.first == nil || pointee.isWriter(coroutine)
    }

    /// Nobody waits for those who could only go on after the caller: one who reads goes before the writers who wait for it.
    fileprivate func canWrite(_ coroutine: CoroutineRef) -> Bool {
        if pointee.depth > 0 { return false }
        return pointee.readers.count == 0 && writers.pointee.first == nil
            || pointee.readers.count == 1 && count(of: coroutine) != nil
    }

    /// Makes room for one more reader: false without memory.
    fileprivate func reserveReader() -> Bool {
        pointee.readers.reserve(pointee.readers.count + pointee.waitingReaders + 1)
    }

    fileprivate func addReader(_ coroutine: CoroutineRef) {
        pointee.readers.insert(UInt64(bitPattern: coroutine.pointee.id), 1)
    }

    fileprivate func removeReader(_ coroutine: CoroutineRef) {
        pointee.readers.remove(UInt64(bitPattern: coroutine.pointee.id))
    }

    fileprivate func giveToWriter(_ coroutine: CoroutineRef) {
        pointee.writer = coroutine
        pointee.writerID = coroutine.pointee.id
        pointee.depth = 1
    }
}

extension RuntimeRef {
    func makeReadWriteLock() -> ReadWriteLockRef? {
        guard let lock = Heap.one(ReadWriteLock(in: self)) else { return nil }
        if lock.reserveReader() { return lock }
        Heap.free(lock)
        return nil
    }

    // -- reading --

    /// Returns 0, -EOWNERDEAD, -ENOMEM; nil: the caller would have to wait.
    @inline(__always)
    func tryReadLock(_ lock: ReadWriteLockRef) -> Int32? {
        let me = pointee.current
        if let count = lock.count(of: me) {
            count.pointee += 1
            return 0
        }
        if !lock.canRead(me), !dropEnded(of: lock) || !lock.canRead(me) { return nil }
        guard lock.reserveReader() else { return fail(Code.noMemory) }
        lock.addReader(me)
        return lock.pointee.isSpoiled ? warn(of: lock) : 0
    }

    func readLock(_ lock: ReadWriteLockRef) -> Int32 {
        if let outcome = tryReadLock(lock) { return outcome }
        let error = obstacle()
        if error != 0 { return error }
        guard lock.reserveReader() else { return fail(Code.noMemory) }
        lock.noteContention(in: self)
        lock.pointee.waitingReaders += 1
        let code = wait(.readLock, in: lock.waiters, of: lock)
        lock.pointee.waitingReaders -= 1
        let me = pointee.current
        if code != 0 {
            if lock.count(of: me) != nil { lock.removeReader(me) }
            letIn(to: lock)
        }
        return endWait(for: lock, code, isSpoiled: lock.pointee.isSpoiled)
    }

    func readUnlock(_ lock: ReadWriteLockRef) throws(Refusal) {
        guard let count = lock.count(of: pointee.current) else { throw refuse(lock, "the caller does not hold it to read") }
        count.pointee -= 1
        if count.pointee > 0 { return }
        lock.removeReader(pointee.current)
        letIn(to: lock)
    }

    // -- writing --

    /// As `tryReadLock`.
    @inline(__always)
    func tryWriteLock(_ lock: ReadWriteLockRef) -> Int32? {
        let me = pointee.current
        if lock.pointee.isWriter(me) {
            lock.pointee.depth += 1
            return 0
        }
        if !lock.canWrite(me), !dropEnded(of: lock) || !lock.canWrite(me) { return nil }
        lock.giveToWriter(me)
        return takeSpoiled(lock) ? warn(of: lock) : 0
    }

    func writeLock(_ lock: ReadWriteLockRef) -> Int32 {
        if let outcome = tryWriteLock(lock) { return outcome }
        let me = pointee.current
        if lock.count(of: me) != nil {
            return fail(Code.deadlock) {
                $0.append("the caller reads, and so do others: to write it must unlock, and lock again")
            }
        }
        let error = obstacle()
        if error != 0 { return error }
        lock.noteContention(in: self)
        let code = wait(.writeLock, in: lock.writers, of: lock)
        if code != 0 {
            if lock.pointee.isWriter(me) { lock.pointee.depth = 0 }
            letIn(to: lock)
        }
        return endWait(for: lock, code, isSpoiled: code == 0 && takeSpoiled(lock))
    }

    func writeUnlock(_ lock: ReadWriteLockRef) throws(Refusal) {
        guard lock.pointee.isWriter(pointee.current) else { throw refuse(lock, "the caller does not hold it to write") }
        lock.pointee.depth -= 1
        if lock.pointee.depth == 0 { letIn(to: lock) }
    }

    // -- both --

    /// A call that has waited is over. Returns what it returns.
    private func endWait(for lock: ReadWriteLockRef, _ code: Int32, isSpoiled: Bool) -> Int32 {
        if lock.waiters.pointee.first == nil, lock.writers.pointee.first == nil { lock.noteCalm(in: self) }
        let outcome = code != 0 ? explainEnd(code, of: ReadWriteLock.self) : isSpoiled ? warn(of: lock) : 1
        leave(lock)
        return outcome
    }

    /// Who may have it now gets it: the first who wants to write, or all who want to read.
    private func letIn(to lock: ReadWriteLockRef) {
        if lock.pointee.depth > 0 { return }
        if let writer = lock.writers.pointee.first {
            if lock.pointee.readers.count > 0 { return }
            lock.giveToWriter(writer)
            wake(writer)
            return
        }
        while let reader = lock.waiters.pointee.first {
            lock.addReader(reader)
            wake(reader)
        }
    }

    /// The next writer sets right what the last may have left half done; until then it is known to be.
    private func takeSpoiled(_ lock: ReadWriteLockRef) -> Bool {
        let wasSpoiled = lock.pointee.isSpoiled
        lock.pointee.isSpoiled = false
        return wasSpoiled
    }

    @inline(never)
    private func warn(of lock: ReadWriteLockRef) -> Int32 {
        fail(Code.ownerDead) { $0.append("the lock is the caller's, but a coroutine ended while it held it to write") }
    }

    @inline(never)
    private func refuse(_ lock: ReadWriteLockRef, _ why: StaticString) -> Refusal {
        Refusal(code: fail(Code.lock, other: lock.pointee.depth > 0 ? lock.pointee.writerID : 0) { $0.append(why) })
    }

    // -- those who end while they hold it --

    /// Forgets holders that ended when nobody waited. (While somebody waits, their end is noticed.) Returns whether there were.
    @inline(never)
    private func dropEnded(of lock: ReadWriteLockRef) -> Bool {
        if lock.isContended { return false }
        var found = false
        if lock.pointee.depth > 0, hasEnded(lock.pointee.writerID) {
            lock.pointee.depth = 0
            lock.pointee.isSpoiled = true
            found = true
        }
        return lock.pointee.readers.removeAll { hasEnded(Int64(bitPattern: $0)) } || found
    }

    func hasEnded(_ id: Int64) -> Bool {
        if id == 0 { return false }
        guard let coroutine = pointee.table.find(id) else { return true }
        return coroutine.pointee.state == .ended
    }

    func ownerEnds(_ coroutine: CoroutineRef, of lock: ReadWriteLockRef) {
        let writes = lock.pointee.isWriter(coroutine)
        if !writes, lock.count(of: coroutine) == nil { return }
        if writes {
            lock.pointee.depth = 0
            lock.pointee.isSpoiled = true
        }
        lock.removeReader(coroutine)
        letIn(to: lock)
    }

    /// Frees it, unless another holds it.
    func freeUnused(_ lock: ReadWriteLockRef) throws(Refusal) {
        let me = pointee.current
        _ = dropEnded(of: lock)
        let others = lock.pointee.readers.count - (lock.count(of: me) == nil ? 0 : 1)
        if others > 0 || lock.pointee.depth > 0 && !lock.pointee.isWriter(me) {
            let owner = lock.pointee.depth > 0 ? lock.pointee.writerID : 0
            throw Refusal(code: fail(Code.busy, other: owner) { $0.append("another holds the read-write lock") })
        }
        lock.pointee.readers.free()
        wakeAll(of: lock.writers, with: Code.closed)
        free(lock)
    }
}
