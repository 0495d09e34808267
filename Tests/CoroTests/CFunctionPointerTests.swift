import CCoro
import Coro
import Glibc
import Testing

typealias Comparator = @convention(c) (UnsafeRawPointer?, UnsafeRawPointer?) -> Int32
typealias Twice = @convention(c) (Int32) -> Int32

/// Closures, and targets, as function pointers of C.
@Suite struct CFunctionPointerTests {
    private func sorted(_ numbers: [Int32], by compare: CFunctionPointer) -> [Int32] {
        var numbers = numbers
        compare.withPointer(as: Comparator.self) { qsort(&numbers, numbers.count, MemoryLayout<Int32>.stride, $0) }
        return numbers
    }

    @Test func K7_a_closure_compares_for_qsort() throws {
        var calls = 0
        let compare = try CFunctionPointer(.direct) { (a: UnsafeRawPointer, b: UnsafeRawPointer) -> Int32 in
            calls += 1
            return b.load(as: Int32.self) - a.load(as: Int32.self)
        }
        #expect(sorted([3, 1, 4, 1, 5, 9, 2, 6], by: compare) == [9, 6, 5, 4, 3, 2, 1, 1])
        #expect(calls > 7 && compare.error == nil)
    }

    @Test func K6_a_comparator_suspends() throws {
        try inCoroutine {
            var others = 0
            let compare = try CFunctionPointer(.call) { (a: UnsafePointer<Int32>, b: UnsafePointer<Int32>) throws -> Int32 in
                try Coroutine.sleep(for: .seconds(1))
                return a.pointee - b.pointee
            }
            let other = try start {
                while true {
                    try Coroutine.sleep(for: .milliseconds(500))
                    others += 1
                }
            }
            let began = EventLoop.now
            #expect(sorted([3, 1, 2], by: compare) == [1, 2, 3])
            #expect(EventLoop.now - began >= .seconds(2) && others >= 3)
            #expect(compare.error == nil)
            try other.shutdown()
        }
    }

    @Test func K6_a_call_spawns() throws {
        try inCoroutine {
            var texts: [String] = []
            let begin = try CFunctionPointer(.spawn, otherwise: 7) { (text: String, count: Int32) throws -> Int32 in
                try Coroutine.sleep(for: .seconds(1))
                texts.append(String(repeating: text, count: Int(count)))
                return 1
            }
            let function = begin.pointer(as: (@convention(c) (UnsafePointer<CChar>?, Int32) -> Int32).self)
            #expect("ab".withCString { function($0, 2) } == 7)
            #expect("c".withCString { function($0, 3) } == 7)
            #expect(texts == [])
            try Coroutine.sleep(for: .seconds(2))
            #expect(texts == ["abab", "ccc"] && begin.error == nil)
        }
    }

    /// A loop that others may post to has no deadlocks: so it is that of a thread of its own, as other tests have some.
    @Test func K6_other_threads_post() throws {
        let counter = Counter()
        let (before, after) = try onThread {
            var sum: Int32 = 0
            let add = try CFunctionPointer(.post) { [token = counter.token()] (number: Int32) -> Void in
                withExtendedLifetime(token) { sum += number }
            }
            let function = add.pointer(as: (@convention(c) (Int32) -> Void).self)
            try onThread { for number in 1...100 { function(Int32(number)) } }
            let before = sum
            try EventLoop.runUntilIdle()
            if let error = add.error { throw error }
            return (before, sum)
        }
        #expect(before == 0 && after == 5050)
        #expect(counter.alive == 0)
    }

    @Test func K6_what_is_thrown_is_kept_and_told() throws {
        var told: [String] = []
        EventLoop.onFailure { _, error, _ in told.append("\(error)") }
        defer { EventLoop.onFailure(nil) }
        try inCoroutine {
            for mode in [CFunctionPointer.Mode.call, .direct] {
                let twice = try CFunctionPointer(mode, otherwise: -1) { (number: Int32) throws -> Int32 in
                    if number < 0 { throw Odd(number: Int(number)) }
                    return 2 * number
                }
                let function = twice.pointer(as: Twice.self)
                #expect(function(21) == 42 && twice.error == nil)
                #expect(function(-3) == -1)
                #expect(twice.error as? Odd == Odd(number: -3))
                #expect(function(4) == 8)
            }
        }
        #expect(told == ["Odd(number: -3)"])
    }

    @Test func K6_a_caller_that_is_interrupted_waits_for_its_call() throws {
        EventLoop.onFailure { _, _, _ in }
        defer { EventLoop.onFailure(nil) }
        try inCoroutine {
            var hasEnded = false
            let wait = try CFunctionPointer(.call) { () throws -> Int32 in
                defer { hasEnded = true }
                try sleepLong()
                return 1
            }
            let function = wait.pointer(as: (@convention(c) () -> Int32).self)
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.seconds(1)) {
                    #expect(function() == 0)
                    #expect(hasEnded)
                }
            }
            #expect(wait.error as? CoroError == .interrupted)
        }
    }

    @Test func K7_a_closure_stays_on_its_thread() throws {
        var calls: Int32 = 0
        let callback = try CFunctionPointer(.direct, otherwise: 5) { () -> Int32 in
            calls += 1
            return calls
        }
        let function = callback.pointer(as: (@convention(c) () -> Int32).self)
        #expect(try onThread { function() } == 5)
        #expect(calls == 0)
        #expect(function() == 1)
        #expect(callback.error == nil, "what other threads do is told on stderr")
    }

    @Test func K7_a_target_is_a_function_pointer_for_every_thread() throws {
        try onThread {
            let target = try Target.register("swift_tripled") { (number: Int32) in
                try Coroutine.yield()
                return 3 * number
            }
            let call = try CFunctionPointer(.call, target)
            try target.target.unregister()
            let function = call.pointer(as: Twice.self)
            #expect(function(5) == 15)
            #expect(try onThread { function(7) } == 21)
            #expect(call.error == nil)
            let absolute = try Target.register("int (int)", dlsym(nil, "abs"), as: ((Int32) throws -> Int32).self)
            defer { try? absolute.target.unregister() }
            #expect(try CFunctionPointer(.direct, absolute).withPointer(as: Twice.self) { $0(-4) } == 4)
        }
    }

    @Test func K2_structs_texts_and_NULL_come_from_C() throws {
        let swapped = try CFunctionPointer(.direct) { (pair: div_t) in div_t(quot: pair.rem, rem: pair.quot) }
        let pair = swapped.withPointer(as: (@convention(c) (div_t) -> div_t).self) { $0(div_t(quot: 1, rem: 2)) }
        #expect(pair.quot == 2 && pair.rem == 1)
        let length = try CFunctionPointer(.direct, otherwise: -1) { (text: String) in text.utf8.count }
        let function = length.pointer(as: (@convention(c) (UnsafePointer<CChar>?) -> Int).self)
        #expect("grün".withCString(function) == 5)
        #expect(function(nil) == -1)
        #expect((length.error as? TargetError)?.message.hasPrefix("argument 1 is NULL") == true)
    }

    @Test func K7_errors_of_a_coroutine_that_fails_more_than_once_are_released() throws {
        struct Failure: Error, @unchecked Sendable {
            let token: Counter.Token
        }
        nonisolated(unsafe) let counter = Counter()
        let failing = try Target.register("swift_failing_again") { () throws -> Void in
            counter.calls += 1
            throw Failure(token: counter.token())
        }
        defer { try? failing.target.unregister() }
        EventLoop.onFailure { _, _, _ in }
        defer { EventLoop.onFailure(nil) }
        let fail = try CFunctionPointer(.direct, failing)
        try inCoroutine {
            let caller = try start {
                fail.withPointer(as: (@convention(c) () -> Void).self) { call in for _ in 1...3 { call() } }
            }
            _ = error { try caller.join() }
            #expect(counter.calls == 3 && counter.alive == 0)
        }
    }

    @Test func K8_the_closure_is_released_with_its_last_use() throws {
        let counter = Counter()
        try inCoroutine {
            var callback: CFunctionPointer? = try CFunctionPointer(.call) { [token = counter.token()] () throws -> Int32 in
                try Coroutine.sleep(for: .seconds(1))
                return withExtendedLifetime(token) { 3 }
            }
            let function = try #require(callback).pointer(as: (@convention(c) () -> Int32).self)
            let call = try start { function() }
            try Coroutine.yield()
            callback = nil
            #expect(counter.alive == 1, "its call is under way")
            #expect(try call.join() == 3)
            #expect(counter.alive == 0)
            // Dropped by itself.
            callback = try CFunctionPointer(.direct) { [token = counter.token()] () -> Int32 in
                callback = nil
                return withExtendedLifetime(token) { 4 }
            }
            let last = try #require(callback).pointer(as: (@convention(c) () -> Int32).self)
            #expect(last() == 4)
            #expect(counter.alive == 0)
            // Never called.
            _ = try CFunctionPointer(.spawn) { [token = counter.token()] () -> Void in withExtendedLifetime(token) {} }
            #expect(counter.alive == 0)
        }
    }

    @Test func K8_what_was_posted_is_run() throws {
        let counter = Counter()
        let queued = try onThread {
            func post() throws {
                let callback = try CFunctionPointer(.post) { [token = counter.token()] () -> Void in
                    withExtendedLifetime(token) { counter.calls += 1 }
                }
                callback.withPointer(as: (@convention(c) () -> Void).self) { $0() }
            }
            try post()
            let queued = counter.alive
            try EventLoop.runUntilIdle()
            return queued
        }
        #expect(queued == 1)
        #expect(counter.alive == 0 && counter.calls == 1)
    }

    @Test func K8_a_post_to_a_thread_that_has_ended_is_an_error() throws {
        let counter = Counter()
        nonisolated(unsafe) let callback = try onThread {
            try CFunctionPointer(.post, otherwise: 3) { [token = counter.token()] () -> Int32 in
                withExtendedLifetime(token) { 4 }
            }
        }
        #expect(callback.withPointer(as: (@convention(c) () -> Int32).self) { $0() } == 3)
        #expect(callback.error as? CoroError == .system(errno: ESRCH))
    }
}
