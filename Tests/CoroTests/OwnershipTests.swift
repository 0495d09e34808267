import CCoro
import Coro
import Glibc
import Testing

/// Who holds closures, results, errors and records, and for how long.
@Suite struct OwnershipTests {
    final class Thing {}

    final class ThingError: Error {
        nonisolated(unsafe) let token: Counter.Token
        init(_ token: Counter.Token) { self.token = token }
    }

    private let counter = Counter()

    @Test func A28_a_closure_goes_when_it_has_run_and_its_result_with_the_last_handle() throws {
        try inCoroutine { [counter] in
            let (closure, result) = (Counter(), counter)
            var handle: Coroutine? = try Coroutine.spawn { [token = closure.token()] in
                withExtendedLifetime(token) { result.token() }
            }
            #expect(closure.alive == 1 && result.alive == 0)
            try handle?.join()
            #expect(closure.alive == 0 && result.alive == 1)
            var other = handle
            handle = nil
            #expect(result.alive == 1)
            other = nil
            #expect(result.alive == 0 && other == nil)
        }
    }

    @Test func A28_nobody_else_holds_what_was_joined() throws {
        try inCoroutine {
            var thing = try Coroutine.spawn { Thing() }.join()
            #expect(isKnownUniquelyReferenced(&thing))
            var captured = Thing()
            try Coroutine.spawn { [captured] in withExtendedLifetime(captured) {} }.join()
            #expect(isKnownUniquelyReferenced(&captured))
        }
    }

    @Test func A28_it_goes_on_without_a_handle_and_nothing_is_left_of_it() throws {
        try inCoroutine { [counter] in
            for start in [CoroutineStart.queued, .now] {
                for _ in 0..<3 {
                    _ = try Coroutine.spawn(start: start) { [token = counter.token()] in
                        try Coroutine.sleep(for: .seconds(1))
                        counter.calls += 1
                        return token
                    }
                }
                #expect(coro_get_live_coros() == 4 && counter.alive == 3)
                try Coroutine.sleep(for: .seconds(2))
                #expect(coro_get_live_coros() == 1 && counter.alive == 0)
            }
            #expect(counter.calls == 6)
            // It has ended, and its record waits for a join.
            let ended = try Coroutine.spawn(start: .now) { counter.token() }
            #expect(coro_get_live_coros() == 2)
            try withExtendedLifetime(ended) { try Coroutine.yield() }
        }
        #expect(counter.alive == 0)
    }

    @Test func A28_one_that_nobody_can_start_any_more_is_cancelled() throws {
        try inCoroutine { [counter] in
            var handle: Coroutine? = try Coroutine.spawn(start: .later) { [token = counter.token()] in token }
            var other = handle
            let id = try #require(handle?.id)
            handle = nil
            #expect(counter.alive == 1 && coro_get_live_coros() == 2)
            #expect(other?.id == id)
            other = nil
            #expect(counter.alive == 0 && coro_get_live_coros() == 1)
            #expect(throws: CoroError.dead) { try AnyCoroutine(id: id).join() }
            // One that was started by somebody else goes on.
            var started: Coroutine? = try Coroutine.spawn(start: .later) { counter.calls += 1 }
            #expect(coro_start(try #require(started?.id)) == 0)
            started = nil
            try Coroutine.yield()
            #expect(counter.calls == 1 && started == nil)
        }
    }

    @Test func A28_a_cancelled_one_releases_its_closure_at_once_and_stays_cancelled() throws {
        try inCoroutine { [counter] in
            for start in [CoroutineStart.queued, .later] {
                let cancelled = try Coroutine.spawn(start: start) { [token = counter.token()] in token }
                #expect(counter.alive == 1)
                try cancelled.shutdown()
                #expect(counter.alive == 0)
                for _ in 0..<2 { #expect(throws: CoroError.shutdown) { try cancelled.join() } }
                #expect(throws: CoroError.shutdown) { try cancelled.result() }
            }
        }
    }

    @Test func A28_one_that_cannot_be_made_releases_its_closure() throws {
        #expect(throws: CoroError.system(errno: EINVAL)) {
            try Coroutine.spawn(stackSize: 1) { [token = counter.token()] in token }
        }
        #expect(counter.alive == 0)
    }

    @Test func A28_errors_are_released() throws {
        EventLoop.onFailure { _, _, _ in }
        defer { EventLoop.onFailure(nil) }
        try inCoroutine { [counter] in
            func fail() throws(ThingError) { throw ThingError(counter.token()) }
            let joined = try Coroutine.spawn { () throws(ThingError) in try fail() }
            var error: ThingError?
            do { try joined.join() } catch let own as ThingError { error = own }
            #expect(error?.token != nil && counter.alive == 1)
            // It is another language's join, that has taken the record.
            let taken = try Coroutine.spawn { () throws in try fail() }
            #expect(coro_join(taken.id, nil, .max) == CORO_EFAILED)
            for _ in 0..<2 { #expect(throws: ThingError.self) { try taken.join() } }
            #expect(counter.alive == 2)
            _ = try Coroutine.spawn { () throws(ThingError) in try fail() }
            try Coroutine.yield()
            #expect(counter.alive == 2)
        }
        #expect(counter.alive == 0)
    }

    @Test func A28_what_a_thread_leaves_behind() throws {
        let threads = Counter()
        let handles = try onThread {
            let queued = try Coroutine.spawn { [token = threads.token()] in withExtendedLifetime(token) {} }
            let later = try Coroutine.spawn(start: .later) { [token = threads.token()] in withExtendedLifetime(token) {} }
            return [queued, later]
        }
        // Those that never ran are cancelled, though their handles live on.
        #expect(threads.alive == 0)
        for handle in handles { #expect(error { try handle.join() } as? CoroError != nil) }
    }

    @Test func A15_a_handle_may_be_dropped_on_another_thread() throws {
        let results = Counter()
        nonisolated(unsafe) let token = results.token
        try onThread {
            func handle(_ start: CoroutineStart) throws -> Coroutine<Int, any Error> {
                try Coroutine.spawn(start: start) { [token = token()] in
                    try withExtendedLifetime(token) { try Coroutine.sleep(for: .milliseconds(1)) }
                    return 1
                }
            }
            let queued = try handle(.queued), later = try handle(.later), ended = try handle(.now)
            while ended.isAlive { try Coroutine.sleep(for: .milliseconds(1)) }
            let box = HandleBox([queued, later, ended])
            _ = consume queued
            _ = consume later
            _ = consume ended
            try onThread { box.drop() }
            // What was posted comes, and then nothing is left.
            try EventLoop.runUntilIdle()
            if coro_get_live_coros() != 0 { throw Odd(number: Int(coro_get_live_coros())) }
        }
        #expect(results.alive == 0)
    }

    @Test func A15_other_threads_cannot_join() throws {
        let sleeper = try Coroutine.spawn { try Coroutine.sleep(for: .milliseconds(1)) }
        let failures = try onThread { [error { try sleeper.join() }, error { try sleeper.result().get() }] }
        #expect(failures.allSatisfy { $0 as? CoroError == .wrongThread })
        try EventLoop.runUntilIdle()
        try sleeper.join()
        #expect(try onThread { error { try sleeper.join() } as? CoroError } == .wrongThread)
    }

    @Test func A15_any_number_may_join_whatever_language_has_joined_before() throws {
        try inCoroutine { [counter] in
            let shared = try Coroutine.spawn {
                try Coroutine.sleep(for: .seconds(1))
                return counter.token()
            }
            let joiners = try (0..<3).map { _ in try start { try shared.join() } }
            let others = try (0..<3).map { _ in try start { try shared.any.join() } }
            for joiner in joiners { #expect(try joiner.join() === shared.join()) }
            for other in others { try other.join() }
            #expect(coro_join(shared.id, nil, 0) == CORO_EDEAD)
            #expect(try shared.join() === shared.result().get())
        }
        #expect(counter.alive == 0)
    }

    @Test func A16_what_interrupts_a_join_is_no_outcome() throws {
        EventLoop.onFailure { _, _, _ in }
        defer { EventLoop.onFailure(nil) }
        try inCoroutine {
            let failing = try Coroutine.spawn { () throws in
                try Coroutine.sleep(for: .seconds(1))
                throw CoroError.closed
            }
            #expect(throws: CoroError.timeout) { try failing.join(timeout: .milliseconds(1)) }
            let joiner = try start { try failing.join() }
            try Coroutine.sleep(for: .milliseconds(999))
            // It was to throw `closed`, for it.
            try joiner.any.raise(.closed)
            #expect(throws: CoroError.closed) { try joiner.join() }
            #expect(throws: CoroError.closed) { try failing.join() }
            let itself = try start { try Coroutine.current?.join() }
            #expect(throws: CoroError.system(errno: EDEADLK)) { try itself.join() }
            #expect(throws: CoroError.notStarted) { try Coroutine.spawn(start: .later) {}.join() }
        }
    }

    @Test func A15_dropping_handles_leaves_what_is_known_of_the_last_error() throws {
        EventLoop.onFailure { _, _, _ in }
        defer { EventLoop.onFailure(nil) }
        try inCoroutine {
            func fail() throws { try Coroutine.spawn { () throws in throw Odd(number: 5) }.join() }
            #expect(throws: Odd.self) { try fail() }
            #expect(CoroError.detail == "\(Odd(number: 5))")
        }
    }

    @Test func A15_results_of_any_size() throws {
        struct Large: Equatable {
            var a = 1, b = 2, c = 3, d = 4, e = 5
        }
        let big = Array(repeating: "x", count: 3)
        try inCoroutine { [counter] in
            func check<Value>(_ value: @escaping @autoclosure () -> Value, _ isSame: (Value) -> Bool) throws {
                let coroutine = try Coroutine.spawn { value() }
                for _ in 0..<2 { #expect(isSame(try coroutine.join())) }
                // And of one that nobody takes.
                _ = try Coroutine.spawn { value() }
                try Coroutine.yield()
            }
            try check(()) { _ in true }
            try check(Large()) { $0 == Large() }
            try check(SIMD16<Double>(repeating: 1.5)) { $0 == SIMD16(repeating: 1.5) }
            try check((big, counter.token(), counter.token(), big, big)) { $0.0 == big && $0.4 == big }
            try check(counter.token() as Any) { $0 is Counter.Token }
            try check({ [token = counter.token()] in token }) { $0() === $0() }
            try check(Optional<Int>.none) { $0 == nil }
            #expect(counter.alive == 0)
        }
    }
}

/// Handles that one thread gives to another.
private final class HandleBox: @unchecked Sendable {
    private var handles: [Coroutine<Int, any Error>]

    init(_ handles: consuming [Coroutine<Int, any Error>]) { self.handles = handles }

    func drop() { handles = [] }
}

/// What the compiler makes of closures.
@Suite struct CoroutineTypeTests {
    struct Missing: Error, Equatable {}

    @Test func A12_the_type_says_what_is_thrown() throws {
        try inCoroutine {
            let never: Coroutine<Int, Never> = try Coroutine.spawn { 1 }
            let missing: Coroutine<Int, Missing> = try Coroutine.spawn { () throws(Missing) in throw Missing() }
            let any: Coroutine<Void, any Error> = try Coroutine.spawn { try Coroutine.yield() }
            let own: Coroutine<Void, CoroError> = try Coroutine.spawn { () throws(CoroError) in try Coroutine.yield() }
            func joinAll() throws(CoroError) -> Int {
                try own.join()
                return try never.join()
            }
            #expect(try joinAll() == 1)
            #expect(try never.result() == .success(1))
            EventLoop.onFailure { _, _, _ in }
            defer { EventLoop.onFailure(nil) }
            let result: Result<Int, Missing> = try missing.result()
            #expect(result == .failure(Missing()))
            try any.join()
        }
    }

    @Test func A15_handles_of_sendable_results_are_sendable() {
        func require(_: (some Sendable).Type) {}
        require(Coroutine<Int, Never>.self)
        require(Coroutine<String, any Error>.self)
        require(AnyCoroutine.self)
    }

    @Test func J2_one_without_a_name_goes_by_its_number() throws {
        try inCoroutine {
            let unnamed = try Coroutine.spawn {}
            #expect(unnamed.any.name == "coro \(unnamed.id)")
            try unnamed.join()
        }
    }
}
