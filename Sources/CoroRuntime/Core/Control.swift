/// What one coroutine does to another, by id.
extension RuntimeRef {
    /// The coroutine of this thread with that id.
    @inline(__always)
    func find(_ id: Int64) throws(Refusal) -> CoroutineRef {
        if let coroutine = pointee.table.find(id) { return coroutine }
        throw refuse(id: id)
    }

    /// Why there is no coroutine `id` here.
    @inline(never)
    private func refuse(id: Int64) -> Refusal {
        if id == 0 {
            return Refusal(code: fail(Code.invalid) { $0.append("0 is the thread's own stack, not a coroutine") })
        }
        if id > 0, LoopRegistry.number(ofCoroutine: id) == pointee.mailbox.pointee.number {
            if id <= pointee.lastID, id > pointee.mailbox.pointee.firstID || pointee.mailbox.pointee.isReused {
                return refuse(id, Code.dead, " has ended, and was joined or detached")
            }
        } else if id > 0 {
            switch LoopRegistry.owner(ofCoroutine: id) {
            case .nobody: break
            case .thread:
                return refuse(id, Code.wrongThread, " belongs to another thread; only that may use it: see coro_post()")
            case .endedThread: return refuse(id, Code.dead, " belonged to a thread that has ended")
            }
        }
        return Refusal(
            code: fail(Code.noSuchCoroutine) {
                $0.append("there never was a coroutine #")
                $0.append(id)
            })
    }

    private func refuse(_ id: Int64, _ code: Int32, _ why: StaticString) -> Refusal {
        Refusal(
            code: fail(code, other: id) {
                $0.append("coroutine #")
                $0.append(id)
                $0.append(why)
            })
    }

    /// Queues one that was never started.
    func start(_ coroutine: CoroutineRef) throws(Refusal) {
        switch coroutine.pointee.state {
        case .new: makeReady(coroutine)
        case .ended where !coroutine.has(.started): throw refuse(coroutine, Code.dead, "was cancelled before it started")
        default: throw refuse(coroutine, Code.schedule, "was started before")
        }
    }

    /// How many coroutines may be started at once between two passes of the loop before others have their turn.
    private static var mostStartsInARow: UInt32 { 1024 }

    /// Runs one that was never started, up to its first suspension. The caller goes on ahead of all who are runnable.
    func startNow(_ coroutine: CoroutineRef) throws(Refusal) {
        if pointee.obstacles.forbidden != 0 { throw Refusal(code: obstacle()) }
        guard coroutine.pointee.state == .new else {
            try start(coroutine)
            return
        }
        let me = pointee.current
        me.pointee.wakeCode = 0
        me.pointee.state = .ready
        pointee.ready.prepend(me)
        coroutine.pointee.state = .running
        // Whatever is left of the batch, the caller comes next.
        extendBudget(to: 2)
        pointee.startsInARow &+= 1
        if me == pointee.main {
            pauseAlarm()
            pointee.obstacles.setOnOwnStack(false)
        }
        switchTo(coroutine)
        if me == pointee.main { pointee.obstacles.setOnOwnStack(true) }
        if me.pointee.state != .running { driveLoop() }
        if me == pointee.main { resumeAlarm() }
        // One that does nothing but start coroutines would keep all others, and the loop, waiting for ever.
        if pointee.startsInARow >= Self.mostStartsInARow, me != pointee.main {
            makeReady(me)
            switchTo(pointee.main)
        }
        // Starting is not a call that can be interrupted: the next one is.
        if me.pointee.wakeCode != 0 { setPendingInterrupt(of: me, me.pointee.wakeCode) }
    }

    /// Makes a suspended coroutine runnable, as `coro_schedule` says.
    func schedule(_ coroutine: CoroutineRef, value: UnsafeMutableRawPointer?) throws(Refusal) {
        switch coroutine.pointee.state {
        case .new: makeReady(coroutine)
        case .ready: throw refuse(coroutine, Code.schedule, "is runnable already")
        case .running: throw refuse(coroutine, Code.schedule, "is the one that runs")
        case .ended, .standIn: throw refuse(coroutine, Code.dead, "has ended")
        case .waiting:
            switch coroutine.pointee.waitKind {
            case .park, .sleep, .pass: wake(coroutine, value: value)
            default:
                throw refuse(coroutine, Code.schedule, "waits for something that only its end can give")
            }
        }
    }

    /// Tells a coroutine in any state to end. It is delivered once: to the call it is suspended in, or the next that would
    /// suspend; one that never ran is cancelled.
    func shutDown(_ coroutine: CoroutineRef) {
        switch coroutine.pointee.state {
        case .ended, .standIn: return
        case .running: setPendingInterrupt(of: coroutine, Code.shutdown)
        case .waiting: wake(coroutine, with: Code.shutdown)
        case .new: cancel(coroutine)
        case .ready where !coroutine.has(.started): cancel(coroutine)
        case .ready: replaceOutcome(of: coroutine, with: Code.shutdown)
        }
    }

    /// A runnable coroutine's suspending call returns `code`, whatever it was woken with.
    private func replaceOutcome(of coroutine: CoroutineRef, with code: Int32) {
        coroutine.pointee.wakeCode = code
        coroutine.pointee.wakeValue = nil
    }

    /// How far `raise` may go.
    struct RaiseOptions {
        /// Whether the outcome of one that is runnable is replaced.
        var replaces: Bool
        /// Whether one that never ran is cancelled.
        var cancels: Bool
    }

    /// Has what `coroutine` waits in return `code`, as `coro_raise` says.
    func raise(_ coroutine: CoroutineRef, _ code: Int32, _ options: RaiseOptions) throws(Refusal) {
        switch coroutine.pointee.state {
        case .running: throw refuse(coroutine, Code.schedule, "is the one that runs")
        case .ended, .standIn: throw refuse(coroutine, Code.dead, "has ended")
        case .waiting: wake(coroutine, with: code)
        case .new,
            .ready where !coroutine.has(.started):
            guard options.cancels else {
                throw refuse(coroutine, Code.notStarted, "has not run yet: CORO_CANCEL_START cancels it")
            }
            cancel(coroutine)
        case .ready:
            guard options.replaces else { throw refuse(coroutine, Code.schedule, "is runnable already") }
            replaceOutcome(of: coroutine, with: code)
        }
    }

    /// Breaks off what `coroutine` waits in, as `coro_interrupt` says.
    func interrupt(_ coroutine: CoroutineRef, value: UnsafeMutableRawPointer?) throws(Refusal) {
        switch coroutine.pointee.state {
        case .running: throw refuse(coroutine, Code.schedule, "is the one that runs")
        case .ended, .standIn: throw refuse(coroutine, Code.dead, "has ended")
        case .new: throw refuse(coroutine, Code.notStarted, "was never started")
        case .ready: throw refuse(coroutine, Code.schedule, "is runnable already")
        case .waiting: wake(coroutine, with: Code.interrupted, value: value)
        }
    }

    func refuse(_ coroutine: CoroutineRef, _ code: Int32, _ why: StaticString) -> Refusal {
        Refusal(
            code: fail(code, other: coroutine.pointee.id) {
                $0.append("coroutine #")
                $0.append(coroutine.pointee.id)
                $0.append(" ")
                $0.append(why)
            })
    }
}
