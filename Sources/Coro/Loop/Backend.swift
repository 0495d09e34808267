import CCoro

// How the loop asks the kernel which descriptors are ready.
extension EventLoop {
    /// What it asks by. What programs see is the same.
    public enum Backend: Sendable {
        /// What the environment says (`CORO_BACKEND`), or else epoll.
        case automatic
        /// epoll(7).
        case epoll
        /// Where it can't be had, it is epoll.
        case ioUring

        fileprivate var code: Int32 {
            switch self {
            case .automatic: CORO_BACKEND_DEFAULT
            case .epoll: CORO_BACKEND_EPOLL
            case .ioUring: CORO_BACKEND_IO_URING
            }
        }
    }

    /// Chooses the backend of this thread's loop. Throws `CoroError.system(errno: EBUSY)` if that is in use already.
    public static func setBackend(_ backend: Backend) throws(CoroError) {
        try check(coro_set_backend(backend.code))
    }

    /// The backend of this thread's loop, which is set up if it is not: "epoll", "io_uring", or "epoll (io_uring: EPERM)" if it
    /// was to be io_uring and the kernel said that. nil if it can't be set up: `CoroError.detail`.
    public static var backendName: String? { coro_backend_name().map { String(cString: $0) } }

    /// What does the calls of this thread's coroutines about files: "io_uring" or "threads"; nil without memory.
    public static var fileEngineName: String? { coro_file_engine_name().map { String(cString: $0) } }

    /// How many sockets this thread's loop knows: made or used here, and neither closed nor released.
    public static var liveSockets: Int { Int(coro_get_live_sockets()) }

    /// Whether the system has IPv6.
    public static var hasIPv6: Bool { coro_has_ipv6() }

    /// What a suspending call does on a thread's own stack while no loop runs: it runs the loop until the call is done; with
    /// true, it throws `CoroError.yieldFromMain`. Default: false. Returns what it was. See `coro_set_strict_main`.
    @discardableResult
    public static func setStrictMain(_ on: Bool) -> Bool {
        coro_set_strict_main(on)
    }
}
