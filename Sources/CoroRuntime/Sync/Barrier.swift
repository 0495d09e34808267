typealias BarrierRef = UnsafeMutablePointer<Barrier>

/// A place where so many wait for each other, again and again.
struct Barrier: SyncObject {
    var head: SyncHead
    /// How many have to come.
    let parties: Int
    /// How many wait at most: who was interrupted is still counted.
    var most = 0

    static var name: StaticString { "the barrier" }
}

extension RuntimeRef {
    func makeBarrier(parties: Int) -> BarrierRef? {
        Heap.one(Barrier(head: SyncHead(in: self), parties: parties))
    }

    /// Waits until all have come. Returns 1 to the last, 0 to the others, or an error.
    func wait(at barrier: BarrierRef) -> Int32 {
        if barrier.pointee.most + 1 >= barrier.pointee.parties { barrier.pointee.most = barrier.waiters.pointee.count }
        if barrier.pointee.most + 1 == barrier.pointee.parties {
            barrier.pointee.most = 0
            wakeAll(of: barrier.waiters)
            return 1
        }
        let error = obstacle()
        if error != 0 { return error }
        barrier.pointee.most += 1
        let code = wait(.barrier, in: barrier.waiters, of: barrier)
        leave(barrier)
        return code == 0 ? 0 : explainEnd(code, of: Barrier.self)
    }
}
