import CCoro
import Coro
import Glibc
import Synchronization
import Testing

/// Counts what there is of something on any thread.
private final class SharedCounter: Sendable {
    private let count = Atomic(0)
    private let runCount = Atomic(0)

    var alive: Int { count.load(ordering: .sequentiallyConsistent) }
    var runs: Int { runCount.load(ordering: .sequentiallyConsistent) }

    func noteRun() { runCount.add(1, ordering: .sequentiallyConsistent) }

    final class Token: Sendable {
        private let counter: SharedCounter

        fileprivate init(_ counter: SharedCounter) {
            self.counter = counter
            counter.count.add(1, ordering: .sequentiallyConsistent)
        }

        deinit { counter.count.subtract(1, ordering: .sequentiallyConsistent) }

        func use() { counter.noteRun() }
    }

    func token() -> Token { Token(self) }

    /// Waits, as the loop runs, until all of it is gone: what another thread releases it releases a little later.
    func awaitNone() throws {
        while alive > 0 { try Coroutine.sleep(for: .milliseconds(1)) }
    }
}

/// A gate that threads wait at.
private final class Gate: Sendable {
    private let isOpen = Atomic(false)

    func open() { isOpen.store(true, ordering: .sequentiallyConsistent) }

    func pass() { while !isOpen.load(ordering: .sequentiallyConsistent) { usleep(1000) } }
}

/// One after the other: how many threads the pool has is the process's.
@Suite(.serialized) struct BlockingTests {
    @Test func L3_blocking_work_suspends_only_its_caller() throws {
        try inCoroutine(onVirtualTime: false) { () throws in
            let gate = Gate()
            let own = UInt(bitPattern: pthread_self().hashValue)
            let blocked = try start {
                try Coroutine.blocking {
                    gate.pass()
                    return [UInt(bitPattern: pthread_self().hashValue), 42]
                }
            }
            // It is this that opens the gate: so this runs.
            gate.open()
            let result = try blocked.join()
            #expect(result[0] != own && result[1] == 42)
        }
    }

    @Test func L3_what_it_throws() throws {
        try inCoroutine(onVirtualTime: false) { () throws in
            #expect(throws: Odd(number: 7)) { try Coroutine.blocking { () throws(Odd) in throw Odd(number: 7) } }
            #expect(throws: CoroError.yieldFromMain) { try Coroutine.blocking { try Coroutine.yield() } }
            #expect(throws: CoroError.system(errno: EINVAL)) { try EventLoop.setMaxBlockingThreads(0) }
            let before = try EventLoop.setMaxBlockingThreads(5)
            #expect(try EventLoop.setMaxBlockingThreads(before) == 5)
        }
    }

    @Test func L3_closures_and_results_are_released() throws {
        let counter = SharedCounter()
        try inCoroutine(onVirtualTime: false) { () throws in
            for abandonable in [false, true] {
                let token = try Coroutine.blocking(abandonable: abandonable) { [token = counter.token()] in
                    token.use()
                    return counter.token()
                }
                // The closure's went with the closure.
                #expect(counter.alive == 1)
                withExtendedLifetime(token) {}
            }
            #expect(counter.alive == 0 && counter.runs == 2)
        }
    }

    @Test func L3_one_that_is_interrupted_gets_its_result_all_the_same() throws {
        let counter = SharedCounter()
        try inCoroutine(onVirtualTime: false) { () throws in
            let begun = Gate(), gate = Gate()
            let caller = try start {
                let token = try Coroutine.blocking { [token = counter.token()] in
                    token.use()
                    begun.open()
                    gate.pass()
                    return counter.token()
                }
                #expect(throws: CoroError.interrupted) { try Coroutine.yield() }
                return token
            }
            begun.pass()
            try caller.any.interrupt()
            gate.open()
            do { withExtendedLifetime(try caller.join()) { #expect(counter.alive == 1) } }
        }
        #expect(counter.alive == 0)
    }

    @Test func L3_abandoned_work_runs_on_and_is_released() throws {
        let counter = SharedCounter()
        try inCoroutine(onVirtualTime: false) { () throws in
            let begun = Gate(), gate = Gate()
            let caller = try start {
                try Coroutine.blocking(abandonable: true) { [token = counter.token()] in
                    begun.open()
                    gate.pass()
                    token.use()
                    return counter.token()
                }
            }
            begun.pass()
            try caller.any.interrupt()
            #expect(throws: CoroError.interrupted) { try caller.join() }
            #expect(counter.alive == 1 && counter.runs == 0)
            gate.open()
            try counter.awaitNone()
            #expect(counter.runs == 1)
        }
    }

    @Test func L3_one_that_is_interrupted_before_it_has_begun_never_runs() throws {
        let counter = SharedCounter()
        try inCoroutine(onVirtualTime: false) { () throws in
            // On a thread of its own pool it could begin at once: the process's has no thread left for it.
            let before = try EventLoop.setMaxBlockingThreads(1)
            defer { _ = try? EventLoop.setMaxBlockingThreads(before) }
            let gate = Gate(), begun = Gate()
            let first = try start {
                try Coroutine.blocking {
                    begun.open()
                    gate.pass()
                }
            }
            begun.pass()
            let second = try start {
                try Coroutine.blocking { [token = counter.token()] in token.use() }
            }
            try second.any.interrupt()
            #expect(throws: CoroError.interrupted) { try second.join() }
            gate.open()
            try first.join()
            try counter.awaitNone()
            #expect(counter.runs == 0)
        }
    }
}

@Suite struct LoopIDTests {
    @Test func L3_what_a_thread_posts_runs_in_order() throws {
        try inCoroutine(onVirtualTime: false) { () throws in
            let counter = SharedCounter()
            let loop = try EventLoop.id
            let order = Synchronization.Mutex<[Int]>([])
            let event = try Event<Void>()
            // Only this thread uses the event: the closures run here.
            nonisolated(unsafe) let done = event
            let thread = try start {
                try Coroutine.blocking {
                    for number in 0..<100 {
                        let token = counter.token()
                        try loop.post {
                            order.withLock { $0.append(number) }
                            token.use()
                            try Coroutine.yield()
                            if number == 99 { try done.set() }
                        }
                    }
                }
            }
            try event.wait()
            try thread.join()
            #expect(order.withLock { $0 } == Array(0..<100))
            try counter.awaitNone()
            #expect(counter.runs == 100)
        }
    }

    @Test func L3_calls_between_coroutines() throws {
        try inCoroutine { () throws in
            let counter = SharedCounter()
            let seen = Synchronization.Mutex<[AnyCoroutine?]>([])
            let loop = try EventLoop.id
            #expect(try loop == EventLoop.id)
            try loop.call { [token = counter.token()] in
                token.use()
                seen.withLock { $0.append(AnyCoroutine.current) }
                #expect(throws: CoroError.yieldFromMain) { try coroutineYield() }
            }
            try loop.post { [token = counter.token()] in
                token.use()
                seen.withLock { $0.append(AnyCoroutine.current) }
            }
            try Coroutine.sleep(for: .seconds(1))
            let who = seen.withLock { $0 }
            #expect(who.count == 2 && who[0] == nil && who[1] != nil)
            #expect(counter.runs == 2 && counter.alive == 0)
        }
    }

    private func coroutineYield() throws { try Coroutine.yield() }

    @Test func L3_a_post_that_throws_is_told() throws {
        var failures: [Odd?] = []
        try inCoroutine { () throws in
            EventLoop.onFailure { _, error, _ in failures.append(error as? Odd) }
            try EventLoop.id.post { throw Odd(number: 1) }
            try Coroutine.sleep(for: .seconds(1))
        }
        EventLoop.onFailure(nil)
        #expect(failures == [Odd(number: 1)])
    }

    @Test func L3_closures_are_released_if_the_thread_ends_first() throws {
        let counter = SharedCounter()
        let loop = try onThread {
            let loop = try EventLoop.id
            try loop.post { [token = counter.token()] in token.use() }
            try loop.call { [token = counter.token()] in token.use() }
            #expect(counter.alive == 2)
            return loop
        }
        // What is called, is called; what would be a coroutine is none.
        #expect(counter.alive == 0 && counter.runs == 1)
        #expect(throws: CoroError.dead) { try loop.post { [token = counter.token()] in token.use() } }
        #expect(throws: CoroError.dead) { try loop.call { [token = counter.token()] in token.use() } }
        #expect(counter.alive == 0)
        #expect(try loop != EventLoop.id)
    }

    @Test func L3_backends() throws {
        let names = try onThread {
            try EventLoop.setBackend(.epoll)
            let first = EventLoop.backendName
            var code: (any Error)?
            do { try EventLoop.setBackend(.ioUring) } catch { code = error }
            return (first, code)
        }
        #expect(names.0 == "epoll")
        #expect(names.1 as? CoroError == .system(errno: EBUSY))
        let ring = try onThread {
            try EventLoop.setBackend(.ioUring)
            return EventLoop.backendName
        }
        #expect(ring?.contains("io_uring") == true)
        let automatic = try onThread {
            try EventLoop.setBackend(.automatic)
            return (EventLoop.backendName, EventLoop.fileEngineName)
        }
        #expect(automatic.0 != nil)
        #expect(automatic.1 == "io_uring" || automatic.1 == "threads")
    }

    @Test func L3_strict_main_and_sockets() throws {
        try onThread {
            #expect(EventLoop.liveSockets == 0)
            let pair = try Socket.pair()
            #expect(EventLoop.liveSockets == 2)
            withExtendedLifetime(pair) {}
            #expect(!EventLoop.setStrictMain(true))
            #expect(throws: CoroError.yieldFromMain) { try coroutineYield() }
            #expect(EventLoop.setStrictMain(false))
            try coroutineYield()
        }
        _ = EventLoop.hasIPv6
    }
}

@Suite struct LoopTestingTests {
    @Test func C10_time_that_tests_move() throws {
        try inCoroutine(onVirtualTime: false) { () throws in
            try EventLoop.Testing.withVirtualTime { () throws in
                let now = EventLoop.now
                try Coroutine.sleep(for: .seconds(86400))
                #expect(EventLoop.now == now + .seconds(86400))
                try EventLoop.Testing.stepTime(by: .seconds(5))
                #expect(EventLoop.now == now + .seconds(86405))
                try EventLoop.Testing.setTime(now)
                #expect(EventLoop.now == now + .seconds(86405))
                try EventLoop.Testing.setTime(now + .seconds(90000))
                #expect(EventLoop.now == now + .seconds(90000))
                #expect(throws: CoroError.system(errno: EINVAL)) { try EventLoop.Testing.stepTime(by: .seconds(-1)) }
            }
        }
    }

    @Test func C10_orders_from_a_seed() throws {
        func order(_ seed: UInt64) throws -> [Int] {
            var order: [Int] = []
            try inCoroutine { () throws in
                try EventLoop.Testing.setOrderSeed(seed)
                try Coroutine.yieldSlice()
                try Coroutine.inParallel(
                    (0..<20).map { number in
                        {
                            try Coroutine.yield()
                            order.append(number)
                        }
                    })
                try EventLoop.Testing.setOrderSeed(0)
            }
            return order
        }
        #expect(try order(0) == Array(0..<20))
        #expect(try order(7) != Array(0..<20))
        #expect(try order(7) == order(7))
    }

    @Test func C10_calls_that_fail_on_demand() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            try output.write("abc")
            try EventLoop.Testing.fail("read", 2, errno: EIO)
            #expect(try input.read(exactly: 1).text == "a")
            #expect(throws: CoroError.system(errno: EIO)) { try input.read() }
            try EventLoop.Testing.fail("read", errno: EIO)
            try EventLoop.Testing.removeFailure(of: "read")
            #expect(try input.read()?.text == "bc")
            #expect(throws: CoroError.system(errno: EINVAL)) { try EventLoop.Testing.fail("none", errno: EIO) }
            try EventLoop.Testing.setLatencyUnit(.milliseconds(500))
            try EventLoop.Testing.setLatencyUnit(.zero)
            #expect(throws: CoroError.system(errno: EINVAL)) { try EventLoop.Testing.setLatencyUnit(.seconds(-1)) }
            try EventLoop.Testing.setBlockingIdleTime(.zero)
        }
    }
}
