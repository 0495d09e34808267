import CCoro

/// Coroutines that belong together and end together: see `Coroutine.withGroup`. Its results can be taken as they come.
public final class CoroutineGroup<Success> {
    fileprivate let scope: GroupScope
    private let results: Queue<Result<Success, any Error>>
    /// How many members have a result, or will have, that nobody has taken or waits to take.
    private var untaken = 0

    fileprivate init(limit: Int, cancelsOnFailure: Bool) throws(CoroError) {
        results = try Queue()
        scope = try GroupScope(limit: limit, cancelsOnFailure: cancelsOnFailure)
    }

    /// Makes a member, which runs `body`: when the caller suspends, or, beyond the limit, when others have ended. Members may
    /// make others. Returns it, so that it can be told to end; nil if the group was cancelled: then `body` is not run, and it
    /// has no result. Does not suspend. Throws `CoroError.closed` when the group was left, or as `Coroutine.spawn`.
    @discardableResult
    public func spawn(
        name: String? = nil, stackSize: Int = 0, _ body: @escaping () throws -> Success
    ) throws(CoroError) -> AnyCoroutine? {
        let member = GroupMember(body)
        guard let coroutine = try scope.spawn(member, name: name, stackSize: stackSize) else { return nil }
        untaken += 1
        // It only fails without memory, where Swift fails too.
        member.deliver = { [results] in try! results.push($0) }
        return coroutine
    }

    /// The result of the member that has ended next; nil if all have been taken. Suspends until one has ended. Throws what the
    /// member threw, `CoroError.shutdown` for one that was told to end before it ran; or what the caller was interrupted with.
    ///
    ///     while let page = try group.next() { print(page) }
    @available(*, noasync, message: "use a coroutine, or a task group")
    public func next() throws -> Success? {
        try nextResult()?.get()
    }

    /// The same, but what a member threw is returned. Suspends. What this throws, the caller was interrupted with.
    @available(*, noasync, message: "use a coroutine, or a task group")
    public func nextResult() throws(CoroError) -> Result<Success, any Error>? {
        if untaken == 0 { return nil }
        untaken -= 1
        do throws(CoroError) {
            return try results.pop()
        } catch {
            untaken += 1
            throw error
        }
    }

    /// Waits until no member is left that has not ended; the results can still be taken. Suspends. Not to be called in a
    /// member. Throws what the caller was interrupted with, not what members throw.
    @available(*, noasync, message: "use a coroutine, or a task group")
    public func waitForAll() throws(CoroError) {
        try scope.wait()
    }

    /// Tells all members to end: what they wait in, or next wait in, throws `CoroError.shutdown`. Those that have not been
    /// started never are, and no more can be made. Does not suspend.
    public func cancelAll() {
        scope.cancel()
    }

    /// How many members run, or are queued to.
    public var running: Int { scope.running }

    /// How many have not ended, those that the limit holds back included.
    public var unfinished: Int { scope.unfinished }

    /// The first error of those that nobody has taken.
    fileprivate var failure: (any Error)? {
        while let result = results.tryPop() {
            if let failure = result.groupFailure { return failure }
        }
        return nil
    }
}

extension Coroutine where Success == Never, Failure == Never {
    /// Calls `body`, which makes coroutines in the group that it is given, and returns when all of them have ended, whatever
    /// has become of them. Returns what `body` returns. Suspends.
    ///
    ///     let total = try Coroutine.withGroup(of: Int.self, limit: 10) { group in
    ///         for url in urls { try group.spawn { try fetch(url).count } }
    ///         var total = 0
    ///         while let count = try group.next() { total += count }
    ///         return total
    ///     }
    ///
    /// At most `limit` members run at once. The first that throws has the others told to end, unless `cancelsOnFailure` is
    /// false. If `body` throws, the members are told to end, and its error is thrown when they have. If it returns, members go
    /// on to their ends, and then the first error that a member threw and `next()` did not is thrown; `CoroError.shutdown` is
    /// the error of one that was told to end, and counts for nothing here.
    ///
    /// One who is interrupted in here, by a time limit for example, passes it on: the members are told to end, and what the
    /// caller was interrupted with is thrown when they have. The group is of no use after this has returned.
    @available(*, noasync, message: "use a task group, or a group in a coroutine")
    @discardableResult
    public static func withGroup<Member, Value>(
        of member: Member.Type = Member.self, limit: Int = .max, cancelsOnFailure: Bool = true,
        _ body: (CoroutineGroup<Member>) throws -> Value
    ) throws -> Value {
        let group = try CoroutineGroup<Member>(limit: limit, cancelsOnFailure: cancelsOnFailure)
        let value = try group.scope.run { try body(group) }
        if let failure = group.failure { throw failure }
        return value
    }
}
