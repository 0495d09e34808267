import CCoro
import Coro
import Testing

@Suite struct InParallelTests {
    /// Sleeps for `seconds`, then returns them.
    private func sleeper(_ seconds: Int) -> () throws -> Int {
        {
            try Coroutine.sleep(for: .seconds(seconds))
            return seconds
        }
    }

    @Test func E1_results_come_in_input_order() throws {
        try inCoroutine { () throws in
            let start = EventLoop.now
            #expect(try Coroutine.inParallel([3, 1, 2].map(sleeper)) == [3, 1, 2])
            #expect(EventLoop.now - start == .seconds(3))
        }
    }

    @Test func E1_at_most_so_many_at_once() throws {
        try inCoroutine { () throws in
            var running = 0
            var most = 0
            let bodies = (0..<10).map { number in
                { () throws -> Int in
                    running += 1
                    most = max(most, running)
                    try Coroutine.sleep(for: .seconds(1))
                    running -= 1
                    return number
                }
            }
            #expect(try Coroutine.inParallel(bodies, limit: 3) == Array(0..<10))
            #expect(most == 3)
            #expect(throws: CoroError.system(errno: 22)) { try Coroutine.inParallel(bodies, limit: 0) }
        }
    }

    @Test func E2_nothing_to_run() throws {
        #expect(try Coroutine.inParallel([() throws -> Int]()) == [])
    }

    @Test func E3_failures_are_told_after_all_have_ended() throws {
        try inCoroutine { () throws in
            var ended = 0
            let bodies: [() throws -> Int] = [
                { throw Odd(number: 7) },
                {
                    try Coroutine.sleep(for: .seconds(1))
                    ended += 1
                    return 1
                },
                { throw CoroError.closed },
            ]
            let error = #expect(throws: InParallelError<Int>.self) { try Coroutine.inParallel(bodies) }
            #expect(ended == 1)
            #expect(error?.isTimeout == false)
            #expect(error?.code == CORO_EINPARALLEL)
            try #require(error?.results.count == 3)
            #expect(throws: Odd(number: 7)) { try error?.results[0].get() }
            #expect(try error?.results[1].get() == 1)
            #expect(throws: CoroError.closed) { try error?.results[2].get() }
            #expect(error.map(String.init(describing:)) == "2 of 3 failed: [0] Odd(number: 7); [2] \(CoroError.closed)")
        }
    }

    @Test func E3_to_other_languages_the_failure_has_its_code() throws {
        EventLoop.onFailure { _, _, _ in }
        defer { EventLoop.onFailure(nil) }
        try inCoroutine { () throws in
            let coroutine = try start { try Coroutine.inParallel([{ throw Odd(number: 1) }] as [() throws -> Int]) }
            #expect(throws: CoroError.inParallel) { try coroutine.any.join() }
        }
    }

    @Test func E4_one_that_is_told_to_end_or_timed_out_has_failed() throws {
        try inCoroutine { () throws in
            var shutDown: AnyCoroutine?
            let bodies: [() throws -> Void] = [
                {
                    shutDown = Coroutine.current
                    try sleepLong()
                },
                { try Coroutine.withTimeout(.seconds(1)) { try sleepLong() } },
                {
                    try Coroutine.sleep(for: .seconds(2))
                    try shutDown?.shutdown()
                },
            ]
            let error = #expect(throws: InParallelError<Void>.self) { try Coroutine.inParallel(bodies) }
            try #require(error?.results.count == 3)
            #expect(throws: CoroError.shutdown) { try error?.results[0].get() }
            #expect(throws: CoroError.timeout) { try error?.results[1].get() }
            try error?.results[2].get()
        }
    }

    @Test func E4_one_that_is_cancelled_before_it_runs_has_failed_and_is_released() throws {
        let counter = Counter()
        try inCoroutine { () throws in
            let waiting = try start {
                try Coroutine.inParallel(
                    (0..<3).map { number in { [token = counter.token()] in withExtendedLifetime(token) { number } } })
            }
            try AnyCoroutine.all.last?.shutdown()
            let error = #expect(throws: InParallelError<Int>.self) { try waiting.join() }
            try #require(error?.results.count == 3)
            #expect(try error?.results[1].get() == 1)
            #expect(throws: CoroError.shutdown) { try error?.results[2].get() }
        }
        #expect(counter.alive == 0)
    }

    @Test func E4_when_the_time_is_up_what_has_ended_is_told() throws {
        let counter = Counter()
        try inCoroutine { () throws in
            var ended = [Int]()
            let bodies = [1, 3, 1, 5, 9].map { seconds in
                { [token = counter.token()] () throws -> Int in
                    try Coroutine.sleep(for: .seconds(seconds))
                    ended.append(seconds)
                    return withExtendedLifetime(token) { seconds }
                }
            }
            let error = #expect(throws: InParallelError<Int>.self) {
                try Coroutine.inParallel(bodies, limit: 2, timeout: .milliseconds(2500))
            }
            #expect(error?.isTimeout == true)
            #expect(error?.results.map { try? $0.get() } == [1, nil, 1, nil, nil])
            #expect(throws: CoroError.timeout) { try error?.results[1].get() }
            #expect(ended == [1, 1])
            try Coroutine.sleep(for: .seconds(10))
            #expect(ended == [1, 1, 3, 5])
        }
        #expect(counter.alive == 0)
    }

    @Test func E4_no_time_is_not_all_the_time_there_is() throws {
        try inCoroutine { () throws in
            for time in [.zero, Duration(secondsComponent: 0, attosecondsComponent: 1)] {
                let error = #expect(throws: InParallelError<Int>.self) {
                    try Coroutine.inParallel([1].map(sleeper), timeout: time)
                }
                #expect(error?.isTimeout == true)
            }
            #expect(throws: CoroError.system(errno: 22)) { try Coroutine.inParallel([1].map(sleeper), timeout: .seconds(-1)) }
        }
    }

    @Test func E5_a_caller_that_is_interrupted_leaves_them_running_and_leaks_nothing() throws {
        let counter = Counter()
        try inCoroutine { () throws in
            var ended = 0
            func runAll() throws -> [Counter.Token] {
                try Coroutine.inParallel(
                    (0..<10).map { _ in
                        { [token = counter.token()] in
                            try Coroutine.sleep(for: .seconds(2))
                            ended += 1
                            return token
                        }
                    }, limit: 5)
            }
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try runAll() } }
            #expect(counter.alive == 10)
            #expect(ended == 0)
            try Coroutine.sleep(for: .seconds(10))
            #expect(ended == 10)
            #expect(counter.alive == 0)

            let interrupted = try start { try runAll() }
            try interrupted.any.interrupt()
            #expect(throws: CoroError.interrupted) { try interrupted.join() }
            try Coroutine.sleep(for: .seconds(10))
            #expect(counter.alive == 0)
        }
    }

    /// As when a program ends: the caller and its coroutines, some of which have not run yet, or were not even created.
    @Test func E5_all_are_told_to_end_and_nothing_leaks() throws {
        let counter = Counter()
        try inCoroutine { () throws in
            let caller = try start {
                try Coroutine.inParallel((0..<10).map { _ in { [token = counter.token()] in token } }, limit: 5)
            }
            for coroutine in AnyCoroutine.all where coroutine != Coroutine.current { try coroutine.shutdown() }
            #expect(throws: CoroError.shutdown) { try caller.join() }
        }
        #expect(counter.alive == 0)
    }

    @Test func E5_an_interrupt_that_came_before_leaks_nothing() throws {
        let counter = Counter()
        try inCoroutine { () throws in
            let caller = try start {
                try Coroutine.current?.shutdown()
                return try Coroutine.inParallel([{ [token = counter.token()] in token }])
            }
            #expect(throws: CoroError.shutdown) { try caller.join() }
        }
        #expect(counter.alive == 0)
    }

    /// Row E6, as far as Swift has malformed items: one for which there is no memory.
    @Test func E6_without_memory_it_fails_and_leaks_nothing() throws {
        let counter = Counter()
        try inCoroutine { () throws in
            coro_test_fail_call("calloc", 1, 12)
            #expect(throws: CoroError.system(errno: 12)) {
                try Coroutine.inParallel([{ [token = counter.token()] in token }])
            }
        }
        #expect(counter.alive == 0)
    }

    @Test func E1_on_a_threads_own_stack() throws {
        try onThread { () throws in
            #expect(try Coroutine.inParallel([{ 1 }, { 2 }]) == [1, 2])
        }
    }
}
