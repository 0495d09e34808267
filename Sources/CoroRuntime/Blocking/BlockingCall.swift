import CCoroPlatform

/// Told the argument, and what the function has returned (nil if it never ran).
typealias DiscardFunction = @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Void

/// What a function that a thread of the pool runs is given, and what becomes of that.
struct BlockingWork {
    var argument: UnsafeMutableRawPointer?
    /// Called if the caller gets an error.
    var discard: DiscardFunction?
    /// Whether an interrupted caller goes at once while the function runs on.
    var mayBeAbandoned = false
    /// Whether it may take seconds: see `coro_pool_task`.
    var isSlow = false

    /// User code that must not suspend.
    func giveBack(result: UnsafeMutableRawPointer? = nil) {
        discard?(argument, result)
    }
}

/// The call of one, and its caller.
private struct BlockingCall {
    var job: Job
    /// `completion` of a reference relies on its place.
    var completion = Completion()
    let function: CoroutineFunction
    let work: BlockingWork
    var result: UnsafeMutableRawPointer?
}

private func runCall(_ task: UnsafeMutablePointer<coro_pool_task>) {
    let call = Job.of(task, as: BlockingCall.self)
    call.pointee.result = call.pointee.function(call.pointee.work.argument)
    call.job.deliver()
}

private func endCall(_ runtime: UnsafeMutableRawPointer, _ job: UnsafeMutableRawPointer, _ code: Int32) {
    let call = job.assumingMemoryBound(to: BlockingCall.self)
    runtime.assumingMemoryBound(to: Runtime.self).complete(call.completion, with: Int(code))
}

private func dropCall(_ job: UnsafeMutableRawPointer) {
    let call = job.assumingMemoryBound(to: BlockingCall.self)
    call.pointee.work.giveBack(result: call.pointee.result)
    Heap.free(call)
}

extension UnsafeMutablePointer<BlockingCall> {
    fileprivate var job: JobRef { UnsafeMutableRawPointer(self).assumingMemoryBound(to: Job.self) }

    fileprivate var completion: CompletionRef {
        (UnsafeMutableRawPointer(self) + MemoryLayout<Job>.stride).assumingMemoryBound(to: Completion.self)
    }
}

extension RuntimeRef {
    /// Has a thread of the pool run a function, and waits until that has returned. Returns 0 or an error, with its report.
    func runOnPool(
        _ function: CoroutineFunction, _ work: BlockingWork, _ kind: WaitKind = .blocking,
        result: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Int32 {
        let error = obstacle()
        if error != 0 { return discard(work, error) }
        let job = Job(in: self, isSlow: work.isSlow, run: runCall, end: endCall, drop: dropCall)
        guard let call = Heap.one(BlockingCall(job: job, function: function, work: work)) else {
            return discard(work, fail(Code.noMemory))
        }
        let refusal = submit(call.job)
        if refusal != 0 {
            Heap.free(call)
            return discard(work, refusal)
        }
        var isAbandoned = false
        let code = wait(for: call.completion, kind) {
            if withdraw(call.job) { return .withdrawn }
            isAbandoned = work.mayBeAbandoned && abandon(call.job)
            return isAbandoned ? .withdrawn : .goesOn
        }
        if isAbandoned { return fail(code) } // the call is the pool's
        let outcome = code == 0 ? Int32(truncatingIfNeeded: call.pointee.completion.result) : code
        if outcome == 0 { result?.pointee = call.pointee.result }
        Heap.free(call)
        if outcome == 0 { return 0 }
        return code == 0 ? discard(work, failForked(outcome)) : discard(work, fail(outcome))
    }

    /// The call returns an error: what it was given is given back.
    func discard(_ work: BlockingWork, _ error: Int32) -> Int32 {
        pointee.obstacles.forbid()
        work.giveBack()
        pointee.obstacles.allow()
        return error
    }

    private func failForked(_ code: Int32) -> Int32 {
        fail(code) { $0.append("the process was forked: the thread that does this is the parent's") }
    }
}
