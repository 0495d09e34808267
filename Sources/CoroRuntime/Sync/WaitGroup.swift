typealias WaitGroupRef = UnsafeMutablePointer<WaitGroup>

/// A count of what is still to be done, and those who wait until it is nothing.
struct WaitGroup: SyncObject {
    var head: SyncHead
    var count: Int64 = 0

    static var name: StaticString { "the wait group" }
}

extension RuntimeRef {
    func makeWaitGroup() -> WaitGroupRef? {
        Heap.one(WaitGroup(head: SyncHead(in: self)))
    }

    /// At 0 all who wait go on, whatever is added before they run.
    func add(_ number: Int64, to group: WaitGroupRef) throws(Refusal) {
        let (count, overflows) = group.pointee.count.addingReportingOverflow(number)
        if overflows { throw Refusal(code: fail(-CoroErrno.overflow)) }
        if count < 0 { throw refuseTooMany(number, in: group) }
        group.pointee.count = count
        if count == 0 { wakeAll(of: group.waiters) }
    }

    private func refuseTooMany(_ number: Int64, in group: WaitGroupRef) -> Refusal {
        Refusal(
            code: fail(Code.lock) {
                $0.append("more is done than was to be done: the count is ")
                $0.append(group.pointee.count)
                $0.append(", and ")
                $0.append(number)
                $0.append(" would make it negative; call coro_wait_group_add() before the work begins")
            })
    }

    /// Waits until the count is 0. Returns 0 or an error.
    func wait(for group: WaitGroupRef) -> Int32 {
        if group.pointee.count == 0 { return 0 }
        let error = obstacle()
        if error != 0 { return error }
        let code = wait(.waitGroup, in: group.waiters, of: group)
        leave(group)
        return code == 0 ? 0 : explainEnd(code, of: WaitGroup.self)
    }
}
