import Coro
import CoroNIO
import NIOCore
import NIOPosix
import Testing

/// `makeFutureWithCoroutine`: SwiftNIO waits for a coroutine.
@Suite struct MakeFutureTests {
    @Test func the_coroutine_runs_on_its_own_thread_and_may_suspend() throws {
        try withSwiftNIO { eventLoop in
            let executor = try Coro.EventLoop.executor
            let future = eventLoop.flatSubmit {
                eventLoop.makeFutureWithCoroutine(on: executor, name: "answer") {
                    try Coroutine.sleep(for: .milliseconds(1))
                    return (executor.isIsolatingCurrentContext() == true, Coroutine.current?.name)
                }
            }
            let (isHere, name) = try future.join()
            #expect(isHere)
            #expect(name == "answer")
        }
    }

    @Test func its_error_is_the_futures() throws {
        try withSwiftNIO { eventLoop in
            let executor = try Coro.EventLoop.executor
            let future = eventLoop.makeFutureWithCoroutine(on: executor) { () throws -> Int in throw Odd(number: 4) }
            #expect(throws: Odd(number: 4)) { try future.join() }
        }
    }

    @Test func what_it_holds_is_released() throws {
        let counter = Counter()
        try withSwiftNIO { eventLoop in
            let executor = try Coro.EventLoop.executor
            let token = counter.token()
            let future = eventLoop.makeFutureWithCoroutine(on: executor) {
                try Coroutine.yield()
                return counter.token() !== token
            }
            #expect(try future.join())
        }
        #expect(counter.alive == 0)
    }

    @Test func cancelling_its_task_tells_it_to_end() throws {
        try withSwiftNIO { eventLoop in
            let executor = try Coro.EventLoop.executor
            let promise = eventLoop.makePromise(of: Void.self)
            let task = promise.completeWithCoroutine(on: executor) {
                try Coroutine.sleep(for: .seconds(1_000_000))
            }
            try Coroutine.sleep(for: .milliseconds(1))
            task.cancel()
            #expect(throws: CancellationError.self) { try promise.futureResult.join() }
        }
    }

    @Test func without_a_thread_to_run_it_the_future_fails() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let thread = try LoopThread()
        await thread.stop()
        let future = group.any().makeFutureWithCoroutine(on: thread.executor) { 1 }
        await #expect(throws: CoroError.dead) { try await future.get() }
        try await group.shutdownGracefully()
    }

    @Test func a_thousand_at_once() throws {
        try withSwiftNIO { eventLoop in
            let executor = try Coro.EventLoop.executor
            let futures = (0..<1000).map { number in
                eventLoop.makeFutureWithCoroutine(on: executor) {
                    try Coroutine.yield()
                    return number
                }
            }
            let sum = EventLoopFuture.reduce(0, futures, on: eventLoop, +)
            #expect(try sum.join() == 499_500)
        }
    }
}
