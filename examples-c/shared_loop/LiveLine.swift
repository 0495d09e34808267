import Coro
import Glibc

/// One line about what goes on: five times a second where it can be overwritten, now and then where it can't.
final class LiveLine {
    private let supervisor: Supervisor
    private let isOnTerminal: Bool
    private var isOpen = false

    init(of supervisor: Supervisor, isOnTerminal: Bool) {
        self.supervisor = supervisor
        self.isOnTerminal = isOnTerminal
        supervisor.liveLine = self
    }

    func run() throws {
        let pause: Duration = isOnTerminal ? .milliseconds(200) : .seconds(2)
        var (before, requestsBefore) = (EventLoop.now, supervisor.totals.requests)
        while true {
            try Coroutine.sleep(for: pause)
            let (now, requests) = (EventLoop.now, supervisor.totals.requests)
            let rate = Double(requests - requestsBefore) / ((now - before) / .seconds(1))
            show("\(text), \(Int(rate)) requests/s")
            (before, requestsBefore) = (now, requests)
        }
    }

    private var text: String {
        let totals = supervisor.totals
        let coroutines = AnyCoroutine.all.count
        return "live: \(supervisor.clients.count) clients, "
            + "\(coroutines) coroutines (\(supervisor.coroutines.count) Swift), "
            + "\(totals.requests) requests, \(totals.idle_ended) idle ended"
    }

    private func show(_ text: String) {
        // Back to the line's start, and what the longer line before left over is cleared.
        write(isOnTerminal ? "\r\(text)\u{1B}[K" : text + "\n")
        isOpen = isOnTerminal
    }

    /// Leaves a last line standing.
    func end() {
        if !isOpen { return }
        show(text)
        write("\n")
        isOpen = false
    }

    private func write(_ text: String) {
        var text = text
        // To a terminal or a log: if that can't be written to, there is nobody to tell.
        _ = text.withUTF8 { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
