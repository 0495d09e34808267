import CCoro
import Coro
import Glibc
import Testing

/// Coroutines that wait for async code.
@Suite struct CoroutineAwaitTests {
    @Test func L4_a_coroutine_awaits_and_others_go_on() async throws {
        try await onLoopThread {
            var others = 0
            let other = try start { while true { try Coroutine.yield(); others += 1 } }
            let here = threadID()
            var seen = [pthread_t]()
            let value = try Coroutine.await {
                seen.append(threadID())
                try await Task.sleep(for: .milliseconds(5))
                seen.append(threadID())
                return 42
            }
            #expect(value == 42)
            #expect(seen == [here, here])
            #expect(others > 10)
            try other.shutdown()
        }
    }

    @Test func L4_errors_and_values_of_any_type() async throws {
        final class Plain {}
        try await onLoopThread {
            let plain = Plain()
            let same = try Coroutine.await { plain }
            #expect(same === plain, "it isn't Sendable")
            #expect(throws: Odd(number: 3)) { try Coroutine.await { throw Odd(number: 3) } }
            #expect(throws: CancellationError.self) { try Coroutine.await { throw CancellationError() } }
        }
    }

    @Test func L4_a_coroutine_that_is_told_to_end_cancels_the_task() async throws {
        try await onLoopThread {
            var cancelled = false
            let coroutine = try start {
                try Coroutine.await {
                    do { try await Task.sleep(for: .seconds(1000)) } catch { cancelled = true }
                    await Task.yield()
                }
            }
            try Coroutine.sleep(for: .milliseconds(1))
            try coroutine.shutdown()
            #expect(throws: CoroError.shutdown) { try coroutine.join() }
            #expect(cancelled)
        }
    }

    @Test func L4_a_timeout_cancels_the_task() async throws {
        try await onLoopThread {
            var ends = [String]()
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.milliseconds(1)) {
                    try Coroutine.await {
                        try? await Task.sleep(for: .seconds(1000))
                        ends.append(Task.isCancelled ? "cancelled" : "not cancelled")
                    }
                    ends.append("and went on")
                }
            }
            #expect(ends == ["cancelled"])
        }
    }

    @Test func L4_the_last_interruption_is_thrown() async throws {
        try await onLoopThread {
            let gate = Promise<Void, Never>()
            let coroutine = try start { try Coroutine.await { _ = await Task { try await gate.value }.result } }
            try Coroutine.sleep(for: .milliseconds(1))
            try coroutine.any.raise(.wakeUp)
            try Coroutine.yield()
            #expect(coroutine.isAlive, "it waits for the task")
            try coroutine.shutdown()
            try Coroutine.yield()
            #expect(coroutine.isAlive)
            gate.succeed()
            #expect(throws: CoroError.shutdown) { try coroutine.join() }
        }
    }

    @Test func L4_what_is_interrupted_before_it_begins_never_does() async throws {
        try await onLoopThread {
            let counter = Counter()
            let coroutine = try start { [token = counter.token()] in
                try Coroutine.await { [token] in
                    counter.calls += 1
                    withExtendedLifetime(token) {}
                }
            }
            try coroutine.shutdown()
            #expect(throws: CoroError.shutdown) { try coroutine.join() }
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.zero) { try Coroutine.await { counter.calls += 1 } }
            }
            #expect(counter.calls == 0)
            #expect(counter.alive == 0)
        }
    }

    @Test func L4_what_it_captures_and_returns_is_released() async throws {
        try await onLoopThread {
            let counter = Counter()
            do {
                let token = try Coroutine.await { [token = counter.token()] in
                    await Task.yield()
                    return [token, counter.token()]
                }
                withExtendedLifetime(token) { #expect(token.count == 2 && counter.alive == 2) }
                _ = try? Coroutine.await { [token = counter.token()] in
                    await Task.yield()
                    withExtendedLifetime(token) {}
                    throw Odd(number: 1)
                }
            }
            #expect(counter.alive == 0)
        }
    }

    @Test func L4_async_code_goes_on_when_its_coroutines_thread_has_ended() async throws {
        let (gate, seen) = (Promise<Void, Never>(), Promise<Int, Never>())
        try onThread {
            EventLoop.setPrintsExitString(false)
            _ = try start {
                var number = 41
                try Coroutine.await {
                    try await gate.value
                    // On the stack of a coroutine that goes on no more.
                    number += 1
                    seen.succeed(number)
                }
            }
            _ = try Coroutine.spawn {
                try Coroutine.sleep(for: .milliseconds(1))
                EventLoop.exit()
            }
            _ = try EventLoop.run()
        }
        gate.succeed()
        #expect(try await seen.value == 42)
    }

    @Test func L4_on_a_threads_own_stack() throws {
        let value = try onThread {
            try Coroutine.await {
                await Task.yield()
                return 42
            }
        }
        #expect(value == 42)
    }

    @Test func L4_the_task_has_the_callers_task_local_values() async throws {
        try await onLoopThread {
            let seen = try Local.$value.withValue("mine") { try Coroutine.await { Local.value } }
            #expect(seen == "mine")
            #expect(try Coroutine.await(priority: .high) { Task.currentPriority } == .high)
        }
    }

    @Test func L4_a_coroutine_awaits_the_main_actor() async throws {
        let thread = try LoopThread()
        let isMain = try await thread.run {
            try Coroutine.await { await MainActor.run { MainActor.preconditionIsolated(); return true } }
        }
        #expect(isMain)
        await thread.stop()
    }

    @Test func L4_fifty_hops_deep() async throws {
        let thread = try LoopThread()
        #expect(try await hop(thread, 50) == 50)
        // And to cancel that.
        let begun = Promise<Void, Never>()
        let task = Task { try await hop(thread, 50) { begun.succeed(); try sleepLong() } }
        try await begun.value
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await thread.run { coro_get_live_coros() } == 1)
        await thread.stop()
    }

    @Test func L4_ten_thousand_hops_at_once() async throws {
        let thread = try LoopThread()
        let sum = try await withThrowingTaskGroup { group in
            for number in 0..<10_000 {
                group.addTask {
                    try await thread.run(stackSize: 64 << 10) {
                        try Coroutine.await {
                            await Task.yield()
                            return number
                        }
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 49_995_000)
        await thread.stop()
    }

    @Test func L4_async_code_waits_for_a_coroutine_that_awaits_it() async throws {
        try await onLoopThread {
            let answer = Promise<Int, Never>()
            let coroutine = try start { try answer.wait() }
            let value = try Coroutine.await {
                async let value = coroutine.value
                answer.succeed(7)
                return try await value
            }
            #expect(value == 7)
        }
    }

    private enum Local {
        @TaskLocal static var value = "none"
    }
}

/// async → coroutine → async → ..., so many times.
private func hop(
    _ thread: LoopThread, _ depth: Int, _ body: @escaping @Sendable () throws -> Void = {}
) async throws -> Int {
    if depth == 0 {
        try await thread.run(body)
        return 0
    }
    return try await thread.run { try Coroutine.await { try await hop(thread, depth - 1, body) } } + 1
}
