import Coro

/// In coroutines.
struct CoroutineCrawler {
    let port: Int

    func crawl(from start: String) throws -> Findings {
        let pages = try Channel<Page>()
        let visits = try Coroutine.spawn { try visitAll(from: start, pages) }
        var findings = Findings()
        while let page = try pages.next() { findings.add(page) }
        try visits.join()
        return findings
    }

    /// A coroutine for each page, of which at most four run at once: the group sees to that. Each makes those for the pages
    /// that it finds, and notes what has been seen in a variable of all: no two run at the same moment.
    private func visitAll(from start: String, _ found: Channel<Page>) throws {
        defer { found.close() }
        var seen: Set = [start]
        try Coroutine.withDiscardingGroup(limit: 4) { group in
            func visit(_ path: String, depth: Int) throws {
                let page = try fetch(path, depth: depth, port: port)
                try found.send(page)
                for link in page.links where seen.insert(link).inserted {
                    try group.spawn { try visit(link, depth: depth + 1) }
                }
            }
            try visit(start, depth: 0)
        }
    }
}
