import CCoro
import Coro
import Testing

/// What a program has: one variable for all its coroutines.
private let user = CoroutineLocal(default: "nobody")

@Suite struct CoroutineLocalTests {
    @Test func F1_each_coroutine_has_its_own() throws {
        try inCoroutine { () throws in
            user.value = "outer"
            let others = try ["anna", "bert"].map { name in
                try Coroutine.spawn { () throws -> [String] in
                    let inherited = user.value
                    user.value = name
                    try Coroutine.yield()
                    return [inherited, user.value]
                }
            }
            #expect(try others.map { try $0.join() } == [["nobody", "anna"], ["nobody", "bert"]])
            #expect(user.value == "outer")
            user.reset()
            #expect(user.value == "nobody")
        }
    }

    @Test func F1_for_the_time_of_a_closure() throws {
        try inCoroutine { () throws in
            let length = try user.withValue("anna") { () throws in
                try user.withValue("bert") {
                    try Coroutine.yield()
                    #expect(user.value == "bert")
                }
                return user.value.count
            }
            #expect(length == 4 && user.value == "nobody")
            user.value = "outer"
            #expect(throws: Odd(number: 1)) { try user.withValue("anna") { throw Odd(number: 1) } }
            #expect(user.value == "outer")
            // What the closure does not throw, this does not.
            #expect(user.withValue("carl") { user.value } == "carl")
        }
    }

    @Test func F3_a_threads_own_stack_has_one_too() throws {
        let values = try onThread { () throws -> [String] in
            user.value = "stack"
            let other = try Coroutine.spawn { user.value }
            return [try other.join(), user.value]
        }
        #expect(values == ["nobody", "stack"])
    }

    @Test func F2_the_default_is_made_for_each() throws {
        final class List { var items = [Int]() }
        try inCoroutine { () throws in
            let list = CoroutineLocal(default: List())
            list.value.items.append(1)
            list.value.items.append(2)
            let other = try Coroutine.spawn { list.value.items.count }
            #expect(try other.join() == 0)
            #expect(list.value.items == [1, 2])
            let none = CoroutineLocal<Int?>()
            #expect(!none.isSet)
            #expect(none.value == nil)
            #expect(none.isSet, "it has the default")
            none.value = 3
            #expect(none.value == 3)
            none.reset()
            #expect(!none.isSet)
        }
    }

    @Test func F4_values_are_released() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            var local: CoroutineLocal<Counter.Token?>? = CoroutineLocal()
            let other = try start {
                local!.value = counter.token()
                local!.value = counter.token()
                #expect(counter.alive == 1)
                try local!.withValue(counter.token()) {
                    #expect(counter.alive == 2)
                    try Coroutine.yield()
                }
            }
            #expect(counter.alive == 2)
            try other.join()
            #expect(counter.alive == 0, "its coroutine has ended")
            local!.value = counter.token()
            local!.reset()
            #expect(counter.alive == 0)
            local!.value = counter.token()
            local = nil
            #expect(counter.alive == 0, "the variable is gone")
        }
        // At the end of a thread, that of its own stack.
        let counter = Counter()
        let local = CoroutineLocal<Counter.Token?>()
        let alive = try onThread {
            local.value = counter.token()
            return counter.alive
        }
        #expect(alive == 1 && counter.alive == 0)
    }
}
