import CCoro

/// What a call of libcoro can fail with: one case for each of its own errors, one for the system's, one for codes that a
/// program has made up. `code` is what the C function returned.
public enum CoroError: Error, Hashable, Sendable {
    /// The coroutine is running, or runnable, or was started already.
    case schedule
    /// The coroutine has ended, and nothing of it is left to wait for.
    case dead
    /// The descriptor or the object was closed or freed.
    case closed
    /// The coroutine was never started.
    case notStarted
    /// The time given ran out.
    case timeout
    /// Another coroutine waits already for the same.
    case simultaneous
    /// The coroutine was told to end.
    case shutdown
    /// The wait was broken off on purpose.
    case wakeUp
    /// The wait was interrupted by another coroutine.
    case interrupted
    /// A suspending call where none is allowed.
    case yieldFromMain
    /// The lock is not held by the caller.
    case lock
    /// Some of the functions run in parallel failed.
    case inParallel
    /// The coroutine belongs to another thread.
    case wrongThread
    /// The stream ended before all bytes had come.
    case endOfFile
    /// The descriptor is in blocking mode.
    case blocking
    /// The loop runs already on this thread.
    case loopRunning
    /// The coroutine failed with an error of its own language.
    case failed
    /// An error of the system: an errno value, positive.
    case system(errno: Int32)
    /// A code that is none of libcoro's.
    case other(code: Int32)

    /// What a C function returned: a negative code.
    public init(code: Int32) {
        if let own = Self.own.first(where: { $0.code == code }) {
            self = own.error
        } else if code < 0, code > -4096 {
            self = .system(errno: -code)
        } else {
            self = .other(code: code)
        }
    }

    /// The code of coro.h.
    public var code: Int32 {
        switch self {
        case .system(let errno): 0 &- errno
        case .other(let code): code
        default: Self.own.first { $0.error == self }?.code ?? CORO_EFAILED
        }
    }

    /// What the code is called in C: "CORO_ETIMEOUT", "EPIPE"; nil if it is none that has a name.
    public var name: String? { coro_error_name(code).map { String(cString: $0) } }

    private static let own: [(error: CoroError, code: Int32)] = [
        (.schedule, CORO_ESCHEDULE), (.dead, CORO_EDEAD), (.closed, CORO_ECLOSED), (.notStarted, CORO_ENOTSTARTED),
        (.timeout, CORO_ETIMEOUT), (.simultaneous, CORO_ESIMULTANEOUS), (.shutdown, CORO_ESHUTDOWN),
        (.wakeUp, CORO_EWAKEUP), (.interrupted, CORO_EINTERRUPTED), (.yieldFromMain, CORO_EYIELDFROMMAIN),
        (.lock, CORO_ELOCK), (.inParallel, CORO_EINPARALLEL), (.wrongThread, CORO_EWRONGTHREAD),
        (.endOfFile, CORO_EEOF), (.blocking, CORO_EBLOCKING), (.loopRunning, CORO_ELOOPRUNNING), (.failed, CORO_EFAILED),
    ]

    /// More about the last call on this thread that failed: what was wrong, and what can be done.
    public static var detail: String { String(cString: coro_error_detail()) }
}

extension CoroError: CustomStringConvertible {
    public var description: String { String(cString: coro_strerror(code)) }
}

/// Throws what a C function returned, if it is an error.
@inlinable @inline(__always)
@discardableResult
func check<Code: SignedInteger>(_ result: Code) throws(CoroError) -> Code {
    if result < 0 { throw CoroError(code: Int32(truncatingIfNeeded: result)) }
    return result
}
