import CCoro

extension EventLoop {
    /// Has `report` told of every coroutine of this thread that fails, whatever language it is written in and whether or not
    /// anybody joins it; not of `CoroError.shutdown`. nil: the default, one line on stderr. It replaces what was set before, a
    /// notifier of C code too.
    ///
    /// `report` is called in the failing coroutine, at its end, with the error itself if Swift has thrown it. It must not
    /// suspend.
    public static func onFailure(_ report: ((_ coroutine: AnyCoroutine, _ error: any Error, _ message: String) -> Void)?) {
        FailureReport.ofThisThread.value = report
        coro_set_exception_notifier(report == nil ? nil : FailureReport.notifier)
    }
}

extension Error {
    /// Has the running coroutine, which is to return what this returns, fail with it. Other languages get a code.
    @usableFromInline
    func failCoroutine() -> UnsafeMutableRawPointer? {
        FailureReport.keep(self)
        return coro_fail(codeElsewhere, "\(self)")
    }
}

/// Whom to tell of failures on a thread.
private enum FailureReport {
    static let ofThisThread = ThreadOwned<(AnyCoroutine, any Error, String) -> Void>()

    static var notifier: coro_notifier {
        { co, code, message in
            guard let report = FailureReport.ofThisThread.value else { return code }
            report(AnyCoroutine(id: co), FailureReport.kept() ?? CoroError(code: code), String(cString: message))
            return 0
        }
    }

    /// The error that a coroutine fails with, in that coroutine: for its report, which is told a code.
    private static let error = coro_local_new { Unmanaged<Box<any Error>>.fromOpaque($0!).release() }

    /// Keeps what the caller is about to fail with, if anybody will be told.
    static func keep(_ error: any Error) {
        if ofThisThread.value == nil { return }
        // Of a coroutine that fails more than once, the last counts.
        forget()
        let box = Unmanaged.passRetained(Box(error))
        if coro_local_set(Self.error, box.toOpaque()) < 0 { box.release() }
    }

    private static func kept() -> (any Error)? {
        reference()?.takeUnretainedValue().value
    }

    private static func forget() {
        guard let box = reference() else { return }
        _ = coro_local_delete(error)
        box.release()
    }

    private static func reference() -> Unmanaged<Box<any Error>>? {
        var value: UnsafeMutableRawPointer?
        if coro_local_get(error, &value) < 0 { return nil }
        return value.map { Unmanaged<Box<any Error>>.fromOpaque($0) }
    }
}
