import CCoroPlatform

typealias ProcessRunRef = UnsafeMutablePointer<ProcessRun>

/// One `coro_process_run`: feeding, capturing and waiting, by the coroutine that called it.
///
/// An epoll of its own says which pipe, or the end of the process, is next; that epoll is one more descriptor that the loop's
/// poller knows, so that the coroutine has one thing to wait for.
struct ProcessRun {
    private(set) var process: Int64 = 0
    fileprivate private(set) var pid: Int32 = 0
    fileprivate var input: UnsafeRawBufferPointer
    /// What is captured of streams 1 and 2; nil: it is not.
    var captures = PerStream<Capture?>(nil)
    fileprivate var poller: Int32 = -1
    /// What is not known to be waiting or over: the streams by their numbers, and the process.
    fileprivate var mayMove: UInt8 = 0
    /// Which streams are open.
    fileprivate var open: UInt8 = 0
    fileprivate var hasEnded = false
    /// Output is not captured any more: there is too much of it, or no memory.
    fileprivate var drops = false
    fileprivate var stage: Stage = .running
    /// When the stage is over.
    fileprivate var deadline = Int64.max
    private let timeout: Int64
    fileprivate let grace: Int64
    /// Why it was ended.
    fileprivate var code: Int32 = 0

    fileprivate enum Stage {
        case running
        /// It was told to end.
        case terminating
        /// It was killed.
        case killed
    }

    fileprivate static let processToken = 3

    init(input: UnsafeRawBufferPointer, timeout: Int64, grace: Int64) {
        self.input = input
        self.timeout = timeout
        self.grace = grace
    }

    /// It was started.
    mutating func begin(_ process: ProcessRef, now: Int64) {
        self.process = process.pointee.id
        pid = process.pointee.pid
        deadline = addClamped(now, timeout)
    }

    /// Whether nothing more will come, or is to be waited for.
    fileprivate var isOver: Bool {
        hasEnded && (stage == .killed || open & 0b110 == 0)
    }
}

extension RuntimeRef {
    /// Sees the process to its end; it is not reaped yet. Returns 0 if it has ended by itself, or why it was ended.
    func drive(_ run: ProcessRunRef) -> Int32 {
        var error = openPoller(of: run)
        while error == 0, !run.pointee.isOver {
            error = checkOwner(of: run)
            if error == 0 { error = escalateWhenDue(run) }
            if error == 0 { error = run.pointee.mayMove == 0 ? awaitMovement(of: run) : move(run) }
        }
        if error == 0, run.pointee.stage == .killed { drain(run) }
        if run.pointee.poller >= 0 { discard(run.pointee.poller) }
        if error < 0 {
            run.pointee.code = error
            kill(run)
        }
        return run.pointee.code
    }

    private func openPoller(of run: ProcessRunRef) -> Int32 {
        guard let process = process(of: run) else { return Code.closed }
        let poller = adopt(coro_epoll_create(), kind: CORO_KIND_NONBLOCKING)
        if poller < 0 { return poller }
        run.pointee.poller = poller
        for stream in 0...2 {
            guard let descriptor = pipe(of: process, stream) else { continue }
            run.pointee.open |= 1 << UInt8(stream)
            let error = coro_epoll_add(poller, descriptor, UInt64(stream))
            if error < 0 { return fail(error) }
        }
        run.pointee.mayMove = run.pointee.open
        run.pointee.hasEnded = process.pointee.state == .lost
        if run.pointee.hasEnded { return 0 }
        let error = coro_epoll_add(poller, process.pointee.watch, UInt64(ProcessRun.processToken))
        return error < 0 ? fail(error) : 0
    }

    /// nil: somebody has guessed its number, and closed it.
    private func process(of run: ProcessRunRef) -> ProcessRef? {
        do throws(Refusal) {
            return try findProcess(run.pointee.process)
        } catch {
            return nil
        }
    }

    /// In the child of a fork all of it is the parent's: the poller that says what comes next, too, and what is in the pipes.
    private func checkOwner(of run: ProcessRunRef) -> Int32 {
        guard let process = process(of: run) else { return Code.closed }
        return process.pointee.state == .foreign ? refuseForeign().code : 0
    }

    // -- waiting --

    /// Waits until a pipe can move, the process has ended, or the stage is over. 0 or an interrupt.
    private func awaitMovement(of run: ProcessRunRef) -> Int32 {
        if noteEvents(run) { return 0 }
        let child = ChildWait(process: run.pointee.pid, descriptor: run.pointee.poller)
        let deadline = run.pointee.deadline
        let code = awaitReport(of: child, until: deadline)
        return code == Code.timeout && deadline != .max && pointee.clock.read() >= deadline ? 0 : code
    }

    /// Takes from the poller what has happened. Whether anything has.
    private func noteEvents(_ run: ProcessRunRef) -> Bool {
        withUnsafeTemporaryAllocation(of: coro_poll_event.self, capacity: 4) { events in
            let first = events.baseAddress.unsafelyUnwrapped
            let count = coro_epoll_wait(run.pointee.poller, first, 4, 0)
            for index in 0..<Swift.max(Int(count), 0) {
                if first[index].token == UInt64(ProcessRun.processToken) {
                    run.pointee.hasEnded = coro_system_has_ended(run.pointee.pid) != 0
                } else {
                    run.pointee.mayMove |= 1 << UInt8(truncatingIfNeeded: first[index].token) & run.pointee.open
                }
            }
            return count > 0
        }
    }

    // -- moving --

    /// Moves something on each stream that may, and lets others run. 0 or an error.
    private func move(_ run: ProcessRunRef) -> Int32 {
        guard let process = process(of: run) else { return Code.closed }
        if run.pointee.mayMove & 1 != 0 { feed(run, process) }
        for stream in 1...2 where run.pointee.mayMove & 1 << UInt8(stream) != 0 { capture(run, process, stream) }
        _ = noteEvents(run)
        return run.pointee.mayMove == 0 ? 0 : yield()
    }

    /// Writes some of the input. A process that does not want it is none the worse for that.
    private func feed(_ run: ProcessRunRef, _ process: ProcessRef) {
        let input = run.pointee.input
        guard input.count > 0, let descriptor = pipe(of: process, 0) else { return finish(0, of: run, process) }
        let piece = Swift.min(input.count, 65536)
        let sent = coro_system_write(descriptor, Int32(CORO_KIND_NONBLOCKING.rawValue), input.baseAddress, piece)
        if sent == Int(Code.again) {
            run.pointee.mayMove &= ~1
        } else if sent < 0 {
            finish(0, of: run, process)
            if sent != Int(-CoroErrno.brokenPipe) { giveUp(run, process, Int32(truncatingIfNeeded: sent)) }
        } else {
            run.pointee.input = UnsafeRawBufferPointer(rebasing: input[sent...])
            if sent == input.count { finish(0, of: run, process) }
        }
    }

    private func capture(_ run: ProcessRunRef, _ process: ProcessRef, _ stream: Int) {
        guard let descriptor = pipe(of: process, stream) else { return finish(stream, of: run, process) }
        let answer = run.pointee.captures[stream]?.read(descriptor, dropping: run.pointee.drops) ?? .end
        switch answer {
        case .moved: break
        case .wouldBlock: run.pointee.mayMove &= ~(1 << UInt8(stream))
        case .end: finish(stream, of: run, process)
        case .overLimit:
            run.pointee.drops = true
            giveUp(run, process, -CoroErrno.overflow)
        case .noMemory:
            run.pointee.drops = true
            giveUp(run, process, Code.noMemory)
        case .failed(let error):
            finish(stream, of: run, process)
            giveUp(run, process, error)
        }
    }

    /// Nothing more goes through that pipe.
    private func finish(_ stream: Int, of run: ProcessRunRef, _ process: ProcessRef) {
        closePipe(of: process, stream)
        run.pointee.mayMove &= ~(1 << UInt8(stream))
        run.pointee.open &= ~(1 << UInt8(stream))
    }

    /// Takes what is in the pipes, now that those who wrote to them were killed. Whoever has got away may have them open, and
    /// go on writing, for ever: a full pipe has been read after some reads.
    private func drain(_ run: ProcessRunRef) {
        guard let process = process(of: run) else { return }
        run.pointee.mayMove = run.pointee.open & 0b110
        for _ in 0..<256 {
            for stream in 1...2 where run.pointee.mayMove & 1 << UInt8(stream) != 0 { capture(run, process, stream) }
        }
    }

    // -- ending it --

    private func escalateWhenDue(_ run: ProcessRunRef) -> Int32 {
        guard run.pointee.deadline != .max, pointee.clock.read() >= run.pointee.deadline else { return 0 }
        guard let process = process(of: run) else { return Code.closed }
        switch run.pointee.stage {
        case .running: giveUp(run, process, Code.timeout)
        case .terminating: killNow(run, process)
        case .killed: break
        }
        return 0
    }

    /// It is to end, for that reason: it is told to, and has some time to do so.
    private func giveUp(_ run: ProcessRunRef, _ process: ProcessRef, _ code: Int32) {
        if run.pointee.stage != .running { return }
        run.pointee.code = code
        run.pointee.stage = .terminating
        run.pointee.deadline = addClamped(pointee.clock.read(), run.pointee.grace)
        signalGroup(process, CoroSignal.terminate)
    }

    private func killNow(_ run: ProcessRunRef, _ process: ProcessRef) {
        run.pointee.stage = .killed
        run.pointee.deadline = .max
        signalGroup(process, CoroSignal.kill)
    }

    private func signalGroup(_ process: ProcessRef, _ signum: Int32) {
        do throws(Refusal) {
            try signal(process, signum)
        } catch {
            // It has ended already.
        }
    }

    /// The caller was interrupted: the process is killed, and waited for. An interrupt that comes meanwhile is kept for the
    /// caller's next suspending call, and leaves the rest to the loop; as does a wait that can't begin.
    private func kill(_ run: ProcessRunRef) {
        if let process = process(of: run) { killNow(run, process) }
        while let process = process(of: run), isAlive(process) {
            let child = ChildWait(process: process.pointee.pid, descriptor: process.pointee.watch)
            if beginReport(of: child) < 0 { return }
            let code = endReport(of: child)
            if code != 0 { return setPendingInterrupt(of: pointee.current, code) }
        }
    }
}

/// The signals that this code sends.
enum CoroSignal {
    static let kill: Int32 = 9
    static let terminate: Int32 = 15
}
