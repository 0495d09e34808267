import CCoro
import Coro
import Glibc
import Testing

@Suite struct SemaphoreTests {
    @Test func I1_takes_and_gives_in_order() throws {
        try inCoroutine { () throws in
            let semaphore = try Semaphore(2)
            try semaphore.wait()
            #expect(semaphore.available == 1)
            var order = [Int]()
            let users = try [2, 1].map { count in
                try start {
                    try semaphore.wait(count)
                    order.append(count)
                }
            }
            #expect(semaphore.waiting == 2, "who wants few does not overtake who wants many")
            #expect(try !semaphore.tryWait())
            try semaphore.signal(2)
            for user in users { try user.join() }
            #expect(order == [2, 1] && semaphore.available == 0)
            try semaphore.signal()
            #expect(try semaphore.tryWait())
        }
    }

    @Test func I1_bounds_how_many_do_something() throws {
        try inCoroutine { () throws in
            let semaphore = try Semaphore(2)
            var running = 0, most = 0
            let users = try (0..<5).map { number in
                try start {
                    try semaphore.withPermit {
                        running += 1
                        most = max(most, running)
                        defer { running -= 1 }
                        try Coroutine.sleep(for: .seconds(1))
                        if number == 3 { throw Odd(number: number) }
                    }
                }
            }
            for user in users { _ = error { try user.join() } }
            #expect(most == 2 && semaphore.available == 2)
        }
    }

    @Test func I1_who_gives_up_takes_none() throws {
        try inCoroutine { () throws in
            let semaphore = try Semaphore(1)
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try semaphore.wait(2) } }
            let granted = try start { try semaphore.withPermit(count: 2) {} }
            let next = try start { try semaphore.wait(2) }
            try semaphore.signal()
            // It was granted, but has not run: the next gets it.
            try granted.any.raise(.wakeUp)
            #expect(throws: CoroError.wakeUp) { try granted.join() }
            try next.join()
            #expect(semaphore.available == 0)
        }
    }

    @Test func I1_numbers_below_zero_are_refused() throws {
        let invalid = CoroError.system(errno: EINVAL)
        #expect(throws: invalid) { try Semaphore(-1) }
        let semaphore = try Semaphore(0)
        #expect(throws: invalid) { try semaphore.wait(-1) }
        #expect(throws: invalid) { try semaphore.signal(-1) }
        #expect(throws: invalid) { try InvertedSemaphore(-1) }
    }

    @Test func I2_waits_for_zero() throws {
        try inCoroutine { () throws in
            let users = try InvertedSemaphore(1)
            let waiting = try (0..<2).map { _ in try start { try users.waitUntilZero() } }
            try users.withUse { #expect(users.value == 2) }
            #expect(throws: Odd(number: 1)) { try users.withUse { throw Odd(number: 1) } }
            #expect(waiting[0].isAlive && waiting[1].isAlive)
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try users.waitUntilZero() } }
            try users.release()
            try users.acquire()
            // All go on, though it is raised again.
            for one in waiting { try one.join() }
            #expect(throws: CoroError.lock) { try users.release(2) }
            try users.release()
            try users.waitUntilZero()
        }
    }
}

@Suite struct ConditionTests {
    @Test func I5_wakes_with_a_signal() throws {
        try inCoroutine { () throws in
            let condition = try Condition<String>()
            #expect(!condition.wakeOne("nobody"))
            let waiting = try (0..<4).map { _ in try start { try condition.wait() } }
            #expect(condition.waiting == 4)
            #expect(condition.wakeOne("one"))
            #expect(condition.wake(2, "two") == 2)
            #expect(condition.wakeAll("all") == 1)
            #expect(try waiting.map { try $0.join() } == ["one", "two", "two", "all"])
        }
    }

    @Test func I5_errors_and_interruptions() throws {
        try inCoroutine { () throws in
            let condition = try Condition<Void>()
            let waiting = try (0..<2).map { _ in try start { try condition.wait() } }
            #expect(condition.raiseAll(.closed) == 2)
            for one in waiting { #expect(throws: CoroError.closed) { try one.join() } }
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try condition.wait() } }
            #expect(condition.wakeAll() == 0 && condition.wake(3) == 0 && !condition.wakeOne())
        }
    }

    @Test func I5_signals_are_released() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            let condition = try Condition<Counter.Token>()
            #expect(condition.wakeAll(counter.token()) == 0)
            let waiting = try (0..<3).map { _ in try start { _ = try condition.wait() } }
            condition.wake(2, counter.token())
            // Woken first: the wake counts.
            try waiting[0].any.raise(.wakeUp)
            try waiting[2].any.raise(.wakeUp)
            for one in waiting[..<2] { try one.join() }
            #expect(throws: CoroError.wakeUp) { try waiting[2].join() }
            #expect(counter.alive == 0)
            let mutex = try CoroutineMutex(false)
            let other = try start { try mutex.withLock(waitingFor: condition, until: { $0 }) { _ in } }
            condition.wakeAll(counter.token())
            try Coroutine.yield()
            try Coroutine.yield()
            #expect(counter.alive == 0)
            try other.shutdown()
            _ = error { try other.join() }
        }
    }
}

@Suite struct MeetingTests {
    @Test func I14_a_barrier() throws {
        try inCoroutine { () throws in
            #expect(throws: CoroError.system(errno: EINVAL)) { try Barrier(0) }
            let barrier = try Barrier(3)
            for _ in 0..<2 {
                let waiting = try (0..<2).map { _ in try start { try barrier.wait() } }
                #expect(barrier.waiting == 2)
                #expect(try barrier.wait(), "the last")
                for one in waiting { #expect(try !one.join()) }
            }
            let gone = try start { try barrier.wait() }
            try gone.any.raise(.wakeUp)
            #expect(throws: CoroError.wakeUp) { try gone.join() }
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try barrier.wait() } }
            #expect(barrier.waiting == 0)
        }
    }

    @Test func I14_a_wait_group() throws {
        try inCoroutine { () throws in
            let group = try WaitGroup()
            try group.wait()
            try group.add(2)
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try group.wait() } }
            let waiting = try start { try group.wait() }
            try group.done()
            #expect(group.count == 1 && waiting.isAlive)
            try group.done()
            try group.add()
            try waiting.join()
            #expect(throws: CoroError.lock) { try group.add(-2) }
            #expect(group.count == 1)
        }
    }

    @Test func I14_once() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            let token = counter.token()
            let once = try Once { [token] in
                counter.calls += 1
                try Coroutine.sleep(for: .seconds(1))
                _ = token
                return counter.calls
            }
            #expect(!once.isDone)
            let users = try (0..<3).map { _ in try start { try once.get() } }
            #expect(try users.map { try $0.join() } == [1, 1, 1])
            #expect(once.isDone)
            #expect(try once.get() == 1)
        }
    }

    @Test func I14_once_tries_again_after_an_error() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            var token: Counter.Token? = counter.token()
            let once = try Once<Int> { [token] in
                counter.calls += 1
                try Coroutine.sleep(for: .seconds(1))
                if counter.calls < 3 { throw Odd(number: counter.calls) }
                return token == nil ? 0 : 42
            }
            token = nil
            let users = try (0..<3).map { _ in try start { try once.get() } }
            #expect(throws: Odd(number: 1)) { try users[0].join() }
            #expect(throws: Odd(number: 2)) { try users[1].join() }
            #expect(counter.alive == 1)
            #expect(try users[2].join() == 42)
            #expect(counter.alive == 0, "the closure is not needed any more")
            let other = try Once<Int> { try Coroutine.sleep(for: .seconds(1)); return 1 }
            let interrupted = try start { try other.get() }
            try interrupted.shutdown()
            #expect(throws: CoroError.shutdown) { try interrupted.join() }
            #expect(try other.get() == 1)
        }
    }

    @Test func I14_once_inside_itself_is_an_error() throws {
        try inCoroutine { () throws in
            var once: Once<Int>?
            once = try Once { try once!.get() }
            #expect(throws: CoroError.system(errno: EDEADLK)) { try once!.get() }
            once = nil
        }
    }
}

@Suite struct QueueTests {
    @Test func I6_in_order() throws {
        try inCoroutine { () throws in
            let queue = try Queue<Int>()
            #expect(queue.isEmpty && queue.first == nil && queue.tryPop() == nil)
            for number in 1...3 { try queue.push(number) }
            try queue.pushFront(0)
            #expect(queue.count == 4 && queue.first == 0)
            #expect(try queue.pop() == 0)
            #expect(try queue.popAll() == [1, 2, 3])
            let waiting = try (0..<2).map { _ in try start { try queue.pop() } }
            let all = try start { try queue.popAll() }
            for number in 4...6 { try queue.push(number) }
            #expect(try waiting.map { try $0.join() } == [4, 5])
            #expect(try all.join() == [6])
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try queue.pop() } }
        }
    }

    @Test func I6_values_are_released() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            do {
                let queue = try Queue<Counter.Token>()
                try queue.push(counter.token())
                #expect(queue.first != nil && counter.alive == 1)
                _ = try queue.pop()
                #expect(counter.alive == 0)
                let waiting = try start { _ = try queue.pop() }
                try queue.push(counter.token())
                try waiting.any.raise(.wakeUp)
                try waiting.join()
                #expect(counter.alive == 0, "what was given counts")
                for _ in 0..<3 { try queue.push(counter.token()) }
            }
            #expect(counter.alive == 0)
        }
    }
}
