import Coro

actor Cache {
    private var pages: [String: String] = [:]

    func page(of name: String) -> String? { pages[name] }
    func set(_ page: String, of name: String) { pages[name] = page }
}

let cache = Cache()

func fetch(_ name: String) throws -> String {
    if let page = try Coroutine.await({ await cache.page(of: name) }) { return "\(page), again" }
    try Coroutine.sleep(for: .milliseconds(10))  // a socket, perhaps
    let page = "page of \(name)"
    try Coroutine.await { await cache.set(page, of: name) }
    return page
}

let io = try LoopThread(name: "io")
print(try await io.run { try fetch("anna") })
print(try await io.run { try fetch("anna") })
await io.stop()
