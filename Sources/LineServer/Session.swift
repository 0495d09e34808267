import Coro
import Glibc

/// One client, in a coroutine of its own.
///
/// It reads as if it could wait for ever. That it can't is said where it waits: `withTimeout`.
struct Session {
    private let connection: Socket
    private let server: Server
    private let main: AnyCoroutine

    init(_ connection: Socket, of server: Server, _ main: AnyCoroutine) {
        self.connection = connection
        self.server = server
        self.main = main
        server.books.connections += 1
    }

    /// Every byte comes back.
    func echo() throws {
        while let bytes = try unlessIdle({ try connection.read() }) {
            server.books.requests += 1
            try connection.write(bytes)
        }
    }

    /// A line of an answer for each line.
    func answerLines() throws {
        let reader = try Reader(connection)
        do {
            while let line = try unlessIdle({ try reader.readLine() }) {
                server.books.requests += 1
                guard let answer = try answer(to: line) else { return }
                try connection.write(answer + "\n")
                if line == "quit" { try main.shutdown() }
            }
        } catch CoroError.timeout {
            try connection.write("error: idle for too long\n")
        }
    }

    private func unlessIdle<Request>(_ read: () throws -> Request?) throws -> Request? {
        do {
            return try Coroutine.withTimeout(server.options.idleLimit, read)
        } catch CoroError.timeout {
            server.books.idle += 1
            throw CoroError.timeout
        } catch CoroError.system(errno: ECONNRESET) {
            return nil // it left without a word
        }
    }

    /// nil for `bye`.
    private func answer(to line: String) throws -> String? {
        let words = line.split(separator: " ", maxSplits: 1)
        let text = words.count > 1 ? String(words[1]) : ""
        switch words.first {
        case "echo": return text
        case "sleep": return try sleep(text)
        case "sum": return sum(text)
        case "who": return AnyCoroutine.all.map(\.name).joined(separator: ", ")
        case "help": return "echo <text>, sleep <ms>, sum <numbers>, who, help, bye, quit"
        case "quit": return "goodbye"
        case "bye": return nil
        default: return "error: unknown command; try help"
        }
    }

    /// The client waits; all others are served meanwhile.
    private func sleep(_ text: String) throws -> String {
        guard let milliseconds = Int(text), 0...3_600_000 ~= milliseconds else { return "error: sleep takes milliseconds" }
        try Coroutine.sleep(for: .milliseconds(milliseconds))
        return "slept \(milliseconds) ms"
    }

    private func sum(_ text: String) -> String {
        var sum = 0
        for word in text.split(separator: " ") {
            guard let number = Int(word) else { return "error: not a number: \(word)" }
            let (next, overflow) = sum.addingReportingOverflow(number)
            if overflow { return "error: the sum does not fit into 64 bits" }
            sum = next
        }
        return String(sum)
    }
}
