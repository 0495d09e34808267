// SwiftNIO, which keeps its own threads, and coroutines, in one process: each asks the other, and each waits for the other.
//
//     $ .build/debug/LineExchange
//     SwiftNIO asks, coroutines answer:
//       sum 1 2 3 -> 6
//       later hello -> hello
//     coroutines ask, SwiftNIO answers:
//       sum 4 5 6 -> 15
//       later goodbye -> goodbye
//     a future that is late: the time given ran out
//     the loop went on meanwhile: true
//
// Futures become values by `future.join()`, which suspends the calling coroutine alone; coroutines become futures by
// `makeFutureWithCoroutine`.
import Coro
import CoroNIO
import NIOCore
import NIOPosix

@main
struct LineExchange {
    static func main() throws {
        // One thread of SwiftNIO's; the coroutines are on this one.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let all = try Coroutine.spawn(name: "main") {
            try askCoroutines(group)
            try askSwiftNIO(group)
            try beLate(group)
            try end(group)
        }
        Coro.EventLoop.setPrintsExitString(false)
        try Coro.EventLoop.runUntilIdle()
        try all.join()
    }

    /// A server of coroutines, a client of SwiftNIO's.
    static func askCoroutines(_ group: MultiThreadedEventLoopGroup) throws {
        print("SwiftNIO asks, coroutines answer:")
        let listener = try Listener(host: "127.0.0.1", port: 0)
        let server = try Coroutine.spawn(name: "server") {
            try listener.serve { connection in
                let reader = try Reader(connection)
                while let line = try reader.readLine() { try connection.write(try answer(to: line) + "\n") }
            }
        }
        let client = try NIOLineClient.connect(port: try listener.port, on: group).join()
        for question in ["sum 1 2 3", "later hello"] {
            // While this coroutine waits for SwiftNIO, SwiftNIO waits for the server's: on the same loop.
            print("  \(question) -> \(try client.ask(question).join())")
        }
        try client.close().join()
        try listener.close()
        try server.join()
    }

    /// A server of SwiftNIO's whose answers coroutines work out, a client in a coroutine.
    static func askSwiftNIO(_ group: MultiThreadedEventLoopGroup) throws {
        print("coroutines ask, SwiftNIO answers:")
        let server = try NIOLineServer.start(on: group, answersOn: Coro.EventLoop.executor).join()
        let client = try Socket.connect(to: "127.0.0.1", port: server.localAddress?.port ?? 0)
        let reader = try Reader(client)
        for question in ["sum 4 5 6", "later goodbye"] {
            try client.write(question + "\n")
            print("  \(question) -> \(try reader.readLine() ?? "nothing")")
        }
        try client.close()
        try server.close().join()
    }

    /// A future may be waited for with a limit, as all else may.
    static func beLate(_ group: MultiThreadedEventLoopGroup) throws {
        var passes = 0
        let other = try Coroutine.spawn(name: "other") {
            while true {
                try Coroutine.sleep(for: .milliseconds(1))
                passes += 1
            }
        }
        let never = group.any().makePromise(of: Void.self)
        do {
            try Coroutine.withTimeout(.milliseconds(50)) { try never.futureResult.join() }
        } catch CoroError.timeout {
            print("a future that is late: \(CoroError.timeout)")
        }
        print("the loop went on meanwhile: \(passes > 0)")
        never.succeed()
        try other.shutdown()
    }

    /// What has no future but a callback becomes a `Promise`.
    static func end(_ group: MultiThreadedEventLoopGroup) throws {
        let ended = Promise<Void, any Error>()
        group.shutdownGracefully { error in
            ended.complete(with: error.map(Result.failure) ?? .success(()))
        }
        try ended.wait()
    }
}
