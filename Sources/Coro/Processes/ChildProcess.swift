import CCoro
import Glibc

/// Another program that was started from here.
///
///     let sort = try ChildProcess.start(["sort", "-r"], input: .pipe, output: .pipe)
///     try sort.input?.write("a\nb\n")
///     try sort.close(.input)
///     print(try sort.output?.readToEnd())
///     print(try sort.wait())     // exited with 0
///
/// It belongs to the thread that started it. When this object is dropped the program runs on, without its pipes (but for those
/// that somebody holds), and leaves no zombie. To feed a program and take what it writes there is `run`.
public final class ChildProcess {
    /// What C calls it by.
    public let handle: Int64
    /// The process's id. After it was waited for, another process may have that.
    public let pid: Int32
    /// Our end of the pipe to its standard input, if that was made by `Stdio.pipe`: closed, the process sees the end.
    public let input: Descriptor?
    /// Our end of the pipe from its standard output, if that was made by `Stdio.pipe`.
    public let output: Descriptor?
    /// Our end of the pipe from its standard error, if that was made by `Stdio.pipe`.
    public let error: Descriptor?

    private init(handle: Int64) {
        self.handle = handle
        pid = coro_process_pid(handle)
        input = Self.pipe(handle, .input)
        output = Self.pipe(handle, .output)
        error = Self.pipe(handle, .error)
    }

    /// Takes our end of a pipe over from C; nil if there is none.
    private static func pipe(_ handle: Int64, _ stream: Stream) -> Descriptor? {
        let number = coro_process_fd(handle, stream.rawValue)
        if number < 0 { return nil }
        _ = coro_forget(number)
        return Descriptor(owning: number)
    }

    deinit {
        _ = coro_process_close(handle)
    }

    /// How to start a program.
    public struct Options: OptionSet, Sendable {
        public let rawValue: UInt32

        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// It leads a process group of its own: `kill` reaches all that it starts, and the terminal's ^C does not.
        public static let group = Options(rawValue: UInt32(CORO_PROCESS_GROUP))
        /// It leads a session of its own, without a terminal; and so also a group.
        public static let session = Options(rawValue: UInt32(CORO_PROCESS_SESSION))
        /// It gets every descriptor that is not close-on-exec; without it 0, 1 and 2, and nothing else.
        public static let keepDescriptors = Options(rawValue: UInt32(CORO_PROCESS_KEEP_FDS))
    }

    /// Starts a program, and returns when it runs. Does not suspend.
    ///
    /// `arguments`: the program's name and its arguments. `program`: what to execute, if that is not the first of them; it is
    /// looked for in our PATH if it has no slash, and relative to `directory`. `environment`, `directory`: nil for ours.
    /// Throws as `coro_process_start`: after an error nothing runs. A text with a NUL in it is
    /// `CoroError.system(errno: EINVAL)`.
    ///
    /// The program inherits which signals this thread blocks. Those of Dispatch, and so of Swift's tasks, block nearly all:
    /// there, unblock SIGTERM at least, or nothing but SIGKILL ends it.
    public static func start(
        _ arguments: [String], program: String? = nil, environment: [String: String]? = nil, directory: String? = nil,
        input: Stdio = .inherit, output: Stdio = .inherit, error: Stdio = .inherit, options: Options = []
    ) throws(CoroError) -> ChildProcess {
        let call = try ProcessCall(arguments, program: program, environment: environment, directory: directory, options)
        try call.setStreams(input: input, output: output, error: error)
        return ChildProcess(handle: try call.start())
    }

    /// Which of its standard streams.
    public enum Stream: Int32, Sendable {
        /// What it reads.
        case input = 0
        /// What it writes.
        case output = 1
        /// What it writes of errors.
        case error = 2
    }

    private func pipe(of stream: Stream) -> Descriptor? {
        switch stream {
        case .input: input
        case .output: output
        case .error: error
        }
    }

    /// The number of our end of the pipe to a stream: for C. Throws `CoroError.system(errno: EBADF)` if there is no pipe, or no
    /// more.
    public func descriptor(of stream: Stream) throws(CoroError) -> Int32 {
        guard let pipe = pipe(of: stream), pipe.isOpen else { throw .system(errno: EBADF) }
        return pipe.number
    }

    /// Closes our end of the pipe to a stream: of `input`, the process sees the end. Nothing happens if there is none, or no
    /// more.
    public func close(_ stream: Stream) throws(CoroError) {
        try pipe(of: stream)?.close()
    }

    /// Waits until the process has ended. Suspends. Any number may wait, and later waits return the status again. Throws
    /// `CoroError.closed` if `close()` was called meanwhile, `CoroError.system(errno: ECHILD)` if somebody else has taken the
    /// status, or what the caller was interrupted with.
    @available(*, noasync, message: "wait in a coroutine")
    @discardableResult
    public func wait() throws(CoroError) -> ExitStatus {
        var status: Int32 = 0
        try check(coro_process_wait(handle, &status))
        return ExitStatus(status: status)
    }

    /// Whether it has not ended, as far as is known.
    public var isAlive: Bool { coro_process_is_alive(handle) }

    /// Sends a signal, to the whole group if it leads one. Throws `CoroError.system(errno: ESRCH)` if it has ended and was
    /// waited for: never reaches another process that got the same number.
    public func kill(_ signum: Int32 = SIGTERM) throws(CoroError) {
        try check(coro_process_kill(handle, signum))
    }

    /// Gives up the process, as when this object is dropped: its pipes are closed, who waits throws `CoroError.closed`, and
    /// what is done with it later throws `CoroError.dead`. A process that runs runs on.
    public func close() throws(CoroError) {
        try check(coro_process_close(handle))
        for stream: Stream in [.input, .output, .error] { try close(stream) }
    }
}
