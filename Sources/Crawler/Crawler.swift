// The same program twice: a crawler in async/await, and its port to coroutines. Both run on one loop, with the web server
// that they crawl.
//
//     $ .build/debug/Crawler
//     async/await: 10 pages, 3 deep; broken links: /shop/coffee
//     coroutines:  10 pages, 3 deep; broken links: /shop/coffee
//     the same:    true
//     to / link:   /about /news/2 /team
//
// AsyncCrawler.swift and CoroutineCrawler.swift are to be read side by side:
//
//   async/await                          coroutines
//   func f() async throws                func f() throws
//   try await f()                        try f()
//   async let, await                     Coroutine.spawn, join
//   withThrowingTaskGroup(of:)           Coroutine.withGroup(of:limit:), withDiscardingGroup
//   AsyncStream, for await               Channel, while let … = try channel.next()
//   Task.sleep(for:), task.cancel()      Coroutine.sleep(for:), coroutine.shutdown()
//
// What differs: coroutines stay on one thread, so what they share needn't be Sendable, nor in an actor; and any function may
// suspend, so nothing has to be marked from there up to main.
import Coro

@main
struct Crawler {
    static func main() throws {
        let program = try Coroutine.spawn(name: "main") { try run() }
        EventLoop.setPrintsExitString(false)
        try EventLoop.runUntilIdle()
        try program.join()
    }

    static func run() throws {
        let server = try WebServer(Site.example)
        defer { server.stop() }
        let asynchronous = AsyncCrawler(port: server.port, executor: try EventLoop.executor)
        // Only this coroutine waits for the async code, which the loop runs between the others: the web server's.
        let first = try Coroutine.await { try await asynchronous.crawl(from: "/") }
        let second = try CoroutineCrawler(port: server.port).crawl(from: "/")
        print("async/await: \(first)")
        print("coroutines:  \(second)")
        print("the same:    \(first == second)")
        print("to / link:   \(second.linking(to: "/").joined(separator: " "))")
    }
}
