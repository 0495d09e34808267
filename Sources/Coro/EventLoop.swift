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

    /// Makes the loop return, when what is runnable has run.
    public static func exit(code: Int32 = 0) {
        coro_set_exit(code)
    }

    /// Runs until nothing is left that could ever run, or `exit(code:)`.
    @discardableResult
    public static func runUntilIdle() throws(CoroError) -> Int32 {
        var options = coro_loop_options()
        coro_loop_options_init(&options)
        options.flags = UInt32(CORO_LOOP_UNTIL_IDLE)
        let code = coro_event_loop_with(&options)
        if code == CORO_ELOOPRUNNING || code == CORO_EYIELDFROMMAIN { throw CoroError(code: code) }
        return code
    }

    public static var isRunning: Bool { coro_is_running() }

    /// The time right now on the loop's monotonic clock, since an arbitrary start.
    public static var now: Duration { .nanoseconds(coro_get_now()) }

    /// Whether "Exiting..." is written to stderr when the loop returns.
    @discardableResult
    public static func setPrintsExitString(_ on: Bool) -> Bool {
        coro_set_print_exit_string(on)
    }
}
