import CCoro
import Coro
import Glibc
import Testing

/// The Swift API. Each test makes and runs a loop within one synchronous function: a loop belongs to its thread.
@Suite struct CoroutineTests {
    @Test func A15_join_returns_the_typed_result() throws {
        try onThread {
            let coroutine = try Coroutine.spawn { () in
                try Coroutine.sleep(for: .milliseconds(1))
                return "forty-two"
            }
            #expect(try coroutine.join() == "forty-two")
            #expect(try coroutine.join() == "forty-two", "a result can be taken again")
            #expect(!coroutine.isAlive)
        }
    }

    @Test func A12_join_throws_the_error_itself() throws {
        try onThread {
            let before = coro_set_exception_notifier { _, _, _ in 0 }
            defer { _ = coro_set_exception_notifier(before) }
            let coroutine = try Coroutine.spawn { () throws -> Int in throw Odd(number: 3) }
            #expect(throws: Odd(number: 3)) { try coroutine.join() }
            let id = try Coroutine.spawn { () throws -> Int in throw CoroError.closed }
            #expect(throws: CoroError.closed) { try id.any.join() }
        }
    }

    @Test func A4_start_now_runs_to_the_first_suspension() throws {
        try onThread {
            var order = [String]()
            let coroutine = try Coroutine.spawn(start: .now) {
                order.append("12")
                try Coroutine.sleep(for: .milliseconds(1))
                order.append("34")
            }
            order.append("56")
            try coroutine.join()
            #expect(order == ["12", "56", "34"])
        }
    }

    @Test func A16_join_times_out_and_harms_nothing() throws {
        try onThread {
            let coroutine = try Coroutine.spawn { () -> Int in
                try Coroutine.park()
                return 1
            }
            #expect(throws: CoroError.timeout) { try coroutine.join(timeout: .milliseconds(1)) }
            #expect(coroutine.isAlive)
            try coroutine.any.schedule()
            #expect(try coroutine.join() == 1)
        }
    }

    @Test func A18_shutdown_runs_defer_blocks() throws {
        try onThread {
            var cleaned = false
            let coroutine = try Coroutine.spawn(start: .now) {
                defer { cleaned = true }
                try Coroutine.sleep(for: .seconds(1000))
            }
            try coroutine.shutdown()
            #expect(throws: CoroError.shutdown) { try coroutine.join() }
            #expect(cleaned)
        }
    }

    @Test func A28_closures_and_results_are_released() throws {
        try onThread {
            let counter = Counter()
            func run() throws {
                let ended = try Coroutine.spawn { [token = counter.token()] in token }
                #expect(try ended.join() as Counter.Token? != nil)
                let cancelled = try Coroutine.spawn { [token = counter.token()] in withExtendedLifetime(token) {} }
                try cancelled.shutdown()
                let unstarted = try Coroutine.spawn(start: .later) { [token = counter.token()] in withExtendedLifetime(token) {} }
                _ = try unstarted.shutdown()
                for _ in 0..<1000 { _ = try Coroutine.spawn { [token = counter.token()] in withExtendedLifetime(token) {} } }
                try EventLoop.runUntilIdle()
            }
            try run()
            #expect(counter.alive == 0)
            #expect(coro_get_live_coros() == 0)
        }
    }

    @Test func C4_sleepers_wake_in_order() throws {
        var order = [Int]()
        for number in [3, 1, 2] {
            _ = try Coroutine.spawn {
                try Coroutine.sleep(for: .milliseconds(number))
                order.append(number)
            }
        }
        try EventLoop.runUntilIdle()
        #expect(order == [1, 2, 3])
    }

    @Test func B11_the_loop_returns_the_exit_code() throws {
        EventLoop.setPrintsExitString(false)
        _ = try Coroutine.spawn { EventLoop.exit(code: 7) }
        #expect(try EventLoop.run() == 7)
    }

    @Test func J1_another_name() throws {
        try inCoroutine {
            let one = try start { try sleepLong() }
            try one.any.setName("grüße")
            #expect(one.any.name == "grüße")
            try one.shutdown()
            #expect(throws: CoroError.shutdown) { try one.join() }
            #expect(throws: CoroError.dead) { try one.any.setName("too late") }
        }
    }

    @Test func names_of_errors() {
        #expect(CoroError.timeout.name == "CORO_ETIMEOUT")
        #expect(CoroError.system(errno: 32).name == "EPIPE")
        #expect(CoroError.other(code: -9999).name == nil)
    }

    @Test func J2_a_coroutine_describes_itself() throws {
        try onThread {
            let coroutine = try Coroutine.spawn(name: "sleeper", start: .now) { try Coroutine.sleep(for: .seconds(100)) }
            #expect(coroutine.any.name == "sleeper")
            #expect(coroutine.any.waiting.hasPrefix("sleeping "))
            #expect("\(coroutine.any)".hasPrefix("<coro #\(coroutine.id) name='sleeper' dead=0 started=1 scheduled=0 at 0x"))
            #expect(AnyCoroutine.all.contains(coroutine.any))
            try coroutine.shutdown()
            #expect(throws: CoroError.shutdown) { try coroutine.join() }
        }
    }

    @Test func J1_where_it_is_how_old_and_how_often_it_ran() throws {
        try onThread {
            func innermost() throws { try Coroutine.park() }
            let coroutine = try Coroutine.spawn(start: .now) { try innermost() }
            let frames = coroutine.any.stackTrace.split(separator: "] [")
            #expect(frames.count >= 3, "\(frames)")
            #expect(coroutine.any.stackTrace.hasPrefix("[") && coroutine.any.stackTrace.hasSuffix("]"))
            #expect(try #require(coroutine.any.age) >= .zero)
            #expect(coroutine.any.switches == 1)
            #expect(coroutine.any.runTime == .zero)
            let file = try #require(tmpfile())
            defer { fclose(file) }
            try Coroutine.dump(to: fileno(file))
            #expect(lseek(fileno(file), 0, SEEK_CUR) > 100)
            #expect(throws: CoroError.system(errno: EBADF)) { try Coroutine.dump(to: -1) }
            try coroutine.any.schedule()
            try coroutine.join()
            #expect(coroutine.any.stackTrace == "" && coroutine.any.age == nil)
        }
    }

    @Test func B_deadlock_is_thrown() throws {
        try onThread {
            let coroutine = try Coroutine.spawn(name: "patient") { try Coroutine.park() }
            #expect(throws: CoroError.system(errno: EDEADLK)) { try EventLoop.runUntilIdle(detectingDeadlock: true) }
            #expect(CoroError.detail.contains("(patient) parked"))
            try coroutine.any.schedule()
            #expect(try EventLoop.runUntilIdle(detectingDeadlock: true) == 0)
        }
    }

    @Test func errors_carry_the_code_of_the_header() {
        #expect(CoroError(code: CORO_EDEAD) == .dead)
        #expect(CoroError.dead.code == CORO_EDEAD)
        #expect(CoroError(code: -9) == .system(errno: 9))
        #expect(CoroError.system(errno: 9).code == -9)
        #expect(CoroError(code: -123_456) == .other(code: -123_456))
        #expect(throws: CoroError.system(errno: 3)) { try AnyCoroutine(id: -1).join() }
    }

    @Test func a_duration_too_long_is_for_ever() throws {
        try onThread {
            let coroutine = try Coroutine.spawn(start: .now) { try Coroutine.sleep(for: .seconds(Int64.max)) }
            #expect(coroutine.isAlive)
            try coroutine.shutdown()
            #expect(throws: CoroError.shutdown) { try coroutine.join() }
        }
    }

    /// On one thread an access that is open over a suspension conflicts with others as it should: the runtime leaves Swift's
    /// own records alone.
    @Test func a_closure_may_change_what_it_captured_over_suspensions() throws {
        try onThread {
            var count = 0
            let first = try Coroutine.spawn {
                for _ in 0..<100 {
                    count += 1
                    try Coroutine.yield()
                }
            }
            let second = try Coroutine.spawn {
                for _ in 0..<100 {
                    count += 1
                    try Coroutine.yield()
                }
            }
            try first.join()
            try second.join()
            #expect(count == 200)
        }
    }
}
