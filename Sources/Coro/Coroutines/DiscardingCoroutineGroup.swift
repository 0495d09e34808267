import CCoro

/// Coroutines that belong together and end together, and whose results nobody takes: see `Coroutine.withDiscardingGroup`.
public final class DiscardingCoroutineGroup {
    fileprivate let scope: GroupScope
    /// The first error that a member threw.
    fileprivate var failure: (any Error)?

    fileprivate init(limit: Int, cancelsOnFailure: Bool) throws(CoroError) {
        scope = try GroupScope(limit: limit, cancelsOnFailure: cancelsOnFailure)
    }

    /// Makes a member, which runs `body`. See `CoroutineGroup.spawn`.
    @discardableResult
    public func spawn(
        name: String? = nil, stackSize: Int = 0, _ body: @escaping () throws -> Void
    ) throws(CoroError) -> AnyCoroutine? {
        let member = GroupMember(body)
        guard let coroutine = try scope.spawn(member, name: name, stackSize: stackSize) else { return nil }
        member.deliver = { result in
            if self.failure == nil { self.failure = result.groupFailure }
        }
        return coroutine
    }

    /// Waits until no member is left that has not ended. Suspends. See `CoroutineGroup.waitForAll`.
    @available(*, noasync, message: "use a coroutine, or a task group")
    public func waitForAll() throws(CoroError) {
        try scope.wait()
    }

    /// Tells all members to end. See `CoroutineGroup.cancelAll`.
    public func cancelAll() {
        scope.cancel()
    }

    /// How many members run, or are queued to.
    public var running: Int { scope.running }

    /// How many have not ended, those that the limit holds back included.
    public var unfinished: Int { scope.unfinished }
}

extension Coroutine where Success == Never, Failure == Never {
    /// `withGroup` for members whose results nobody takes: nothing of one that has ended is kept, but the first error, so that
    /// any number may come and go. Suspends.
    ///
    ///     try Coroutine.withDiscardingGroup(limit: 100, cancelsOnFailure: false) { group in
    ///         while let job = try jobs.next() { try group.spawn { try job.run() } }
    ///     }
    @available(*, noasync, message: "use a task group, or a group in a coroutine")
    @discardableResult
    public static func withDiscardingGroup<Value>(
        limit: Int = .max, cancelsOnFailure: Bool = true, _ body: (DiscardingCoroutineGroup) throws -> Value
    ) throws -> Value {
        let group = try DiscardingCoroutineGroup(limit: limit, cancelsOnFailure: cancelsOnFailure)
        let value = try group.scope.run { try body(group) }
        if let failure = group.failure { throw failure }
        return value
    }
}
