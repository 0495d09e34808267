import CCoroPlatform

/// What a suspending call must look at before it suspends. All of it is rare, so that one counter, of how many reasons there
/// are to look, is all that the usual call sees of it.
struct Obstacles {
    /// How many of the following hold: 0 sends a suspending call straight on.
    private(set) var count: Int32 = 1
    /// In how many callbacks, and targets, we are that must not suspend.
    private(set) var forbidden: Int32 = 0
    /// How many of those are targets, which run in coroutines like any other but for that.
    private var targets: Int32 = 0
    /// Whether the thread's own stack must not suspend.
    private(set) var strictMain = false
    /// Whether the thread's own code runs, and not the loop: it may be a Swift task, of which nobody tells us.
    private var isOnOwnStack = true

    mutating func forbid() {
        forbidden += 1
        count += 1
    }

    mutating func allow() {
        forbidden -= 1
        count -= 1
    }

    /// The same for a target that was registered as one that must not suspend.
    mutating func forbidInTarget() {
        targets += 1
        forbid()
    }

    mutating func allowAfterTarget() {
        targets -= 1
        allow()
    }

    /// Whether we are in a callback that must not suspend, which is no part of what a coroutine runs.
    var isInCallback: Bool { forbidden != targets }

    mutating func setStrictMain(_ on: Bool) {
        if on != strictMain { count += on ? 1 : -1 }
        strictMain = on
    }

    mutating func setOnOwnStack(_ on: Bool) {
        if on != isOnOwnStack { count += on ? 1 : -1 }
        isOnOwnStack = on
    }

    fileprivate mutating func add() { count += 1 }
    fileprivate mutating func remove() { count -= 1 }
}

extension RuntimeRef {
    /// What keeps the caller from suspending: 0, or the error that its call returns.
    @inline(__always)
    func obstacle() -> Int32 {
        pointee.obstacles.count == 0 ? 0 : lookForObstacle()
    }

    /// Whether no call of the caller may suspend here, interrupted or not.
    var cannotSuspend: Bool {
        pointee.obstacles.forbidden != 0
            || pointee.current == pointee.main && (pointee.obstacles.strictMain || coro_swift_task_is_here())
    }

    private static var refusesTasks: StaticString {
        "this is a Swift task, which must not suspend: await the coroutine's value, or make the call in a coroutine"
    }

    @inline(never)
    private func lookForObstacle() -> Int32 {
        if pointee.obstacles.forbidden != 0 {
            let isPool = coro_pool_is_here()
            let isTask = pointee.current == pointee.main && coro_swift_task_is_here()
            return fail(Code.yieldFromMain) {
                $0.append(
                    isTask ? Self.refusesTasks : isPool
                        ? "a thread of the pool does not run coroutines: block, or coro_post() to a loop"
                        : pointee.obstacles.isInCallback
                            ? "callbacks, destructors, release functions and notifiers must not suspend"
                            : "a target that was registered with CORO_TARGET_NO_SUSPEND must not suspend")
            }
        }
        if pointee.obstacles.strictMain, pointee.current == pointee.main {
            return fail(Code.yieldFromMain) {
                $0.append(
                    "this is the thread's own stack, and strict mode is on: call from a coroutine while the loop runs")
            }
        }
        if pointee.current == pointee.main, coro_swift_task_is_here() {
            return fail(Code.yieldFromMain) { $0.append(Self.refusesTasks) }
        }
        let code = takePendingInterrupt(of: pointee.current)
        return code == 0 ? 0 : fail(code)
    }

    /// Has the next suspending call of a coroutine that runs return `code`. The last one given counts.
    func setPendingInterrupt(of coroutine: CoroutineRef, _ code: Int32) {
        if coroutine.pointee.pendingInterrupt == 0 { pointee.obstacles.add() }
        coroutine.pointee.pendingInterrupt = code
    }

    /// Takes back what `setPendingInterrupt` has set; 0: nothing.
    @discardableResult
    func takePendingInterrupt(of coroutine: CoroutineRef) -> Int32 {
        let code = coroutine.pointee.pendingInterrupt
        if code == 0 { return 0 }
        coroutine.pointee.pendingInterrupt = 0
        coroutine.pointee.wakeValue = nil
        pointee.obstacles.remove()
        return code
    }
}
