import CCoroPlatform

/// The loop. It runs on the thread's own stack, pass by pass; within a pass coroutines switch to each other directly, and
/// come back here when none can run or the batch is over.
///
/// A pass:
///  1. The clock is read. `now` is this time until the next pass.
///  2. What other threads have posted is made into coroutines, and so are signals; who waited for the thread pool goes on. What
///     is in Dispatch's main queue is run.
///  3. Timers that are due wake their coroutines.
///  4. Those who asked for the next pass are runnable.
///  5. A batch of runnable coroutines runs, first in first out: until none is runnable, or `BatchSize` switches were made.
///  6. The poller is asked which descriptors are ready: without waiting if anyone can run, else until the next timer. But only
///     when all that were runnable when it was last asked have had their turn: so the queue that a due timer's coroutine joins
///     never holds more of those whom descriptors have woken than one answer has. A loop that is idle gives back the memory of
///     stacks that nobody needs, a few at a time.
///
/// A batch that is over while steps 2 to 6 would find nothing to do is followed by another at once (`renewBatch`). So they
/// come round after a bounded number of switches whenever there is something for them, nothing that coroutines do keeps timers,
/// descriptors or other threads waiting for ever.
extension RuntimeRef {
    /// A loop that has had nothing to do for this long (10 ms) has time to tidy up.
    private static var idleness: Int64 { 10_000_000 }

    /// How a run of the loop ended.
    enum LoopEnd {
        /// The thread's own stack was woken.
        case mainResumed
        /// `coro_set_exit`, and nothing is runnable any more.
        case exit
        /// Nothing is left that could ever run.
        case idle
        case failed(Int32)
    }

    /// Runs the loop until `main`, which waits or is queued, is run again.
    func driveLoop() {
        setLoopState(.driven)
        // What the loop itself does is not the caller's errno.
        let errno = pointee.errnoHere.pointee
        pauseAlarm()
        lookFirst()
        let end = runLoop(pollLimit: .max, stopsWhenIdle: true, obeysExit: false)
        setLoopState(.idle)
        resumeAlarm()
        pointee.errnoHere.pointee = errno
        switch end {
        case .mainResumed: return
        case .exit, .idle: breakOff(pointee.main, with: Code.deadlock)
        case .failed(let error): breakOff(pointee.main, with: error)
        }
    }

    func setLoopState(_ state: Runtime.LoopState) {
        pointee.loopState = state
        pointee.obstacles.setOnOwnStack(state == .idle)
        coro_watch_set_activity(watch, state == .idle ? CORO_LOOP_OUTSIDE : CORO_LOOP_RUNS)
    }

    /// Where the thread's own stack goes on at once, the end of a pass is never reached, and with it no look at descriptors.
    private func lookFirst() {
        pointee.driveCount &+= 1
        // Each look asks the dynamic linker, which takes longer than twenty calls that need not wait.
        if pointee.driveCount & 1023 == 1 {
            coro_swift_task_look()
            findMainQueue()
        }
        guard pointee.poller.waiterCount > 0, !pointee.nextPass.isEmpty || pointee.driveCount & 63 == 0 else { return }
        _ = pointee.poller.wait(in: self, timeout: 0)
    }

    /// The thread's own stack goes on although nobody has woken it.
    private func breakOff(_ main: CoroutineRef, with code: Int32) {
        if main.pointee.state == .ready {
            pointee.ready.remove(main)
        } else {
            endWait(of: main)
        }
        main.pointee.wakeCode = code
        main.pointee.state = .running
    }

    func runLoop(pollLimit: Int64, stopsWhenIdle: Bool, obeysExit: Bool) -> LoopEnd {
        while true {
            beginPass()
            if coro_watch_has_overrun(watch) { finishOverrun() }
            let mainResumed = runBatch()
            if coro_watch_has_overrun(watch) { finishOverrun() }
            if mainResumed { return .mainResumed }
            if obeysExit, pointee.exit.isRequested, pointee.ready.isEmpty || pointee.exit.isOverdue(coro_system_clock()) {
                return .exit
            }
            if stopsWhenIdle, nothingCanRun, obeysExit || !canBeReached { return .idle }
            let error = poll(limit: pollLimit)
            if error < 0 { return .failed(error) }
        }
    }

    /// Steps 1 to 4.
    private func beginPass() {
        pointee.now = pointee.clock.read()
        pointee.counters.passes &+= 1
        pointee.batch.adapt(to: pointee.now)
        pointee.startsInARow = 0
        if pointee.mailbox.hasPosts, !postsWait { takePosts() }
        if pointee.mainQueue.nextLook <= pointee.now { serveMainQueue() }
        while let coroutine = pointee.timers.popDue(pointee.now) {
            wake(coroutine, with: outcomeOfTimer(coroutine))
        }
        while let coroutine = pointee.nextPass.popFirst() {
            coroutine.pointee.waitKind = .none
            coroutine.pointee.wakeCode = 0
            makeReady(coroutine)
        }
    }

    /// Step 5. Returns whether the thread's own stack is to go on.
    private func runBatch() -> Bool {
        giveBudget(pointee.order.isSeeded ? 1 : pointee.batch.size)
        while let next = takeReady() {
            if next.pointee.state != .ready {
                dropCancelled(next)
                continue
            }
            next.pointee.state = .running
            if next != pointee.main {
                if !isWatchedOver { beWatched() }
                pointee.ready.prefetch()
                switchTo(next)
            }
            break
        }
        return pointee.main.pointee.state == .running
    }

    /// The batch is over: whether another may begin without going back to the loop, because a pass would do nothing there
    /// but read the clock. The switch to the loop and back is what a pass costs most.
    @inline(never)
    func renewBatch() -> Bool {
        guard !pointee.order.isSeeded, !pointee.exit.isRequested, pointee.nextPass.isEmpty, pointee.poller.waiterCount == 0,
            !pointee.mailbox.hasPosts, !coro_watch_has_overrun(watch), isWatchedOver
        else { return false }
        pointee.now = pointee.clock.read()
        if pointee.timers.isDue(pointee.now) || pointee.mainQueue.nextLook <= pointee.now { return false }
        pointee.batch.adapt(to: pointee.now)
        giveBudget(pointee.batch.size)
        return true
    }

    private func takeReady() -> CoroutineRef? {
        guard pointee.order.isSeeded else { return pointee.ready.popFirst() }
        return pointee.ready.pop(after: pointee.order.nextSteps())
    }

    private var nothingCanRun: Bool {
        pointee.ready.isEmpty && pointee.nextPass.isEmpty && pointee.timers.isEmpty && !pointee.poller.hasCoroutines
            && !pointee.mailbox.hasPosts && pointee.outsideCount == 0
    }

    /// Whether another thread, a signal or a descriptor's handler could make a coroutine that wakes who waits now.
    private var canBeReached: Bool {
        pointee.mailbox.isExposed || pointee.signals.handlerCount > 0 || pointee.handlers.activeCount > 0
    }

    /// Step 6. Returns an error that no later pass could mend, else 0 or more.
    private func poll(limit: Int64) -> Int32 {
        if !pointee.ready.isEmpty || !pointee.nextPass.isEmpty { return pollBetween() }
        let wakeTime = pointee.timers.nextWake
        if pointee.clock.isVirtual, !postsWait, pointee.jobs.count == 0, pointee.poller.pointee.operations.count == 0,
            let wakeTime {
            if pointee.promiseWaits > 0 { return sleepInVirtualTime(until: wakeTime, limit: limit) }
            let found = pointee.poller.waiterCount > 0 ? pointee.poller.wait(in: self, timeout: 0) : 0
            if found == 0, !pointee.mailbox.hasPosts { pointee.clock.jump(to: wakeTime) }
            return found
        }
        return sleepUntilEvent(timeout: Swift.min(timeUntil(wakeTime), limit))
    }

    /// For how long the loop may wait before a timer is due. Virtual time stands still while it waits.
    private func timeUntil(_ wakeTime: Int64?) -> Int64 {
        guard let wakeTime, !pointee.clock.isVirtual else { return .max }
        return Swift.max(wakeTime &- pointee.clock.read(), 0)
    }

    /// Waits for what keeps a promise, which may need the loop for that, or take longer than the time it is given: so virtual
    /// time neither stands still nor jumps, but passes as the real one does.
    private func sleepInVirtualTime(until wakeTime: Int64, limit: Int64) -> Int32 {
        let (began, start) = (pointee.clock.read(), coro_system_clock())
        let found = sleepUntilEvent(timeout: Swift.min(Swift.max(wakeTime &- began, 0), limit))
        pointee.clock.jump(to: Swift.min(wakeTime, addClamped(began, coro_system_clock() &- start)))
        return found
    }

    /// Asks the poller, while others can run, if it is due.
    private func pollBetween() -> Int32 {
        if pointee.poller.waiterCount == 0 || !pointee.ready.isEmpty && switchCount < pointee.pollDue { return 0 }
        let found = pointee.poller.wait(in: self, timeout: 0)
        pointee.pollDue = switchCount &+ UInt64(truncatingIfNeeded: pointee.ready.count)
        return found
    }

    /// Nobody can run, but there is no time to wait: asks the poller now and then, for it may go on like this for ever.
    private func pollInPassing() -> Int32 {
        pointee.sleeplessPasses &+= 1
        if pointee.sleeplessPasses & 31 != 0 || pointee.poller.waiterCount == 0 { return 0 }
        return pointee.poller.wait(in: self, timeout: 0)
    }

    /// Waits. Where stacks are to be given back, it first waits for a little only; if nothing happens, the loop is idle, and
    /// gives them back a few at a time, for as long as nothing happens.
    private func sleepUntilEvent(timeout: Int64) -> Int32 {
        // Who rings while we sleep must have something to write to.
        let error = pointee.poller.open(in: self)
        if error < 0 { return error }
        registerMainQueue()
        let postsWait = postsWait
        if !postsWait, pointee.mailbox.hasPosts || !pointee.mailbox.goToSleep() { return pollInPassing() }
        pointee.batch.pause()
        let timeout = postsWait ? Swift.min(timeout, RuntimeRef.postsRetryInterval) : timeout
        let tidies = pointee.stacks.hasSurplus && timeout > Self.idleness
        let limit = !tidies ? timeout : pointee.stacks.isReclaiming ? 0 : Self.idleness
        coro_watch_set_activity(watch, CORO_LOOP_WAITS)
        let found = pointee.poller.wait(in: self, timeout: limit)
        coro_watch_set_activity(watch, CORO_LOOP_RUNS)
        pointee.mailbox.wakeUp()
        if tidies { pointee.stacks.reclaimSome(isIdle: found == 0) }
        return found
    }
}

/// How many switches make a batch: 61, and fewer where coroutines run long between two, so that the loop comes round about
/// every 300 µs of running.
struct BatchSize {
    private(set) var size: Int32 = Self.most
    private var began: Int64 = 0

    private static let most: Int32 = 61
    private static let aim: Int64 = 300_000

    /// A batch of the present size has run since this was last called; `now` the next begins.
    mutating func adapt(to now: Int64) {
        let elapsed = now &- began
        began = now
        size = elapsed > Self.aim ? Swift.max(size / 2, 1) : Swift.min(size &+ 6, Self.most)
    }

    /// The loop is about to wait: the time until the next pass says nothing.
    mutating func pause() {
        began = .max
    }
}

/// What `coro_set_exit` asked for.
struct ExitRequest {
    private(set) var isRequested = false
    private(set) var code: Int32 = 0
    private var overdueAt: Int64 = 0
    var printsLine = true

    /// How long what is runnable may go on, should it never end. By the system's clock: virtual time stands still meanwhile.
    private static let grace: Int64 = 1_000_000_000

    mutating func request(_ code: Int32, now: Int64) {
        if !isRequested { overdueAt = addClamped(now, Self.grace) }
        isRequested = true
        self.code = code
    }

    func isOverdue(_ now: Int64) -> Bool { now >= overdueAt }

    mutating func take() -> Int32 {
        isRequested = false
        return code
    }
}

/// The order in which runnable coroutines run: as they came, or drawn from a seed, for tests. And what else is drawn.
struct RunOrder {
    private var seed: UInt64 = 0
    private var dice = Self.firstDice

    private static let firstDice: UInt64 = 0x9E37_79B9_7F4A_7C15

    var isSeeded: Bool { seed != 0 }

    mutating func set(seed: UInt64) {
        self.seed = seed
        dice = seed == 0 ? Self.firstDice : seed
    }

    /// How many places behind the first the next one is taken from.
    mutating func nextSteps() -> Int {
        Self.advance(&seed)
        return Int(truncatingIfNeeded: seed & 15)
    }

    /// A number from 0 to `count` - 1, from a sequence of its own.
    mutating func draw(below count: UInt64) -> UInt64 {
        Self.advance(&dice)
        return (dice &>> 32) % count
    }

    /// xorshift64: Marsaglia, 2003.
    private static func advance(_ state: inout UInt64) {
        state ^= state &<< 13
        state ^= state &>> 7
        state ^= state &<< 17
    }
}
