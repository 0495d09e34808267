import CCoro

/// The calling thread's event loop: the one that C code on this thread uses too.
public enum EventLoop {
    /// Runs until `exit(code:)`, and returns the code. See `coro_event_loop`.
    public static func run() throws(CoroError) -> Int32 {
        let code = coro_event_loop()
        // The exit code may be negative too: it is an error only if it is one of the loop's.
        if code == CORO_ELOOPRUNNING || code == CORO_EYIELDFROMMAIN { throw CoroError(code: code) }
        return code
    }

    /// EDEADLK, for which there is no name without Foundation.
    private static var deadlock: Int32 { 35 }

    /// Makes the loop return, when what is runnable has run.
    public static func exit(code: Int32 = 0) {
        coro_set_exit(code)
    }

    /// Runs until nothing is left that could ever run, or `exit(code:)`. detectingDeadlock: if coroutines are left then that
    /// wait for ever, they are listed on stderr, and `CoroError.system(errno: EDEADLK)` is thrown.
    @discardableResult
    public static func runUntilIdle(detectingDeadlock: Bool = false) throws(CoroError) -> Int32 {
        var options = coro_loop_options()
        coro_loop_options_init(&options)
        options.flags = UInt32(detectingDeadlock ? CORO_LOOP_DETECT_DEADLOCK : CORO_LOOP_UNTIL_IDLE)
        let code = coro_event_loop_with(&options)
        if detectingDeadlock, code == -deadlock { throw CoroError(code: code) }
        if code == CORO_ELOOPRUNNING || code == CORO_EYIELDFROMMAIN { throw CoroError(code: code) }
        return code
    }

    /// Whether it is counted for how long each coroutine runs: `AnyCoroutine.runTime`. Costs a look at the clock each switch.
    @discardableResult
    public static func setAccounting(_ on: Bool) -> Bool {
        coro_set_accounting(on)
    }

    /// Whether `run()` or `runUntilIdle()` is under way on this thread.
    public static var isRunning: Bool { coro_is_running() }

    /// The time right now on the loop's monotonic clock, since an arbitrary start.
    public static var now: Duration { .nanoseconds(coro_get_now()) }

    /// Whether the loop of the process's first thread serves `DispatchQueue.main`, and with it the main actor. Default: true. To
    /// turn it off is for programs in which another loop takes turns with this one, and shall serve it alone. Returns what it
    /// was. See `coro_set_serve_main_queue`.
    @discardableResult
    public static func setServesMainQueue(_ on: Bool) -> Bool {
        coro_set_serve_main_queue(on)
    }

    /// Whether "Exiting..." is written to stderr when the loop returns.
    @discardableResult
    public static func setPrintsExitString(_ on: Bool) -> Bool {
        coro_set_print_exit_string(on)
    }
}
