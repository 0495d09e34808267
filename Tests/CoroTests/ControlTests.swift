import CCoro
import Coro
import Testing

@Suite struct ControlTests {
    @Test func A19_raise_replaces_what_it_was_woken_with_and_the_last_one_counts() throws {
        try inCoroutine { () throws in
            let coroutine = try start { try Coroutine.park() }
            try coroutine.any.schedule()
            try coroutine.any.raise(.closed)
            try coroutine.any.raise(.other(code: -100_000))
            #expect(throws: CoroError.schedule) { try coroutine.any.raise(.wakeUp, force: false) }
            #expect(throws: CoroError.other(code: -100_000)) { try coroutine.join() }
        }
    }

    @Test func A19_without_force_one_that_waits_is_interrupted_too() throws {
        try inCoroutine { () throws in
            let coroutine = try start { try sleepLong() }
            try coroutine.any.raise(.closed, force: false)
            #expect(throws: CoroError.closed) { try coroutine.join() }
        }
    }

    @Test func A20_one_that_has_not_run_is_refused_or_cancelled() throws {
        try inCoroutine { () throws in
            var hasRun = false
            for begin in [CoroutineStart.later, .queued] {
                let coroutine = try Coroutine.spawn(start: begin) { hasRun = true }
                #expect(throws: CoroError.notStarted) { try coroutine.any.raise(.wakeUp) }
                #expect(throws: CoroError.notStarted) { try coroutine.any.raise(.wakeUp, force: false) }
                try coroutine.any.raise(.wakeUp, cancelStart: true)
                #expect(throws: CoroError.dead) { try coroutine.any.raise(.wakeUp) }
                #expect(throws: CoroError.shutdown) { try coroutine.join() }
            }
            #expect(!hasRun)
        }
    }

    @Test func A21_neither_the_caller_nor_the_dead() throws {
        try inCoroutine { () throws in
            let coroutine = try start {}
            #expect(throws: CoroError.dead) { try coroutine.any.raise(.wakeUp) }
            #expect(throws: CoroError.dead) { try coroutine.any.interrupt() }
            #expect(throws: CoroError.schedule) { try Coroutine.current?.raise(.wakeUp) }
            #expect(throws: CoroError.schedule) { try Coroutine.current?.interrupt() }
            #expect(throws: CoroError.system(errno: 22)) { try coroutine.any.raise(.other(code: 1)) }
        }
    }

    @Test func A22_defer_blocks_run_and_the_wait_leaves_nothing_behind() throws {
        try inCoroutine { () throws in
            var order = [String]()
            let target = try start { try sleepLong() }
            let coroutine = try start {
                defer { order.append("outer") }
                defer { order.append("inner") }
                try target.join()
            }
            try coroutine.any.raise(.wakeUp)
            #expect(throws: CoroError.wakeUp) { try coroutine.join() }
            #expect(order == ["inner", "outer"])
            #expect(target.isAlive)
            try target.shutdown()
            #expect(throws: CoroError.shutdown) { try target.join() }
        }
    }

    @Test func A23_interrupt_delivers_a_value() throws {
        try inCoroutine { () throws in
            let value = UnsafeMutableRawPointer(bitPattern: 42)
            let coroutine = try start {
                let interruption = error { try sleepLong() }
                let seen = Coroutine.interruptValue
                try Coroutine.yield()
                return (interruption as? CoroError, seen, Coroutine.interruptValue)
            }
            try coroutine.any.interrupt(value)
            #expect(throws: CoroError.schedule, "it is runnable") { try coroutine.any.interrupt(nil) }
            let (interruption, seen, later) = try coroutine.join()
            #expect(interruption == .interrupted)
            #expect(seen == value)
            #expect(later == nil)
        }
    }

    @Test func A23_interrupt_refuses_what_was_never_started() throws {
        try inCoroutine { () throws in
            let coroutine = try Coroutine.spawn(start: .later) {}
            #expect(throws: CoroError.notStarted) { try coroutine.any.interrupt() }
            try coroutine.shutdown()
        }
    }

    @Test func A24_wakeUp_breaks_a_wait_and_is_delivered_once() throws {
        try inCoroutine { () throws in
            let coroutine = try start { () -> Duration in
                #expect(throws: CoroError.wakeUp) { try sleepLong() }
                let start = EventLoop.now
                try Coroutine.sleep(for: .seconds(3))
                return EventLoop.now - start
            }
            try coroutine.any.raise(.wakeUp)
            #expect(try coroutine.join() == .seconds(3))
        }
    }

    /// The coroutine that it joins ends, and before the joiner runs it is told to end: that must not be lost.
    @Test func A22_an_interrupt_comes_before_the_result_of_a_join() throws {
        try inCoroutine { () throws in
            let target = try start { () -> Int in
                try Coroutine.park()
                return 42
            }
            let joiner = try start { try target.join() }
            try target.any.schedule()
            try Coroutine.yield()
            #expect(!target.isAlive && joiner.isAlive)
            try joiner.shutdown()
            #expect(throws: CoroError.shutdown) { try joiner.join() }
            #expect(try target.join() == 42)
        }
    }

    @Test func B19_selfishness_is_set_for_one_or_for_all() throws {
        try inCoroutine { () throws in
            #expect(try EventLoop.setSelfishness(7) == 4)
            #expect(try EventLoop.setSelfishness(4) == 7)
            let coroutine = try start { try sleepLong() }
            #expect(try coroutine.any.setMaxSelfishActs(32768) == 4)
            #expect(try coroutine.any.setMaxSelfishActs(1) == 32768)
            #expect(throws: CoroError.system(errno: 22)) { try coroutine.any.setMaxSelfishActs(0) }
            #expect(throws: CoroError.system(errno: 22)) { try coroutine.any.setMaxSelfishActs(.max) }
            try coroutine.shutdown()
        }
    }
}
