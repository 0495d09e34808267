import CCoroPlatform

/// A call of a trampoline's function, under way.
struct TrampolineCall {
    let trampoline: TrampolineRef
    /// Held by the trampoline.
    let target: TargetRef
    /// Room for it, and for a register; all zero.
    let result: UnsafeMutableRawPointer
    let arguments: UnsafePointer<UnsafeMutableRawPointer?>

    /// What became of it.
    enum Outcome {
        /// The target has stored its result.
        case done
        /// It will run, or it has failed, which was told.
        case withoutResult
        /// It could not be run. What the arguments own is to be freed.
        case refused(Int32, why: StaticString? = nil)
    }

    fileprivate func perform(_ mode: Trampoline.Mode, _ callee: Trampoline.Callee) {
        switch mode {
        case .direct: finish(runHere(), callee)
        case .call: finish(runAndWait(), callee)
        case .spawn: finish(spawn(), callee)
        case .post: finish(post(to: callee.loopID), callee)
        }
    }

    private func finish(_ outcome: Outcome, _ callee: Trampoline.Callee) {
        switch outcome {
        case .done: return
        case .withoutResult: break
        case .refused(let code, let why):
            trampoline.noteRefusal(code, why)
            freeOwned()
        }
        if let otherwise = callee.otherwise { result.copyMemory(from: otherwise, byteCount: callee.resultSize) }
    }

    /// Who calls a function has given away what it owns.
    private func freeOwned() {
        guard target.pointee.layout.ownsArguments else { return }
        for index in 0..<target.pointee.signature.count {
            let isOwned = target.pointee.signature.parameter(index).pointee.ownership == UInt32(CORO_ARGUMENT_OWNED)
            guard isOwned, let argument = arguments[index] else { continue }
            coro_memory_free(argument.load(as: UnsafeMutableRawPointer?.self))
        }
    }

    // -- the modes --

    /// Runs the target in its caller.
    private func runHere() -> Outcome {
        let mustNotSuspend = target.pointee.options.mustNotSuspend
        let runtime = mustNotSuspend ? Runtime.here : nil
        if mustNotSuspend, runtime == nil { return .refused(Code.noMemory) }
        runtime?.pointee.obstacles.forbidInTarget()
        if case .direct = target.pointee.body {
            runOfBlock()
        } else {
            target.run(result: result, block: result, pointers: arguments)
        }
        runtime?.pointee.obstacles.allowAfterTarget()
        freeOwned()
        return .done
    }

    /// The same for one that takes its arguments from a block.
    private func runOfBlock() {
        let signature = target.pointee.signature
        withUnsafeTemporaryAllocation(byteCount: Int(signature.pointee.size), alignment: 16) { block in
            let block = block.baseAddress ?? result // there are no arguments
            for index in 0..<signature.count {
                let parameter = signature.parameter(index)
                guard let source = arguments[index] else { continue }
                (block + Int(parameter.pointee.offset)).copyMemory(from: source, byteCount: parameter.pointee.type.size)
            }
            target.run(result: result, block: block, pointers: arguments)
        }
    }

    private func spawn() -> Outcome {
        guard let runtime = Runtime.here else { return .refused(Code.noMemory) }
        // Nobody would ever run it.
        if coro_pool_is_here() { return .refused(runtime.obstacle()) }
        do throws(Refusal) {
            let coroutine = try makeCall(in: runtime, flags: .detached)
            runtime.makeReady(coroutine)
            return .withoutResult
        } catch {
            return .refused(error.code)
        }
    }

    private func makeCall(in runtime: RuntimeRef, flags: Coroutine.Flags) throws(Refusal) -> CoroutineRef {
        let coroutine = try runtime.makeCall(target, arguments: arguments, site: nil, flags: flags)
        coroutine.call?.use(trampoline)
        return coroutine
    }

    private func post(to loop: Int64) -> Outcome {
        guard let call = postCall(target, arguments: arguments) else { return .refused(Code.noMemory, why: Self.noRoom) }
        call.use(trampoline)
        let stackClass = max(StackPool.usualClass, target.pointee.options.stackClass)
        let error = LoopRegistry.post(to: loop, runCall, call, stackClass: stackClass) { call in
            if let call { dropPosted(call.assumingMemoryBound(to: Call.self)) }
        }
        if error == 0 { return .withoutResult }
        call.pointee.ownsArguments = false
        dropPosted(call)
        return .refused(error, why: error == Code.noMemory ? Self.noRoom : "the thread that made it has ended")
    }

    private static var noRoom: StaticString { "no memory to post it" }

    /// Runs the target in a coroutine of its own, and waits for its end.
    private func runAndWait() -> Outcome {
        guard let runtime = Runtime.here else { return .refused(Code.noMemory) }
        if runtime.cannotSuspend { return .refused(runtime.obstacle()) }
        do throws(Refusal) {
            let coroutine = try makeCall(in: runtime, flags: [])
            // Its record stays, whoever else joins or detaches it.
            coroutine.pointee.holders += 1
            try runtime.runInstead(coroutine)
            let isDone = coroutine.pointee.failure == 0
            if isDone, let call = coroutine.call {
                result.copyMemory(from: call.result, byteCount: target.pointee.signature.pointee.result.size)
            }
            let errno = coroutine.call?.pointee.errno
            coroutine.pointee.holders -= 1
            coroutine.set(.taken)
            runtime.dropIfUnneeded(coroutine)
            if let errno { runtime.pointee.errnoHere.pointee = errno }
            return isDone ? .done : .withoutResult
        } catch {
            return .refused(error.code)
        }
    }
}

extension CallRef {
    /// It is a call of a trampoline, which it uses until it is dropped.
    fileprivate func use(_ trampoline: TrampolineRef) {
        _ = coro_entry_enter(trampoline.entry)
        pointee.trampoline = trampoline
    }
}

extension RuntimeRef {
    /// The target of a trampoline's call has returned, in its coroutine.
    func noteEnd(of call: CallRef, _ trampoline: TrampolineRef) {
        let me = pointee.current
        call.pointee.errno = pointee.errnoHere.pointee
        if me.pointee.failure != 0 { coro_entry_set_error(trampoline.entry, me.pointee.failure) }
        call.pointee.interruption = takePendingInterrupt(of: me)
    }
}

/// Where all calls arrive.
func trampolineCalled(
    _ entry: UnsafeMutablePointer<coro_entry>, _ result: UnsafeMutableRawPointer,
    _ arguments: UnsafePointer<UnsafeMutableRawPointer?>
) {
    let trampoline = TrampolineRef(of: entry)
    if coro_entry_enter(entry), let target = trampoline.pointee.target, let callee = trampoline.pointee.callee {
        let call = TrampolineCall(trampoline: trampoline, target: target, result: result, arguments: arguments)
        call.perform(callee.mode, callee)
    } else {
        trampoline.noteLateCall()
    }
    trampoline.leave()
}
