import Coro

/// Pages, and where they link to.
typealias Site = [String: [String]]

extension Site {
    static let example: Site = [
        "/": ["/about", "/news", "/shop"],
        "/about": ["/", "/team"],
        "/team": ["/about", "/"],
        "/news": ["/news/1", "/news/2"],
        "/news/1": ["/news/2", "/shop"],
        "/news/2": ["/news/1", "/"],
        "/shop": ["/shop/tea", "/shop/cake", "/shop/coffee"],
        "/shop/tea": ["/shop"],
        "/shop/cake": ["/shop/cake/recipe", "/shop"],
        "/shop/cake/recipe": [],
    ]
}

/// A web server in coroutines: as much of HTTP as the crawlers need.
final class WebServer {
    let port: Int
    private let listener: Listener
    private let pages: Site

    init(_ pages: Site) throws {
        self.pages = pages
        listener = try Listener(host: "127.0.0.1", port: 0)
        port = try listener.port
        try Coroutine.spawn(name: "web server") { try self.listener.serve(self.answer) }.any.detach()
    }

    func stop() {
        try? listener.close()
    }

    private func answer(_ connection: Socket) throws {
        let reader = try Reader(connection)
        guard let request = try reader.readLine()?.split(separator: " "), request.count == 3 else { return }
        while let header = try reader.readLine(), !header.isEmpty {}
        // The web is slow.
        try Coroutine.sleep(for: .milliseconds(5))
        if let links = pages[String(request[1])] {
            let body = links.map { "<a href=\"\($0)\">\($0)</a>\n" }.joined()
            try connection.write("HTTP/1.0 200 OK\r\n\r\n\(body)")
        } else {
            try connection.write("HTTP/1.0 404 Not Found\r\n\r\n")
        }
    }
}
