import CCoro
import Coro
import Glibc
import Testing

@Suite struct TimeoutTests {
    @Test func D1_values_and_errors_pass() throws {
        try inCoroutine { () throws in
            let value = try Coroutine.withTimeout(.seconds(1)) { () -> String in
                try Coroutine.sleep(for: .milliseconds(999))
                return "in time"
            }
            #expect(value == "in time")
            #expect(throws: Odd(number: 1)) { try Coroutine.withTimeout(.seconds(1)) { throw Odd(number: 1) } }
            #expect(throws: CoroError.interrupted) { try Coroutine.withTimeout(.seconds(1)) { throw CoroError.interrupted } }
        }
    }

    @Test func D1_the_time_runs_out_in_any_wait() throws {
        try inCoroutine { () throws in
            let target = try start { try sleepLong() }
            let event = try Event<Int>()
            let waits: [() throws -> Void] = [
                { try sleepLong() }, { try Coroutine.park() }, { try target.join() }, { _ = try event.wait() },
                { _ = try Coroutine.inParallel([{ try Coroutine.sleep(for: .seconds(2)) }]) },
            ]
            for wait in waits {
                let start = EventLoop.now
                var inside: CoroError?
                #expect(throws: CoroError.timeout) {
                    try Coroutine.withTimeout(.seconds(1)) {
                        do { try wait() } catch let error as CoroError {
                            inside = error
                            throw error
                        }
                    }
                }
                #expect(inside == .interrupted)
                #expect(EventLoop.now - start == .seconds(1))
            }
            try target.shutdown()
        }
    }

    @Test func D2_work_that_is_done_defuses_it() throws {
        try inCoroutine { () throws in
            for _ in 0..<100 { try Coroutine.withTimeout(.seconds(1)) {} }
            let start = EventLoop.now
            try Coroutine.sleep(for: .seconds(10))
            #expect(EventLoop.now - start == .seconds(10))
        }
    }

    @Test func D3_when_the_outer_runs_out_the_inner_lets_it_pass() throws {
        try inCoroutine { () throws in
            var inner: CoroError?
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.seconds(1)) {
                    do { try Coroutine.withTimeout(.seconds(2)) { try sleepLong() } } catch {
                        inner = error as? CoroError
                        throw error
                    }
                }
            }
            #expect(inner == .interrupted)
        }
    }

    @Test func D3_when_the_inner_runs_out_the_outer_stays_armed() throws {
        try inCoroutine { () throws in
            let start = EventLoop.now
            var inner: (any Error)?
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.seconds(3)) {
                    inner = error { try Coroutine.withTimeout(.seconds(1)) { try sleepLong() } }
                    #expect(EventLoop.now - start == .seconds(1))
                    try sleepLong()
                }
            }
            #expect(inner as? CoroError == .timeout)
            #expect(EventLoop.now - start == .seconds(3))
        }
    }

    @Test func D3_of_many_nested_each_knows_its_own() throws {
        /// Which of `durations` says that it has run out, if all are nested in each other and nothing is caught in between.
        func firstToCatch(_ durations: ArraySlice<Int>, _ caught: inout [Int]) throws {
            guard let duration = durations.first else { return try sleepLong() }
            do {
                try Coroutine.withTimeout(.seconds(duration)) { try firstToCatch(durations.dropFirst(), &caught) }
            } catch CoroError.timeout {
                caught.append(duration)
            }
        }
        try inCoroutine { () throws in
            for durations in [[3, 2, 1], [1, 2, 3], [2, 1, 3], Array(1...20), (1...20).reversed()] {
                var caught = [Int]()
                try firstToCatch(durations[...], &caught)
                #expect(caught == [durations.min()])
            }
        }
    }

    @Test func D4_in_no_time_nothing_may_suspend() throws {
        try inCoroutine { () throws in
            for duration in [Duration.zero, .seconds(-5), .seconds(Int64.min)] {
                #expect(try Coroutine.withTimeout(duration) { 5 } == 5)
                #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(duration) { try Coroutine.yield() } }
                #expect(throws: CoroError.timeout) {
                    try Coroutine.withTimeout(duration) { try Coroutine.sleep(for: .zero) }
                }
            }
            try Coroutine.withTimeout(.seconds(Int64.max)) { try Coroutine.sleep(for: .seconds(1_000_000)) }
        }
    }

    @Test func D8_a_value_that_comes_too_late_goes_to_late() throws {
        try inCoroutine { () throws in
            var late = [String]()
            func swallow() -> String {
                try? sleepLong()
                return "connection"
            }
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.seconds(1)) { swallow() } late: { late.append($0) }
            }
            #expect(late == ["connection"])
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { swallow() } }
            // One that is in time is not late.
            #expect(try Coroutine.withTimeout(.seconds(1)) { "fine" } late: { late.append($0) } == "fine")
            #expect(late == ["connection"])
        }
    }

    @Test func D8_it_interrupts_once_and_is_reported_at_the_end() throws {
        try inCoroutine { () throws in
            let start = EventLoop.now
            var swallowed: (any Error)?
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.seconds(1)) {
                    swallowed = error { try sleepLong() }
                    try Coroutine.sleep(for: .seconds(5))
                }
            }
            #expect(swallowed as? CoroError == .interrupted)
            #expect(EventLoop.now - start == .seconds(6))
        }
    }

    /// An error that wraps the interruption is a consequence of the timeout; being told to end is not.
    @Test func D8_errors_after_it_ran_out() throws {
        try inCoroutine { () throws in
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.seconds(1)) {
                    do { try sleepLong() } catch { throw Odd(number: 2) }
                }
            }
            let coroutine = try start {
                try Coroutine.withTimeout(.seconds(1)) {
                    try? sleepLong()
                    try sleepLong()
                }
            }
            try Coroutine.sleep(for: .seconds(2))
            try coroutine.shutdown()
            #expect(throws: CoroError.shutdown) { try coroutine.join() }
        }
    }

    struct Handle: ~Copyable {
        let counter: Counter.Token
    }

    @Test func D8_values_are_released_whatever_becomes_of_them() throws {
        let counter = Counter()
        try inCoroutine { () throws in
            for isLate in [false, true] {
                _ = try? Coroutine.withTimeout(.seconds(1)) { () -> Handle in
                    if isLate { try? sleepLong() }
                    return Handle(counter: counter.token())
                }
            }
        }
        #expect(counter.alive == 0)
    }

    @Test func D10_children_run_on() throws {
        try inCoroutine { () throws in
            var child: Coroutine<Int, any Error>?
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.seconds(1)) {
                    child = try Coroutine.spawn {
                        try Coroutine.sleep(for: .seconds(2))
                        return 1
                    }
                    try child?.join()
                }
            }
            #expect(try child?.join() == 1)
        }
    }

    @Test func D11_outside_the_loop() throws {
        try onThread { () throws in
            #expect(try Coroutine.withTimeout(.seconds(100)) { 5 } == 5)
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.milliseconds(5)) { try sleepLong() } }
            #expect(throws: Odd(number: 1)) { try Coroutine.withTimeout(.seconds(100)) { throw Odd(number: 1) } }
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.zero) { try Coroutine.yield() } }
        }
    }

    /// read(2) itself, which knows nothing of coroutines, and code around it that makes EINTR an error of its own.
    @Test func D11_outside_the_loop_a_blocking_call_is_interrupted() throws {
        var ends: (Int32, Int32) = (-1, -1)
        try withUnsafeMutableBytes(of: &ends) {
            try #require(pipe($0.baseAddress!.assumingMemoryBound(to: Int32.self)) == 0)
        }
        defer {
            close(ends.0)
            close(ends.1)
        }
        let from = ends.0
        func readBlocking() throws {
            var byte: UInt8 = 0
            if read(from, &byte, 1) < 0 { throw Odd(number: Int(errno)) }
        }
        var inner: (any Error)?
        #expect(throws: CoroError.timeout) {
            try Coroutine.withTimeout(.seconds(1000)) {
                inner = error { try Coroutine.withTimeout(.milliseconds(5)) { try readBlocking() } }
                throw CoroError.timeout
            }
        }
        #expect(inner as? CoroError == .timeout)
    }

    @Test func timeoutDeadline_is_the_first_to_run_out() throws {
        try inCoroutine { () throws in
            #expect(Coroutine.timeoutDeadline == nil)
            let start = EventLoop.now
            try Coroutine.withTimeout(.seconds(5)) {
                #expect(Coroutine.timeoutDeadline == start + .seconds(5))
                try Coroutine.withTimeout(.seconds(Int64.max)) { #expect(Coroutine.timeoutDeadline == start + .seconds(5)) }
                try Coroutine.withTimeout(.seconds(2)) { #expect(Coroutine.timeoutDeadline == start + .seconds(2)) }
            }
            #expect(Coroutine.timeoutDeadline == nil)
        }
    }
}
