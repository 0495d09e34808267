typealias LockHeadRef = UnsafeMutablePointer<LockHead>

/// What every lock begins with: those that somebody waits for are known to the thread, so that a coroutine which ends while it
/// holds one of them does not keep the others waiting for ever.
struct LockHead {
    var head: SyncHead
    let kind: Kind
    /// Its neighbours among those that somebody waits for.
    fileprivate var next: LockHeadRef?
    fileprivate var previous: LockHeadRef?
    fileprivate var isContended = false

    enum Kind: UInt8 { case mutex, readWriteLock, keyedLocks }

    init(_ kind: Kind, in runtime: RuntimeRef) {
        head = SyncHead(in: runtime)
        self.kind = kind
    }
}

/// An object whose first field is the head of a lock.
protocol Lock: SyncObject {
    var lock: LockHead { get set }
}

extension Lock {
    var head: SyncHead {
        get { lock.head }
        set { lock.head = newValue }
    }
}

extension UnsafeMutablePointer where Pointee: Lock {
    private var lockHead: LockHeadRef { UnsafeMutableRawPointer(self).assumingMemoryBound(to: LockHead.self) }

    /// Whether somebody waits for it, or did and has not run since.
    var isContended: Bool { pointee.lock.isContended }

    /// Somebody is about to wait for it.
    @inline(__always)
    func noteContention(in runtime: RuntimeRef) {
        if !pointee.lock.isContended { runtime.link(lockHead) }
    }

    /// Nobody waits for it any more. Owed by all who did, before they leave it.
    @inline(__always)
    func noteCalm(in runtime: RuntimeRef) {
        if pointee.lock.isContended { runtime.unlink(lockHead) }
    }
}

extension RuntimeRef {
    fileprivate func link(_ lock: LockHeadRef) {
        lock.pointee.isContended = true
        lock.pointee.previous = nil
        lock.pointee.next = pointee.contended
        pointee.contended?.pointee.previous = lock
        pointee.contended = lock
    }

    fileprivate func unlink(_ lock: LockHeadRef) {
        lock.pointee.isContended = false
        lock.pointee.next?.pointee.previous = lock.pointee.previous
        if let previous = lock.pointee.previous {
            previous.pointee.next = lock.pointee.next
        } else {
            pointee.contended = lock.pointee.next
        }
    }

    /// A coroutine is about to end: what it holds and others wait for is theirs.
    @inline(never)
    func releaseLocks(of coroutine: CoroutineRef) {
        var next = pointee.contended
        while let lock = next {
            // Nothing is unlinked here: that is for those who wait, when they run.
            next = lock.pointee.next
            switch lock.pointee.kind {
            case .mutex: ownerEnds(coroutine, of: UnsafeMutableRawPointer(lock).assumingMemoryBound(to: Mutex.self))
            case .readWriteLock:
                ownerEnds(coroutine, of: UnsafeMutableRawPointer(lock).assumingMemoryBound(to: ReadWriteLock.self))
            case .keyedLocks: ownerEnds(coroutine, of: UnsafeMutableRawPointer(lock).assumingMemoryBound(to: KeyedLocks.self))
            }
        }
    }
}
