import CCoro
import CCoroPlatform

// coro.h: Processes

@c @implementation
public func coro_waitpid(_ pid: pid_t, _ status: UnsafeMutablePointer<CInt>?, _ options: CInt) -> pid_t {
    call { runtime throws(Refusal) in
        if options != 0, options != WNOHANG { throw runtime.refuseArgument("options must be 0 or WNOHANG") }
        if pid <= 0 {
            throw runtime.refuseArgument(
                "coro_waitpid() waits for one child, by its pid: to wait for several, have a coroutine wait for each")
        }
        var taken: Int32 = 0
        let result = try runtime.waitChild(pid, looksOnly: options != 0, status: &taken)
        if result > 0 { status?.pointee = taken }
        return result
    }
}

@c @implementation
public func coro_process_options_init(_ options: UnsafeMutablePointer<coro_process_options>) {
    options.initialize(to: coro_process_options())
    options.pointee.struct_size = MemoryLayout<coro_process_options>.size
}

@c @implementation
public func coro_process_start(_ options: UnsafePointer<coro_process_options>?) -> coro_process_t {
    callForID { runtime throws(Refusal) in
        try runtime.startProcess(runtime.plan(runtime.require(options, "options is NULL"))).pointee.id
    }
}

extension RuntimeRef {
    /// What the options say, checked.
    fileprivate func plan(_ options: UnsafePointer<coro_process_options>) throws(Refusal) -> ProcessPlan {
        guard options.pointee.struct_size == MemoryLayout<coro_process_options>.size else {
            throw refuseArgument("coro_process_options.struct_size is wrong: start from CORO_PROCESS_OPTIONS_INIT")
        }
        let known = UInt32(CORO_PROCESS_GROUP | CORO_PROCESS_SESSION | CORO_PROCESS_KEEP_FDS)
        guard options.pointee.flags & ~known == 0, options.pointee.reserved == 0, options.pointee.grace >= 0 else {
            throw refuseArgument("coro_process_options has values that mean nothing")
        }
        let arguments = try require(options.pointee.argv, "argv is NULL: it is the program, its arguments, and NULL")
        let name = try require(arguments[0], "argv is empty: argv[0] is the program")
        return ProcessPlan(
            program: options.pointee.program ?? name, arguments: arguments, environment: options.pointee.env,
            directory: options.pointee.cwd,
            streams: PerStream(
                input: try plan(options.pointee.in, 0), output: try plan(options.pointee.out, 1),
                error: try plan(options.pointee.err, 2)),
            flags: ProcessPlan.Flags(rawValue: options.pointee.flags))
    }

    private func plan(_ stdio: coro_stdio, _ stream: Int) throws(Refusal) -> StreamPlan {
        guard let mode = StreamPlan.Mode(rawValue: stdio.mode) else {
            throw refuseArgument("coro_stdio.mode is none of CORO_STDIO_...")
        }
        if mode == .joinsOutput, stream != 2 { throw refuseArgument("CORO_STDIO_STDOUT is for err alone") }
        if mode == .append, stream == 0 { throw refuseArgument("CORO_STDIO_APPEND is for out and err alone") }
        let needsPath = mode == .file || mode == .append
        if needsPath, stdio.path == nil { throw refuseArgument("CORO_STDIO_FILE and CORO_STDIO_APPEND need a path") }
        return StreamPlan(mode: mode, descriptor: stdio.fd, path: needsPath ? stdio.path : nil)
    }
}

// -- handles --

/// Does body with the process that the handle names.
private func with(_ id: coro_process_t, _ body: (RuntimeRef, ProcessRef) throws(Refusal) -> Int32) -> CInt {
    call { runtime throws(Refusal) in try body(runtime, try runtime.findProcess(id)) }
}

@c @implementation
public func coro_process_pid(_ process: coro_process_t) -> pid_t {
    with(process) { _, process in process.pointee.pid }
}

@c @implementation
public func coro_process_fd(_ process: coro_process_t, _ which: CInt) -> CInt {
    with(process) { runtime, process throws(Refusal) in
        if let descriptor = runtime.pipe(of: process, try runtime.stream(which)) { return descriptor }
        return runtime.fail(Code.badDescriptor) {
            $0.append("there is no pipe to stream ")
            $0.append(which)
            $0.append(" (CORO_STDIO_PIPE), or it was closed")
        }
    }
}

@c @implementation
public func coro_process_close_fd(_ process: coro_process_t, _ which: CInt) -> CInt {
    with(process) { runtime, process throws(Refusal) in
        runtime.closePipe(of: process, try runtime.stream(which))
        return 0
    }
}

extension RuntimeRef {
    fileprivate func stream(_ which: CInt) throws(Refusal) -> Int {
        if which < 0 || which > 2 { throw refuseArgument("which must be 0, 1 or 2") }
        return Int(which)
    }
}

@c @implementation
public func coro_process_wait(_ process: coro_process_t, _ status: UnsafeMutablePointer<CInt>?) -> CInt {
    call { runtime throws(Refusal) in
        let taken = try runtime.waitProcess(process)
        status?.pointee = taken
        return 0
    }
}

@c @implementation
public func coro_process_is_alive(_ process: coro_process_t) -> Bool {
    with(process) { runtime, process in runtime.isAlive(process) ? 1 : 0 } == 1
}

@c @implementation
public func coro_process_kill(_ process: coro_process_t, _ signum: CInt) -> CInt {
    with(process) { runtime, process throws(Refusal) in
        if signum < 0 || signum > coro_system_last_signal() { throw runtime.refuseArgument("signum is no signal's number") }
        try runtime.signal(process, signum)
        return 0
    }
}

@c @implementation
public func coro_process_close(_ process: coro_process_t) -> CInt {
    with(process) { runtime, process in
        runtime.closeProcess(process)
        return 0
    }
}

// -- running to the end --

private let defaultGrace: Int64 = 1_000_000_000
private let defaultCaptureLimit = 64 << 20

@c @implementation
public func coro_process_run(
    _ options: UnsafePointer<coro_process_options>?, _ input: UnsafeRawPointer?, _ n: Int, _ timeout: Int64,
    _ result: UnsafeMutablePointer<coro_process_result>?
) -> CInt {
    call { runtime throws(Refusal) in
        let options = try runtime.require(options, "options is NULL")
        let result = try runtime.require(result, "result is NULL")
        guard result.pointee.struct_size == MemoryLayout<coro_process_result>.size else {
            throw runtime.refuseArgument("coro_process_result.struct_size is wrong: start from CORO_PROCESS_RESULT_INIT")
        }
        var ended = RunResult()
        result.pointee.take(ended)
        if timeout < 0 { throw runtime.refuseArgument("timeout is negative") }
        guard n >= 0, input != nil || n == 0 else { throw runtime.refuseArgument("input is NULL, and n is not 0") }
        let plan = try runtime.planOfRun(options, hasInput: input != nil)
        let limit = options.pointee.capture_limit
        let limits = RunLimits(
            timeout: timeout, grace: options.pointee.grace == 0 ? defaultGrace : options.pointee.grace,
            captureLimit: limit == 0 ? defaultCaptureLimit : limit < 0 ? .max : limit)
        defer { result.pointee.take(ended) }
        try runtime.runProcess(plan, input: UnsafeRawBufferPointer(start: input, count: n), limits, &ended)
        return 0
    }
}

extension RuntimeRef {
    /// A run leads a group, so that it can be ended with all that it has started; and what is not said of its streams is to
    /// feed and capture them.
    fileprivate func planOfRun(_ options: UnsafePointer<coro_process_options>, hasInput: Bool) throws(Refusal) -> ProcessPlan {
        var plan = try plan(options)
        plan.flags.insert(.group)
        switch plan.streams[0].mode {
        case .inherit: plan.streams[0].mode = hasInput ? .pipe : .null
        case .pipe: break
        default: if hasInput { throw refuseArgument("there is input, and coro_process_options.in is something else") }
        }
        for stream in 1...2 where plan.streams[stream].mode == .inherit { plan.streams[stream].mode = .pipe }
        return plan
    }
}

extension coro_process_result {
    fileprivate mutating func take(_ result: RunResult) {
        status = result.status
        out = UnsafeMutableRawPointer(result.texts[1])?.assumingMemoryBound(to: CChar.self)
        out_size = result.counts[1]
        err = UnsafeMutableRawPointer(result.texts[2])?.assumingMemoryBound(to: CChar.self)
        err_size = result.counts[2]
    }
}

@c @implementation
public func coro_process_result_free(_ result: UnsafeMutablePointer<coro_process_result>?) {
    guard let result else { return }
    Heap.free(result.pointee.out)
    Heap.free(result.pointee.err)
    result.pointee.take(RunResult())
}

// -- statuses --

@c @implementation
public func coro_process_exit_code(_ status: CInt) -> CInt {
    coro_system_exit_code(status)
}

@c @implementation
public func coro_process_term_signal(_ status: CInt) -> CInt {
    coro_system_term_signal(status)
}

@c @implementation
public func coro_process_describe_status(_ status: CInt, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int) -> CInt {
    var text = TextBuffer(buffer, capacity: size)
    describeStatus(status, in: &text)
    return Int32(truncatingIfNeeded: text.length)
}
