import Coro
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// Runs `body` in a coroutine, with a thread of SwiftNIO's, until nothing is left that could run.
func withSwiftNIO(_ body: @escaping (any NIOCore.EventLoop) throws -> Void) throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    defer { try? group.syncShutdownGracefully() }
    let test = try Coroutine.spawn(name: "test") { try body(group.any()) }
    try Coro.EventLoop.runUntilIdle()
    try #require(!test.isAlive, "the test waits for ever")
    try test.join()
    #expect(AnyCoroutine.all.isEmpty, "coroutines are left")
}

struct Odd: Error, Equatable {
    var number: Int
}

/// Counts how many of its tokens are alive, on whatever thread they end.
final class Counter: Sendable {
    private let count = Atomic(0)

    var alive: Int { count.load(ordering: .sequentiallyConsistent) }

    final class Token: Sendable {
        private let counter: Counter

        fileprivate init(_ counter: Counter) {
            self.counter = counter
            counter.count.add(1, ordering: .sequentiallyConsistent)
        }

        deinit { counter.count.subtract(1, ordering: .sequentiallyConsistent) }
    }

    func token() -> Token { Token(self) }
}
