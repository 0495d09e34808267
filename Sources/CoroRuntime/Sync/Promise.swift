import CCoroPlatform

typealias PromiseRef = UnsafeMutablePointer<Promise>

/// What something outside the loop delivers, once. The maker's side belongs to a thread; the other may be any thread.
///
/// The memory is freed by whichever side is done last. Its own thread needs no lock for either side: what another thread does
/// comes through the mailbox, and is then as if it were done here.
struct Promise: SyncObject {
    /// `calls` is not used: who has waited does not look at the promise again.
    var head: SyncHead
    /// As its thread knows.
    fileprivate(set) var isKept = false
    /// With the two that follow behind the process lock, until it is kept.
    fileprivate var side = Side.open
    fileprivate var outcome = Outcome()
    fileprivate var next: PromiseRef?
    fileprivate let release: ReleaseFunction?

    static var name: StaticString { "the promise" }

    fileprivate enum Side {
        case open, kept
        /// The maker is done with it.
        case abandoned
    }

    /// What it was kept with, and what those who wait have on their stacks for that: so an interruption is told from it.
    fileprivate struct Outcome {
        var code: Int32 = 0
        var value: UnsafeMutableRawPointer?
    }

    init(in runtime: RuntimeRef, release: ReleaseFunction?) {
        head = SyncHead(in: runtime)
        self.release = release
    }
}

/// What other threads have kept, first come first. Behind the process lock.
struct PromiseList {
    private(set) var first: PromiseRef?
    private var last: PromiseRef?

    fileprivate mutating func append(_ promise: PromiseRef) {
        if let last { last.pointee.next = promise } else { first = promise }
        last = promise
    }

    mutating func popFirst() -> PromiseRef? {
        guard let promise = first else { return nil }
        first = promise.pointee.next
        if first == nil { last = nil }
        return promise
    }

    mutating func takeAll() -> PromiseList {
        defer { self = PromiseList() }
        return self
    }
}

extension PromiseRef {
    /// Keeps it, for the side that is to do that, on any thread. Returns 0, or the error if it was kept before: which is not
    /// always seen.
    func keep(_ code: Int32, _ value: UnsafeMutableRawPointer?) -> Int32 {
        let outcome = Promise.Outcome(code: code, value: value)
        if let runtime = Runtime.existing, runtime.owns(self) { return runtime.keep(self, outcome) }
        switch deliver(outcome) {
        case .open: return 0
        case .kept: return -CoroErrno.already
        case .abandoned:
            dispose()
            return 0
        }
    }

    /// Hands it to its thread. Returns what it was before: if it was abandoned, it is the caller's alone.
    private func deliver(_ outcome: Promise.Outcome) -> Promise.Side {
        Shared.withLock { shared in
            if pointee.side == .kept { return .kept }
            pointee.outcome = outcome
            guard pointee.side == .open, let mailbox = LoopRegistry.mailbox(of: pointee.head.loop, in: shared) else {
                return .abandoned
            }
            pointee.side = .kept
            mailbox.pointee.promises.append(self)
            coro_bell_ring(mailbox.pointee.bell)
            return .open
        } ?? .abandoned
    }

    /// The maker is done with it. false: another thread has kept it meanwhile, and it is in the mailbox.
    fileprivate func abandon() -> Bool {
        coro_process_lock()
        defer { coro_process_unlock() }
        if pointee.side == .kept { return false }
        pointee.side = .abandoned
        return true
    }

    /// Both sides are done with it. User code that must not suspend.
    func dispose() {
        let (release, value) = (pointee.release, pointee.outcome.value)
        Heap.free(self)
        guard let release, let value else { return }
        let runtime = Runtime.existing
        runtime?.pointee.obstacles.forbid()
        release(value)
        runtime?.pointee.obstacles.allow()
    }
}

extension RuntimeRef {
    /// Waits until it is kept. Returns the code that it was kept with, or an error.
    func wait(for promise: PromiseRef, value: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> Int32 {
        if promise.pointee.isKept { return take(promise.pointee.outcome, value: value) }
        let error = obstacle()
        if error != 0 { return error }
        var outcome = Promise.Outcome()
        let code = withUnsafeMutablePointer(to: &outcome) { park(for: promise, outcome: $0) }
        return code == 0 ? take(outcome, value: value) : explainEnd(code, of: Promise.self)
    }

    private func take(_ outcome: Promise.Outcome, value: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> Int32 {
        value?.pointee = outcome.value
        return outcome.code == 0 ? 0 : fail(outcome.code)
    }

    /// While anybody waits, the loop is not idle: something outside will wake it.
    private func park(for promise: PromiseRef, outcome: UnsafeMutablePointer<Promise.Outcome>) -> Int32 {
        let me = pointee.current
        pointee.outsideCount += 1
        pointee.promiseWaits += 1
        me.pointee.wakeValue = UnsafeMutableRawPointer(outcome)
        promise.waiters.pointee.append(me)
        let code = park(.promise, on: Int(bitPattern: promise.waiters))
        // Some ends of a wait leave it as it was.
        if me.pointee.wakeValue == UnsafeMutableRawPointer(outcome) { me.pointee.wakeValue = nil }
        pointee.outsideCount -= 1
        pointee.promiseWaits -= 1
        return code
    }

    /// On its thread.
    fileprivate func keep(_ promise: PromiseRef, _ outcome: Promise.Outcome) -> Int32 {
        if promise.pointee.side == .kept { return fail(-CoroErrno.already) { $0.append("the promise was kept before") } }
        promise.pointee.outcome = outcome
        if promise.pointee.side == .abandoned {
            promise.dispose()
        } else {
            promise.pointee.side = .kept
            settle(promise)
        }
        return 0
    }

    /// All who wait go on with what it was kept with.
    private func settle(_ promise: PromiseRef) {
        promise.pointee.isKept = true
        while let waiter = promise.waiters.pointee.first {
            waiter.pointee.wakeValue?.assumingMemoryBound(to: Promise.Outcome.self).pointee = promise.pointee.outcome
            wake(waiter)
        }
    }

    /// All from this one on, which other threads have kept, through the mailbox's links.
    func settleAll(_ promises: PromiseList) {
        var promise = promises.first
        while let current = promise {
            promise = current.pointee.next
            settle(current)
        }
    }

    /// The maker is done with it.
    func free(_ promise: PromiseRef) {
        if !promise.pointee.isKept {
            wakeAll(of: promise.waiters, with: Code.closed)
            if promise.abandon() { return }
            settleAll(pointee.mailbox.takePromises())
        }
        promise.dispose()
    }
}
