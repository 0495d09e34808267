import CCoro
import Coro
import Glibc
import Testing

/// Async code that waits for coroutines.
@Suite struct AsyncFromCoroutineTests {
    @Test func L4_async_code_gets_the_value_of_a_coroutine() async throws {
        let thread = try LoopThread()
        let coroutine = try await thread.run {
            try Coroutine.spawn { () in
                try Coroutine.sleep(for: .milliseconds(1))
                return "forty-two"
            }
        }
        async let another = coroutine.value
        #expect(try await coroutine.value == "forty-two")
        #expect(try await another == "forty-two")
        #expect(try await coroutine.value == "forty-two", "when it has ended")
        #expect(try await coroutine.result.get() == "forty-two")
        #expect(try await thread.run { try coroutine.join() } == "forty-two", "and it can be joined")
        await thread.stop()
    }

    @Test func L4_async_code_gets_the_error_itself() async throws {
        let thread = try LoopThread()
        let coroutine = try await thread.run { () -> Coroutine<Int, Odd> in
            EventLoop.onFailure { _, _, _ in }
            return try Coroutine.spawn { () throws(Odd) in throw Odd(number: 3) }
        }
        await #expect(throws: Odd(number: 3)) { try await coroutine.value }
        let result: Result<Int, Odd> = try await coroutine.result
        #expect(throws: Odd(number: 3)) { try result.get() }
        await #expect(throws: Odd(number: 4)) { try await thread.run { () throws(Odd) in throw Odd(number: 4) } }
        await thread.stop()
    }

    @Test func L4_run_runs_a_coroutine_of_the_thread() async throws {
        let thread = try LoopThread()
        let name = try await thread.run(name: "worker") {
            try Coroutine.yield()
            return Coroutine.current?.name
        }
        #expect(name == "worker")
        #expect(try await thread.run { coro_get_live_coros() } == 1)
        await thread.stop()
        await #expect(throws: CoroError.dead) { try await thread.run {} }
    }

    @Test func L4_cancelling_a_task_ends_what_it_runs() async throws {
        let thread = try LoopThread()
        let begun = Promise<Void, Never>()
        let cleaned = Shared(false)
        let task = Task {
            try await thread.run {
                defer { cleaned.value = true }
                begun.succeed()
                try sleepLong()
            }
        }
        try await begun.value
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(cleaned.value, "it has waited for the end")
        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await thread.run { _ = Issue.record("it was cancelled before") }
        }
        await #expect(throws: CancellationError.self) { try await late.value }
        await thread.stop()
    }

    @Test func L4_what_is_cancelled_before_it_runs_never_does() async throws {
        let thread = try LoopThread()
        let (isHeldUp, goesOn) = (Shared(false), Shared(false))
        async let holdingUp: Void = thread.run {
            isHeldUp.value = true
            while !goesOn.value { usleep(100) }
        }
        while !isHeldUp.value { await Task.yield() }
        let alive = Shared(0)
        let task = Task { [token = Tracked(alive)] in
            try await thread.run {
                _ = Issue.record("it was cancelled before")
                _ = token
            }
        }
        // For long enough to have posted: if it has not, this tests another way to the same end.
        for _ in 0..<1000 { await Task.yield() }
        task.cancel()
        goesOn.value = true
        try await holdingUp
        await #expect(throws: CancellationError.self) { try await task.value }
        await thread.stop()
        #expect(alive.value == 0)
    }

    @Test func L4_what_a_cancelled_coroutine_still_returns_counts() async throws {
        let thread = try LoopThread()
        let begun = Promise<Void, Never>()
        let task = Task {
            try await thread.run {
                begun.succeed()
                return error(of: { try sleepLong() }) as? CoroError
            }
        }
        try await begun.value
        task.cancel()
        #expect(try await task.value == .shutdown)
        await thread.stop()
    }

    @Test func L4_cancelling_who_waits_ends_the_coroutine() async throws {
        let thread = try LoopThread()
        let coroutine = try await thread.run { try Coroutine.spawn { try sleepLong() } }
        let first = Task { try await coroutine.value }
        let second = Task { try await coroutine.value }
        let third = Task { try await coroutine.any.ended() }
        // Not before they wait.
        while try await thread.run({ AnyCoroutine.all.count }) < 5 { await Task.yield() }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        await #expect(throws: CoroError.shutdown) { try await second.value }
        await #expect(throws: CoroError.shutdown) { try await third.value }
        await thread.stop()
    }

    @Test func L4_a_coroutine_that_never_ran_ends_too() async throws {
        let thread = try LoopThread()
        let later = try await thread.run { try Coroutine.spawn(start: .later) { 1 } }
        await #expect(throws: CoroError.notStarted) { try await later.value }
        await #expect(throws: CoroError.notStarted) { try await later.any.ended() }
        let cancelled = try await thread.run {
            let cancelled = try Coroutine.spawn { 1 }
            try cancelled.shutdown()
            return cancelled
        }
        await #expect(throws: CoroError.shutdown) { try await cancelled.value }
        await thread.stop()
    }

    @Test func L4_async_code_waits_for_coroutines_in_c() async throws {
        let thread = try LoopThread()
        let (fine, failing) = try await thread.run {
            coro_set_exception_notifier { _, _, _ in 0 }
            let fine = coro_spawn({ _ in coro_sleep(1_000_000) == 0 ? nil : coro_fail(-EIO, nil) }, nil)
            let failing = coro_spawn({ _ in coro_fail(-EBADF, "no such thing") }, nil)
            return (AnyCoroutine(id: fine), AnyCoroutine(id: failing))
        }
        try await fine.ended()
        await #expect(throws: CoroError.system(errno: EBADF)) { try await failing.ended() }
        await #expect(throws: CoroError.dead) { try await fine.ended() }
        let asleep = try await thread.run {
            AnyCoroutine(id: coro_spawn({ _ in coro_fail(coro_sleep(.max), nil) }, nil))
        }
        let task = Task { try await asleep.ended() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        await thread.stop()
        await #expect(throws: CoroError.dead) { try await asleep.ended() }
        await #expect(throws: CoroError.self) { try await AnyCoroutine(id: -1).ended() }
    }

    @Test func L4_a_thread_that_is_stopped_ends_its_coroutines() async throws {
        let thread = try LoopThread()
        let cleaned = Shared(false)
        let coroutine = try await thread.run {
            try Coroutine.spawn {
                defer { cleaned.value = true }
                try sleepLong()
            }
        }
        let value = Task { try await coroutine.value }
        let running = Task { try await thread.run { try sleepLong() } }
        while try await thread.run({ AnyCoroutine.all.count }) < 4 { await Task.yield() }
        await thread.stop()
        #expect(cleaned.value)
        await #expect(throws: CoroError.shutdown) { try await value.value }
        await #expect(throws: CoroError.shutdown) { try await running.value }
        await #expect(throws: CoroError.dead, "its thread has ended") { try await coroutine.value }
        await thread.stop()
    }

    @Test func L4_a_coroutine_that_its_thread_leaves_behind() async throws {
        let thread = try LoopThread()
        // It does not end when it is told to, and nothing else would end it.
        let coroutine = try await thread.run {
            try Coroutine.spawn(start: .now) { while true { _ = try? Coroutine.park() } }
        }
        let value = Task { try await coroutine.value }
        let ended = Task { try await coroutine.any.ended() }
        let running = Task { try await thread.run { while true { _ = try? Coroutine.park() } } }
        while try await thread.run({ AnyCoroutine.all.count }) < 5 { await Task.yield() }
        await thread.stop()
        await #expect(throws: CoroError.dead) { try await value.value }
        await #expect(throws: CoroError.dead) { try await ended.value }
        await #expect(throws: CoroError.dead) { try await running.value }
        await #expect(throws: CoroError.dead) { try await coroutine.value }
    }

    @Test func L4_a_thread_that_is_dropped_ends() async throws {
        let ended = Promise<Void, Never>()
        do {
            let thread = try LoopThread()
            _ = try await thread.run {
                try Coroutine.spawn {
                    defer { ended.succeed() }
                    try sleepLong()
                }
            }
        }
        try await ended.value
    }

    @Test func L4_a_thread_that_is_stopped_twice_lets_its_coroutines_clean_up() async throws {
        let thread = try LoopThread()
        let (isCleaning, mayEnd) = (Promise<Void, Never>(), Promise<Void, Never>())
        let hasCleaned = Shared(false)
        try await thread.run {
            try Coroutine.spawn(start: .now) {
                defer {
                    isCleaning.succeed()
                    try? mayEnd.wait()
                    hasCleaned.value = true
                }
                try sleepLong()
            }
        }
        async let first: Void = thread.stop()
        try await isCleaning.value
        async let second: Void = thread.stop()
        // Nobody can tell when the second is under way: but the loop comes by after it has asked.
        let executor = thread.executor
        for _ in 0..<100 { await Task(executorPreference: executor) { _ = usleep(100) }.value }
        mayEnd.succeed()
        _ = await (first, second)
        #expect(hasCleaned.value)
    }

    @Test func L4_a_thread_that_ends_runs_nothing_new() async throws {
        let thread = try LoopThread()
        let (isCleaning, mayEnd) = (Promise<Void, Never>(), Promise<Void, Never>())
        try await thread.run {
            try Coroutine.spawn(start: .now) {
                defer {
                    isCleaning.succeed()
                    try? mayEnd.wait()
                }
                try sleepLong()
            }
        }
        async let stopped: Void = thread.stop()
        try await isCleaning.value
        let late = Task { try await thread.run { try sleepLong() } }
        await #expect(throws: CoroError.dead) { try await late.value }
        mayEnd.succeed()
        await stopped
    }

    @Test func L4_a_coroutine_that_cannot_be_made_says_why() async throws {
        let thread = try LoopThread()
        let alive = Shared(0)
        await #expect(throws: CoroError.system(errno: EINVAL)) {
            try await thread.run(stackSize: 1) { [token = Tracked(alive)] in withExtendedLifetime(token) {} }
        }
        #expect(alive.value == 0)
        await thread.stop()
    }

    @Test func L4_a_loop_that_never_runs_what_it_was_given() async throws {
        let executor = Promise<LoopExecutor, Never>()
        let thread = Task.detached {
            try onThread {
                executor.succeed(try EventLoop.executor)
                usleep(50_000)
            }
        }
        let loop = try await executor.value
        await #expect(throws: CoroError.self) { try await loop.run {} }
        try await thread.value
    }

    @Test func L4_closures_and_results_of_run_are_released() async throws {
        let thread = try LoopThread()
        let alive = Shared(0)
        do {
            let value = try await thread.run { [token = Tracked(alive)] in (token, Tracked(alive)) }
            withExtendedLifetime(value) { #expect(alive.value == 2) }
            let coroutine = try await thread.run { try Coroutine.spawn { [token = Tracked(alive)] in token } }
            _ = try await coroutine.value
            let cancelled = Task { [token = Tracked(alive)] in try await thread.run { [token] in try sleepLong(); _ = token } }
            cancelled.cancel()
            _ = await cancelled.result
            _ = try? await thread.run { [token = Tracked(alive)] in _ = token; throw Odd(number: 1) }
        }
        await thread.stop()
        _ = try? await thread.run { [token = Tracked(alive)] in token }
        #expect(alive.value == 0)
    }
}
