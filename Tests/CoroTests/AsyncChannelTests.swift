import CCoro
import Coro
import Testing

/// Channels for async code, and asynchronous sequences for coroutines.
@Suite struct AsyncChannelTests {
    @Test func L4_async_code_receives_what_coroutines_send() async throws {
        let thread = try LoopThread()
        let numbers = try await thread.run {
            let channel = try Channel<Int>(capacity: 2)
            _ = try Coroutine.spawn {
                for number in 0..<100 { try channel.send(number) }
                channel.close()
            }
            return try channel.async
        }
        var received = [Int]()
        for try await number in numbers { received.append(number) }
        #expect(received == Array(0..<100))
        #expect(try await numbers.next() == nil, "at the end it stays")
        await thread.stop()
        await #expect(throws: CoroError.dead) { try await numbers.next() }
    }

    @Test func L4_coroutines_receive_what_async_code_sends() async throws {
        let thread = try LoopThread()
        let sum = Promise<Int, any Error>()
        let numbers = try await thread.run {
            let channel = try Channel<Int>()
            _ = try Coroutine.spawn {
                sum.complete(with: Result {
                    var sum = 0
                    while let number = try channel.next() { sum += number }
                    return sum
                })
            }
            return try channel.async
        }
        try await withThrowingTaskGroup { group in
            for number in 0..<100 { group.addTask { try await numbers.send(number) } }
            try await group.waitForAll()
        }
        numbers.close()
        #expect(try await sum.value == 4950)
        await #expect(throws: CoroError.closed) { try await numbers.send(1) }
        await thread.stop()
    }

    @Test func L4_who_sends_waits_for_room() async throws {
        let thread = try LoopThread()
        let channel = try await thread.run { try Channel<Int>(capacity: 1).async }
        try await channel.send(1)
        let second = Task { try await channel.send(2) }
        #expect(try await channel.next() == 1)
        try await second.value
        #expect(try await channel.next() == 2)
        await thread.stop()
    }

    @Test func L4_cancelled_tasks_leave_the_channel_alone() async throws {
        let thread = try LoopThread()
        let channel = try await thread.run { try Channel<Int>().async }
        let receiving = Task { try await channel.next() }
        while try await thread.run({ AnyCoroutine.all.count }) < 2 { await Task.yield() }
        receiving.cancel()
        await #expect(throws: CancellationError.self) { try await receiving.value }
        let sending = Task { try await channel.send(1) }
        while try await thread.run({ AnyCoroutine.all.count }) < 2 { await Task.yield() }
        sending.cancel()
        await #expect(throws: CancellationError.self) { try await sending.value }
        // Nothing is left of either.
        async let sent: Void = channel.send(7)
        #expect(try await channel.next() == 7)
        try await sent
        await thread.stop()
    }

    @Test func L4_what_channels_hold_is_released_on_their_thread() async throws {
        let thread = try LoopThread()
        let alive = Shared(0)
        do {
            let channel = try await thread.run { try Channel<Tracked>(capacity: 3).async }
            for _ in 0..<3 { try await channel.send(Tracked(alive)) }
            _ = try await channel.next()
            #expect(alive.value == 2)
        }
        // The last who had the channel was elsewhere.
        while alive.value > 0 { try await thread.run {} }
        await thread.stop()
    }

    @Test func L4_coroutines_read_an_asynchronous_sequence() async throws {
        try await onLoopThread {
            let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
            let numbers = stream.map { $0 * 2 }.inCoroutine()
            let sender = try start {
                for number in 0..<100 {
                    continuation.yield(number)
                    try Coroutine.yield()
                }
                continuation.finish()
            }
            var received = [Int]()
            try numbers.forEach { received.append($0) }
            #expect(received == Array(stride(from: 0, to: 200, by: 2)))
            #expect(try numbers.next() == nil)
            try sender.join()
        }
    }

    @Test func L4_errors_of_an_asynchronous_sequence() async throws {
        try await onLoopThread {
            let (stream, continuation) = AsyncThrowingStream.makeStream(of: Int.self)
            let numbers = stream.inCoroutine()
            continuation.yield(1)
            continuation.finish(throwing: Odd(number: 3))
            let first = try numbers.next()
            #expect(first == 1)
            #expect(throws: Odd(number: 3)) { try numbers.next() }
            #expect(try numbers.next() == nil)
        }
    }

    @Test func L4_a_sequence_is_asked_by_one_at_a_time() async throws {
        try await onLoopThread {
            let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
            let numbers = stream.inCoroutine()
            let first = try start { try numbers.next() }
            #expect(throws: CoroError.simultaneous) { try numbers.next() }
            continuation.yield(1)
            #expect(try first.join() == 1)
            let last = try start { try numbers.next() }
            try Coroutine.sleep(for: .milliseconds(1))
            try last.shutdown()
            #expect(throws: CoroError.shutdown) { try last.join() }
            #expect(try numbers.next() == nil, "such a stream ends when it is cancelled")
        }
    }

    @Test func L4_an_element_is_not_lost_with_who_asked_for_it() async throws {
        try await onLoopThread {
            let gate = Promise<Int, Never>()
            let numbers = Stubborn(gate: gate).inCoroutine()
            let first = try start { try numbers.next() }
            try Coroutine.sleep(for: .milliseconds(1))
            try first.shutdown()
            try Coroutine.sleep(for: .milliseconds(1))
            gate.succeed(7)
            #expect(throws: CoroError.shutdown) { try first.join() }
            #expect(try numbers.next() == 7)
            #expect(try numbers.next() == nil)
        }
    }
}

/// A sequence of one element, which comes whether or not the task is cancelled.
private struct Stubborn: AsyncSequence, AsyncIteratorProtocol {
    let gate: Promise<Int, Never>
    var isDone = false

    func makeAsyncIterator() -> Stubborn { self }

    mutating func next() async throws -> Int? {
        if isDone { return nil }
        isDone = true
        return try await Task { [gate] in try await gate.value }.value
    }
}
