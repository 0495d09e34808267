import CCoro
import Coro
import Glibc
import Synchronization
import Testing

/// What a lock of ours and one of the standard library are called where both are imported.
private let ofThreads = Synchronization.Mutex(1)

@Suite struct MutexTests {
    @Test func I3_one_at_a_time_in_order() throws {
        try inCoroutine { () throws in
            let mutex = try CoroutineMutex([String]())
            let users = try "abc".map { name in
                try start {
                    try mutex.withLock { log in
                        log.append("\(name) in")
                        try Coroutine.sleep(for: .seconds(1))
                        log.append("\(name) out")
                    }
                }
            }
            #expect(mutex.isLocked && mutex.waiting == 2)
            for user in users { try user.join() }
            let log = try mutex.withLock { $0 }
            #expect(log == ["a in", "a out", "b in", "b out", "c in", "c out"])
            #expect(!mutex.isLocked && ofThreads.withLock { $0 } == 1)
        }
    }

    @Test func I3_unlocked_when_the_closure_throws_or_is_interrupted() throws {
        try inCoroutine { () throws in
            let mutex = try CoroutineMutex(0)
            #expect(throws: Odd(number: 1)) { try mutex.withLock { _ in throw Odd(number: 1) } }
            let owner = try start { try mutex.withLock { _ in try sleepLong() } }
            let waiting = try start { try mutex.withLock { $0 += 1 } }
            try owner.shutdown()
            #expect(throws: CoroError.shutdown) { try owner.join() }
            try waiting.join()
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.seconds(1)) { try mutex.withLock { _ in try sleepLong() } }
            }
            #expect(!mutex.isLocked)
        }
    }

    @Test func I3_who_gives_up_waiting_gets_nothing() throws {
        try inCoroutine { () throws in
            let mutex = try CoroutineMutex(0)
            let owner = try start { try mutex.withLock { _ in try Coroutine.sleep(for: .seconds(10)) } }
            var calls = 0
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.seconds(1)) { try mutex.withLock { _ in calls += 1 } }
            }
            let waiting = try start { try mutex.withLock { _ in calls += 1 } }
            try waiting.any.raise(.wakeUp)
            #expect(throws: CoroError.wakeUp) { try waiting.join() }
            #expect(try mutex.withLockIfAvailable { _ in calls += 1 } == nil)
            try owner.join()
            #expect(calls == 0 && !mutex.isLocked)
            #expect(try mutex.withLockIfAvailable { value in value } == 0)
        }
    }

    @Test func I3_nobody_gets_the_value_twice() throws {
        try inCoroutine { () throws in
            let mutex = try CoroutineMutex(0)
            try mutex.withLock { _ throws in
                #expect(throws: CoroError.system(errno: EDEADLK)) { try mutex.withLock { $0 += 1 } }
                #expect(try mutex.withLockIfAvailable { $0 += 1 } == nil)
                #expect(mutex.isLocked, "the lock of the outer closure")
            }
            #expect(!mutex.isLocked)
        }
    }

    @Test func I10_a_wait_in_a_circle_is_an_error() throws {
        try inCoroutine { () throws in
            let one = try CoroutineMutex(), other = try CoroutineMutex()
            let first = try start {
                try one.withLock {
                    try Coroutine.yield()
                    try other.withLock {}
                }
            }
            let second = try start {
                try other.withLock {
                    try Coroutine.yield()
                    try one.withLock {}
                }
            }
            try first.join()
            #expect(throws: CoroError.system(errno: EDEADLK)) { try second.join() }
        }
    }

    @Test func I5_waits_until_the_value_is_ready() throws {
        try inCoroutine { () throws in
            let jobs = try CoroutineMutex([Int]())
            let added = try Condition<Void>()
            let workers = try (0..<2).map { _ in
                try start { try jobs.withLock(waitingFor: added, until: { !$0.isEmpty }) { $0.removeFirst() } }
            }
            #expect(!jobs.isLocked && added.waiting == 2)
            // Woken for nothing: it goes on waiting.
            added.wakeAll()
            try Coroutine.yield()
            try Coroutine.yield()
            #expect(added.waiting == 2)
            try jobs.withLock { $0 = [1, 2] }
            #expect(added.wakeOne())
            #expect(try workers[0].join() == 1)
            #expect(added.wakeOne())
            #expect(try workers[1].join() == 2)
            #expect(try jobs.withLock(waitingFor: added, until: { $0.isEmpty }) { $0.count } == 0, "ready from the start")
        }
    }

    @Test func I5_an_interrupted_wait_leaves_it_unlocked() throws {
        try inCoroutine { () throws in
            let mutex = try CoroutineMutex(0)
            let condition = try Condition<Void>()
            func wait() throws { try mutex.withLock(waitingFor: condition, until: { $0 == 1 }) { $0 = 2 } }
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try wait() } }
            let told = try start(wait)
            #expect(condition.raiseAll(.wakeUp) == 1)
            #expect(throws: CoroError.wakeUp) { try told.join() }
            // Interrupted while another has it: it is locked again first.
            let other = try start(wait)
            let owner = try start { try mutex.withLock { _ in try Coroutine.sleep(for: .seconds(1)) } }
            let before = EventLoop.now
            try other.any.interrupt()
            #expect(throws: CoroError.interrupted) { try other.join() }
            #expect(EventLoop.now - before == .seconds(1))
            try owner.join()
            #expect(throws: Odd(number: 0)) {
                try mutex.withLock(waitingFor: condition, until: { throw Odd(number: $0) }) { _ in }
            }
            #expect(!mutex.isLocked && condition.waiting == 0)
            #expect(try mutex.withLock { $0 } == 0)
        }
    }

    @Test func I5_a_wait_that_can_not_lock_it_again_has_not_got_it() throws {
        try inCoroutine { () throws in
            let mutex = try CoroutineMutex(0)
            let condition = try Condition<Void>()
            var waiter: Coroutine<Void, any Error>?
            waiter = try start { try mutex.withLock(waitingFor: condition, until: { $0 == 1 }) { $0 = 2 } }
            let owner = try start {
                try mutex.withLock { value in
                    condition.wakeAll()
                    // The one who was woken would wait for this one, which waits for its end: it gives up, with that.
                    #expect(throws: CoroError.system(errno: EDEADLK)) { try waiter?.join() }
                    value = 3
                }
            }
            try owner.join()
            #expect(!mutex.isLocked)
            #expect(try mutex.withLock { $0 } == 3)
            waiter = nil
        }
    }

    @Test func I3_values_need_not_be_copyable_and_are_released() throws {
        struct Handle: ~Copyable {
            let counter: Counter
            deinit { counter.calls += 1 }
        }
        try inCoroutine { () throws in
            let counter = Counter()
            do {
                let mutex = try CoroutineMutex(Handle(counter: counter))
                try mutex.withLock { $0 = Handle(counter: counter) }
                #expect(counter.calls == 1)
                let lock = try ReadWriteLock(Handle(counter: counter))
                try lock.withReadLock { #expect($0.counter === counter) }
            }
            #expect(counter.calls == 3)
        }
    }
}

@Suite struct ReadWriteLockTests {
    @Test func I4_many_read_or_one_writes() throws {
        try inCoroutine { () throws in
            let lock = try ReadWriteLock(1)
            var reading = 0, most = 0
            let readers = try (0..<3).map { _ in
                try start {
                    try lock.withReadLock { value in
                        reading += 1
                        most = max(most, reading)
                        try Coroutine.sleep(for: .seconds(1))
                        reading -= 1
                        return value
                    }
                }
            }
            let writer = try start {
                try lock.withWriteLock { value in
                    #expect(reading == 0)
                    try Coroutine.sleep(for: .seconds(1))
                    value = 2
                }
            }
            let late = try start { try lock.withReadLock { $0 } }
            #expect(lock.waiting == 2)
            #expect(try lock.withReadLockIfAvailable { $0 } == nil, "a writer waits")
            #expect(try lock.withWriteLockIfAvailable { $0 } == nil)
            #expect(try readers.map { try $0.join() } == [1, 1, 1])
            try writer.join()
            #expect(try late.join() == 2)
            #expect(most == 3)
            #expect(try lock.withReadLockIfAvailable { $0 } == 2)
            #expect(try lock.withWriteLockIfAvailable { value in value += 1; return value } == 3)
        }
    }

    @Test func I4_a_value_is_not_read_and_changed_at_once() throws {
        try inCoroutine { () throws in
            let lock = try ReadWriteLock(1)
            let deadlock = CoroError.system(errno: EDEADLK)
            try lock.withReadLock { _ throws in
                #expect(try lock.withReadLock { $0 } == 1, "but read twice")
                #expect(throws: deadlock) { try lock.withWriteLock { $0 = 2 } }
                #expect(throws: deadlock) { try lock.withWriteLockIfAvailable { $0 = 2 } }
            }
            try lock.withWriteLock { _ throws in
                #expect(throws: deadlock) { try lock.withReadLock { _ in } }
                #expect(throws: deadlock) { try lock.withReadLockIfAvailable { _ in } }
                #expect(throws: deadlock) { try lock.withWriteLock { $0 = 2 } }
            }
            // Nobody has it any more.
            #expect(try start { try lock.withWriteLockIfAvailable { $0 } }.join() == 1)
        }
    }

    @Test func I4_unlocked_whatever_happens() throws {
        try inCoroutine { () throws in
            let lock = try ReadWriteLock(1)
            #expect(throws: Odd(number: 1)) { try lock.withReadLock { throw Odd(number: $0) } }
            #expect(throws: Odd(number: 1)) { try lock.withWriteLock { throw Odd(number: $0) } }
            let reader = try start { try lock.withReadLock { _ in try sleepLong() } }
            let writer = try start { try lock.withWriteLock { _ in } }
            let late = try start { try lock.withReadLock { $0 } }
            try writer.any.raise(.wakeUp)
            #expect(throws: CoroError.wakeUp) { try writer.join() }
            #expect(try late.join() == 1, "who waited behind a writer that has gone")
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.seconds(1)) { try lock.withWriteLock { $0 = 2 } }
            }
            try reader.shutdown()
            _ = error { try reader.join() }
            #expect(try lock.withWriteLockIfAvailable { $0 } == 1)
        }
    }
}

@Suite struct KeyedLocksTests {
    @Test func I10_by_key() throws {
        try inCoroutine { () throws in
            let locks = try KeyedLocks<String>()
            var log = [String]()
            func use(_ key: String, _ name: String) throws {
                try locks.withLock(key) {
                    log.append(name)
                    try Coroutine.sleep(for: .seconds(1))
                }
            }
            let first = try start { try use("a", "first") }
            let second = try start { try use("a", "second") }
            let third = try start { try use("b", "third") }
            #expect(locks.count == 2 && locks.waiting == 1)
            #expect(log == ["first", "third"])
            #expect(try locks.withLockIfAvailable("a") {} == nil)
            #expect(try locks.withLockIfAvailable("c") { locks.count } == 3)
            for user in [first, second, third] { try user.join() }
            #expect(log == ["first", "third", "second"])
            #expect(locks.count == 0)
        }
    }

    @Test func I10_the_owner_may_lock_again() throws {
        try inCoroutine { () throws in
            let locks = try KeyedLocks<Int>()
            try locks.withLock(1) { () throws in
                try locks.withLocks([1, 2, 1]) { () throws in #expect(try locks.withLockIfAvailable(2) { true } == true) }
                #expect(locks.count == 1)
                let other = try start { try locks.withLockIfAvailable(1) {} }
                #expect(try other.join() == nil)
            }
            #expect(try locks.withLocks([]) { 7 } == 7)
            #expect(locks.count == 0)
        }
    }

    @Test func I10_keys_of_one_hash_are_different_keys() throws {
        struct Key: Hashable {
            let number: Int
            func hash(into hasher: inout Hasher) {}
        }
        try inCoroutine { () throws in
            let locks = try KeyedLocks<Key>()
            try locks.withLock(Key(number: 1)) { () throws in
                let other = try start { try locks.withLockIfAvailable(Key(number: 2)) { true } }
                #expect(try other.join() == true)
            }
        }
    }

    @Test func I10_several_at_once_without_deadlock() throws {
        try inCoroutine { () throws in
            let locks = try KeyedLocks<String>()
            let users = try [["a", "b"], ["b", "a"], ["b"], ["a"]].map { keys in
                try start {
                    try locks.withLocks(keys) { try Coroutine.sleep(for: .seconds(1)) }
                }
            }
            for user in users { try user.join() }
            // One by one they may meet; that is found out.
            let first = try start {
                try locks.withLock("a") {
                    try Coroutine.yield()
                    try locks.withLock("b") {}
                }
            }
            let second = try start {
                try locks.withLock("b") {
                    try Coroutine.yield()
                    try locks.withLock("a") {}
                }
            }
            try first.join()
            #expect(throws: CoroError.system(errno: EDEADLK)) { try second.join() }
            #expect(locks.count == 0)
        }
    }

    @Test func I10_who_gives_up_leaves_nothing() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            final class Key: Hashable {
                let token: Counter.Token
                init(_ token: Counter.Token) { self.token = token }
                static func == (a: Key, b: Key) -> Bool { a === b }
                func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
            }
            let locks = try KeyedLocks<Key>()
            do {
                let key = Key(counter.token())
                let owner = try start { try locks.withLock(key) { try sleepLong() } }
                #expect(throws: CoroError.timeout) {
                    try Coroutine.withTimeout(.seconds(1)) { try locks.withLocks([key, Key(counter.token())]) {} }
                }
                #expect(locks.count == 1)
                try owner.shutdown()
                _ = error { try owner.join() }
                #expect(throws: Odd(number: 1)) { try locks.withLocks([key]) { throw Odd(number: 1) } }
            }
            #expect(locks.count == 0 && counter.alive == 0)
        }
    }
}
