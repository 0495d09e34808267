import CCoroPlatform

/// What bounds a run.
struct RunLimits {
    /// Nanoseconds; .max: none.
    var timeout: Int64
    /// What a process that is told to end has before it is killed.
    var grace: Int64
    /// How many bytes are captured of each stream.
    var captureLimit: Int
}

/// How a run has ended. The texts are the caller's to free.
struct RunResult {
    /// -1: there is none.
    var status: Int32 = -1
    var texts = PerStream<UnsafeMutablePointer<UInt8>?>(nil)
    var counts = PerStream(0)
}

extension RuntimeRef {
    /// Starts a process, feeds it, captures what it writes, and waits for its end. The result is filled in as far as there is
    /// one, whatever is thrown.
    func runProcess(
        _ plan: ProcessPlan, input: UnsafeRawBufferPointer, _ limits: RunLimits, _ result: UnsafeMutablePointer<RunResult>
    ) throws(Refusal) {
        let error = obstacle()
        if error != 0 { throw Refusal(code: error) }
        let run = try prepareRun(plan, input, limits)
        do throws(Refusal) {
            let process = try startProcess(plan)
            run.pointee.begin(process, now: pointee.clock.read())
            let code = drive(run)
            takeTexts(run, result)
            try conclude(run, code, limits, result)
        } catch {
            takeTexts(run, result)
            Heap.free(run)
            throw error
        }
        Heap.free(run)
    }

    /// Whatever needs memory, before anything runs.
    private func prepareRun(
        _ plan: ProcessPlan, _ input: UnsafeRawBufferPointer, _ limits: RunLimits
    ) throws(Refusal) -> ProcessRunRef {
        guard let run = Heap.one(ProcessRun(input: input, timeout: limits.timeout, grace: limits.grace)) else {
            throw Refusal(code: fail(Code.noMemory))
        }
        for stream in 1...2 where plan.streams[stream].mode == .pipe {
            run.pointee.captures[stream] = Capture(limit: limits.captureLimit)
            if run.pointee.captures[stream] != nil { continue }
            run.pointee.captures[1]?.free()
            Heap.free(run)
            throw Refusal(code: fail(Code.noMemory))
        }
        return run
    }

    private func takeTexts(_ run: ProcessRunRef, _ result: UnsafeMutablePointer<RunResult>) {
        for stream in 1...2 where run.pointee.captures[stream] != nil {
            result.pointee.counts[stream] = run.pointee.captures[stream]?.count ?? 0
            result.pointee.texts[stream] = run.pointee.captures[stream]?.take()
            run.pointee.captures[stream] = nil
        }
    }

    /// Takes the status, and closes the handle.
    private func conclude(
        _ run: ProcessRunRef, _ code: Int32, _ limits: RunLimits, _ result: UnsafeMutablePointer<RunResult>
    ) throws(Refusal) {
        let process = try findProcess(run.pointee.process)
        let pid = process.pointee.pid
        let looked = lookQuietly(at: process)
        if process.pointee.state == .ended { result.pointee.status = process.pointee.status }
        let isLost = process.pointee.state == .lost || process.pointee.state == .foreign
        closeProcess(process)
        if code != 0 { throw Refusal(code: explainRun(code, pid, limits, result.pointee.status)) }
        if looked < 0 { throw Refusal(code: looked) }
        if isLost { throw Refusal(code: explainReaping(-CoroErrno.noChild, pid)) }
    }

    private func lookQuietly(at process: ProcessRef) -> Int32 {
        do throws(Refusal) {
            try look(at: process)
            return 0
        } catch {
            return error.code
        }
    }

    private func explainRun(_ code: Int32, _ pid: Int32, _ limits: RunLimits, _ status: Int32) -> Int32 {
        if code != Code.timeout, code != -CoroErrno.overflow { return explainCreation(code) }
        return fail(code) {
            $0.append("process ")
            $0.append(pid)
            if code == Code.timeout {
                $0.append(" took longer than it was given")
            } else {
                $0.append(" wrote more than coro_process_options.capture_limit, ")
                $0.append(limits.captureLimit)
                $0.append(" bytes")
            }
            $0.append(", and was ended: ")
            if status == RunResult().status {
                $0.append("its status is lost, because something else has waited for it, or SIGCHLD is ignored")
            } else {
                describeStatus(status, in: &$0)
            }
        }
    }
}
