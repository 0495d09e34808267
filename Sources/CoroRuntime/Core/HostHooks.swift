import CCoroPlatform

/// What a host language has called when coroutines make way for each other, and around the loop's wait: `coro_switch_hooks`.
struct HostHooks {
    var onSwitch = SwitchHooks()
    var onPoll = PollHooks()
    /// In how many calls of hooks we are.
    fileprivate(set) var depth: Int32 = 0
}

/// Told the context, the coroutine's id, and where its state is.
typealias SwitchHook =
    @convention(c) (UnsafeMutableRawPointer?, Int64, UnsafeMutablePointer<UnsafeMutableRawPointer?>) -> Void
typealias PollHook = @convention(c) (UnsafeMutableRawPointer?) -> Void

struct SwitchHooks {
    var areSet = false
    var context: UnsafeMutableRawPointer?
    var leave: SwitchHook?
    var enter: SwitchHook?
    var end: SwitchHook?
}

struct PollHooks {
    var areSet = false
    var context: UnsafeMutableRawPointer?
    var beforeWait: PollHook?
    var afterWait: PollHook?
}

extension RuntimeRef {
    func setSwitchHooks(_ hooks: SwitchHooks) throws(Refusal) {
        try refuseInHook()
        if hooks.areSet, !haveAllExtras() {
            throw Refusal(code: fail(Code.noMemory) { $0.append("no memory for the states of all coroutines") })
        }
        pointee.hooks.onSwitch = hooks
        updateObserved()
        if !hooks.areSet { forgetHookStates() }
    }

    func setPollHooks(_ hooks: PollHooks) throws(Refusal) {
        try refuseInHook()
        pointee.hooks.onPoll = hooks
    }

    private func refuseInHook() throws(Refusal) {
        if pointee.hooks.depth == 0 { return }
        throw Refusal(code: fail(Code.yieldFromMain) { $0.append("a hook can't change the hooks: do it when it has returned") })
    }

    /// Whether every coroutine has a place for its state. Those that are made from now on are observed, and are made with one.
    private func haveAllExtras() -> Bool {
        var haveAll = pointee.main.obtainExtras() != nil
        pointee.table.forEach { if haveAll, $0.obtainExtras() == nil { haveAll = false } }
        return haveAll
    }

    private func forgetHookStates() {
        pointee.main.hookStateSlot?.pointee = nil
        pointee.table.forEach { $0.hookStateSlot?.pointee = nil }
    }

    func leaveByHook(_ me: CoroutineRef) {
        call(pointee.hooks.onSwitch.leave, for: me)
    }

    /// On the stack of `me`.
    func enterByHook(_ me: CoroutineRef) {
        call(pointee.hooks.onSwitch.enter, for: me)
    }

    /// The same from another stack, for one that is suspended in `context`. It may have been suspended before there were hooks,
    /// by a switch that knows nothing of them; so that it is not left to that switch to call them when it goes on.
    func enterByHook(_ me: CoroutineRef, in context: UnsafeMutableRawPointer) {
        if pointee.hooks.onSwitch.enter == nil { return }
        coro_context_visit(context, context, enterCurrent, self)
    }

    /// The end of `me`, which is observed. What the hook leaves in coroutine-locals is destroyed too.
    @inline(never)
    func endByHook(_ me: CoroutineRef) {
        if pointee.hooks.onSwitch.end == nil { return }
        call(pointee.hooks.onSwitch.end, for: me)
        destroyLocals(of: me)
    }

    private func call(_ hook: SwitchHook?, for coroutine: CoroutineRef) {
        guard let hook, let state = coroutine.hookStateSlot else { return }
        let errno = beginHook()
        hook(pointee.hooks.onSwitch.context, coroutine.pointee.id, state)
        endHook(errno)
    }

    func callPollHook(_ hook: PollHook?) {
        guard let hook else { return }
        let errno = beginHook()
        hook(pointee.hooks.onPoll.context)
        endHook(errno)
    }

    /// Returns what errno is.
    private func beginHook() -> Int32 {
        pointee.obstacles.forbid()
        pointee.hooks.depth += 1
        return pointee.errnoHere.pointee
    }

    private func endHook(_ errno: Int32) {
        pointee.errnoHere.pointee = errno
        pointee.hooks.depth -= 1
        pointee.obstacles.allow()
    }
}

/// Called on the stack of the coroutine that is to go on.
private func enterCurrent(_ argument: UnsafeMutableRawPointer?) {
    guard let runtime = argument?.assumingMemoryBound(to: Runtime.self) else { return }
    runtime.enterByHook(runtime.pointee.current)
}
