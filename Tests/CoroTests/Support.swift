import CCoro
import Coro
import Glibc
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
func inCoroutine(
    onVirtualTime: Bool = true, _ body: @escaping () throws -> Void, _ location: SourceLocation = #_sourceLocation
) throws {
    coro_test_set_virtual_time(onVirtualTime)
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
func start<Value>(_ body: @escaping () throws -> Value) throws -> Coroutine<Value, any Error> {
    try Coroutine.spawn(start: .now, body)
}

/// Sleeps for so long that only an interruption ends it.
func sleepLong() throws(CoroError) {
    try Coroutine.sleep(for: .seconds(1_000_000))
}

/// Runs `body` with a signal let through to this thread: those that tests run on block signals.
func letting<Value>(_ signum: Int32, _ body: () throws -> Value) rethrows -> Value {
    try withMask(SIG_UNBLOCK, signum, body)
}

/// Runs `body` with a signal blocked, or not, by this thread.
func withMask<Value>(_ how: Int32, _ signum: Int32, _ body: () throws -> Value) rethrows -> Value {
    var signals = sigset_t(), blocked = sigset_t()
    sigaddset(&signals, signum)
    pthread_sigmask(how, &signals, &blocked)
    defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
    return try body()
}

/// Runs `body` in a coroutine that starts programs: they inherit which signals are blocked.
func withPrograms(
    onVirtualTime: Bool = true, _ body: @escaping () throws -> Void, _ location: SourceLocation = #_sourceLocation
) throws {
    try letting(SIGTERM) { try inCoroutine(onVirtualTime: onVirtualTime, body, location) }
}

/// A pipe, closed when it is dropped.
final class Pipe {
    let input: Int32
    private(set) var output: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        try checked(coro_pipe(&ends, O_CLOEXEC))
        (input, output) = (ends[0], ends[1])
    }

    deinit {
        _ = coro_close(input)
        closeOutput()
    }

    /// So that it ends when nobody else has it.
    func closeOutput() {
        if output >= 0 { _ = coro_close(output) }
        output = -1
    }

    func readLine() throws -> String { try line(from: input) }
}

/// Waits for a line, and returns it without its end; "" at the end of it all.
func line(from descriptor: Int32) throws -> String {
    var bytes = [UInt8](), byte: UInt8 = 0
    while try checked(coro_read(descriptor, &byte, 1)) == 1, byte != UInt8(ascii: "\n") { bytes.append(byte) }
    return String(decoding: bytes, as: UTF8.self)
}

/// Runs `body` on a thread of its own, to its end. What it expects it returns: tests know nothing of that thread.
func onThread<Success>(_ body: () throws -> Success) throws -> Success {
    var result: Result<Success, any Error>?
    try withoutActuallyEscaping({ result = Result(catching: body) }) { run in
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(ThreadBody(run: run)).toOpaque())
        try #require(error == 0)
        pthread_join(thread, nil)
    }
    return try #require(result).get()
}

private final class ThreadBody {
    let run: () -> Void

    init(run: @escaping () -> Void) {
        self.run = run
    }
}

/// Whether a descriptor of this number is open, in all of the process.
func isOpen(_ descriptor: Int32) -> Bool { fcntl(descriptor, F_GETFD) >= 0 }

extension Collection<UInt8> {
    var text: String { String(decoding: self, as: UTF8.self) }
}
