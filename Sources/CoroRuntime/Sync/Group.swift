typealias GroupRef = UnsafeMutablePointer<Group>

/// Coroutines that belong together: so many of them run at once, and somebody waits until all have ended. `ParallelRun` is one
/// whose members are known from the start.
struct Group: SyncObject {
    var head: SyncHead
    /// How many run at once at most.
    let limit: Int
    let kind: Kind
    /// Those that have not ended, in the order in which they came.
    var first: GroupMemberRef?
    var last: GroupMemberRef?
    /// The first that has not been started: those behind it have not been either, but by hand.
    var pending: GroupMemberRef?
    var running = 0
    var unfinished = 0
    /// How many there have been.
    var total = 0
    var failures = 0
    /// Of the first that failed: its id,
    var failedID: Int64 = 0
    /// and the code.
    var failedCode: Int32 = 0
    var isCancelled = false
    /// The next to be told to end, while they are.
    var cursor: GroupMemberRef?
    /// Who leaves the scope.
    var leaver: CoroutineRef?

    enum Kind {
        case scope, cancelledByFailure
        /// It is the first field of a `ParallelRun`, its members are those of `ParallelRun.Task`.
        case parallel
    }

    static var name: StaticString { "the group" }
    static var messageSize: Int { 100 }
}

extension GroupRef {
    /// What the first that failed said, cut to fit: the memory behind the group.
    var message: UnsafeMutablePointer<CChar> {
        UnsafeMutableRawPointer(self + 1).assumingMemoryBound(to: CChar.self)
    }
}

extension RuntimeRef {
    /// limit 0: none. nil without memory.
    func makeGroup(limit: Int, kind: Group.Kind) -> GroupRef? {
        let group = Group(head: SyncHead(in: self), limit: limit == 0 ? .max : limit, kind: kind)
        return Heap.one(group, extra: Group.messageSize)
    }

    /// Waits until all members have ended. Returns 0, or an error: also if some of them have failed.
    func wait(for group: GroupRef) throws(Refusal) -> Int32 {
        if group.pointee.unfinished == 0 { return outcome(of: group) }
        try refuseMember(of: group)
        let error = obstacle()
        if error != 0 { return error }
        let code = wait(.group, in: group.waiters, of: group)
        let result = code == 0 ? outcome(of: group) : fail(code)
        leave(group)
        return result
    }

    /// Ends the scope: when this returns without refusal, all members have ended, and the group is freed. An interruption tells
    /// them to end, and is returned when they have.
    func end(_ group: GroupRef) throws(Refusal) -> Int32 {
        try checkLeaving(group)
        var code: Int32 = 0
        if group.pointee.unfinished > 0 {
            code = takePendingInterrupt(of: pointee.current)
            if code != 0 { cancel(group) }
        }
        group.pointee.leaver = pointee.current
        while group.pointee.unfinished > 0 {
            let interruption = awaitMembers(of: group, firmly: code != 0)
            if interruption == 0 { continue }
            if pointee.current == pointee.main, interruption != Code.interrupted {
                // The loop can't go on, and so nobody can end.
                group.pointee.leaver = nil
                throw Refusal(code: fail(interruption))
            }
            code = interruption
            cancel(group)
        }
        let result = code == 0 ? outcome(of: group) : fail(code)
        free(group)
        return result
    }

    /// firmly: no scope's time ends it.
    private func awaitMembers(of group: GroupRef, firmly: Bool) -> Int32 {
        let me = pointee.current
        group.waiters.pointee.append(me)
        return firmly ? parkFirmly(.group, on: Int(bitPattern: group)) : park(.group, on: Int(bitPattern: group))
    }

    private func checkLeaving(_ group: GroupRef) throws(Refusal) {
        try refuseMember(of: group)
        if let leaver = group.pointee.leaver {
            throw Refusal(
                code: fail(Code.simultaneous, other: leaver.pointee.id) {
                    $0.append("the group is being left already, by #")
                    $0.append(leaver.pointee.id)
                })
        }
        if group.pointee.unfinished > 0, cannotSuspend { throw Refusal(code: obstacle()) }
    }

    private func refuseMember(of group: GroupRef) throws(Refusal) {
        guard isMember(pointee.current, of: group) else { return }
        throw Refusal(
            code: fail(Code.deadlock, other: pointee.current.pointee.id) {
                $0.append("the caller is a member of the group: it would wait for itself")
            })
    }

    /// Tells all members to end. Those that were not started never are, and no more are taken.
    func cancel(_ group: GroupRef) {
        group.pointee.isCancelled = true
        // What gives back the argument of one may come here again.
        if group.pointee.cursor != nil { return }
        group.pointee.cursor = group.pointee.first
        while let member = group.pointee.cursor {
            group.pointee.cursor = member.pointee.next
            if let coroutine = member.pointee.coroutine { shutDown(coroutine) }
        }
    }

    /// 0, or what there is to say about those that failed.
    private func outcome(of group: GroupRef) -> Int32 {
        if group.pointee.failures == 0 { return 0 }
        return fail(Code.inParallel, other: group.pointee.failedID) {
            $0.append(group.pointee.failures)
            $0.append(" of ")
            $0.append(group.pointee.total)
            $0.append(" failed, first #")
            $0.append(group.pointee.failedID)
            $0.append(": ")
            ErrorText.append(group.pointee.failedCode, to: &$0)
            if group.message.pointee == 0 { return }
            $0.append(": ")
            $0.append(cString: group.message)
        }
    }
}
