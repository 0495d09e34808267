import CCoro

extension EventLoop {
    /// For tests of programs: time that passes only when nothing can run, run orders drawn from a seed, system calls that fail
    /// on demand. All hold for the calling thread, where it isn't said otherwise, and are off by default.
    ///
    ///     try EventLoop.Testing.withVirtualTime {
    ///         try Coroutine.sleep(for: .seconds(3600))       // at once
    ///     }
    public enum Testing {}
}

extension EventLoop.Testing {
    /// Puts the loop on virtual time, which stands still while coroutines run, and jumps to the next deadline when the loop
    /// would wait for it. It stands still too while threads or the kernel work for the loop. See `coro_test_set_virtual_time`.
    public static func setVirtualTime(_ on: Bool) {
        coro_test_set_virtual_time(on)
    }

    /// Runs `body` on virtual time.
    public static func withVirtualTime<Success, Failure: Error>(
        _ body: () throws(Failure) -> Success
    ) throws(Failure) -> Success {
        setVirtualTime(true)
        defer { setVirtualTime(false) }
        return try body()
    }

    /// Moves the loop's time on, real or virtual. Throws `CoroError.system(errno: EINVAL)` for less than nothing.
    public static func stepTime(by duration: Duration) throws(CoroError) {
        try check(coro_test_step_time(duration.nanoseconds))
    }

    /// Moves the loop's time on to a time of `EventLoop.now`; it never goes back.
    public static func setTime(_ time: Duration) throws(CoroError) {
        try check(coro_test_set_time(time.nanoseconds))
    }

    /// Runs runnable coroutines in an order drawn from `seed`, instead of first in, first out; 0: back to that. The same seed
    /// gives the same order. It holds from the next pass of the loop on.
    public static func setOrderSeed(_ seed: UInt64) throws(CoroError) {
        try check(coro_test_set_order_seed(seed))
    }

    /// Makes the n-th call from now (1 is the next) of a system call that libcoro makes fail: "accept4", "mmap", "read". Throws
    /// `CoroError.system(errno: EINVAL)` for one that it doesn't make.
    public static func fail(_ call: String, _ number: Int = 1, errno: Int32) throws(CoroError) {
        try check(withText(call) { coro_test_fail_call($0, Int32(clamping: number), errno) })
    }

    /// Takes back what `fail` has said of a call.
    public static func removeFailure(of call: String) throws(CoroError) {
        try check(withText(call) { coro_test_fail_call($0, 0, 0) })
    }

    /// What the factor of `EventLoop.setLatencyWarning` multiplies, instead of 0.2 s; zero: back to that.
    public static func setLatencyUnit(_ duration: Duration) throws(CoroError) {
        try check(coro_test_set_latency_unit(duration.nanoseconds))
    }

    /// How long a thread of the pool waits for work before it ends, instead of 10 s; zero: back to that. Holds for the process.
    public static func setBlockingIdleTime(_ duration: Duration) throws(CoroError) {
        try check(coro_test_set_blocking_idle_time(duration.nanoseconds))
    }
}
