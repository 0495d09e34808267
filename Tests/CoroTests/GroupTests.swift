import CCoro
import Coro
import Glibc
import Testing

@Suite struct GroupTests {
    @Test func I13_results_in_the_order_of_their_ends() throws {
        try inCoroutine { () throws in
            let results = try Coroutine.withGroup(of: Int.self) { group in
                for seconds in [3, 1, 2] {
                    try group.spawn {
                        try Coroutine.sleep(for: .seconds(seconds))
                        return seconds
                    }
                }
                #expect(group.unfinished == 3 && group.running == 3)
                var results = [Int]()
                while let result = try group.next() { results.append(result) }
                return results
            }
            #expect(results == [1, 2, 3])
        }
    }

    @Test func I13_returns_when_all_have_ended() throws {
        try inCoroutine { () throws in
            var ended = 0
            let before = EventLoop.now
            let value = try Coroutine.withGroup(of: Void.self) { group in
                try group.spawn {
                    try Coroutine.sleep(for: .seconds(1))
                    // Members may make others.
                    try group.spawn {
                        try Coroutine.sleep(for: .seconds(1))
                        ended += 1
                    }
                    ended += 1
                }
                return "value"
            }
            #expect(value == "value" && ended == 2 && EventLoop.now - before == .seconds(2))
        }
    }

    @Test func I13_no_more_than_the_limit_at_once() throws {
        try inCoroutine { () throws in
            var running = 0, most = 0
            try Coroutine.withGroup(of: Void.self, limit: 2) { group in
                for _ in 0..<6 {
                    try group.spawn {
                        running += 1
                        most = max(most, running)
                        try Coroutine.sleep(for: .seconds(1))
                        running -= 1
                    }
                }
                #expect(group.running == 2 && group.unfinished == 6)
                try group.waitForAll()
                #expect(group.unfinished == 0)
            }
            #expect(most == 2)
            #expect(throws: CoroError.system(errno: EINVAL)) { try Coroutine.withGroup(of: Int.self, limit: 0) { _ in } }
        }
    }

    @Test func I13_when_the_body_throws_the_members_are_told_to_end() throws {
        try inCoroutine { () throws in
            var errors = [any Error](), ran = false
            #expect(throws: Odd(number: 1)) {
                try Coroutine.withGroup(of: Void.self, limit: 1) { group in
                    try group.spawn {
                        do { try sleepLong() } catch {
                            // It takes its time.
                            try Coroutine.sleep(for: .seconds(1))
                            errors.append(error)
                            throw error
                        }
                    }
                    try group.spawn { ran = true }
                    try Coroutine.yield()
                    throw Odd(number: 1)
                }
            }
            #expect(errors as? [CoroError] == [.shutdown] && !ran)
        }
    }

    @Test func I13_when_a_member_throws_the_others_are_told_to_end() throws {
        try inCoroutine { () throws in
            var told: (any Error)?, later: AnyCoroutine?
            let before = EventLoop.now
            #expect(throws: Odd(number: 1)) {
                try Coroutine.withGroup(of: Void.self) { group in
                    try group.spawn {
                        told = error { try sleepLong() }
                        throw CoroError.shutdown
                    }
                    try group.spawn {
                        try Coroutine.sleep(for: .seconds(1))
                        throw Odd(number: 1)
                    }
                    try Coroutine.sleep(for: .seconds(2))
                    later = try group.spawn {}
                }
            }
            #expect(told as? CoroError == .shutdown && later == nil)
            #expect(EventLoop.now - before == .seconds(2), "the body is not interrupted")
        }
    }

    @Test func I13_or_not() throws {
        try inCoroutine { () throws in
            var ended = 0
            #expect(throws: Odd(number: 1)) {
                try Coroutine.withGroup(of: Void.self, cancelsOnFailure: false) { group in
                    try group.spawn {
                        try Coroutine.sleep(for: .seconds(1))
                        ended += 1
                    }
                    try group.spawn { throw Odd(number: 1) }
                    try group.spawn { throw Odd(number: 2) }
                }
            }
            #expect(ended == 1)
        }
    }

    @Test func I13_an_error_that_was_taken_is_dealt_with() throws {
        try inCoroutine { () throws in
            let numbers = try Coroutine.withGroup(of: Int.self, cancelsOnFailure: false) { group in
                for number in 0..<4 { try group.spawn { if number % 2 == 1 { throw Odd(number: number) } else { number } } }
                var numbers = [Int]()
                while let result = try group.nextResult() {
                    switch result {
                    case .success(let number): numbers.append(number)
                    case .failure(let error): numbers.append(-(error as! Odd).number)
                    }
                }
                return numbers
            }
            #expect(numbers == [0, -1, 2, -3])
            #expect(throws: Odd(number: 5)) {
                try Coroutine.withGroup(of: Int.self) { group in
                    try group.spawn { throw Odd(number: 5) }
                    while let _ = try group.next() {}
                }
            }
        }
    }

    @Test func I13_members_that_are_cancelled_have_a_result() throws {
        try inCoroutine { () throws in
            var count = 0
            try Coroutine.withGroup(of: Int.self, limit: 1) { group in
                for _ in 0..<3 {
                    try group.spawn {
                        try sleepLong()
                        return 1
                    }
                }
                try Coroutine.yield()
                group.cancelAll()
                #expect(try group.spawn { 1 } == nil)
                while let result = try group.nextResult() {
                    #expect(throws: CoroError.shutdown) { try result.get() }
                    count += 1
                }
            }
            #expect(count == 3)
        }
    }

    @Test func I13_an_interrupted_caller_passes_it_on() throws {
        try inCoroutine { () throws in
            var told = [CoroError]()
            func scope() throws {
                try Coroutine.withGroup(of: Void.self) { group in
                    try group.spawn {
                        do throws(CoroError) { try sleepLong() } catch {
                            told.append(error)
                            throw error
                        }
                    }
                }
            }
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try scope() } }
            let caller = try start(scope)
            try Coroutine.yield()
            try caller.any.raise(.wakeUp)
            #expect(throws: CoroError.wakeUp) { try caller.join() }
            let ended = try start(scope)
            try Coroutine.yield()
            try ended.shutdown()
            #expect(throws: CoroError.shutdown) { try ended.join() }
            #expect(told == [.shutdown, .shutdown, .shutdown])
            // Waiting for a result.
            let taking = try start {
                try Coroutine.withGroup(of: Void.self) { group in
                    try group.spawn { try sleepLong() }
                    _ = try group.next()
                }
            }
            try Coroutine.yield()
            try taking.any.interrupt()
            #expect(throws: CoroError.interrupted) { try taking.join() }
        }
    }

    @Test func I13_told_to_end_while_it_waits_after_an_error() throws {
        try inCoroutine { () throws in
            let caller = try start {
                try Coroutine.withGroup(of: Void.self) { group in
                    try group.spawn {
                        do { try sleepLong() } catch {}
                        try Coroutine.sleep(for: .seconds(1))
                    }
                    try Coroutine.yield()
                    throw Odd(number: 1)
                }
            }
            try Coroutine.yield()
            try Coroutine.yield()
            try caller.shutdown()
            #expect(throws: CoroError.shutdown) { try caller.join() }
        }
    }

    @Test func I13_a_group_that_was_left_takes_nobody() throws {
        try inCoroutine { () throws in
            var escaped: CoroutineGroup<Int>?
            try Coroutine.withGroup { escaped = $0 }
            #expect(throws: CoroError.closed) { try escaped?.spawn { 1 } }
            #expect(escaped?.running == 0 && escaped?.unfinished == 0)
            escaped?.cancelAll()
            #expect(throws: CoroError.closed) { try escaped?.waitForAll() }
            #expect(try escaped?.next() == nil)
        }
    }

    @Test func I13_without_results() throws {
        try inCoroutine { () throws in
            var ended = 0
            let value = try Coroutine.withDiscardingGroup(limit: 3) { group in
                for _ in 0..<100 { try group.spawn { ended += 1 } }
                try group.waitForAll()
                #expect(ended == 100 && group.running == 0 && group.unfinished == 0)
                return 7
            }
            #expect(value == 7)
            #expect(throws: Odd(number: 1)) {
                try Coroutine.withDiscardingGroup { group in
                    try group.spawn { try sleepLong() }
                    try group.spawn { throw Odd(number: 1) }
                    try group.spawn { throw Odd(number: 2) }
                }
            }
            #expect(throws: Odd(number: 3)) {
                try Coroutine.withDiscardingGroup { group in
                    try group.spawn { try sleepLong() }
                    throw Odd(number: 3)
                }
            }
        }
    }

    @Test func I13_nothing_is_left() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            func scope(cancels: Bool, takes: Bool) throws {
                try Coroutine.withGroup(of: Counter.Token.self, limit: 2) { group in
                    for _ in 0..<4 {
                        try group.spawn { [token = counter.token()] in
                            try Coroutine.sleep(for: .seconds(1))
                            return token
                        }
                    }
                    if takes { _ = try group.next() }
                    if cancels { group.cancelAll() }
                    _ = try group.spawn { [token = counter.token()] in token }
                }
                #expect(counter.alive == 0)
            }
            for cancels in [false, true] { for takes in [false, true] { try scope(cancels: cancels, takes: takes) } }
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.milliseconds(1500)) { try scope(cancels: false, takes: true) }
            }
            #expect(counter.alive == 0)
            // Nothing accumulates.
            try Coroutine.withDiscardingGroup { group in
                for _ in 0..<10 {
                    try group.spawn { [token = counter.token()] in withExtendedLifetime(token) {} }
                    try Coroutine.yield()
                    try Coroutine.yield()
                    #expect(counter.alive == 0)
                }
            }
        }
    }

    @Test func I13_on_a_threads_own_stack() throws {
        let (sum, deadlock, told) = try onThread {
            let sum = try Coroutine.withGroup(of: Int.self) { group in
                for number in 1...3 { try group.spawn { number } }
                var sum = 0
                while let number = try group.next() { sum += number }
                return sum
            }
            var told: (any Error)?
            let deadlock = error {
                try Coroutine.withGroup(of: Void.self) { group in
                    try group.spawn {
                        do { try Coroutine.park() } catch {
                            told = error
                            throw error
                        }
                    }
                }
            }
            return (sum, deadlock as? CoroError, told as? CoroError)
        }
        #expect(sum == 6)
        #expect(deadlock == .system(errno: EDEADLK) && told == .shutdown)
    }
}
