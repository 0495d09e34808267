import CCoro
import Coro
import Glibc
import Testing

/// What is about the whole process, its signals' defaults and its stderr: each test has a process of its own.
@Suite struct OwnProcessTests {
    @Test(arguments: [SIGINT, SIGTERM]) func B17_a_signal_ends_the_loop_with_0(_ signum: Int32) async {
        await #expect(processExitsWith: .exitCode(7)) { [signum = signum as Int32] in
            try letting(signum) {
                EventLoop.setPrintsExitString(false)
                _ = try Coroutine.spawn {
                    raise(signum)
                    try sleepLong()
                }
                #expect(try EventLoop.run() == 0)
            }
            exit(7)
        }
    }

    @Test func B17_unless_that_is_turned_off() async {
        await #expect(processExitsWith: .signal(SIGTERM)) {
            try letting(SIGTERM) {
                #expect(EventLoop.setInstallsSignalHandlers(false))
                #expect(!EventLoop.setInstallsSignalHandlers(false))
                _ = try Coroutine.spawn { raise(SIGTERM) }
                _ = try EventLoop.run()
            }
        }
    }

    @Test func B17_a_handler_of_ones_own_goes_before_it() async {
        await #expect(processExitsWith: .exitCode(8)) {
            try letting(SIGTERM) {
                EventLoop.setPrintsExitString(false)
                try EventLoop.onSignal(SIGTERM) { _ in EventLoop.exit(code: 8) }
                _ = try Coroutine.spawn { raise(SIGTERM) }
                exit(try EventLoop.run())
            }
        }
    }

    @Test func J7_lines_on_stderr() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            EventLoop.printToStandardError("from outside: 100 %d")
            _ = try Coroutine.spawn { EventLoop.printToStandardError("grüße aus \(Coroutine.current?.id ?? 0)") }
            try EventLoop.runUntilIdle()
            EventLoop.printToStandardError(String(repeating: "x", count: 5000))
        }
        let lines = String(decoding: try #require(result).standardErrorContent, as: UTF8.self).split(separator: "\n")
        func hasLine(_ start: String, _ end: String) -> Bool { lines.contains { $0.hasPrefix(start) && $0.hasSuffix(end) } }
        #expect(hasLine("0:\t", " from outside: 100 %d"))
        #expect(hasLine("1:\t", " grüße aus 1"))
        #expect(hasLine("0:\t", " " + String(repeating: "x", count: 5000)))
    }

    @Test func G8_a_signal_shows_all_coroutines() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            try onThread {
                try letting(SIGUSR1) {
                    try EventLoop.dumpOnSignal(SIGUSR1)
                    let sleeper = try Coroutine.spawn(name: "a sleeper") { try sleepLong() }
                    try Coroutine.spawn {
                        raise(SIGUSR1)
                        try Coroutine.sleep(for: .zero)
                        try sleeper.shutdown()
                    }.join()
                    try EventLoop.removeSignalHandler(SIGUSR1)
                }
            }
        }
        #expect(String(decoding: try #require(result).standardErrorContent, as: UTF8.self).contains("a sleeper"))
    }

    @Test func G9_a_run_inherits_what_it_is_told_to() async throws {
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardOutputContent, \.standardErrorContent]
        ) {
            try onThread { () throws in
                let input = try Pipe()
                try checked(coro_write(input.output, "line\n", 5))
                input.closeOutput()
                try #require(dup2(input.input, 0) == 0)
                let run = try ChildProcess.run(
                    ["sh", "-c", "cat; echo error >&2"], input: .inherit, output: .inherit, error: .inherit)
                #expect(run.status.isSuccess && run.output == [] && run.error == [])
            }
        }
        let (output, error) = (try #require(result).standardOutputContent, try #require(result).standardErrorContent)
        #expect(String(decoding: output, as: UTF8.self).contains("line\n"))
        #expect(String(decoding: error, as: UTF8.self).contains("error\n"))
    }

    /// Has stderr go into a pipe, whose other end is returned.
    private static func captureStandardError() throws -> Int32 {
        var ends: [Int32] = [0, 0]
        try checked(coro_pipe(&ends, O_NONBLOCK))
        try #require(dup2(ends[1], 2) == 2)
        return ends[0]
    }

    /// Runs, without a call that waits, until `text` has come.
    private static func runUntil(_ text: String, isIn descriptor: Int32) {
        var bytes = [UInt8](), buffer = [UInt8](repeating: 0, count: 4096)
        while !String(decoding: bytes, as: UTF8.self).contains(text) {
            let count = read(descriptor, &buffer, buffer.count)
            bytes += buffer.prefix(max(0, count))
        }
    }

    /// It runs until it is reported, which is while it runs. A machine that is busy may make other slices long, too.
    @Test func B20_long_slices_are_told_when_they_are_over() async {
        await #expect(processExitsWith: .success) {
            let reports = try Self.captureStandardError()
            try checked(coro_test_set_latency_unit(20_000_000))
            var told = [(coroutine: AnyCoroutine?, name: String, duration: Duration)]()
            let counter = Counter()
            EventLoop.onLatency { [token = counter.token()] in
                withExtendedLifetime(token) {}
                told.append(($0, $1, $2))
            }
            let hog = try Coroutine.spawn(name: "hog") {
                Self.runUntil("<coro #\(Coroutine.current?.id ?? 0) ", isIn: reports)
                try Coroutine.yieldSlice()
            }
            try EventLoop.runUntilIdle()
            let slice = told.first { $0.coroutine == hog.any }
            #expect(slice?.name == "hog")
            #expect(slice.map { $0.duration >= .milliseconds(20) } == true)
            EventLoop.onLatency(nil)
            #expect(counter.alive == 0)
        }
    }

    @Test func B20_the_factor() throws {
        #expect(try EventLoop.setLatencyWarning(300) == 1)
        #expect(try EventLoop.setLatencyWarning(0) == 300)
        #expect(throws: CoroError.system(errno: EINVAL)) { try EventLoop.setLatencyWarning(301) }
        #expect(throws: CoroError.system(errno: EINVAL)) { try EventLoop.setLatencyWarning(.min) }
        #expect(try EventLoop.setLatencyWarning(1) == 0)
    }
}
