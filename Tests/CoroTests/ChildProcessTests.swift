import CCoro
import Coro
import Glibc
import Testing

@Suite struct ChildProcessTests {
    typealias ExitStatus = ChildProcess.ExitStatus

    private func shell(
        _ script: String, input: ChildProcess.Stdio = .inherit, output: ChildProcess.Stdio = .inherit,
        error: ChildProcess.Stdio = .inherit, options: ChildProcess.Options = []
    ) throws(CoroError) -> ChildProcess {
        try ChildProcess.start(["sh", "-c", script], input: input, output: output, error: error, options: options)
    }

    /// A child that libcoro didn't make.
    private func spawn(_ script: String) throws -> pid_t {
        var pid: pid_t = 0
        let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c"), strdup(script), nil]
        defer { for argument in arguments { free(argument) } }
        try #require(posix_spawn(&pid, "/bin/sh", nil, nil, arguments, nil) == 0)
        return pid
    }

    /// Goes on when the loop has taken the status of a process that it alone looks after.
    private func awaitEnd(of pid: pid_t) throws {
        while kill(pid, 0) == 0 { try Coroutine.yieldSlice() }
    }

    // -- any child, by its pid --

    @Test func G3_a_child_is_waited_for_by_its_pid() throws {
        try withPrograms { () throws in
            for (script, status) in [
                ("exit 0", .exited(0)), ("exit 3", .exited(3)), ("exit 255", .exited(255)),
                ("kill -TERM $$", .signalled(SIGTERM)), ("kill -KILL $$", .signalled(SIGKILL)),
            ] as [(String, ExitStatus)] {
                #expect(try Coroutine.waitForProcess(try spawn(script)) == status)
            }
        }
    }

    @Test func G3_the_others_run_meanwhile() throws {
        try withPrograms { () throws in
            let child = try shell("exec sleep 1000")
            let other = try spawn("while kill -0 \(child.pid); do sleep 0.01; done 2>/dev/null")
            let waiter = try start { try Coroutine.waitForProcess(other) }
            try child.kill()
            try child.wait()
            #expect(try waiter.join() == .exited(0))
        }
    }

    @Test func G4_errors_of_waiting_by_pid() throws {
        try withPrograms { () throws in
            #expect(throws: CoroError.system(errno: ECHILD)) { try Coroutine.waitForProcess(getpid()) }
            #expect(throws: CoroError.system(errno: EINVAL)) { try Coroutine.waitForProcess(-1) }
            let pid = try spawn("exec sleep 1000")
            let first = try start { try Coroutine.waitForProcess(pid) }
            #expect(throws: CoroError.simultaneous) { try Coroutine.waitForProcess(pid) }
            try first.shutdown()
            #expect(throws: CoroError.shutdown) { try first.join() }
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.seconds(1)) { try Coroutine.waitForProcess(pid) }
            }
            kill(pid, SIGKILL)
            #expect(try Coroutine.waitForProcess(pid) == .signalled(SIGKILL))
            #expect(throws: CoroError.system(errno: ECHILD)) { try Coroutine.waitForProcess(pid) }
        }
    }

    @Test func G3_statuses_in_words() {
        #expect("\(ExitStatus.exited(3))" == "exited with 3")
        #expect("\(ExitStatus.signalled(SIGKILL))" == "killed by SIGKILL")
        #expect("\(ExitStatus.signalled(SIGSEGV, dumpedCore: true))" == "killed by SIGSEGV, core dumped")
        for status in 0...0xffff where status & 0xff == 0 || (1...126).contains(status & 0x7f) && status < 0x100 {
            let status = ExitStatus(status: Int32(status))
            #expect((status.exitCode == nil) != (status.signal == nil))
        }
        #expect(ExitStatus(status: 0x0300).exitCode == 3)
        #expect(ExitStatus(status: 0x008b) == .signalled(SIGSEGV, dumpedCore: true))
        #expect(ExitStatus(status: 9).signal == SIGKILL)
        #expect(ExitStatus.exited(0).isSuccess)
        #expect(!ExitStatus.exited(1).isSuccess && !ExitStatus.signalled(SIGTERM).isSuccess)
    }

    // -- processes by their handles --

    @Test func G9_feeding_reading_and_waiting() throws {
        try withPrograms { () throws in
            let cat = try ChildProcess.start(["cat"], input: .pipe, output: .pipe)
            #expect(cat.pid > 0 && cat.isAlive)
            let reader = try start { try line(from: cat.descriptor(of: .output)) }
            try checked(coro_write(cat.descriptor(of: .input), "hello\n", 6))
            #expect(try reader.join() == "hello")
            #expect(throws: CoroError.system(errno: EBADF)) { try cat.descriptor(of: .error) }
            try cat.close(.input)
            try cat.close(.input)
            #expect(throws: CoroError.system(errno: EBADF)) { try cat.descriptor(of: .input) }
            let waiters = try (0..<3).map { _ in try start { try cat.wait() } }
            for waiter in waiters { #expect(try waiter.join() == .exited(0)) }
            #expect(try cat.wait().isSuccess)
            #expect(!cat.isAlive)
            #expect(throws: CoroError.system(errno: ESRCH)) { try cat.kill() }
        }
    }

    @Test func G9_its_pipes_are_descriptors() throws {
        try withPrograms { () throws in
            let sort = try ChildProcess.start(["sort"], input: .pipe, output: .pipe)
            #expect(sort.error == nil)
            try sort.input?.write("b\na\n")
            try sort.close(.input)
            #expect(sort.input?.isOpen == false)
            #expect(try sort.output?.readToEnd().text == "a\nb\n")
            #expect(try sort.wait().isSuccess)
            let other = try ChildProcess.start(["cat"], input: .pipe, output: .pipe, error: .pipe)
            let (input, output) = (try #require(other.input), try #require(other.output))
            let reader = try start { try output.read() }
            try other.close()
            #expect(throws: CoroError.closed) { try reader.join() }
            #expect(throws: CoroError.closed) { try input.write("x") }
            try awaitEnd(of: other.pid)
        }
    }

    /// Who holds a pipe has it when the process's object is gone.
    @Test func G9_a_pipe_outlives_its_process() throws {
        try withPrograms { () throws in
            let before = try EventLoop.stats.descriptors
            do {
                let output = try #require(try ChildProcess.start(["echo", "still here"], output: .pipe).output)
                #expect(try output.readToEnd().text == "still here\n")
            }
            while try EventLoop.stats.descriptors != before { try Coroutine.yieldSlice() }
        }
    }

    @Test func G9_what_a_program_gets() throws {
        try withPrograms { () throws in
            let output = try Pipe()
            let child = try ChildProcess.start(
                ["name", "-c", "echo \"$0|$1|$#|$X|$HOME|$(pwd)\"", "zero", "one  two", ""], program: "sh",
                environment: ["X": "ä=b", "PATH": "/usr/bin:/bin"], directory: "/", output: .descriptor(output.output))
            #expect(try output.readLine() == "zero|one  two|2|ä=b||/")
            #expect(try child.wait() == .exited(0))
        }
    }

    @Test func G9_streams() throws {
        try withPrograms { () throws in
            let folder = try ChildProcess.run(["mktemp", "-d"]).text.trimmingSuffix("\n")
            defer { _ = try? ChildProcess.run(["rm", "-r", folder]) }
            let file = folder + "/file"
            func write(_ script: String, output: ChildProcess.Stdio, error: ChildProcess.Stdio = .inherit) throws {
                #expect(try shell(script, output: output, error: error).wait() == .exited(0))
            }
            func content() throws -> String { try ChildProcess.run(["cat"], input: .file(file)).text }
            try write("echo lost", output: .file(file))
            try write("echo out; echo error >&2", output: .file(file), error: .output)
            try write("echo more", output: .append(file))
            #expect(try content() == "out\nerror\nmore\n")
            try write("echo nothing", output: .null)
            #expect(throws: CoroError.system(errno: EINVAL)) { try shell("exit", input: .output) }
            #expect(throws: CoroError.system(errno: ENOENT)) { try shell("exit", input: .file(folder + "/none")) }
        }
    }

    @Test func G9_a_group_is_ended_together() throws {
        try withPrograms { () throws in
            let output = try Pipe()
            let child = try shell("sleep 1000 & echo; wait", output: .descriptor(output.output), options: .group)
            output.closeOutput()
            #expect(try output.readLine() == "")
            try child.kill()
            #expect(try child.wait() == .signalled(SIGTERM))
            // The pipe ends when the last of them has.
            #expect(try output.readLine() == "")
            #expect(getpgid(child.pid) == -1)
        }
    }

    @Test func G9_a_session_has_no_terminal_and_its_own_group() throws {
        try withPrograms { () throws in
            let child = try shell("exec sleep 1000", options: .session)
            #expect(getsid(child.pid) == child.pid)
            try child.kill(SIGKILL)
            #expect(try child.wait() == .signalled(SIGKILL))
        }
    }

    @Test func G9_bad_input_starts_nothing() throws {
        let before = try EventLoop.stats
        func refuses(_ errno: Int32, _ location: SourceLocation = #_sourceLocation, _ start: () throws -> ChildProcess) {
            #expect(throws: CoroError.system(errno: errno), sourceLocation: location) { _ = try start() }
        }
        refuses(EINVAL) { try ChildProcess.start([]) }
        refuses(EINVAL) { try ChildProcess.start(["echo", "a\0b"]) }
        refuses(EINVAL) { try ChildProcess.start(["true"], environment: ["A=B": "c"]) }
        refuses(EINVAL) { try ChildProcess.start(["true"], environment: ["": "c"]) }
        refuses(EINVAL) { try ChildProcess.start(["true"], options: .init(rawValue: 1 << 20)) }
        refuses(ENOENT) { try ChildProcess.start(["/nowhere/none"]) }
        #expect(CoroError.detail.contains("/nowhere/none"))
        refuses(ENOENT) { try ChildProcess.start(["true"], directory: "/nowhere") }
        refuses(EACCES) { try ChildProcess.start(["/etc/passwd"]) }
        refuses(EBADF) { try ChildProcess.start(["true"], input: .descriptor(9999)) }
        #expect(try EventLoop.stats.descriptors == before.descriptors)
    }

    @Test func G9_closing_wakes_who_waits() throws {
        try withPrograms { () throws in
            let child = try shell("exec sleep 1000")
            let waiter = try start { try child.wait() }
            try child.close()
            #expect(throws: CoroError.closed) { try waiter.join() }
            #expect(throws: CoroError.dead) { try child.wait() }
            #expect(throws: CoroError.dead) { try child.kill() }
            #expect(throws: CoroError.dead) { try child.close() }
            #expect(!child.isAlive)
            kill(child.pid, SIGKILL)
            try awaitEnd(of: child.pid)
        }
    }

    /// It is not killed, its pipes are closed, and it leaves no zombie.
    @Test func G9_a_process_that_is_dropped_runs_on() throws {
        try withPrograms { () throws in
            let before = try EventLoop.stats.descriptors
            var pid: pid_t = 0
            do {
                let output = try Pipe()
                do {
                    let child = try shell(
                        "cat; echo still here", input: .pipe, output: .descriptor(output.output))
                    pid = child.pid
                    output.closeOutput()
                    #expect(try EventLoop.stats.descriptors > before + 1)
                }
                #expect(try output.readLine() == "still here")
            }
            try awaitEnd(of: pid)
            #expect(try EventLoop.stats.descriptors == before)
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : self }
}
