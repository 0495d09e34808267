import CCoro
import Coro
import Testing

@Suite struct EventTests {
    @Test func I7_is_remembered() throws {
        let event = try Event<String>()
        #expect(!event.isSet)
        try event.set("one")
        #expect(event.isSet)
        #expect(try event.wait() == "one")
        try event.set("two")
        #expect(try event.wait() == "two")
        try event.reset()
        #expect(!event.isSet)
    }

    @Test func I7_all_who_wait_go_on_in_order() throws {
        try inCoroutine { () throws in
            let event = try Event<Int>()
            var order = [Int]()
            let waiters = try (0..<3).map { number in
                try start {
                    let value = try event.wait()
                    order.append(number)
                    return value
                }
            }
            try event.set(42)
            #expect(try waiters.map { try $0.join() } == [42, 42, 42])
            #expect(order == [0, 1, 2])
        }
    }

    @Test func I7_who_was_woken_keeps_the_value_of_that_time() throws {
        try inCoroutine { () throws in
            let event = try Event<Int>()
            let first = try start { try event.wait() }
            try event.set(1)
            try event.reset()
            let second = try start { try event.wait() }
            try event.set(2)
            try event.reset()
            #expect(try first.join() == 1)
            #expect(try second.join() == 2)
        }
    }

    @Test func I7_one_that_is_interrupted_waits_no_more() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            let event = try Event<Counter.Token>()
            let waiter = try start { try event.wait() }
            try waiter.any.interrupt()
            #expect(throws: CoroError.interrupted) { try waiter.join() }
            // Set first, then interrupted: the interruption counts, and the event is set for the next to ask.
            let other = try start { try event.wait() }
            try event.set(counter.token())
            try other.any.raise(.wakeUp)
            #expect(throws: CoroError.wakeUp) { try other.join() }
            _ = try event.wait()
            try event.reset()
            #expect(counter.alive == 0)
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try event.wait() } }
        }
    }

    @Test func I7_without_a_value() throws {
        try inCoroutine { () throws in
            let event = try Event<Void>()
            let waiter = try start { try event.wait() }
            try event.set()
            try waiter.join()
        }
    }

    @Test func I7_an_optional_value_may_be_nil() throws {
        let event = try Event<Int?>()
        try event.set(nil)
        #expect(event.isSet)
        #expect(try event.wait() == nil)
    }

    @Test func I7_it_and_its_value_are_released() throws {
        let counter = Counter()
        do {
            let event = try Event<Counter.Token>()
            try event.set(counter.token())
            #expect(counter.alive == 1)
        }
        #expect(counter.alive == 0)
    }

    @Test func I7_on_a_threads_own_stack_nobody_is_left_to_set_it() throws {
        // On a thread whose loop no other can know: what is known, something may be posted to.
        let (nobody, somebody) = try onThread {
            let event = try Event<Int>()
            let nobody = error(of: { try event.wait() }) as? CoroError
            _ = try Coroutine.spawn { try event.set(5) }
            return (nobody, try event.wait())
        }
        #expect(nobody == .system(errno: 35))
        #expect(somebody == 5)
    }
}
