import CCoro
import Glibc

extension EventLoop {
    /// Has `report` told of every coroutine of this thread that fails, whatever language it is written in and whether or not
    /// anybody joins it; not of `CoroError.shutdown`. nil: the default, one line on stderr. It replaces what was set before, a
    /// notifier of C code too.
    ///
    /// `report` is called in the failing coroutine, at its end, with the error itself if Swift has thrown it. It must not
    /// suspend.
    public static func onFailure(_ report: ((_ coroutine: AnyCoroutine, _ error: any Error, _ message: String) -> Void)?) {
        FailureReport.ofThisThread = report.map { FailureReport($0) }
        coro_set_exception_notifier(report == nil ? nil : FailureReport.notifier)
    }
}

/// Whom to tell of failures on a thread.
final class FailureReport {
    private let report: (AnyCoroutine, any Error, String) -> Void

    fileprivate init(_ report: @escaping (AnyCoroutine, any Error, String) -> Void) {
        self.report = report
    }

    /// Owns the thread's report until the thread ends.
    private static let key = {
        var key = pthread_key_t()
        let error = pthread_key_create(&key) { Unmanaged<FailureReport>.fromOpaque($0!).release() }
        precondition(error == 0, "no more thread-local variables: pthread_key_create returned \(error)")
        return key
    }()

    fileprivate static var ofThisThread: FailureReport? {
        get { pthread_getspecific(key).map { Unmanaged.fromOpaque($0).takeUnretainedValue() } }
        set {
            let before = pthread_getspecific(key)
            pthread_setspecific(key, newValue.map { UnsafeRawPointer(Unmanaged.passRetained($0).toOpaque()) })
            if let before { Unmanaged<FailureReport>.fromOpaque(before).release() }
        }
    }

    fileprivate static var notifier: coro_notifier {
        { co, code, message in
            guard let this = FailureReport.ofThisThread else { return code }
            this.report(AnyCoroutine(id: co), FailureReport.kept() ?? CoroError(code: code), String(cString: message))
            return 0
        }
    }

    /// The error that a coroutine fails with, in that coroutine: for its report, which is told a code.
    private static let error = coro_local_new { Unmanaged<Box>.fromOpaque($0!).release() }

    private final class Box {
        let error: any Error
        init(_ error: any Error) { self.error = error }
    }

    /// Keeps what the caller is about to fail with, if anybody will be told.
    static func keep(_ error: any Error) {
        if ofThisThread == nil { return }
        let box = Unmanaged.passRetained(Box(error))
        if coro_local_set(Self.error, box.toOpaque()) < 0 { box.release() }
    }

    private static func kept() -> (any Error)? {
        var value: UnsafeMutableRawPointer?
        return coro_local_get(error, &value) < 0 ? nil : value.map { Unmanaged<Box>.fromOpaque($0).takeUnretainedValue().error }
    }
}
