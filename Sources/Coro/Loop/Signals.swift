import CCoro

extension EventLoop {
    /// From now on each delivery of a signal to the process calls `handler` with its number, in a new coroutine of this thread.
    ///
    ///     try EventLoop.onSignal(SIGHUP, serial: true) { _ in try configuration.reload() }
    ///
    /// It may do all that coroutines may. `serial`: the next delivery's handler begins when the one before has ended; otherwise
    /// there may be several at once. `once`: the first delivery ends it. If a handler throws, that is reported as of any
    /// coroutine (`onFailure`), and the next delivery is handled all the same. See `coro_signal`.
    ///
    /// The closure is released when it can't be called any more and none of its calls is left.
    public static func onSignal(
        _ signum: Int32, serial: Bool = false, once: Bool = false, _ handler: @escaping (_ signum: Int32) throws -> Void
    ) throws(CoroError) {
        let handlers = SignalHandlers.ofThisThread()
        let key = handlers.add(SignalHandlers.Handler(signum: signum, isOnce: once, body: handler))
        let flags = (serial ? CORO_SIGNAL_SERIAL : 0) | (once ? CORO_SIGNAL_ONCE : 0)
        do {
            try check(coro_signal(signum, SignalHandlers.function, UnsafeMutableRawPointer(bitPattern: key), UInt32(flags)))
        } catch {
            handlers.remove(key)
            throw error
        }
        handlers.noteRegistration(of: key)
    }

    /// Ends what `onSignal` or `dumpOnSignal` began: what was installed before is put back. Handlers that run go on; no other
    /// begins. Throws `CoroError.system(errno: ENOENT)` if there is nothing to end.
    public static func removeSignalHandler(_ signum: Int32) throws(CoroError) {
        try check(coro_signal_unregister(signum))
        SignalHandlers.ofThisThread().removeRegistered(signum)
    }

    /// From now on a signal has all coroutines of this thread shown on stderr, as by `Coroutine.dump()`.
    public static func dumpOnSignal(_ signum: Int32) throws(CoroError) {
        try check(coro_dump_on_signal(signum))
    }

    /// Whether `run()` and `runUntilIdle()` take SIGINT and SIGTERM for an `exit()`, from the next time they are called.
    /// Default: true. Returns what it was. See `coro_set_install_signal_handlers`.
    @discardableResult
    public static func setInstallsSignalHandlers(_ on: Bool) -> Bool {
        coro_set_install_signal_handlers(on)
    }
}

/// The closures that a thread handles signals by.
///
/// C holds the key of one, not the closure: a coroutine for a delivery may yet begin after the signal was unregistered, and C
/// doesn't tell when the last has.
private final class SignalHandlers {
    struct Handler {
        let signum: Int32
        let isOnce: Bool
        let body: (Int32) throws -> Void
    }

    private var handlers: [Int: Handler] = [:]
    private var lastKey = 0

    private static let current = ThreadOwned<SignalHandlers>()

    static func ofThisThread() -> SignalHandlers {
        if let handlers = current.value { return handlers }
        let handlers = SignalHandlers()
        current.value = handlers
        return handlers
    }

    static var function: coro_signal_handler {
        { signum, argument in
            guard let body = SignalHandlers.current.value?.take(Int(bitPattern: argument)) else { return }
            do { try body(signum) } catch { _ = error.failCoroutine() }
        }
    }

    func add(_ handler: Handler) -> Int {
        lastKey += 1
        handlers[lastKey] = handler
        return lastKey
    }

    func remove(_ key: Int) {
        handlers[key] = nil
    }

    /// The signal is this one's now: C code has unregistered any before it. But a delivery to be handled once is still to be.
    func noteRegistration(of key: Int) {
        guard let signum = handlers[key]?.signum else { return }
        for (other, handler) in handlers where other != key && handler.signum == signum && !handler.isOnce { remove(other) }
    }

    /// The last that was registered for a signal isn't any more.
    func removeRegistered(_ signum: Int32) {
        if let key = handlers.keys.filter({ handlers[$0]?.signum == signum }).max() { remove(key) }
    }

    private func take(_ key: Int) -> ((Int32) throws -> Void)? {
        guard let handler = handlers[key] else { return nil }
        if handler.isOnce { remove(key) }
        return handler.body
    }
}
