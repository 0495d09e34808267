import CCoro
import Glibc

extension ChildProcess {
    /// Runs a program to its end, and returns what it wrote. Suspends.
    ///
    ///     let sorted = try ChildProcess.run(["sort", "-r"], input: .text("b\na\nc\n"), timeout: .seconds(10)).text
    ///
    /// Output and error are captured, apart from each other, unless it is said where they go: `error: .output` for both
    /// together. It leads a process group of its own. When `timeout` is over, or it writes more than `captureLimit` bytes (nil:
    /// 64 MiB), that group gets SIGTERM, and SIGKILL after `grace` (nil: a second); then `RunError` is thrown, with what was
    /// captured. A caller that is interrupted throws what it was interrupted with: the group was then killed, and the program
    /// waited for. Whatever the program's status is, it is no error. Other errors: as of `start`. See `coro_process_run`.
    @available(*, noasync, message: "run it in a coroutine")
    public static func run(
        _ arguments: [String], program: String? = nil, environment: [String: String]? = nil, directory: String? = nil,
        input: Input = .null, output: Stdio = .pipe, error: Stdio = .pipe, options: Options = [],
        timeout: Duration? = nil, grace: Duration? = nil, captureLimit: Int? = nil
    ) throws -> Output {
        let call = try ProcessCall(arguments, program: program, environment: environment, directory: directory, options)
        try call.setStreamsOfRun(input: input, output: output, error: error)
        try call.setLimits(grace: grace, captureLimit: captureLimit)
        var result = coro_process_result()
        result.struct_size = MemoryLayout<coro_process_result>.size
        defer { coro_process_result_free(&result) }
        let code = call.run(input, timeout: timeout, &result)
        if code < 0 { throw RunError(code, result) ?? CoroError(code: code) }
        return Output(
            status: ExitStatus(status: result.status), output: bytes(result.out, result.out_size),
            error: bytes(result.err, result.err_size))
    }

    private static func bytes(_ start: UnsafeMutablePointer<CChar>?, _ count: Int) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// What has become of a program that was run.
    public struct Output: Hashable, Sendable {
        /// How it has ended.
        public let status: ExitStatus
        /// What it wrote to its standard output; empty if that was not captured.
        public let output: [UInt8]
        /// What it wrote to its standard error; empty if that was not captured.
        public let error: [UInt8]

        /// The output as text; what is not UTF-8 becomes U+FFFD.
        public var text: String { String(decoding: output, as: UTF8.self) }
        /// The same of what it wrote to its standard error.
        public var errorText: String { String(decoding: error, as: UTF8.self) }
    }

    /// A program that was run has not ended by itself, or nobody knows how.
    public struct RunError: CodedError, Hashable, Sendable {
        /// `CoroError.timeout`; `.system(errno:)` with EOVERFLOW: it wrote too much; with ENOMEM: there was no memory for what
        /// it wrote; with ECHILD: somebody else has taken its status.
        public let reason: CoroError
        /// How it has ended, if that is known.
        public let status: ExitStatus?
        /// What it had written to its standard output.
        public let output: [UInt8]
        /// What it had written to its standard error.
        public let error: [UInt8]

        /// The code that C would have got.
        public var code: Int32 { reason.code }

        /// nil if there is nothing to carry: the program was never started, or the caller was interrupted.
        fileprivate init?(_ code: Int32, _ result: coro_process_result) {
            if ![CORO_ETIMEOUT, -EOVERFLOW, -ENOMEM, -ECHILD].contains(code) { return nil }
            if result.status < 0, result.out_size == 0, result.err_size == 0 { return nil }
            reason = CoroError(code: code)
            status = result.status < 0 ? nil : ExitStatus(status: result.status)
            output = bytes(result.out, result.out_size)
            error = bytes(result.err, result.err_size)
        }
    }
}

extension ChildProcess.RunError: CustomStringConvertible {
    /// `time ran out: killed by SIGTERM`
    public var description: String {
        status.map { "\(reason): \($0)" } ?? "\(reason)"
    }
}
