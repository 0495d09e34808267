// A server that is asked in lines, with a coroutine for each client.
//
//     $ .build/debug/LineServer 'sum 1 2 3' 'sleep 20' 'echo hello' 'sum up' who bye
//     > sum 1 2 3
//     6
//     > sleep 20
//     slept 20 ms
//     > echo hello
//     hello
//     > sum up
//     error: not a number: up
//     > who
//     main, echo server, line server, client, connection
//     > bye
//     1 connection, 6 requests, 0 ended for being idle
//
// It asks itself what is on the command line. Without that it serves until Ctrl-C, on ports that it names:
//
//   swift run LineServer --idle 60     (seconds that a client may be silent; the default)
//   nc localhost PORT                  help says what there is
//
// What clients do is in Session.swift. Here is what they share: one structure, in which all coroutines end before `serve` does.
import Coro
import Glibc

@main
struct LineServer {
    static func main() throws {
        guard let options = Options(CommandLine.arguments.dropFirst()) else {
            print("Usage: LineServer [--idle SECONDS] [LINE...]")
            exit(2)
        }
        let server = Server(options)
        let main = try Coroutine.spawn(name: "main") { try server.run() }
        for signal in [SIGINT, SIGTERM] {
            // In a coroutine, so there is nothing that it may not do.
            try EventLoop.onSignal(signal, once: true) { _ in try main.shutdown() }
        }
        EventLoop.setPrintsExitString(false)
        _ = try EventLoop.run()
        try main.join()
        print(server.books)
    }
}

/// What the command line says.
struct Options {
    var idleLimit: Duration = .seconds(60)
    /// To ask oneself.
    var lines: [String] = []

    init?(_ arguments: ArraySlice<String>) {
        lines = Array(arguments)
        if lines.first == "--idle" {
            guard lines.count > 1, let seconds = Double(lines[1]), seconds > 0 else { return nil }
            idleLimit = .seconds(seconds)
            lines.removeFirst(2)
        }
        if lines.first?.hasPrefix("-") == true { return nil }
    }
}

final class Server {
    let options: Options
    var books = Books()

    init(_ options: Options) {
        self.options = options
    }

    /// Serves until the coroutine that it runs in is told to end: by a signal, or by the command `quit`.
    func run() throws {
        defer { EventLoop.exit() }
        guard let main = Coroutine.current else { return }
        let echo = try Listener(host: "127.0.0.1", port: 0)
        let lines = try Listener(host: "127.0.0.1", port: 0)
        let linePort = try lines.port
        if options.lines.isEmpty {
            print("echo port \(try echo.port)\nline port \(linePort)")
            fflush(nil) // whoever started us waits for the ports
        }
        do {
            try Coroutine.withDiscardingGroup { group in
                try group.spawn(name: "echo server") {
                    try echo.serve { try Session($0, of: self, main).echo() }
                }
                try group.spawn(name: "line server") {
                    try lines.serve { try Session($0, of: self, main).answerLines() }
                }
                if options.lines.isEmpty { return }
                try group.spawn(name: "client") {
                    try ask(self.options.lines, at: linePort)
                    try main.shutdown()
                }
            }
        } catch CoroError.shutdown {
            // That is how it ends. By now all clients have been hung up on.
        }
    }
}

/// What has been done.
struct Books: CustomStringConvertible {
    var connections = 0
    var requests = 0
    var idle = 0

    var description: String {
        "\(connections) connection\(connections == 1 ? "" : "s"), \(requests) requests, \(idle) ended for being idle"
    }
}

/// The client: prints each line, and the answer to it.
func ask(_ lines: [String], at port: Int) throws {
    let connection = try Socket.connect(to: "127.0.0.1", port: port)
    defer { try? connection.close() }
    let reader = try Reader(connection)
    for line in lines {
        print("> \(line)")
        try connection.write(line + "\n")
        guard let answer = try reader.readLine() else { return }
        print(answer)
    }
}
