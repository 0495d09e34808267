typealias GroupMemberRef = UnsafeMutablePointer<GroupMember>

/// A coroutine of a group, from when it is to run until it has ended.
struct GroupMember {
    let function: CoroutineFunction
    let argument: UnsafeMutableRawPointer?
    /// Takes the argument back, once.
    let release: ReleaseFunction?
    let group: GroupRef
    /// nil: made when it is started.
    var coroutine: CoroutineRef?
    var next: GroupMemberRef?
    var previous: GroupMemberRef?
    /// It is counted as one that runs.
    var isRunning = false
    var hasRun = false
}

extension RuntimeRef {
    /// A new member, which is queued if so many may run, else when others have ended; startsNow: not queued, but run.
    func add(_ creation: Creation, to group: GroupRef, startsNow: Bool) throws(Refusal) -> Int64 {
        if group.pointee.isCancelled {
            throw Refusal(code: fail(Code.shutdown) { $0.append("the group was cancelled, and takes no more members") })
        }
        let member = Heap.one(
            GroupMember(
                function: creation.function, argument: creation.argument, release: creation.release, group: group))
        guard let member else { throw Refusal(code: fail(Code.noMemory)) }
        let coroutine: CoroutineRef
        do throws(Refusal) {
            coroutine = try create(enclosing(creation, for: member))
        } catch {
            Heap.free(member)
            throw error
        }
        member.pointee.coroutine = coroutine
        append(member)
        let id = coroutine.pointee.id
        if startsNow, group.pointee.pending == member, group.pointee.running < group.pointee.limit {
            group.pointee.pending = nil
            count(member)
            try startNow(coroutine)
        } else {
            startPending(of: group)
        }
        return id
    }

    /// How to create the coroutine that runs a member.
    private func enclosing(_ creation: Creation, for member: GroupMemberRef) -> Creation {
        var outer = creation
        outer.function = runGroupMember
        outer.argument = UnsafeMutableRawPointer(member)
        outer.release = groupMemberEnded
        outer.flags.insert(.detached)
        if outer.name == nil { outer.name = symbol(of: creation.function) }
        return outer
    }

    /// Puts it behind the others.
    func append(_ member: GroupMemberRef) {
        let group = member.pointee.group
        member.pointee.previous = group.pointee.last
        if let last = group.pointee.last { last.pointee.next = member } else { group.pointee.first = member }
        group.pointee.last = member
        if group.pointee.pending == nil { group.pointee.pending = member }
        group.pointee.unfinished += 1
        group.pointee.total += 1
    }

    private func remove(_ member: GroupMemberRef) {
        let (group, next, previous) = (member.pointee.group, member.pointee.next, member.pointee.previous)
        if let next { next.pointee.previous = previous } else { group.pointee.last = previous }
        if let previous { previous.pointee.next = next } else { group.pointee.first = next }
        if group.pointee.pending == member { group.pointee.pending = next }
        if group.pointee.cursor == member { group.pointee.cursor = next }
        if member.pointee.isRunning { group.pointee.running -= 1 }
        group.pointee.unfinished -= 1
    }

    private func count(_ member: GroupMemberRef) {
        member.pointee.isRunning = true
        member.pointee.group.pointee.running += 1
    }

    /// Starts as many as may run.
    func startPending(of group: GroupRef) {
        if group.pointee.isCancelled { return }
        while group.pointee.running < group.pointee.limit, let member = group.pointee.pending {
            group.pointee.pending = member.pointee.next
            // Unless somebody else has started it, by its id.
            if member.pointee.coroutine.map({ $0.pointee.state == .new }) ?? true { start(member) }
        }
    }

    /// Starts one. If there is no memory for its coroutine, it has failed with that.
    private func start(_ member: GroupMemberRef) {
        // Before any code of the user's, which may end other members.
        count(member)
        if let coroutine = member.pointee.coroutine {
            makeReady(coroutine)
            return
        }
        let task = ParallelRun.TaskRef(of: member)
        let creation = Creation(
            function: member.pointee.function, site: task.pointee.run.pointee.site, flags: initialFlags)
        do throws(Refusal) {
            let coroutine = try create(enclosing(creation, for: member))
            member.pointee.coroutine = coroutine
            makeReady(coroutine)
        } catch {
            task.pointee.error = error.code
            drop(member)
        }
    }

    /// Those that have not been started never are. None has a coroutine yet.
    func dropPending(of group: GroupRef) {
        group.pointee.isCancelled = true
        while let member = group.pointee.pending { drop(member) }
    }

    /// It is over: nothing of it runs any more.
    private func drop(_ member: GroupMemberRef) {
        giveBack(member.pointee.argument, to: member.pointee.release)
        remove(member)
    }

    /// Runs it, in its coroutine.
    fileprivate func run(_ member: GroupMemberRef) -> UnsafeMutableRawPointer? {
        // Somebody has started it, by its id, before its turn.
        if !member.pointee.isRunning { count(member) }
        let result = member.pointee.function(member.pointee.argument)
        member.pointee.hasRun = true
        guard member.pointee.group.pointee.kind == .parallel else { return result }
        noteOutcome(of: ParallelRun.TaskRef(of: member), result)
        return nil
    }

    /// Its coroutine has returned, or was cancelled.
    fileprivate func noteEnd(of member: GroupMemberRef) {
        let group = member.pointee.group
        if !member.pointee.hasRun, group.pointee.kind == .parallel {
            ParallelRun.TaskRef(of: member).pointee.error = Code.shutdown
        }
        drop(member)
        // Its memory goes, but code of the user's may still run in the coroutine: see `isMember`.
        member.pointee.coroutine?.pointee.argument = nil
        if member.pointee.hasRun, group.pointee.kind != .parallel { noteFailure(of: member) }
        startPending(of: group)
        if group.pointee.unfinished == 0 { wakeAll(of: group.waiters) }
        if group.pointee.kind == .parallel {
            ParallelRunRef(of: group).freeIfAbandoned()
        } else {
            Heap.free(member)
        }
    }

    /// Who was told to end has not failed by doing so.
    private func noteFailure(of member: GroupMemberRef) {
        let (me, group) = (pointee.current, member.pointee.group)
        if me.pointee.failure == 0 || me.pointee.failure == Code.shutdown { return }
        group.pointee.failures += 1
        if group.pointee.failures == 1 {
            group.pointee.failedID = me.pointee.id
            group.pointee.failedCode = me.pointee.failure
            if let message = me.pointee.extras?.pointee.failureMessage {
                var text = TextBuffer(group.message, capacity: Group.messageSize)
                text.append(cString: UnsafePointer(message))
            }
        }
        if group.pointee.kind == .cancelledByFailure { cancel(group) }
    }

    func isMember(_ coroutine: CoroutineRef, of group: GroupRef) -> Bool {
        guard coroutine.runs(runGroupMember), let argument = coroutine.pointee.argument else { return false }
        return argument.assumingMemoryBound(to: GroupMember.self).pointee.group == group
    }
}

private func runGroupMember(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    Runtime.existing?.run(argument.unsafelyUnwrapped.assumingMemoryBound(to: GroupMember.self))
}

private func groupMemberEnded(_ argument: UnsafeMutableRawPointer?) {
    Runtime.existing?.noteEnd(of: argument.unsafelyUnwrapped.assumingMemoryBound(to: GroupMember.self))
}
