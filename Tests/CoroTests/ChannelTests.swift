import CCoro
import Coro
import Glibc
import Testing

/// A value that can't be copied, and is counted.
private struct Parcel: ~Copyable {
    let number: Int
    let counter: Counter

    init(_ number: Int, _ counter: Counter) {
        self.number = number
        self.counter = counter
        counter.calls += 1
    }

    deinit { counter.calls -= 1 }
}

@Suite struct ChannelTests {
    @Test func I11_hands_over_in_order() throws {
        try inCoroutine { () throws in
            for capacity in [0, 1, 3] {
                let channel = try Channel<String>(capacity: capacity)
                let sender = try Coroutine.spawn { () throws(CoroError) in
                    for number in 0..<10 { try channel.send("number \(number)") }
                    channel.close()
                }
                var received = [String]()
                while let text = try channel.next() { received.append(text) }
                #expect(received == (0..<10).map { "number \($0)" })
                #expect(throws: CoroError.closed) { try channel.receive() }
                #expect(throws: CoroError.closed) { try channel.send("late") }
                #expect(throws: CoroError.closed) { try channel.trySend("late") }
                #expect(throws: CoroError.closed) { try channel.tryReceive() }
                #expect(channel.isClosed && channel.capacity == capacity)
                try sender.join()
            }
        }
    }

    @Test func I11_who_waits_is_served_first_come_first_served() throws {
        try inCoroutine { () throws in
            let channel = try Channel<Int>()
            var log = [String]()
            let receivers = try "abc".map { name in
                try start { log.append("\(name)\(try channel.receive())") }
            }
            #expect(channel.receivers == 3)
            for number in 1...3 { try channel.send(number) }
            for receiver in receivers { try receiver.join() }
            let senders = try (4...6).map { number in try start { try channel.send(number) } }
            #expect(channel.senders == 3 && channel.count == 0)
            for number in 4...6 { #expect(try channel.receive() == number) }
            for sender in senders { try sender.join() }
            #expect(log == ["a1", "b2", "c3"])
        }
    }

    @Test func I11_without_waiting() throws {
        try inCoroutine { () throws in
            let channel = try Channel<Int?>(capacity: 1)
            #expect(try channel.tryReceive() == .none)
            #expect(try channel.trySend(nil))
            #expect(channel.count == 1)
            #expect(try !channel.trySend(7))
            #expect(try channel.tryReceive() == .some(nil))
            #expect(throws: CoroError.system(errno: EINVAL)) { try Channel<Int>(capacity: -1) }
        }
    }

    @Test func I11_closing_ends_all_who_wait() throws {
        try inCoroutine { () throws in
            let channel = try Channel<Int>(capacity: 1)
            try channel.send(1)
            let sender = try start { try channel.send(2) }
            channel.close()
            #expect(throws: CoroError.closed) { try sender.join() }
            #expect(try channel.next() == 1)
            #expect(try channel.next() == nil)
            let other = try Channel<Int>()
            let receivers = try (0..<2).map { _ in try start { try other.next() } }
            other.close()
            other.close()
            for receiver in receivers { #expect(try receiver.join() == nil) }
        }
    }

    @Test func I11_interrupted_waits_take_nothing() throws {
        try inCoroutine { () throws in
            let channel = try Channel<Int>()
            let waits: [() throws -> Void] = [
                { try channel.send(1) }, { _ = try channel.receive() }, { _ = try channel.next() },
            ]
            for wait in waits {
                #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try wait() } }
                let waiting = try start(wait)
                try waiting.any.raise(.wakeUp)
                #expect(throws: CoroError.wakeUp) { try waiting.join() }
                let ended = try start(wait)
                try ended.shutdown()
                #expect(throws: CoroError.shutdown) { try ended.join() }
                #expect(channel.senders == 0 && channel.receivers == 0)
            }
        }
    }

    @Test func I11_what_has_changed_hands_counts() throws {
        try inCoroutine { () throws in
            let channel = try Channel<Int>()
            var next: (any Error)?
            let receiver = try start {
                let number = try channel.receive()
                next = error { try sleepLong() }
                return number
            }
            try channel.send(1)
            try receiver.any.raise(.wakeUp)
            #expect(try receiver.join() == 1)
            #expect(next as? CoroError == .wakeUp)
        }
    }

    @Test func I11_a_loop_over_what_comes() throws {
        try inCoroutine { () throws in
            let channel = try Channel<Int>()
            let sum = try start {
                var sum = 0
                for number in channel.results { sum += try number.get() }
                return sum
            }
            let rest = try start { try channel.results.map { try $0.get() } }
            var taken = [Int]()
            let other = try start { try channel.forEach { taken.append($0) } }
            for number in 1...9 { try channel.send(number) }
            channel.close()
            #expect(try sum.join() + rest.join().reduce(0, +) + taken.reduce(0, +) == 45)
            try other.join()
            #expect(!taken.isEmpty)
        }
    }

    @Test func I11_a_loop_that_is_interrupted_gets_the_error_as_its_last() throws {
        try inCoroutine { () throws in
            let channel = try Channel<Int>()
            let loop = try start { channel.results.map { $0 } }
            try channel.send(1)
            try Coroutine.yield()
            try loop.any.interrupt()
            #expect(try loop.join() == [.success(1), .failure(.interrupted)])
            let each = try start { try channel.forEach { if $0 == 2 { throw Odd(number: $0) } } }
            for number in 1...2 { try channel.send(number) }
            #expect(throws: Odd(number: 2)) { try each.join() }
        }
    }

    @Test func I11_values_are_released_once() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            do {
                let channel = try Channel<Counter.Token>(capacity: 2)
                try channel.send(counter.token())
                try channel.send(counter.token())
                #expect(counter.alive == 2)
                #expect(try !channel.trySend(counter.token()))
                #expect(counter.alive == 2, "what was not sent")
                #expect(throws: CoroError.timeout) {
                    try Coroutine.withTimeout(.seconds(1)) { try channel.send(counter.token()) }
                }
                #expect(counter.alive == 2, "who gave up")
                let sender = try start { try channel.send(counter.token()) }
                #expect(counter.alive == 3)
                _ = try channel.receive()
                try sender.join()
                #expect(counter.alive == 2, "received, and dropped")
                let closed = try start { try channel.send(counter.token()) }
                channel.close()
                #expect(throws: CoroError.closed) { try closed.join() }
                #expect(throws: CoroError.closed) { try channel.send(counter.token()) }
                #expect(counter.alive == 2, "closed, but to be received")
            }
            #expect(counter.alive == 0, "nobody will receive them")
        }
    }

    @Test func I11_values_need_not_be_copyable() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            do {
                let channel = try Channel<Parcel>(capacity: 1)
                let sender = try start {
                    for number in 1...4 { try channel.send(Parcel(number, counter)) }
                }
                let first = try channel.receive()
                #expect(first.number == 1)
                let second = try channel.next()!
                #expect(second.number == 2 && counter.calls == 2, "the sender has not gone on yet")
                try sender.any.raise(.wakeUp)
                #expect(throws: CoroError.wakeUp) { try sender.join() }
            }
            #expect(counter.calls == 0)
        }
    }

    @Test func I11_facts_without_bytes() throws {
        try inCoroutine { () throws in
            let channel = try Channel<Void>(capacity: 1)
            #expect(try channel.trySend())
            let sender = try start { try channel.send() }
            try channel.receive()
            try channel.receive()
            try sender.join()
        }
    }

    @Test func I11_large_values_and_many_of_them() throws {
        struct Large: Equatable {
            var numbers: (Int, Int, Int, Int, Int, Int, Int, Int, Int)
            var text: String

            init(_ number: Int) {
                numbers = (number, number, number, number, number, number, number, number, number)
                text = String(repeating: "x", count: number % 40)
            }

            static func == (a: Large, b: Large) -> Bool { a.numbers.0 == b.numbers.8 && a.text == b.text }
        }
        try inCoroutine { () throws in
            let channel = try Channel<Large>(capacity: 7)
            let sender = try start { for number in 0..<1000 { try channel.send(Large(number)) } }
            for number in 0..<1000 { #expect(try channel.receive() == Large(number)) }
            try sender.join()
        }
    }
}
