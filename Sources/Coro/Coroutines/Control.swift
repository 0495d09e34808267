import CCoro

// What one coroutine does to another, whatever language either is written in.
extension AnyCoroutine {
    /// Makes what it waits in throw `error`, once: `CoroError.wakeUp`, or whatever its code expects. The last one counts.
    ///
    /// One that is runnable already throws it too, instead of going on with what it was woken with, unless `force` is false:
    /// that refuses with `CoroError.schedule`. One that has not run yet is refused with `CoroError.notStarted`, or cancelled
    /// if `cancelStart` is true.
    public func raise(_ error: CoroError, force: Bool = true, cancelStart: Bool = false) throws(CoroError) {
        let flags = (force ? 0 : CORO_NO_FORCE) | (cancelStart ? CORO_CANCEL_START : 0)
        try check(coro_raise(id, error.code, UInt32(flags)))
    }

    /// Makes what it waits in throw `CoroError.interrupted`; `Coroutine.interruptValue` is `value` there. Never disturbs one
    /// that is runnable: that throws `CoroError.schedule`.
    public func interrupt(_ value: UnsafeMutableRawPointer? = nil) throws(CoroError) {
        try check(coro_interrupt(id, value))
    }

    /// How many of its I/O calls in a row may be done at once, before the next one lets others run: 1 to 32768. Returns what
    /// it was.
    @discardableResult
    public func setMaxSelfishActs(_ count: Int) throws(CoroError) -> Int {
        Int(try check(coro_set_max_selfish_acts(id, Int32(clamping: count))))
    }
}

extension Coroutine where Success == Never, Failure == Never {
    /// What `interrupt` was given, in the coroutine whose last suspending call it interrupted.
    public static var interruptValue: UnsafeMutableRawPointer? { coro_interrupt_value() }
}

extension EventLoop {
    /// `AnyCoroutine.setMaxSelfishActs` for all of this thread's coroutines that have no number of their own.
    @discardableResult
    public static func setSelfishness(_ count: Int) throws(CoroError) -> Int {
        Int(try check(coro_set_selfishness(Int32(clamping: count))))
    }
}
