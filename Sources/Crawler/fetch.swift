import Coro

struct BadAnswer: Error {}

/// Fetches a page, in a coroutine.
func fetch(_ path: String, depth: Int, port: Int) throws -> Page {
    let connection = try Socket.connect(to: "127.0.0.1", port: port)
    defer { try? connection.close() }
    try connection.write("GET \(path) HTTP/1.0\r\n\r\n")
    let reader = try Reader(connection)
    guard let status = try reader.readLine()?.split(separator: " "), status.count > 1 else { throw BadAnswer() }
    var links: [String] = []
    while let line = try reader.readLine() {
        // <a href="…">
        let parts = line.split(separator: "\"")
        if parts.count > 1 { links.append(String(parts[1])) }
    }
    switch status[1] {
    case "200": return Page(path: path, depth: depth, exists: true, links: links)
    case "404": return Page(path: path, depth: depth, exists: false, links: [])
    default: throw BadAnswer()
    }
}

/// The same for async code, on whatever thread that runs: a coroutine of the loop does it.
func fetch(_ path: String, depth: Int, port: Int, on executor: LoopExecutor) async throws -> Page {
    try await executor.run(name: "fetch") { try fetch(path, depth: depth, port: port) }
}
