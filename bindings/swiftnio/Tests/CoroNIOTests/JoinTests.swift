import Coro
import CoroNIO
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

/// `future.join()`: a coroutine waits for SwiftNIO.
@Suite struct JoinTests {
    @Test func the_value_of_another_thread() throws {
        try withSwiftNIO { eventLoop throws in
            #expect(try eventLoop.submit { 42 }.join() == 42)
            #expect(try eventLoop.makeSucceededFuture("there already").join() == "there already")
            #expect(try eventLoop.scheduleTask(in: .milliseconds(5)) { "later" }.futureResult.join() == "later")
        }
    }

    @Test func the_error_itself() throws {
        try withSwiftNIO { eventLoop in
            #expect(throws: Odd(number: 3)) { try eventLoop.submit { throw Odd(number: 3) }.join() }
        }
    }

    @Test func only_the_caller_is_suspended() throws {
        try withSwiftNIO { eventLoop in
            let promise = eventLoop.makePromise(of: Int.self)
            let waiters = try (0..<3).map { _ in try Coroutine.spawn { try promise.futureResult.join() } }
            // Another coroutine of the same thread is what it waits for.
            let other = try Coroutine.spawn {
                try Coroutine.sleep(for: .milliseconds(1))
                promise.succeed(7)
            }
            for waiter in waiters { #expect(try waiter.join() == 7) }
            try other.join()
        }
    }

    @Test func its_time_can_be_bounded_and_what_comes_later_is_dropped() throws {
        let counter = Counter()
        try withSwiftNIO { eventLoop in
            let promise = eventLoop.makePromise(of: Counter.Token.self)
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.milliseconds(1)) { _ = try promise.futureResult.join() }
            }
            promise.succeed(counter.token())
            // When this is back, that has been done.
            try eventLoop.submit {}.join()
        }
        #expect(counter.alive == 0)
    }

    @Test func who_waits_can_be_told_to_end() throws {
        try withSwiftNIO { eventLoop in
            let promise = eventLoop.makePromise(of: Void.self)
            let waiter = try Coroutine.spawn(start: .now) { try promise.futureResult.join() }
            try waiter.shutdown()
            #expect(throws: CoroError.shutdown) { try waiter.join() }
            promise.succeed()
        }
    }

    @Test func on_a_thread_of_SwiftNIOs_it_is_an_error() throws {
        try withSwiftNIO { eventLoop in
            let never = eventLoop.makePromise(of: Void.self)
            let inner = eventLoop.submit { try never.futureResult.join() }
            #expect(throws: CoroError.yieldFromMain) { try inner.join() }
            never.succeed()
        }
    }

    @Test func of_an_embedded_loop() throws {
        try withSwiftNIO { _ in
            let embedded = EmbeddedEventLoop()
            let promise = embedded.makePromise(of: Int.self)
            let waiter = try Coroutine.spawn(start: .now) { try promise.futureResult.join() }
            promise.succeed(5)
            embedded.run()
            #expect(try waiter.join() == 5)
        }
    }
}
