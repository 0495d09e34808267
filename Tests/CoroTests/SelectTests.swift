import CCoro
import Coro
import Glibc
import Testing

@Suite struct SelectTests {
    @Test func I12_the_first_of_several() throws {
        try inCoroutine { () throws in
            let texts = try Channel<String>(), numbers = try Channel<Int>()
            func next() throws -> String {
                try Coroutine.select(
                    .receive(from: texts) { "received \($0)" }, .send(7, to: numbers) { "sent" }, .never,
                    timeout: .seconds(1))
            }
            let sender = try start { try texts.send("text") }
            #expect(try next() == "received text")
            let receiver = try start { try numbers.receive() }
            #expect(try next() == "sent")
            #expect(try receiver.join() == 7)
            let before = EventLoop.now
            #expect(throws: CoroError.timeout) { try next() }
            #expect(EventLoop.now - before == .seconds(1))
            // While it waits it has its place on both.
            let waiting = try start { try next() }
            #expect(texts.receivers == 1 && numbers.senders == 1)
            try texts.send("late")
            #expect(try waiting.join() == "received late")
            #expect(texts.receivers == 0 && numbers.senders == 0)
            try sender.join()
        }
    }

    @Test func I12_only_what_can_happen_now() throws {
        try inCoroutine { () throws in
            let channel = try Channel<Int>(capacity: 1)
            let receive = SelectCase<Int>.receive(from: channel) { $0 }
            #expect(try Coroutine.trySelect(receive) == nil)
            try channel.send(5)
            #expect(try Coroutine.trySelect(receive) == 5)
            #expect(try Coroutine.trySelect(receive) == nil, "the case can be used again")
            #expect(try Coroutine.trySelect([SelectCase<Int>]()) == nil)
            #expect(throws: Odd(number: 1)) {
                try Coroutine.trySelect(.send(1, to: channel) { throw Odd(number: 1) })
            }
            #expect(channel.count == 1, "it was sent, before its closure threw")
        }
    }

    @Test func I12_closed_channels() throws {
        try inCoroutine { () throws in
            let channel = try Channel<Int>(capacity: 1)
            try channel.send(1)
            channel.close()
            let next = SelectCase<Int?>.next(of: channel) { $0 }
            #expect(try Coroutine.select([next]) == 1)
            #expect(try Coroutine.select([next]) == .some(nil))
            #expect(throws: CoroError.closed) { try Coroutine.select(.receive(from: channel) { $0 }) }
            #expect(throws: CoroError.closed) { try Coroutine.select(.send(2, to: channel) {}) }
        }
    }

    @Test func I12_every_kind_of_thing() throws {
        try inCoroutine(onVirtualTime: false) { () throws in
            let queue = try Queue<String>(), event = try Event<String>(), pipe = try Pipe()
            let coroutine = try Coroutine.spawn { () throws(Odd) in
                do { try Coroutine.park() } catch {}
                return "joined"
            }
            let failing = try start { () throws -> String in
                try Coroutine.park()
                throw Odd(number: 1)
            }
            let plain = try start { try Coroutine.park() }
            try Coroutine.yield()
            let cases: [SelectCase<String>] = [
                .pop(from: queue) { $0 }, .event(event) { $0 }, .readable(pipe.input) { try pipe.readLine() },
                .join(coroutine) { $0 }, .join(failing) { $0 }, .end(of: plain.any) { "ended" },
            ]
            func next() throws -> String? { try Coroutine.trySelect(cases) }
            #expect(try next() == nil)
            try queue.push("popped")
            #expect(try Coroutine.select(cases) == "popped")
            try event.set("event")
            #expect(try Coroutine.select(cases) == "event")
            try event.reset()
            _ = coro_write(pipe.output, "line\n", 5)
            #expect(try Coroutine.select(cases) == "line")
            #expect(try next() == nil)
            let waiting = try start { try Coroutine.select(cases) }
            try coroutine.any.schedule()
            #expect(try waiting.join() == "joined")
            #expect(try Coroutine.select(cases[3], timeout: .zero) == "joined", "as often as one likes")
            try failing.any.schedule()
            #expect(throws: Odd(number: 1)) { try Coroutine.select(cases[4]) }
            try plain.any.schedule()
            #expect(try Coroutine.select(cases[5]) == "ended")
            #expect(try Coroutine.select(.writable(pipe.output) { "room" }) == "room")
            try plain.join()
        }
    }

    @Test func I12_a_child_process() throws {
        try withPrograms(onVirtualTime: false) { () throws in
            let child = try ChildProcess.start(["true"])
            #expect(try Coroutine.select(.exit(of: child.pid) { try child.wait() }).isSuccess)
        }
    }

    @Test func I12_the_value_of_an_event_is_that_of_its_time() throws {
        try inCoroutine { () throws in
            let event = try Event<Int>()
            let waiting = try start { try Coroutine.select(.event(event) { $0 }) }
            try event.set(1)
            try event.reset()
            try event.set(2)
            #expect(try waiting.join() == 1)
        }
    }

    @Test func I12_interruptions() throws {
        try inCoroutine { () throws in
            let channel = try Channel<Int>()
            let waiting = try start { try Coroutine.select(.receive(from: channel) { $0 }) }
            try waiting.any.raise(.wakeUp)
            #expect(throws: CoroError.wakeUp) { try waiting.join() }
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.seconds(1)) { try Coroutine.select(.receive(from: channel) { $0 }) }
            }
            #expect(channel.receivers == 0)
            // What has changed hands counts.
            let given = try start { try Coroutine.select(.receive(from: channel) { $0 }) }
            try channel.send(3)
            try given.any.raise(.wakeUp)
            #expect(try given.join() == 3)
        }
    }

    @Test func I12_values_are_released_once() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            do {
                let one = try Channel<Counter.Token>(), other = try Channel<Counter.Token>(capacity: 1)
                let event = try Event<Counter.Token>()
                func cases() -> [SelectCase<Void>] {
                    [.send(counter.token(), to: one) {}, .event(event) { _ in }, .receive(from: other) { _ in }]
                }
                #expect(throws: CoroError.timeout) { try Coroutine.select(cases(), timeout: .seconds(1)) }
                #expect(counter.alive == 0, "nothing was sent")
                let waiting = try start { try Coroutine.select(cases()) }
                #expect(counter.alive == 1)
                try other.send(counter.token())
                try waiting.join()
                #expect(counter.alive == 0, "another case was chosen")
                let again = try start { try Coroutine.select(cases()) }
                let received = try one.receive()
                try again.join()
                #expect(counter.alive == 1, "the one that was sent")
                withExtendedLifetime(received) {}
                let refused = try start { try Coroutine.select(cases()) }
                one.close()
                #expect(throws: CoroError.closed) { try refused.join() }
                let interrupted = try start { try Coroutine.select(Array(cases().dropFirst())) }
                try interrupted.shutdown()
                #expect(throws: CoroError.shutdown) { try interrupted.join() }
                try event.set(counter.token())
                try Coroutine.select(Array(cases().dropFirst()))
                try other.send(counter.token())
            }
            #expect(counter.alive == 0)
        }
    }

    @Test func I12_each_is_drawn_as_likely() throws {
        try inCoroutine { () throws in
            let channels = try (0..<2).map { _ in try Channel<Int>(capacity: 100) }
            for number in 0..<100 { for channel in channels { try channel.send(number) } }
            var chosen = [0, 0]
            for _ in 0..<100 {
                let cases = channels.indices.map { index in
                    SelectCase.receive(from: channels[index]) { _ in index }
                }
                chosen[try Coroutine.select(cases)] += 1
            }
            #expect(chosen[0] > 10 && chosen[1] > 10)
        }
    }
}
