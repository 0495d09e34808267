import CCoro
import Coro
import Glibc
import Testing

/// Swift's tasks, and actors, on the thread of a loop.
@Suite struct LoopExecutorTests {
    @Test func L4_a_task_stays_on_the_thread_of_its_executor() async throws {
        let thread = try LoopThread(name: "tasks")
        let id = try await thread.run { threadID() }
        #expect(id != threadID())
        let seen = await Task(executorPreference: thread.executor) {
            var seen = [threadID()]
            await Task.yield()
            seen.append(threadID())
            try? await Task.sleep(for: .milliseconds(2))
            seen.append(threadID())
            async let child = threadID()
            seen.append(await child)
            seen.append(await elsewhere())
            return seen
        }.value
        #expect(seen == Array(repeating: id, count: 5))
        await thread.stop()
    }

    @Test func L4_the_executor_is_one_for_each_thread() async throws {
        let threads = try (0..<2).map { try LoopThread(name: "loop\($0)") }
        for thread in threads {
            #expect(try await thread.run { try EventLoop.executor } === thread.executor)
        }
        #expect(threads[0].executor !== threads[1].executor)
        for thread in threads { await thread.stop() }
    }

    @Test func L4_an_actor_is_pinned_to_a_loop() async throws {
        let thread = try LoopThread()
        let pinned = Pinned(executor: thread.executor)
        let id = try await thread.run { threadID() }
        #expect(await pinned.thread() == id)
        // Calls from tasks anywhere, and from coroutines of the thread.
        await withTaskGroup { group in
            for _ in 0..<100 { group.addTask { await pinned.increment() } }
        }
        let sum = try await thread.run {
            pinned.assumeIsolated { $0.preconditionIsHere() }
            return pinned.assumeIsolated { $0.count }
        }
        #expect(sum == 100)
        await thread.stop()
    }

    @Test func L4_isolation_is_of_the_thread_alone() async throws {
        let thread = try LoopThread()
        #expect(thread.executor.isIsolatingCurrentContext() == false)
        #expect(try await thread.run { thread.executor.isIsolatingCurrentContext() } == true)
        let inTask = await Task(executorPreference: thread.executor) { thread.executor.isIsolatingCurrentContext() }.value
        #expect(inTask == true)
        await thread.stop()
    }

    @Test func L4_a_job_that_suspends_gets_an_error() async throws {
        let thread = try LoopThread()
        let pinned = Pinned(executor: thread.executor)
        let (errors, detail) = await pinned.trySuspending()
        #expect(errors == Array(repeating: .yieldFromMain, count: 5))
        #expect(detail.contains("must not suspend"))
        await thread.stop()
    }

    @Test func L4_a_job_may_use_the_loop() async throws {
        let thread = try LoopThread()
        let pinned = Pinned(executor: thread.executor)
        let coroutine = try await pinned.spawn { () throws(CoroError) in
            try Coroutine.sleep(for: .milliseconds(1))
            return 42
        }
        #expect(try await coroutine.value == 42)
        await thread.stop()
    }

    @Test func L4_jobs_for_ever_keep_no_coroutine_waiting() async throws {
        let thread = try LoopThread()
        let task = Task(executorPreference: thread.executor) {
            while !Task.isCancelled { await Task.yield() }
        }
        try await thread.run {
            for _ in 0..<100 { try Coroutine.yield() }
            try Coroutine.sleep(for: .milliseconds(1))
        }
        task.cancel()
        await task.value
        await thread.stop()
    }

    @Test func L4_coroutines_for_ever_keep_no_job_waiting() async throws {
        let thread = try LoopThread()
        let busy = try await thread.run {
            try Coroutine.spawn { while true { try Coroutine.yield() } }
        }
        let sum = await Task(executorPreference: thread.executor) {
            for _ in 0..<100 { await Task.yield() }
            return 1
        }.value
        #expect(sum == 1)
        try await thread.run { try busy.shutdown() }
        await thread.stop()
    }

    @Test func L4_jobs_run_in_the_order_in_which_they_came() async throws {
        let thread = try LoopThread()
        let pinned = Pinned(executor: thread.executor)
        // While the thread is held up, more come than one pass takes.
        let order = try await thread.run {
            for number in 0..<1000 { Task(executorPreference: thread.executor) { await pinned.append(number) } }
            return pinned
        }
        while await order.numbers.count < 1000 { await Task.yield() }
        #expect(await order.numbers == Array(0..<1000))
        await thread.stop()
    }

    @Test func L4_ten_thousand_tasks() async throws {
        let thread = try LoopThread()
        let sum = await withTaskGroup { group in
            for number in 0..<10_000 {
                group.addTask(executorPreference: thread.executor) {
                    await Task.yield()
                    return number
                }
            }
            return await group.reduce(0, +)
        }
        #expect(sum == 49_995_000)
        await thread.stop()
    }

    @Test func L4_tasks_of_an_ended_thread_come_to_their_end() async throws {
        let thread = try LoopThread()
        let executor = thread.executor
        let pinned = Pinned(executor: executor)
        let sleeping = Task(executorPreference: executor) {
            try? await Task.sleep(for: .milliseconds(50))
            return threadID()
        }
        await thread.stop()
        // What was begun goes on, what comes later runs, actors are isolated still, on one thread.
        let id = await sleeping.value
        #expect(id != threadID())
        #expect(await pinned.thread() == id)
        #expect(await pinned.isIsolated())
        await withTaskGroup { group in
            for _ in 0..<100 { group.addTask { await pinned.increment() } }
        }
        #expect(await pinned.count == 100)
        await #expect(throws: CoroError.dead) { try await executor.run {} }
    }

    @Test func L4_tasks_that_an_ending_thread_has_not_run_come_to_their_end() async throws {
        // Its loop never runs.
        let (executor, tasks) = try onThread {
            let executor = try EventLoop.executor
            return (executor, (0..<1000).map { number in Task(executorPreference: executor) { number } })
        }
        var sum = 0
        for task in tasks { sum += await task.value }
        #expect(sum == 499_500)
        #expect(await Task(executorPreference: executor) { 1 }.value == 1)
    }
}

/// An actor on the thread of a loop.
actor Pinned {
    let executor: LoopExecutor
    private(set) var count = 0
    private(set) var numbers: [Int] = []

    init(executor: LoopExecutor) {
        self.executor = executor
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.unownedExecutor }

    func thread() -> pthread_t { threadID() }
    func increment() { count += 1 }
    func append(_ number: Int) { numbers.append(number) }

    func isIsolated() -> Bool {
        preconditionIsolated()
        return executor.isIsolatingCurrentContext() == true
    }

    nonisolated func preconditionIsHere() { preconditionIsolated() }

    func spawn<Value: Sendable>(
        _ body: @escaping @Sendable () throws(CoroError) -> Value
    ) throws -> Coroutine<Value, CoroError> {
        try Coroutine.spawn { () throws(CoroError) in try body() }
    }

    func trySuspending() -> ([CoroError?], String) { suspendWherePossible() }
}

/// What suspending calls throw, and what the last one says of it.
private func suspendWherePossible() -> ([CoroError?], String) {
    let calls: [() throws -> Void] = [
        { try Coroutine.sleep(for: .seconds(1)) }, { try Coroutine.yield() }, { _ = try Coroutine.park() },
        { _ = try Promise<Int, Never>().wait() }, { try Coroutine.await {} },
    ]
    let errors = calls.map { error(of: $0) as? CoroError }
    return (errors, CoroError.detail)
}

/// Of the calling thread: never another's while that lives. Not inlined: where it sees that nothing but this is done, the
/// compiler stays on the thread that it is on.
@inline(never) func threadID() -> pthread_t { pthread_self() }

@concurrent private func elsewhere() async -> pthread_t { threadID() }
