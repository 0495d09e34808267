import CCoroPlatform

/// What `create` is told.
struct Creation {
    var function: CoroutineFunction
    var argument: UnsafeMutableRawPointer?
    /// The address after the call that creates it.
    var site: UnsafeRawPointer?
    var flags: Coroutine.Flags = []
    var stackClass = StackPool.usualClass
    var name: UnsafePointer<CChar>?
    var release: ReleaseFunction?

    /// Whether it has anything that is kept in `Extras`.
    @inline(__always)
    var isPlain: Bool { name == nil && flags.rawValue & Coroutine.Flags.slowSwitch.rawValue == 0 }
}

/// Why something was not done: the code to return, with its report written.
struct Refusal: Error {
    var code: Int32
}

/// From creation to the last that is known of a coroutine.
extension RuntimeRef {
    /// A new coroutine, not started.
    @inline(__always)
    func create(_ creation: Creation) throws(Refusal) -> CoroutineRef {
        guard pointee.table.reserveOne(),
            pointee.ready.reserve(pointee.table.count &+ pointee.cancelledInQueue &+ 2),
            let coroutine = pointee.pool.take()
        else {
            throw Refusal(code: fail(Code.noMemory) { $0.append("no memory for another coroutine") })
        }
        let stack: UnsafeMutableRawPointer
        do {
            stack = try pointee.stacks.take(creation.stackClass)
        } catch {
            pointee.pool.give(coroutine)
            throw refuseStack(error)
        }
        coroutine.initialize(to: Coroutine())
        coroutine.pointee.stackBottom = stack
        coroutine.pointee.stackClass = creation.stackClass
        coroutine.pointee.flags = creation.flags
        coroutine.pointee.function = creation.function
        coroutine.pointee.argument = creation.argument
        coroutine.pointee.release = creation.release
        coroutine.pointee.spawnSite = creation.site
        coroutine.pointee.selfishActsLeft = pointee.selfishness
        coroutine.pointee.createdAt = pointee.loopState == .idle ? pointee.clock.read() : pointee.now
        if !creation.isPlain { try addExtras(to: coroutine, creation) }
        pointee.lastID &+= 1
        coroutine.pointee.id = pointee.lastID
        pointee.table.insert(coroutine)
        return coroutine
    }

    @inline(never)
    private func addExtras(to coroutine: CoroutineRef, _ creation: Creation) throws(Refusal) {
        let extras = coroutine.obtainExtras()
        extras?.pointee.floatingPoint = coro_fp_control_get()
        // The control words of all who do not save them are kept with those of the thread's own stack.
        let shared = creation.flags.contains(.savesFloatingPoint) ? pointee.main.obtainExtras() : extras
        if let name = creation.name { extras?.pointee.name = Heap.copy(name) }
        if extras != nil && shared != nil && (creation.name == nil || extras?.pointee.name != nil) {
            if pointee.observers.sanitizer { resetStack(of: coroutine) }
            return
        }
        coroutine.freeExtras()
        pointee.stacks.give(coroutine.pointee.stackBottom.unsafelyUnwrapped, creation.stackClass)
        pointee.pool.give(coroutine)
        throw Refusal(code: fail(Code.noMemory) { $0.append("no memory for the coroutine's options") })
    }

    private func resetStack(of coroutine: CoroutineRef) {
        let guarded = pointee.stacks.guardSize(coroutine.pointee.stackClass)
        coro_tools_stack_reset(
            coroutine.pointee.stackBottom.unsafelyUnwrapped + guarded,
            StackPool.slotSize(coroutine.pointee.stackClass) - guarded)
    }

    @inline(never)
    private func refuseStack(_ failure: StackFailure) -> Refusal {
        let live = pointee.table.count
        return Refusal(
            code: fail(failure.error) {
                $0.append("no stack for another coroutine, with ")
                $0.append(live)
                if failure.inGuard {
                    $0.append(" of them: this kernel needs a mapping for each guard, and vm.max_map_count limits those; raise it ")
                    $0.append("(sysctl -w vm.max_map_count=1000000), or use a kernel from 6.13 on, which needs none")
                } else {
                    $0.append(" of them: no address space could be mapped; see vm.overcommit_memory, ulimit -v and ")
                    $0.append("vm.max_map_count, or use smaller stacks (coro_options.stack_size)")
                }
            })
    }

    /// The flags that every new coroutine of this process has.
    @inline(__always)
    var initialFlags: Coroutine.Flags {
        pointee.main.has(.observed) ? .observed : []
    }

    /// Ends a coroutine that never ran.
    func cancel(_ coroutine: CoroutineRef) {
        if coroutine.pointee.state == .ready {
            coroutine.set(.cancelledInQueue)
            pointee.cancelledInQueue += 1
        }
        coroutine.pointee.failure = Code.shutdown
        // What its release function does to it finds it ended, and does not free it.
        coroutine.pointee.state = .ended
        coroutine.pointee.holders += 1
        coroutine.call?.freeArguments()
        let release = coroutine.pointee.release
        coroutine.pointee.result = nil
        releaseArgument(of: coroutine, by: release)
        coroutine.pointee.holders -= 1
        end(coroutine)
    }

    /// Ends the current coroutine, whose function has returned. Returns the context to go on in.
    func finish(_ me: CoroutineRef, result: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer {
        let release = me.pointee.release
        me.pointee.result = result
        releaseArgument(of: me, by: release)
        if me.pointee.failure != 0 {
            me.pointee.result = nil
            if me.pointee.failure != Code.shutdown { notify(me) }
        }
        // Its last user code: see `dropIfUnneeded`, which comes when its stack and its block are others' already.
        if me.has(.detached), me.pointee.holders == 0 { dropCall(of: me) }
        destroyLocals(of: me)
        if me.has(.observed) { endByHook(me) }
        if pointee.contended != nil { releaseLocks(of: me) }
        pointee.startedCount -= 1
        takePendingInterrupt(of: me)
        end(me)
        pointee.budget &-= 1
        return leaveForGood(to: takeNext())
    }

    /// Gives back what the coroutine was given. User code that must not suspend.
    @inline(__always)
    private func releaseArgument(of coroutine: CoroutineRef, by release: ReleaseFunction?) {
        guard let release else { return }
        giveBack(coroutine.pointee.argument, to: release)
        // It is nobody's now, but code of the user's may still run in the coroutine.
        coroutine.pointee.argument = nil
    }

    /// Frees what a coroutine that has run a target keeps of that: its target may go with it, which is user code.
    private func dropCall(of coroutine: CoroutineRef) {
        guard let call = coroutine.call else { return }
        coroutine.pointee.argument = nil
        drop(call)
    }

    func giveBack(_ argument: UnsafeMutableRawPointer?, to release: ReleaseFunction?) {
        guard let release else { return }
        pointee.obstacles.forbid()
        release(argument)
        pointee.obstacles.allow()
    }

    /// Last of all user code but the hook of the coroutine's end, because the others may still set some.
    func destroyLocals(of coroutine: CoroutineRef) {
        guard let extras = coroutine.pointee.extras, extras.pointee.locals.count > 0 else { return }
        pointee.obstacles.forbid()
        extras.destroyLocals()
        pointee.obstacles.allow()
    }

    private func end(_ coroutine: CoroutineRef) {
        coroutine.pointee.state = .ended
        while let joiner = coroutine.pointee.joiners.first { wake(joiner) }
        pointee.stacks.give(coroutine.pointee.stackBottom.unsafelyUnwrapped, coroutine.pointee.stackClass)
        coroutine.pointee.stackBottom = nil
        dropIfUnneeded(coroutine)
    }

    /// Forgets an ended coroutine if nobody will ask for it any more. It is freed when nothing refers to it either.
    func dropIfUnneeded(_ coroutine: CoroutineRef) {
        guard coroutine.pointee.state == .ended, coroutine.has(.detached) || coroutine.has(.taken) else { return }
        if !coroutine.has(.forgotten) {
            coroutine.set(.forgotten)
            pointee.table.remove(coroutine)
        }
        if coroutine.pointee.holders != 0 { return }
        // Not when it is taken out of the queue: no user code can run there.
        dropCall(of: coroutine)
        if coroutine.has(.cancelledInQueue) { return }
        coroutine.freeExtras()
        pointee.pool.give(coroutine)
    }

    /// A coroutine that was taken out of the ready queue had been cancelled there.
    @inline(never)
    func dropCancelled(_ coroutine: CoroutineRef) {
        coroutine.clear(.cancelledInQueue)
        pointee.cancelledInQueue -= 1
        dropIfUnneeded(coroutine)
    }

    /// Makes the running coroutine, or what it runs in a timeout scope, fail when that returns.
    func recordFailure(_ code: Int32, _ message: UnsafePointer<CChar>?) {
        let me = pointee.current
        if me == pointee.main && !me.has(.timed) || pointee.obstacles.isInCallback { return }
        me.pointee.failure = code < 0 ? code : Code.invalid
        guard let extras = message == nil ? me.pointee.extras : me.obtainExtras() else { return }
        // The message may be the one that is replaced.
        let before = extras.pointee.failureMessage
        extras.pointee.failureMessage = message.flatMap(Heap.copy)
        Heap.free(before)
    }

    /// What `recordFailure` has recorded, with the message owned by who holds it.
    struct FailureRecord {
        var code: Int32
        var message: UnsafeMutablePointer<CChar>?
    }

    func takeFailureRecord(of me: CoroutineRef) -> FailureRecord {
        let record = FailureRecord(code: me.pointee.failure, message: me.pointee.extras?.pointee.failureMessage)
        me.pointee.failure = 0
        me.pointee.extras?.pointee.failureMessage = nil
        return record
    }

    func putBack(_ record: FailureRecord, to me: CoroutineRef) {
        me.pointee.failure = record.code
        if let message = record.message { me.pointee.extras?.pointee.failureMessage = message }
    }
}
