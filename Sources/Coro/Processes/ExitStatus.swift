import CCoro

extension ChildProcess {
    /// How a process has ended.
    public enum ExitStatus: Hashable, Sendable {
        /// By itself, with a code from 0 to 255.
        case exited(Int32)
        /// By a signal.
        case signalled(Int32, dumpedCore: Bool = false)

        /// From what wait(2) gives.
        public init(status: Int32) {
            let signal = coro_process_term_signal(status)
            self =
                signal == 0
                ? .exited(coro_process_exit_code(status))
                : .signalled(signal, dumpedCore: status & Self.coreFlag != 0)
        }

        /// The code that it has exited with; nil if a signal has ended it.
        public var exitCode: Int32? {
            if case .exited(let code) = self { code } else { nil }
        }

        /// The signal that has ended it; nil if it has exited.
        public var signal: Int32? {
            if case .signalled(let signal, _) = self { signal } else { nil }
        }

        /// Whether it has exited with 0.
        public var isSuccess: Bool { self == .exited(0) }

        /// As wait(2) gives it.
        fileprivate var status: Int32 {
            switch self {
            case .exited(let code): (code & 0xff) << 8
            case .signalled(let signal, let dumpedCore): signal & 0x7f | (dumpedCore ? Self.coreFlag : 0)
            }
        }

        /// WCOREFLAG, a macro that Swift doesn't see.
        private static var coreFlag: Int32 { 0x80 }
    }
}

extension ChildProcess.ExitStatus: CustomStringConvertible {
    /// `exited with 3`, `killed by SIGKILL`, `killed by SIGSEGV, core dumped`
    public var description: String {
        String(unsafeUninitializedCapacity: 64) { buffer in
            buffer.withMemoryRebound(to: CChar.self) {
                min(Int(coro_process_describe_status(status, $0.baseAddress, $0.count)), $0.count - 1)
            }
        }
    }
}

extension Coroutine where Success == Never, Failure == Never {
    /// Waits until a child of this process has ended, however it was made. Suspends. At most one may wait for it:
    /// `CoroError.simultaneous`. Throws `CoroError.system(errno: ECHILD)` if it is no child of this process, or somebody else
    /// has taken its status; or what the caller was interrupted with: the child can then still be waited for. See
    /// `coro_waitpid`.
    @available(*, noasync, message: "wait in a coroutine")
    public static func waitForProcess(_ pid: Int32) throws(CoroError) -> ChildProcess.ExitStatus {
        var status: Int32 = 0
        try check(coro_waitpid(pid, &status, 0))
        return ChildProcess.ExitStatus(status: status)
    }
}
