import CCoroPlatform

typealias ProcessRef = UnsafeMutablePointer<Process>

/// A process that was started here, and its handle. It belongs to a thread's loop.
///
/// Its child is reaped by the first wait that returns its status, or when the handle is closed; until then its number, and that
/// of its group, can't be given to another. One that still runs when its handle is closed is *unattended*: the record stays,
/// and the loop reaps it when its end is reported.
struct Process {
    let id: Int64
    var pid: Int32 = 0
    /// Can be read from when it has ended; -1: closed, because it was reaped.
    var watch: Int32 = -1
    var state: State = .running
    /// As wait(2) gives it, when it has ended.
    var status: Int32 = 0
    var hasGroup = false
    /// Whether the poller looks for its end on behalf of nobody.
    var isUnattended = false
    /// Our ends of the pipes to its standard streams.
    var pipes = PerStream(PipeEnd())

    enum State: UInt8 {
        /// For all that is known.
        case running
        case ended
        /// Somebody else has taken its status.
        case lost
        /// This is the child of a fork, and the process is the parent's child.
        case foreign
    }
}

/// Something for each of the standard streams, by their numbers.
struct PerStream<Element> {
    private var input: Element
    private var output: Element
    private var error: Element

    init(_ same: Element) {
        input = same
        output = same
        error = same
    }

    init(input: Element, output: Element, error: Element) {
        self.input = input
        self.output = output
        self.error = error
    }

    subscript(stream: Int) -> Element {
        get { stream == 0 ? input : stream == 1 ? output : error }
        set {
            switch stream {
            case 0: input = newValue
            case 1: output = newValue
            default: error = newValue
            }
        }
    }
}

/// A descriptor that a process's handle owns, unless it was closed or given up meanwhile: then the number means something else.
struct PipeEnd {
    var descriptor: Int32 = -1
    var generation: UInt32 = 0
}

extension RuntimeRef {
    /// The process that was started on this thread and has that handle.
    func findProcess(_ id: Int64) throws(Refusal) -> ProcessRef {
        if let process = processes({ $0.pointee.id == id && !$0.pointee.isUnattended }) { return process }
        switch ChildRegistry.fate(of: id) {
        case .never: throw refuseProcess(id, Code.noSuchCoroutine, "there never was a process handle ")
        case .closed: throw refuseProcess(id, Code.dead, "closed, or its thread has ended: process handle ")
        case .ofOtherThread: throw refuseProcess(id, Code.wrongThread, "only its own thread may use process handle ")
        }
    }

    private func refuseProcess(_ id: Int64, _ code: Int32, _ why: StaticString) -> Refusal {
        Refusal(
            code: fail(code) {
                $0.append(why)
                $0.append(id)
            })
    }

    func processes(_ isIt: (ProcessRef) -> Bool) -> ProcessRef? {
        for index in 0..<pointee.processes.count where isIt(pointee.processes[index]) { return pointee.processes[index] }
        return nil
    }

    /// Takes the status if it has ended. An error is of the kind that waiting returns.
    func look(at process: ProcessRef) throws(Refusal) {
        guard process.pointee.state == .running else { return }
        var status: Int32 = 0
        let result = coro_system_reap(process.pointee.pid, &status)
        if result == 0 { return }
        if result < 0, result != -CoroErrno.noChild { throw Refusal(code: explainReaping(result, process.pointee.pid)) }
        process.pointee.state = result > 0 ? .ended : .lost
        process.pointee.status = status
        ChildRegistry.setPid(0, of: process.pointee.id)
        // Others may wait for it: they are told.
        discard(process.pointee.watch)
        process.pointee.watch = -1
    }

    /// Waits for its end; see `coro_process_wait`.
    func waitProcess(_ id: Int64) throws(Refusal) -> Int32 {
        var process = try findProcess(id)
        while true {
            try look(at: process)
            switch process.pointee.state {
            case .running: break
            case .ended: return process.pointee.status
            case .lost: throw Refusal(code: explainReaping(-CoroErrno.noChild, process.pointee.pid))
            case .foreign: throw refuseForeign()
            }
            let code = awaitReport(of: ChildWait(process: process.pointee.pid, descriptor: process.pointee.watch))
            if code < 0, code != Code.closed { throw Refusal(code: code) }
            process = try findProcessAgain(id)
            // Closed: somebody who ran before has taken its status; or else that was raised.
            if code < 0, process.pointee.state == .running { throw Refusal(code: code) }
        }
    }

    /// After a wait, in which it may have been closed.
    private func findProcessAgain(_ id: Int64) throws(Refusal) -> ProcessRef {
        do throws(Refusal) {
            return try findProcess(id)
        } catch {
            throw refuseProcess(id, Code.closed, "closed while it was waited for: process handle ")
        }
    }

    func refuseForeign() -> Refusal {
        Refusal(
            code: fail(-CoroErrno.noChild) {
                $0.append("this process is the child of a fork(): the process was started by its parent, and belongs to it")
            })
    }

    /// Whether it runs; that it has ended is seen, not taken.
    func isAlive(_ process: ProcessRef) -> Bool {
        process.pointee.state == .running && coro_system_has_ended(process.pointee.pid) == 0
    }

    /// Sends a signal, to its group if it has one.
    func signal(_ process: ProcessRef, _ signum: Int32) throws(Refusal) {
        if process.pointee.state == .foreign { throw refuseForeign() }
        guard process.pointee.state == .running else { throw refuseEnded(process) }
        let result =
            process.pointee.hasGroup
            ? coro_system_signal_group(process.pointee.watch, process.pointee.pid, signum)
            : coro_system_signal(process.pointee.watch, signum)
        if result == -CoroErrno.noSuchProcess { throw refuseEnded(process) }
        if result < 0 { throw Refusal(code: fail(result)) }
    }

    private func refuseEnded(_ process: ProcessRef) -> Refusal {
        Refusal(
            code: fail(-CoroErrno.noSuchProcess) {
                $0.append("process ")
                $0.append(process.pointee.pid)
                $0.append(" has ended")
            })
    }

    // -- its pipes --

    /// Our end of the pipe to one of its streams; nil: there is none, or it was closed.
    func pipe(of process: ProcessRef, _ stream: Int) -> Int32? {
        let end = process.pointee.pipes[stream]
        guard end.descriptor >= 0, pointee.poller.known(end.descriptor)?.pointee.generation == end.generation else {
            return nil
        }
        return end.descriptor
    }

    /// Closes it, and wakes who waits for it.
    func closePipe(of process: ProcessRef, _ stream: Int) {
        if let descriptor = pipe(of: process, stream) { _ = close(descriptor) }
        process.pointee.pipes[stream] = PipeEnd()
    }
}
