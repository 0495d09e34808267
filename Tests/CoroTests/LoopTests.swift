import CCoro
import Coro
import Glibc
import Testing

@Suite struct LoopTests {
    private func abs(_ duration: Duration) -> Duration { max(duration, .zero - duration) }

    @Test func C7_wall_clock_times_and_the_loops_times() throws {
        try inCoroutine { () throws in
            EventLoop.updateTimeRelation()
            let now = EventLoop.now
            let date = EventLoop.timeSince1970(at: now)
            // Unless the machine slept between the two, or somebody set its clock.
            #expect(abs(EventLoop.timeSince1970 - date) < .seconds(3600))
            #expect(EventLoop.timeSince1970(at: now + .seconds(60)) - date == .seconds(60))
            // To the microsecond, both ways.
            #expect(now - EventLoop.time(at: date) < .microseconds(2))
            #expect(now >= EventLoop.time(at: date))
            try Coroutine.sleep(until: EventLoop.time(at: date + .seconds(60)))
            #expect(abs(EventLoop.now - now - .seconds(60)) < .microseconds(2))
        }
    }

    @Test func C7_the_years_are_right() {
        // Between 2020 and 2120.
        #expect(EventLoop.timeSince1970 > .seconds(1_577_836_800))
        #expect(EventLoop.timeSince1970 < .seconds(4_733_510_400))
    }

    private struct Failure {
        var coroutine: AnyCoroutine
        var error: any Error
        var message: String
    }

    @Test func A14_failures_are_told_with_the_error_itself() throws {
        var failures = [Failure]()
        EventLoop.onFailure { failures.append(Failure(coroutine: $0, error: $1, message: $2)) }
        defer { EventLoop.onFailure(nil) }
        let swift = try Coroutine.spawn { throw Odd(number: 3) }
        let own = try Coroutine.spawn { throw CoroError.closed }
        let c = AnyCoroutine(id: coro_spawn({ _ in coro_fail(-5, "the disk") }, nil))
        let quiet = try Coroutine.spawn { throw CoroError.shutdown }
        try EventLoop.runUntilIdle()
        try #require(failures.count == 3)
        #expect(failures.map(\.coroutine) == [swift.any, own.any, c])
        #expect(failures[0].error as? Odd == Odd(number: 3))
        #expect(failures[0].message == "Odd(number: 3)")
        #expect(failures[1].error as? CoroError == .closed)
        #expect(failures[2].error as? CoroError == .system(errno: 5))
        #expect(failures[2].message == "the disk")
        try c.detach()
        withExtendedLifetime(quiet) {}
    }

    @Test func A14_the_report_and_the_errors_are_released() throws {
        let counter = Counter()
        struct Holding: Error, @unchecked Sendable { var token: Counter.Token }
        EventLoop.onFailure { [token = counter.token()] _, _, _ in withExtendedLifetime(token) {} }
        EventLoop.onFailure { [token = counter.token()] _, error, _ in
            withExtendedLifetime(token) { #expect(error is Holding) }
        }
        #expect(counter.alive == 1, "the first was replaced")
        _ = try Coroutine.spawn { throw Holding(token: counter.token()) }
        try EventLoop.runUntilIdle()
        #expect(counter.alive == 1)
        EventLoop.onFailure(nil)
        #expect(counter.alive == 0)
    }

    @Test func A14_a_report_is_its_threads_own_and_ends_with_it() throws {
        var told = 0
        EventLoop.onFailure { _, _, _ in told += 1 }
        defer { EventLoop.onFailure(nil) }
        let counter = Counter()
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { counter in
                let counter = Unmanaged<Counter>.fromOpaque(counter!).takeUnretainedValue()
                EventLoop.onFailure { [token = counter.token()] _, _, _ in
                    withExtendedLifetime(token) { counter.calls += 1 }
                }
                _ = try? Coroutine.spawn { throw Odd(number: 1) }
                _ = try? EventLoop.runUntilIdle()
                return nil
            }, Unmanaged.passUnretained(counter).toOpaque())
        try #require(error == 0)
        pthread_join(thread, nil)
        #expect(counter.calls == 1)
        #expect(told == 0)
        #expect(counter.alive == 0)
    }

    @Test func A14_workers_that_failed_in_parallel_are_told_if_nobody_gets_their_outcome() throws {
        var failures = [CoroError?]()
        EventLoop.onFailure { _, error, _ in failures.append(error as? CoroError) }
        defer { EventLoop.onFailure(nil) }
        try inCoroutine { () throws in
            let fail: () throws -> Void = {
                try Coroutine.sleep(for: .seconds(1))
                throw CoroError.closed
            }
            #expect(throws: InParallelError<Void>.self) { try Coroutine.inParallel([fail]) }
            #expect(failures == [])
            let caller = try start { try Coroutine.inParallel([fail, fail]) }
            try caller.shutdown()
            try Coroutine.sleep(for: .seconds(2))
            #expect(failures == [.closed, .closed])
        }
    }
}
