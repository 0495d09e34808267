import CCoro
import Coro
import Testing

/// An error that is none of libcoro's.
struct Odd: Error, Equatable {
    var number: Int
}

/// Counts how many of its tokens are alive, and whatever else a test counts.
final class Counter {
    private(set) var alive = 0
    var calls = 0

    final class Token {
        private let counter: Counter

        fileprivate init(_ counter: Counter) {
            self.counter = counter
            counter.alive += 1
        }

        deinit { counter.alive -= 1 }
    }

    func token() -> Token { Token(self) }
}

/// Runs `body` in a coroutine, on virtual time, until nothing is left that could run. No coroutine may be left behind. Failures
/// are told to nobody but whom the test has named.
func inCoroutine(_ body: @escaping () throws -> Void, _ location: SourceLocation = #_sourceLocation) throws {
    coro_test_set_virtual_time(true)
    defer { coro_test_set_virtual_time(false) }
    let notifier = coro_set_exception_notifier { _, _, _ in 0 }
    if notifier != nil { coro_set_exception_notifier(notifier) }
    defer { coro_set_exception_notifier(notifier) }
    func run() throws {
        let test = try Coroutine.spawn(name: "test", body)
        try EventLoop.runUntilIdle()
        try #require(!test.isAlive, "the test waits for ever", sourceLocation: location)
        try test.join()
    }
    try run()
    #expect(coro_get_live_coros() == 0, "coroutines are left", sourceLocation: location)
}

/// The error that `body` throws; nil if it returns.
func error<Value>(of body: () throws -> Value) -> (any Error)? {
    do {
        _ = try body()
        return nil
    } catch {
        return error
    }
}

/// A coroutine that runs `body` to its first suspension.
func start<Value>(_ body: @escaping () throws -> Value) throws -> Coroutine<Value> {
    try Coroutine.spawn(start: .now, body)
}

/// Sleeps for so long that only an interruption ends it.
func sleepLong() throws(CoroError) {
    try Coroutine.sleep(for: .seconds(1_000_000))
}
