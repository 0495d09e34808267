import CCoroPlatform

extension RuntimeRef {
    /// Leaves the running coroutine (or the loop) for `next`, and returns when somebody switches back to it.
    ///
    /// Who is left must be where it can be found: in a queue, in a wait, or, for the thread's own stack, as `main`.
    @inline(__always)
    func switchTo(_ next: CoroutineRef) {
        let left = pointee.current
        if isPlainSwitch(from: left, to: next) {
            handThreadState(from: left, to: next)
            switchStacks(from: left, to: next)
        } else {
            switchWithMore(from: left, to: next)
        }
    }

    /// Leaves the running coroutine, which has ended, for `next`. Returns the context to go on in, or does not return.
    @inline(__always)
    func leaveForGood(to next: CoroutineRef) -> UnsafeMutableRawPointer {
        let left = pointee.current
        guard isPlainSwitch(from: left, to: next), let context = next.pointee.context else {
            return leaveForGoodWithMore(to: next)
        }
        handThreadState(from: left, to: next)
        return context
    }

    /// What a thread keeps for whoever runs on it changes hands.
    @inline(__always)
    private func handThreadState(from left: CoroutineRef, to next: CoroutineRef) {
        pointee.current = next
        left.pointee.savedErrno = pointee.errnoHere.pointee
        pointee.errnoHere.pointee = next.pointee.savedErrno
        next.pointee.switches &+= 1
        if let exceptions = pointee.exceptionsHere {
            left.pointee.caughtExceptions = exceptions.pointee.caught
            left.pointee.uncaughtExceptions = exceptions.pointee.uncaught
            exceptions.pointee.caught = next.pointee.caughtExceptions
            exceptions.pointee.uncaught = next.pointee.uncaughtExceptions
        }
    }

    @inline(__always)
    private func isPlainSwitch(from left: CoroutineRef, to next: CoroutineRef) -> Bool {
        (left.pointee.flags.rawValue | next.pointee.flags.rawValue) & Coroutine.Flags.slowSwitch.rawValue == 0
    }

    @inline(__always)
    private func switchStacks(from left: CoroutineRef, to next: CoroutineRef) {
        if let context = next.pointee.context {
            coro_context_switch(left.contextSlot, context)
        } else {
            startStack(from: left, of: next)
        }
    }

    @inline(never)
    private func startStack(from left: CoroutineRef, of next: CoroutineRef) {
        let bottom = next.pointee.stackBottom.unsafelyUnwrapped
        coro_context_start(left.contextSlot, StackPool.top(of: bottom, next.pointee.stackClass), runCoroutine)
    }

    /// The switch of coroutines with floating-point control of their own, and of those that are observed.
    @inline(never)
    private func switchWithMore(from left: CoroutineRef, to next: CoroutineRef) {
        if left.pointee.state != .ended { leaveByHook(left) }
        handMore(from: left, to: next)
        guard pointee.observers.sanitizer else {
            if let context = next.pointee.context { enterByHook(next, in: context) }
            switchStacks(from: left, to: next)
            return
        }
        let (bottom, size) = stackRange(next)
        coro_tools_leave(left.pointee.state == .ended ? nil : left.fakeStackSlot, bottom, size)
        switchStacks(from: left, to: next)
        arrive(left)
        enterByHook(left)
    }

    @inline(never)
    private func leaveForGoodWithMore(to next: CoroutineRef) -> UnsafeMutableRawPointer {
        let left = pointee.current
        guard !pointee.observers.sanitizer, let context = next.pointee.context else {
            switchTo(next)
            return coro_context_unreachable()
        }
        handMore(from: left, to: next)
        // What a hook creates may take the control block that is left: nothing is saved there any more.
        enterByHook(next, in: context)
        return context
    }

    private func handMore(from left: CoroutineRef, to next: CoroutineRef) {
        handThreadState(from: left, to: next)
        if left.has(.savesFloatingPoint) || next.has(.savesFloatingPoint) {
            switchFloatingPoint(from: left, to: next)
        }
        if pointee.observers.accounting { account(for: left) }
    }

    /// An observed coroutine runs for the first time.
    @inline(never)
    func beginObserved(_ me: CoroutineRef) {
        if pointee.observers.sanitizer { arrive(me) }
        enterByHook(me)
    }

    /// Tells the sanitizer that the stack of `coroutine`, which now runs, is the one in use.
    private func arrive(_ coroutine: CoroutineRef) {
        var bottom: UnsafeRawPointer?
        var size = 0
        coro_tools_arrive(coroutine.fakeStackSlot?.pointee, &bottom, &size)
        // Where the thread's own stack lies is only known when it has been left once.
        if pointee.mainStackBottom == nil {
            pointee.mainStackBottom = bottom
            pointee.mainStackSize = size
        }
    }

    private func stackRange(_ coroutine: CoroutineRef) -> (bottom: UnsafeRawPointer?, size: Int) {
        guard let bottom = coroutine.pointee.stackBottom else { return (pointee.mainStackBottom, pointee.mainStackSize) }
        let guarded = pointee.stacks.guardSize(coroutine.pointee.stackClass)
        return (UnsafeRawPointer(bottom + guarded), StackPool.slotSize(coroutine.pointee.stackClass) - guarded)
    }

    /// A coroutine that does not save its control words runs with those of the thread.
    private func switchFloatingPoint(from left: CoroutineRef, to next: CoroutineRef) {
        controlOwner(left).pointee.extras?.pointee.floatingPoint = coro_fp_control_get()
        if let extras = controlOwner(next).pointee.extras {
            coro_fp_control_set(extras.pointee.floatingPoint)
        }
    }

    private func controlOwner(_ coroutine: CoroutineRef) -> CoroutineRef {
        coroutine.has(.savesFloatingPoint) ? coroutine : pointee.main
    }
}

/// The first function on a coroutine's stack. Returns the context to go on in when the coroutine has ended.
private func runCoroutine() -> UnsafeMutableRawPointer {
    let runtime = Runtime.existing.unsafelyUnwrapped
    let me = runtime.pointee.current
    me.set(.started)
    runtime.pointee.startedCount += 1
    if me.has(.observed) { runtime.beginObserved(me) }
    // Not `unsafelyUnwrapped`: without optimization that is a generic call, whose first use takes more than a small stack.
    guard let function = me.pointee.function else { return coro_context_unreachable() }
    return runtime.finish(me, result: function(me.pointee.argument))
}
