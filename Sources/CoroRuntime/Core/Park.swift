/// Waiting and waking: the one way in which coroutines are suspended.
///
/// Who waits says for what (`waitKind`, `waitObject`), is in at most one list of waiters, and has at most one timer. Waking
/// it, for whatever reason, takes it out of both before it is runnable. So nothing that comes later can wake it a second time
/// for a wait that is over, and a wait that was interrupted leaves nothing behind.
extension RuntimeRef {
    /// Suspends the current coroutine until somebody wakes it, or until `deadline`: that wakes a sleeper with 0, and any
    /// other with CORO_ETIMEOUT; or until the time of a scope around it is up. Returns what it was woken with. The caller has
    /// seen that there is no `obstacle()`, and has put it into the list of waiters that goes with `kind`, if there is one.
    func park(_ kind: WaitKind, on object: Int = 0, until deadline: Int64 = .max) -> Int32 {
        let me = pointee.current
        me.pointee.waitKind = kind
        me.pointee.waitObject = object
        me.pointee.state = .waiting
        if me.has(.timed) {
            waitInScope(until: deadline)
            return takeOutcome(of: me)
        }
        if deadline != .max, !startTimer(of: me, deadline) { return Code.noMemory }
        leave()
        return me.pointee.wakeCode
    }

    /// The same, but the time of no scope ends it.
    func parkFirmly(_ kind: WaitKind, on object: Int) -> Int32 {
        let me = pointee.current
        me.pointee.waitKind = kind
        me.pointee.waitObject = object
        me.pointee.state = .waiting
        leave()
        return me.pointee.wakeCode
    }

    /// Suspends the current coroutine, whose wait has begun, as `park` does, for one that is in a timeout scope. What it was
    /// woken with is still to be looked at: `Code.timeIsUp` if the time of a scope is up, which has not run out before
    /// `takeOutcome` says so.
    @inline(never)
    func waitInScope(until deadline: Int64) {
        let me = pointee.current
        if isTimeUp(for: me) {
            // What it is to wait for may happen again and again, and so come first each time; so it waits for its turn alone.
            endWait(of: me)
            me.pointee.waitKind = .pass
            pointee.nextPass.append(me)
            leave()
            if me.pointee.wakeCode == 0 { me.pointee.wakeCode = Code.timeIsUp }
            return
        }
        let deadline = Swift.min(deadline, timeoutDeadline(of: me))
        // The next pass comes by itself, whatever the time.
        let needsTimer = deadline != .max && me.pointee.waitKind != .pass
        if needsTimer, !startTimer(of: me, deadline) { return }
        leave()
    }

    /// Bounds the wait that the current coroutine has begun: without memory the wait is over, and this is false.
    private func startTimer(of me: CoroutineRef, _ deadline: Int64) -> Bool {
        if pointee.timers.reserveOne() {
            pointee.timers.insert(me, deadline: deadline)
            return true
        }
        endWait(of: me)
        me.pointee.wakeCode = Code.noMemory
        me.pointee.state = .running
        return false
    }

    /// Runs others until the current coroutine, which is in a wait or in a queue, is run again.
    @inline(__always)
    func leave() {
        pointee.budget &-= 1
        if pointee.current == pointee.main {
            driveLoop()
            return
        }
        let next = takeNext()
        if next != pointee.current {
            pointee.ready.prefetch()
            switchTo(next)
        }
    }

    /// The next to run: the first that is runnable, or, if there is none or the batch is over, the loop.
    @inline(__always)
    func takeNext() -> CoroutineRef {
        while !pointee.ready.isEmpty, pointee.budget > 0 || renewBatch(), let next = pointee.ready.popFirst() {
            if next.pointee.state == .ready {
                next.pointee.state = .running
                return next
            }
            dropCancelled(next)
        }
        return pointee.main
    }

    /// Makes a waiting coroutine runnable. `code` is what its suspending call returns.
    func wake(_ coroutine: CoroutineRef, with code: Int32 = 0, value: UnsafeMutableRawPointer? = nil) {
        if coroutine.pointee.state == .standIn { return endSelect(by: coroutine, with: code, value: value) }
        endWait(of: coroutine)
        coroutine.pointee.wakeCode = code
        coroutine.pointee.wakeValue = value
        makeReady(coroutine)
    }

    @inline(__always)
    func makeReady(_ coroutine: CoroutineRef) {
        coroutine.pointee.state = .ready
        pointee.ready.append(coroutine)
    }

    /// Takes a waiting coroutine out of everything that could wake it.
    func endWait(of coroutine: CoroutineRef) {
        if coroutine.pointee.timerPlace != .none { pointee.timers.remove(coroutine) }
        switch coroutine.pointee.waitKind {
        case .none, .park, .sleep: break
        case .pass: pointee.nextPass.remove(coroutine)
        case .join: CoroutineRef(bitPattern: coroutine.pointee.waitObject).unsafelyUnwrapped.pointee.joiners.remove(coroutine)
        case .read: pointee.poller.clearWaiter(of: Int32(coroutine.pointee.waitObject), .read)
        case .write: pointee.poller.clearWaiter(of: Int32(coroutine.pointee.waitObject), .write)
        case .child: pointee.poller.clearReader(coroutine, of: ChildWait(packed: coroutine.pointee.waitObject).descriptor)
        case .parallel, .event, .semaphore, .zero, .mutex, .readLock, .writeLock, .condition, .send, .receive, .fifo, .keys,
            .group, .barrier, .once, .waitGroup, .blocking, .names, .file, .room, .promise:
            UnsafeMutablePointer<WaitList>(bitPattern: coroutine.pointee.waitObject).unsafelyUnwrapped.pointee.remove(coroutine)
        case .select: removeStandIns(of: SelectWaitRef(bitPattern: coroutine.pointee.waitObject).unsafelyUnwrapped)
        }
        coroutine.pointee.waitKind = .none
    }
}
