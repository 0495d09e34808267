import CCoro
import Coro
import Glibc
import Testing

@Suite struct ProcessRunTests {
    @Test func G9_input_output_and_status() throws {
        try withPrograms { () throws in
            let sorted = try ChildProcess.run(["sort", "-r"], input: .text("b\nä\nc\n"))
            #expect(sorted.status == .exited(0))
            #expect(sorted.text.split(separator: "\n").sorted() == ["b", "c", "ä"])
            #expect(sorted.error == [])
            let failed = try ChildProcess.run(["sh", "-c", "echo out; echo error >&2; exit 3"])
            #expect(failed.status == .exited(3))
            #expect(failed.text == "out\n")
            #expect(failed.errorText == "error\n")
            #expect(try ChildProcess.run(["sh", "-c", "kill -KILL $$"]).status == .signalled(SIGKILL))
        }
    }

    @Test func G9_bytes_go_through_unchanged() throws {
        try withPrograms { () throws in
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            #expect(try ChildProcess.run(["cat"], input: .bytes(bytes)).output == bytes)
            #expect(try ChildProcess.run(["cat"], input: .bytes([])).output == [])
            #expect(try ChildProcess.run(["cat"]).output == [])
        }
    }

    @Test func G9_streams_of_a_run() throws {
        try withPrograms { () throws in
            let merged = try ChildProcess.run(["sh", "-c", "echo 1; echo 2 >&2; echo 3"], error: .output)
            #expect(merged.text == "1\n2\n3\n")
            #expect(merged.error == [])
            let pipe = try Pipe()
            let apart = try ChildProcess.run(["sh", "-c", "echo 1; echo 2 >&2"], output: .null, error: .descriptor(pipe.output))
            #expect(apart.output == [] && apart.error == [])
            #expect(try pipe.readLine() == "2")
        }
    }

    @Test func G9_runs_are_beside_each_other() throws {
        try withPrograms { () throws in
            let outputs = try Coroutine.inParallel(
                (0..<10).map { number in { try ChildProcess.run(["cat"], input: .text("\(number)")).text } })
            #expect(outputs == (0..<10).map { "\($0)" })
        }
    }

    /// The time is over when the program has said that it is where it should be: no machine is too slow for that.
    private func runOutOfTime(_ script: String) throws -> (any Error)? {
        let ready = try Pipe()
        let ender = try start {
            #expect(try ready.readLine() == "ready")
            try checked(coro_test_step_time(2_000_000_000_000))
        }
        let thrown = error {
            try ChildProcess.run(["sh", "-c", script], error: .descriptor(ready.output), timeout: .seconds(1000))
        }
        try ender.join()
        return thrown
    }

    @Test func G9_a_timeout_ends_the_group_and_carries_what_was_captured() throws {
        try withPrograms(onVirtualTime: false) { () throws in
            let before = try EventLoop.stats.descriptors
            let thrown = try runOutOfTime("sleep 1000 & echo $$ $!; echo ready >&2; wait")
            let error = try #require(thrown as? ChildProcess.RunError)
            #expect(error.reason == .timeout)
            #expect(error.status == .signalled(SIGTERM))
            #expect("\(error)" == "\(CoroError.timeout): killed by SIGTERM")
            let words = String(decoding: error.output, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            let pids = words.compactMap { pid_t($0) }
            try #require(pids.count == 2)
            #expect(kill(pids[0], 0) == -1, "it was reaped")
            #expect(error.error == [])
            #expect(try EventLoop.stats.descriptors == before)
        }
    }

    /// It inherits that SIGTERM is blocked. On virtual time: it is known when it was killed.
    @Test(arguments: [(Duration.zero, 5), (nil, 6), (.seconds(100), 105)])
    func G9_one_that_does_not_end_is_killed(after grace: Duration?, at seconds: Int) throws {
        try withMask(SIG_BLOCK, SIGTERM) {
            try inCoroutine { () throws in
                let start = EventLoop.now
                let thrown = error { try ChildProcess.run(["sleep", "1000"], timeout: .seconds(5), grace: grace) }
                let error = try #require(thrown as? ChildProcess.RunError)
                #expect(error.status == .signalled(SIGKILL))
                #expect((EventLoop.now - start).components.seconds == Int64(seconds))
            }
        }
    }

    @Test func G9_too_much_output_is_an_error_that_carries_some() throws {
        try withPrograms { () throws in
            let thrown = error { try ChildProcess.run(["yes"], captureLimit: 1000) }
            let error = try #require(thrown as? ChildProcess.RunError)
            #expect(error.reason == .system(errno: EOVERFLOW))
            #expect(error.output == Array(String(repeating: "y\n", count: 500).utf8))
            #expect(throws: CoroError.system(errno: EINVAL)) { try ChildProcess.run(["true"], captureLimit: 0) }
        }
    }

    /// What interrupts is thrown as it is, so that scopes of time and ends pass; nothing is left of the program.
    @Test func G9_who_runs_it_can_be_interrupted() throws {
        try withPrograms(onVirtualTime: false) { () throws in
            for isTimeout in [false, true] {
                let ready = try Pipe()
                let runner = try start {
                    try Coroutine.withTimeout(.seconds(1000)) {
                        try ChildProcess.run(["sh", "-c", "echo $$ >&2; exec sleep 1000"], error: .descriptor(ready.output))
                    }
                }
                let pid = try #require(pid_t(try ready.readLine()))
                if isTimeout { try checked(coro_test_step_time(2_000_000_000_000)) } else { try runner.shutdown() }
                #expect(throws: isTimeout ? CoroError.timeout : .shutdown) { try runner.join() }
                #expect(kill(pid, 0) == -1)
            }
        }
    }

    @Test func G9_what_was_never_started_is_an_error_of_the_system() throws {
        try withPrograms { () throws in
            #expect(throws: CoroError.system(errno: ENOENT)) { try ChildProcess.run(["/nowhere/none"], timeout: .zero) }
            #expect(throws: CoroError.system(errno: EINVAL)) { try ChildProcess.run([]) }
            #expect(throws: CoroError.system(errno: EINVAL)) { try ChildProcess.run(["true"], timeout: .seconds(-1)) }
            try checked(coro_test_fail_call("pipe2", 1, ENOMEM))
            #expect(throws: CoroError.system(errno: ENOMEM)) { try ChildProcess.run(["true"]) }
        }
    }

    /// Other languages get the code alone.
    @Test func G9_the_code_of_a_run_that_failed() throws {
        try withPrograms { () throws in
            let coroutine = try start { try ChildProcess.run(["sleep", "1000"], timeout: .zero) }
            #expect(throws: CoroError.timeout) { try coroutine.any.join() }
        }
    }
}
