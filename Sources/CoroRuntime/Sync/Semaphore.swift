typealias SemaphoreRef = UnsafeMutablePointer<Semaphore>

/// A number of things, of which anybody may take some and wait until they are there.
///
/// First come first served, whatever the sizes: nobody goes past one that waits, so a large request is served in the end.
struct Semaphore: SyncObject {
    var head: SyncHead
    var available: Int64

    static var name: StaticString { "the semaphore" }

    /// What is kept of a wait, on the waiter's stack.
    struct Request {
        let count: Int64
        var isGranted = false
    }
}

extension RuntimeRef {
    func makeSemaphore(available: Int64) -> SemaphoreRef? {
        Heap.one(Semaphore(head: SyncHead(in: self), available: available))
    }

    /// Takes some without waiting. false: they are not there, or are those who wait before.
    @inline(__always)
    func take(_ count: Int64, from semaphore: SemaphoreRef) -> Bool {
        if count == 0 { return true }
        guard semaphore.pointee.available >= count, semaphore.waiters.pointee.first == nil else { return false }
        semaphore.pointee.available &-= count
        return true
    }

    /// Takes some, and waits until they are there.
    @inline(__always)
    func acquire(_ count: Int64, from semaphore: SemaphoreRef) -> Int32 {
        take(count, from: semaphore) ? 0 : acquireLater(count, from: semaphore)
    }

    @inline(never)
    private func acquireLater(_ count: Int64, from semaphore: SemaphoreRef) -> Int32 {
        let error = obstacle()
        if error != 0 { return error }
        var request = Semaphore.Request(count: count)
        return withUnsafeMutablePointer(to: &request) {
            let code = wait(.semaphore, in: semaphore.waiters, of: semaphore, record: $0)
            if code != 0 {
                if $0.pointee.isGranted { put(count, into: semaphore) }
                // Those behind it may ask for less.
                grantWhatIsThere(of: semaphore)
            }
            leave(semaphore)
            return code == 0 ? 0 : explainEnd(code, of: Semaphore.self)
        }
    }

    /// Gives some, and serves those who wait for as long as there is enough for the first.
    @inline(__always)
    func release(_ count: Int64, to semaphore: SemaphoreRef) throws(Refusal) {
        let (sum, overflows) = semaphore.pointee.available.addingReportingOverflow(count)
        if overflows { throw refuseOverflow() }
        semaphore.pointee.available = sum
        if semaphore.waiters.pointee.first != nil { grantWhatIsThere(of: semaphore) }
    }

    @inline(never)
    func refuseOverflow() -> Refusal {
        Refusal(code: fail(Code.overflow) { $0.append("the count would be more than 2^63 - 1") })
    }

    /// What was granted and is not wanted. (It was counted before; only with 2^63 of them can it be too much.)
    private func put(_ count: Int64, into semaphore: SemaphoreRef) {
        semaphore.pointee.available = addClamped(semaphore.pointee.available, count)
    }

    @inline(never)
    private func grantWhatIsThere(of semaphore: SemaphoreRef) {
        while let first = semaphore.waiters.pointee.first {
            guard let request = first.pointee.wakeValue?.assumingMemoryBound(to: Semaphore.Request.self),
                request.pointee.count <= semaphore.pointee.available
            else { return }
            semaphore.pointee.available &-= request.pointee.count
            request.pointee.isGranted = true
            wake(first)
        }
    }
}
