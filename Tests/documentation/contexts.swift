import CCoro
import Coro
import Glibc

// What snippets in doc comments name without saying what it is: by the file that they are in. See collect-snippets.

/// Files whose snippets are compiled, and not run.
let notRun: Set<String> = [
    "FileWatch.swift", "Listener.swift", "Timer.swift",  // they go on for ever
    "Socket.swift",  // it asks the Internet
    "Target.swift", "TargetFunction.swift",  // they name functions that nobody has registered
]

protocol Pages {}

extension Pages {
    static var url: String { "http://example.org" }
    static var urls: [String] { ["a", "b"] }

    static func fetch(_ url: String) throws -> String {
        try Coroutine.sleep(for: .milliseconds(1))
        return "page of \(url)"
    }
}

struct point {
    var x, y: Double
}

/// A connection whose other end is closed.
protocol Connections {}

extension Connections {
    static var connection: Socket {
        get throws {
            let (socket, other) = try Socket.pair()
            try other.shutdown(.writing)
            others.value.append(other)
            return socket
        }
    }
}

/// The other ends live as long as their coroutines.
private let others = CoroutineLocal<[Socket]>(default: [])

enum AsyncChannelHandleContext {
    static var channel: Channel<String> {
        let channel = try! Channel<String>()
        channel.close()
        return channel
    }
}

enum AsyncSequenceReaderContext {
    struct Client {
        var events: AsyncStream<String> { AsyncStream { $0.finish() } }
    }
    static let client = Client()
    static func handle(_ event: String) {}
}

enum AwaitContext {
    actor Database {
        func user(_ id: Int) async throws -> String { "user \(id)" }
    }
    static let database = Database()
    static let id = 7
}

enum BlockingContext {
    struct Database: Sendable {
        func query(_ text: String) throws -> [String] { [] }
    }
    static let database = Database()
}

enum CFunctionPointerContext {
    typealias Item = Int32
    static func order(_ a: Item, _ b: Item) throws -> Int32 { a - b }
    static var items: UnsafeMutableRawPointer { UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8) }
    static let count = 0
    static let size = 4
}

enum ChannelContext {
    static var jobs: Channel<() -> Void> {
        get throws {
            let jobs = try Channel<() -> Void>()
            jobs.close()
            return jobs
        }
    }
}

enum ChannelResultsContext {
    static var lines: Channel<String> {
        let lines = try! Channel<String>(capacity: 1)
        _ = try! lines.trySend("one")
        lines.close()
        return lines
    }
}

enum CoroutineGroupContext: Pages {
    struct Group {
        func next() throws -> String? { nil }
    }
    static let group = Group()
}

enum CoroutineLocalContext {
    struct Request {}
    static var request: Request { Request() }
    static func handle(_ request: Request) throws {}
}

enum CoroutineValueContext {
    static var coroutine: Coroutine<Int, any Error> {
        get async throws {
            try await LoopRunContext.executor.run { try Coroutine.spawn { () throws -> Int in 42 } }
        }
    }
}

enum DiscardingCoroutineGroupContext {
    struct Job {
        func run() throws {}
    }
    static var jobs: Channel<Job> {
        get throws {
            let jobs = try Channel<Job>()
            jobs.close()
            return jobs
        }
    }
}

enum InParallelContext: Pages {}

enum KeyedLocksContext {
    static let (path, from, to) = ("a", "b", "c")
    static func rewrite(_ path: String) throws {}
    static func rename(_ from: String, _ to: String) throws {}
}

enum LoopExecutorContext {
    static func update() async {}
}

enum LoopIDContext {
    static let answer = 42
    @Sendable static func handle(_ answer: Int) throws {}
}

enum LoopRunContext {
    struct Connection: Sendable {
        func ask(_ question: String) throws -> String { "an answer" }
    }
    static let thread = try! LoopThread()
    static var executor: LoopExecutor { thread.executor }
    static let connection = Connection()
    static let question = "a question"
}

enum LoopThreadContext: Pages {}

enum CoroutineMutexContext {
    struct Account { var balance = 0 }
    static func fetchBalance() throws -> Int { 1 }
    static var jobs: CoroutineMutex<[Int]> { get throws { try CoroutineMutex([1]) } }
    static var added: Condition<Void> { get throws { try Condition() } }
}

enum OnceContext {
    struct Configuration { let name = "configured" }
    static func fetchConfiguration() throws -> Configuration { Configuration() }
}

enum PromiseContext {
    struct Client {
        func ask(_ question: String, _ then: @Sendable (Result<String, any Error>) -> Void) { then(.success("an answer")) }
    }
    static let client = Client()
    static let question = "a question"
}

enum ReadWriteLockContext {
    struct Route {}
    static let path = "/"
    static func loadRoute(_ path: String) throws -> Route { Route() }
}

enum ReaderContext: Connections {}

enum SelectContext {
    static var messages: Channel<String> {
        get throws {
            let messages = try Channel<String>(capacity: 1)
            try messages.send("hello")
            return messages
        }
    }
    static var numbers: Channel<Int> { get throws { try Channel() } }
    static let descriptor: Int32 = 0
}

enum SemaphoreContext: Pages {}

enum SignalsContext {
    struct Configuration {
        func reload() throws {}
    }
    static var configuration: Configuration { Configuration() }
}

enum TargetContext {
    static var resize: Target { get throws { try Target.named("resize") } }
}

enum TargetClosureContext {
    struct Image {
        init(_ path: String) {}
        func resized(to width: Int32) -> Image { self }
        func save() throws -> Int32 { 0 }
    }
}

enum TargetFunctionContext {
    static var library: UnsafeMutableRawPointer? { nil }
}

enum TimeoutContext {
    struct Connection {
        func readHeader() throws -> String { "" }
        func close() {}
    }
    static var connection: Connection { Connection() }
    static func connect() throws -> Connection { Connection() }
}

enum WriterContext: Connections {}
