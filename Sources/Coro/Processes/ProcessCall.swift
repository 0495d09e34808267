import CCoro
import Glibc

/// A call that starts a program: its options, and the memory that they point to.
final class ProcessCall {
    private var options = coro_process_options()
    private var memory: [UnsafeMutableRawPointer] = []

    init(
        _ arguments: [String], program: String?, environment: [String: String]?, directory: String?,
        _ flags: ChildProcess.Options
    ) throws(CoroError) {
        coro_process_options_init(&options)
        options.argv = try copy(arguments)
        if let program { options.program = try copy(program) }
        if let environment { options.env = try copy(Self.entries(environment)) }
        if let directory { options.cwd = try copy(directory) }
        options.flags = flags.rawValue
    }

    deinit {
        for block in memory { block.deallocate() }
    }

    func setStreams(input: ChildProcess.Stdio, output: ChildProcess.Stdio, error: ChildProcess.Stdio) throws(CoroError) {
        options.in = try stdio(input)
        options.out = try stdio(output)
        options.err = try stdio(error)
    }

    /// The same for a run, to which C's default is to feed and capture.
    func setStreamsOfRun(
        input: ChildProcess.Input, output: ChildProcess.Stdio, error: ChildProcess.Stdio
    ) throws(CoroError) {
        func explicit(_ stdio: ChildProcess.Stdio, _ stream: ChildProcess.Stream) -> ChildProcess.Stdio {
            stdio == .inherit ? .descriptor(stream.rawValue) : stdio
        }
        try setStreams(
            input: explicit(input.stdio, .input), output: explicit(output, .output), error: explicit(error, .error))
    }

    func setLimits(grace: Duration?, captureLimit: Int?) throws(CoroError) {
        // To C, zero is the default.
        if let grace { options.grace = grace == .zero ? 1 : grace.nanoseconds }
        guard let captureLimit else { return }
        if captureLimit < 1 { throw .system(errno: EINVAL) }
        options.capture_limit = captureLimit
    }

    func start() throws(CoroError) -> Int64 {
        var options = options
        // The memory is this object's.
        return try check(withExtendedLifetime(self) { coro_process_start(&options) })
    }

    /// Suspends. Returns a code.
    func run(_ input: ChildProcess.Input, timeout: Duration?, _ result: inout coro_process_result) -> Int32 {
        var options = options
        let hasInput = input.stdio == .pipe
        return withExtendedLifetime(self) {
            input.bytes.withUnsafeBytes {
                coro_process_run(&options, hasInput ? $0.baseAddress : nil, $0.count, timeout?.nanoseconds ?? .max, &result)
            }
        }
    }

    private func stdio(_ stdio: ChildProcess.Stdio) throws(CoroError) -> coro_stdio {
        switch stdio {
        case .inherit: coro_stdio(mode: CORO_STDIO_INHERIT, fd: 0, path: nil)
        case .null: coro_stdio(mode: CORO_STDIO_NULL, fd: 0, path: nil)
        case .pipe: coro_stdio(mode: CORO_STDIO_PIPE, fd: 0, path: nil)
        case .descriptor(let descriptor): coro_stdio(mode: CORO_STDIO_FD, fd: descriptor, path: nil)
        case .file(let path): coro_stdio(mode: CORO_STDIO_FILE, fd: 0, path: try copy(path))
        case .append(let path): coro_stdio(mode: CORO_STDIO_APPEND, fd: 0, path: try copy(path))
        case .output: coro_stdio(mode: CORO_STDIO_STDOUT, fd: 0, path: nil)
        }
    }

    /// "NAME=value", as a process gets them.
    private static func entries(_ environment: [String: String]) throws(CoroError) -> [String] {
        if environment.keys.contains(where: { $0.isEmpty || $0.utf8.contains(UInt8(ascii: "=")) }) {
            throw .system(errno: EINVAL)
        }
        return environment.map { "\($0)=\($1)" }
    }

    // -- memory --

    private func copy(_ text: String) throws(CoroError) -> UnsafePointer<CChar> {
        // C would see no more than what is before it.
        if text.utf8.contains(0) { throw .system(errno: EINVAL) }
        let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: text.utf8.count + 1)
        _ = copy.initialize(from: text.utf8CString)
        return keep(copy)
    }

    /// With nil behind the last.
    private func copy(_ texts: [String]) throws(CoroError) -> UnsafePointer<UnsafePointer<CChar>?> {
        var copies: [UnsafePointer<CChar>?] = []
        for text in texts { copies.append(try copy(text)) }
        let array = UnsafeMutableBufferPointer<UnsafePointer<CChar>?>.allocate(capacity: copies.count + 1)
        _ = array.initialize(from: copies + [nil])
        return keep(array)
    }

    private func keep<Element>(_ buffer: UnsafeMutableBufferPointer<Element>) -> UnsafePointer<Element> {
        let start = buffer.baseAddress!
        memory.append(UnsafeMutableRawPointer(start))
        return UnsafePointer(start)
    }
}
