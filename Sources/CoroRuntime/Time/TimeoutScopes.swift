/// The timeout scopes that a coroutine is in, the innermost last.
///
/// A scope costs no timer. Whoever parks in one has a timer anyway, or gets one then, for the earliest of all ends; and a
/// scope that ends before anybody parks has touched nothing but this.
struct TimeoutScopes {
    private var scopes = Vector<Scope>()
    /// When the first of them runs out; `.max`: none will.
    private(set) var earliest: Int64 = .max

    private struct Scope {
        var name: Int64
        /// `.max` once it has run out: each interrupts once.
        var deadline: Int64
        var hasExpired = false
    }

    var isEmpty: Bool { scopes.count == 0 }

    /// Makes room for one more: false without memory.
    mutating func reserveOne() -> Bool { scopes.reserveOne() }

    /// After `reserveOne` has said true.
    mutating func begin(_ name: Int64, until deadline: Int64) {
        scopes.appendReserved(Scope(name: name, deadline: deadline))
        earliest = min(earliest, deadline)
    }

    /// Ends the scope of that name and all inside it. Returns whether it had run out; nil if there is none.
    mutating func end(_ name: Int64) -> Bool? {
        guard let index = index(of: name) else { return nil }
        let hasExpired = scopes[index].hasExpired
        while scopes.count > index { _ = scopes.popLast() }
        findEarliest()
        return hasExpired
    }

    func hasExpired(_ name: Int64) -> Bool? {
        index(of: name).map { scopes[$0].hasExpired }
    }

    /// The first to run out has run out: the outermost of those with the earliest end.
    mutating func expireFirst() {
        var index = 0
        while index < scopes.count, scopes[index].deadline != earliest { index += 1 }
        guard index < scopes.count, earliest != .max else { return }
        scopes[index].deadline = .max
        scopes[index].hasExpired = true
        findEarliest()
    }

    /// Mostly it is the innermost.
    private func index(of name: Int64) -> Int? {
        var index = scopes.count - 1
        while index >= 0, scopes[index].name != name { index -= 1 }
        return index >= 0 ? index : nil
    }

    private mutating func findEarliest() {
        earliest = .max
        for index in 0..<scopes.count { earliest = min(earliest, scopes[index].deadline) }
    }

    mutating func free() { scopes.free() }
}
