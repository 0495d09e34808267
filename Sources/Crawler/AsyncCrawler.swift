import Coro

/// In async/await.
struct AsyncCrawler: Sendable {
    let port: Int
    /// Fetches the pages.
    let executor: LoopExecutor

    func crawl(from start: String) async throws -> Findings {
        let (pages, found) = AsyncStream.makeStream(of: Page.self)
        async let visits: Void = visitAll(from: start, found)
        var findings = Findings()
        for await page in pages { findings.add(page) }
        try await visits
        return findings
    }

    /// A task for each page, of which at most four run at once: the next begins when one has ended. What they find is handled
    /// here, where only one at a time is.
    private func visitAll(from start: String, _ found: AsyncStream<Page>.Continuation) async throws {
        defer { found.finish() }
        try await withThrowingTaskGroup(of: Page.self) { group in
            var seen: Set = [start]
            var waiting = [(path: start, depth: 0)][...]
            var running = 0
            while true {
                while running < 4, let (path, depth) = waiting.popFirst() {
                    group.addTask { try await fetch(path, depth: depth, port: port, on: executor) }
                    running += 1
                }
                guard let page = try await group.next() else { return }
                running -= 1
                found.yield(page)
                for link in page.links where seen.insert(link).inserted { waiting.append((link, page.depth + 1)) }
            }
        }
    }
}
