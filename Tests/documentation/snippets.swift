import CCoro
import Coro
import Glibc
import Synchronization

// Runs every snippet of the documentation, and looks at what it prints.

/// A snippet, and what is said of it.
struct Snippet: Sendable {
    enum Body: Sendable {
        /// With no coroutine left at its end.
        case inCoroutine(onVirtualTime: Bool, @Sendable () throws -> Void)
        /// On the main thread's own stack.
        case ownStack(@Sendable () throws -> Void)
        /// While the main thread's loop runs.
        case async(@Sendable () async throws -> Void)
    }

    let place: String
    /// Lines that are printed, in this order, with others around them.
    let printed: [String]
    /// All that is printed, if that is known.
    let output: String?
    let body: Body

    init(_ place: String, _ printed: [String], _ output: String?, _ body: Body) {
        (self.place, self.printed, self.output, self.body) = (place, printed, output, body)
    }

    /// Runs it; returns what is wrong.
    func run() -> String? {
        Printed.text.withLock { $0 = "" }
        do {
            switch body {
            case .inCoroutine(let onVirtualTime, let body): try runInCoroutine(onVirtualTime, body)
            case .ownStack(let body): try body()
            case .async(let body): try runAsync(body)
            }
        } catch {
            return "it throws \(error)"
        }
        let lines = Printed.text.withLock { $0 }.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        if let output, output != lines.joined(separator: "\n") { return "it prints\n\(lines.joined(separator: "\n"))" }
        var rest = lines[...]
        for line in printed {
            guard let index = rest.firstIndex(of: line[...]) else {
                return "it does not print '\(line)' but\n\(rest.joined(separator: "\n"))"
            }
            rest = rest[(index + 1)...]
        }
        return nil
    }
}

/// What the running snippet has printed. (By itself, so that snippets may have names of their own.)
enum Printed {
    static let text = Synchronization.Mutex("")
}

/// Instead of the standard library's.
func print(_ items: Any..., separator: String = " ", terminator: String = "\n") {
    let text = items.map { "\($0)" }.joined(separator: separator)
    Printed.text.withLock { $0 += text + terminator }
}

struct CoroutinesAreLeft: Error {}

func runInCoroutine(_ onVirtualTime: Bool, _ body: @escaping () throws -> Void) throws {
    coro_test_set_virtual_time(onVirtualTime)
    defer { coro_test_set_virtual_time(false) }
    func run() throws {
        let coroutine = try Coroutine.spawn(name: "snippet", body)
        try EventLoop.runUntilIdle(detectingDeadlock: true)
        try coroutine.join()
    }
    try run()
    if coro_get_live_coros() != 0 { throw CoroutinesAreLeft() }
}

func runAsync(_ body: @escaping @Sendable () async throws -> Void) throws {
    let loop = coro_loop_current()
    let failure = Failure()
    Task.detached {
        do { try await body() } catch { failure.error.withLock { $0 = error } }
        _ = coro_post_callback(loop, { _ in coro_set_exit(0) }, nil)
    }
    _ = try EventLoop.run()
    if let error = failure.error.withLock({ $0 }) { throw error }
}

/// What a task has thrown.
final class Failure: Sendable {
    let error = Synchronization.Mutex<(any Error)?>(nil)
}

@main struct Snippets {
    static func main() {
        EventLoop.setPrintsExitString(false)
        var failures = 0
        for snippet in snippets where !notRun.contains(String(snippet.place.prefix { $0 != ":" })) {
            guard let failure = snippet.run() else { continue }
            EventLoop.printToStandardError("\(snippet.place): \(failure)")
            failures += 1
        }
        Swift.print("\(snippets.count - failures) of \(snippets.count) snippets do what is said of them")
        exit(failures == 0 ? 0 : 1)
    }
}
