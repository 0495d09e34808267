typealias InvertedSemaphoreRef = UnsafeMutablePointer<InvertedSemaphore>
typealias WaitGroupRef = UnsafeMutablePointer<WaitGroup>

/// A count of what is still to be done, and those who wait until it is nothing.
protocol Countdown: SyncObject {
    /// Never negative.
    var count: Int64 { get set }
    static var waitKind: WaitKind { get }
}

struct InvertedSemaphore: Countdown {
    var head: SyncHead
    var count: Int64

    static var name: StaticString { "the inverted semaphore" }
    static var waitKind: WaitKind { .zero }
}

struct WaitGroup: Countdown {
    var head: SyncHead
    var count: Int64 = 0

    static var name: StaticString { "the wait group" }
    static var waitKind: WaitKind { .waitGroup }
}

extension RuntimeRef {
    func makeInvertedSemaphore(count: Int64) -> InvertedSemaphoreRef? {
        Heap.one(InvertedSemaphore(head: SyncHead(in: self), count: count))
    }

    func makeWaitGroup() -> WaitGroupRef? {
        Heap.one(WaitGroup(head: SyncHead(in: self)))
    }

    /// At 0 all who wait go on, whatever is added before they run.
    func add<Object: Countdown>(_ number: Int64, to countdown: UnsafeMutablePointer<Object>) throws(Refusal) {
        let (count, overflows) = countdown.pointee.count.addingReportingOverflow(number)
        if overflows { throw refuseOverflow() }
        if count < 0 { throw refuseTooMany(number, countdown.pointee.count) }
        countdown.pointee.count = count
        if count == 0 { wakeAll(of: countdown.waiters) }
    }

    private func refuseTooMany(_ number: Int64, _ count: Int64) -> Refusal {
        Refusal(
            code: fail(Code.lock) {
                $0.append("more is done than was to be done: the count is ")
                $0.append(count)
                $0.append(", and ")
                $0.append(number)
                $0.append(" would make it negative; add what there is to do before it begins")
            })
    }

    /// Waits until the count is 0. Returns 0 or an error.
    func wait<Object: Countdown>(forZeroOf countdown: UnsafeMutablePointer<Object>) -> Int32 {
        if countdown.pointee.count == 0 { return 0 }
        let error = obstacle()
        if error != 0 { return error }
        let code = wait(Object.waitKind, in: countdown.waiters, of: countdown)
        leave(countdown)
        return code == 0 ? 0 : explainEnd(code, of: Object.self)
    }
}
