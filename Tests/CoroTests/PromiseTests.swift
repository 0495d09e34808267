import CCoro
import Coro
import Glibc
import Synchronization
import Testing

/// Values that come from other threads.
@Suite struct PromiseTests {
    @Test func L4_a_coroutine_gets_what_another_thread_delivers() async throws {
        try await onLoopThread {
            let promise = Promise<String, Odd>()
            let waiters = try (0..<3).map { _ in try start { try promise.wait() } }
            #expect(promise.completion == nil)
            #expect(waiters[0].any.waiting.contains("promise"))
            Task { promise.succeed("hello") }
            #expect(try promise.wait() == "hello")
            for waiter in waiters { #expect(try waiter.join() == "hello") }
            #expect(try promise.wait() == "hello", "a second time")
            #expect(!promise.fail(Odd(number: 1)), "it is completed")
            #expect(try promise.wait() == "hello")
        }
    }

    @Test func L4_a_promise_that_fails() async throws {
        let promise = Promise<String, Odd>()
        let thread = try LoopThread()
        async let inCoroutine = thread.run { error(of: { try promise.wait() }) as? Odd }
        let inTask = Task { try await promise.value }
        #expect(promise.fail(Odd(number: 3)))
        #expect(try await inCoroutine == Odd(number: 3))
        await #expect(throws: Odd(number: 3)) { try await inTask.value }
        await thread.stop()
    }

    @Test func L4_who_is_interrupted_leaves_the_promise_alone() throws {
        try inCoroutine {
            let promise = Promise<Int, Never>()
            let waiter = try start { try promise.wait() }
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.milliseconds(1)) { _ = try promise.wait() }
            }
            try waiter.shutdown()
            #expect(throws: CoroError.shutdown) { try waiter.join() }
            promise.succeed(7)
            #expect(try promise.wait() == 7)
        }
    }

    @Test func L4_a_task_that_is_cancelled_leaves_the_promise_alone() async throws {
        let promise = Promise<Int, Never>()
        let waiting = Task { try await promise.value }
        let before = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await promise.value
        }
        await #expect(throws: CancellationError.self) { try await before.value }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        let patient = Task { try await promise.value }
        promise.succeed(7)
        #expect(try await patient.value == 7)
    }

    @Test func L4_one_of_many_that_complete_it_wins() async throws {
        for _ in 0..<100 {
            let promise = Promise<Int, Never>()
            let winners = await withTaskGroup { group in
                for number in 0..<4 { group.addTask { promise.succeed(number) ? [number] : [] } }
                return await group.reduce([], +)
            }
            #expect(winners.count == 1)
            #expect(try await promise.value == winners.first)
        }
    }

    @Test func L4_values_of_promises_are_released() throws {
        try inCoroutine {
            let alive = Shared(0)
            do {
                let promise = Promise<Tracked, Never>()
                promise.succeed(Tracked(alive))
                _ = try promise.wait()
                #expect(alive.value == 1)
            }
            #expect(alive.value == 0)
        }
    }
}

/// Runs `body` in a coroutine of another thread: code that waits for tasks must not hold up one of the few threads on which
/// those and the tests run. No coroutine may be left behind.
func onLoopThread(_ body: @escaping @Sendable () throws -> Void, _ location: SourceLocation = #_sourceLocation) async throws {
    let thread = try LoopThread()
    try await thread.run(body)
    let count = try await thread.run { coro_get_live_coros() }
    #expect(count == 1, "coroutines are left", sourceLocation: location)
    await thread.stop()
}

/// A value that tests share with other threads.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Synchronization.Mutex<Value>

    init(_ value: Value) {
        mutex = Synchronization.Mutex(value)
    }

    var value: Value {
        get { mutex.withLock { $0 } }
        set { mutex.withLock { $0 = newValue } }
    }

    func change(_ body: (inout sending Value) -> Void) { mutex.withLock { body(&$0) } }
}

/// Counts its instances, which may be used on any thread.
final class Tracked: Sendable {
    private let alive: Shared<Int>

    init(_ alive: Shared<Int>) {
        self.alive = alive
        alive.change { $0 += 1 }
    }

    deinit { alive.change { $0 -= 1 } }
}
