typealias InvertedSemaphoreRef = UnsafeMutablePointer<InvertedSemaphore>

/// A number that anybody may raise and lower, to wait until it is zero: how much is still to be done.
struct InvertedSemaphore: SyncObject {
    var head: SyncHead
    var value: Int64

    static var name: StaticString { "the inverted semaphore" }
}

extension RuntimeRef {
    func makeInvertedSemaphore(value: Int64) -> InvertedSemaphoreRef? {
        Heap.one(InvertedSemaphore(head: SyncHead(in: self), value: value))
    }

    func raise(_ semaphore: InvertedSemaphoreRef, by count: Int64) throws(Refusal) {
        let (sum, overflows) = semaphore.pointee.value.addingReportingOverflow(count)
        if overflows { throw refuseOverflow() }
        semaphore.pointee.value = sum
    }

    /// At zero all who wait go on, even if it is raised again before they run.
    func lower(_ semaphore: InvertedSemaphoreRef, by count: Int64) throws(Refusal) {
        let value = semaphore.pointee.value
        if count > value {
            throw Refusal(
                code: fail(Code.lock) {
                    $0.append("the value is ")
                    $0.append(value)
                    $0.append(": more was released than was acquired")
                })
        }
        semaphore.pointee.value = value &- count
        if count == value { wakeAll(of: semaphore.waiters) }
    }

    func waitForZero(of semaphore: InvertedSemaphoreRef) -> Int32 {
        if semaphore.pointee.value == 0 { return 0 }
        let error = obstacle()
        if error != 0 { return error }
        let code = wait(.zero, in: semaphore.waiters, of: semaphore)
        leave(semaphore)
        return code == 0 ? 0 : explainEnd(code, of: InvertedSemaphore.self)
    }
}
