/// A page as it was found.
struct Page: Sendable {
    let path: String
    /// How many links it was away from the first.
    let depth: Int
    let exists: Bool
    let links: [String]
}

/// What a crawler finds out.
struct Findings: Equatable, CustomStringConvertible {
    private var depths: [String: Int] = [:]
    private var broken: Set<String> = []
    private var links: [String: Set<String>] = [:]

    mutating func add(_ page: Page) {
        if page.exists { depths[page.path] = page.depth } else { broken.insert(page.path) }
        for link in page.links { links[link, default: []].insert(page.path) }
    }

    func linking(to path: String) -> [String] { links[path, default: []].sorted() }

    var description: String {
        let depth = depths.values.max() ?? 0
        return "\(depths.count) pages, \(depth) deep; broken links: \(broken.sorted().joined(separator: " "))"
    }
}
