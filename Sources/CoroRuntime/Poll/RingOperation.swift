import CCoroPlatform

typealias RingOperationRef = UnsafeMutablePointer<RingOperation>
typealias RingOperationDrop = @convention(c) (UnsafeMutableRawPointer, Int32) -> Void

/// Something that the kernel does for a coroutine by the poller's ring, whatever the poller polls by. On the heap.
struct RingOperation {
    /// Who waits for it. `RingOperationRef.completion` relies on its place.
    var completion = Completion()
    /// Its end was asked for.
    fileprivate var isCancelled = false
    /// It has been answered, with that result, when its thread ends: frees what has been made, and the operation.
    fileprivate let drop: RingOperationDrop
    fileprivate var next: RingOperationRef?
    fileprivate var previous: RingOperationRef?

    init(drop: RingOperationDrop) {
        self.drop = drop
    }
}

/// Those that the kernel has not answered.
struct RingOperations {
    fileprivate var first: RingOperationRef?
    fileprivate(set) var count = 0

    fileprivate mutating func add(_ operation: RingOperationRef) {
        operation.pointee.next = first
        first?.pointee.previous = operation
        first = operation
        count += 1
    }

    fileprivate mutating func remove(_ operation: RingOperationRef) {
        let next = operation.pointee.next, previous = operation.pointee.previous
        if let previous { previous.pointee.next = next } else { first = next }
        next?.pointee.previous = previous
        count -= 1
    }
}

extension RingOperationRef {
    var completion: CompletionRef { UnsafeMutableRawPointer(self).assumingMemoryBound(to: Completion.self) }

    fileprivate var token: UInt64 { UInt64(UInt(bitPattern: self)) | RingOperation.tokenBit }
}

extension RingOperation {
    /// CORO_POLL_OPERATION_BIT
    static let tokenBit: UInt64 = 1 << 63
    /// How long to wait for those that were cancelled when the thread ends: 1 s.
    static let longestEnd: Int64 = 1_000_000_000
}

extension PollerRef {
    /// Whether there is a ring, which is made if there is none: 0, or the error because of which there is none.
    func obtainRing(in runtime: RuntimeRef) -> Int32 {
        let error = open(in: runtime)
        return error < 0 ? error : coro_poller_obtain_ring(&pointee.kernel)
    }

    /// Has the ring begin a call. What needs no waiting is over when this returns. 0, or the error: -ENOSYS if the ring has no
    /// such call.
    func begin(_ operation: RingOperationRef, _ call: UnsafePointer<coro_file_call>, in runtime: RuntimeRef) -> Int32 {
        let error = coro_poller_begin(&pointee.kernel, call, operation.token)
        if error < 0 { return error }
        pointee.operations.add(operation)
        harvest(in: runtime)
        return 0
    }

    /// Asks the kernel to end it soon.
    func cancel(_ operation: RingOperationRef, in runtime: RuntimeRef) {
        operation.pointee.isCancelled = true
        coro_poller_cancel(&pointee.kernel, operation.token)
        harvest(in: runtime)
    }

    /// Takes the ring's answers, and is told of those that are missing. Errors of the ring itself come again where it is waited for.
    func harvest(in runtime: RuntimeRef) {
        let events = pointee.events.unsafelyUnwrapped
        _ = coro_poller_expect_answers(&pointee.kernel, false)
        var count: Int32
        repeat {
            count = coro_poller_harvest(&pointee.kernel, events, Poller.eventCount, 0)
            for index in 0..<Int(Swift.max(count, 0)) { deliver(events[index], in: runtime) }
        } while count == Poller.eventCount || expectAnswers() && count >= 0
    }

    /// Whether there are some more already.
    private func expectAnswers() -> Bool {
        pointee.operations.count > 0 && coro_poller_expect_answers(&pointee.kernel, true)
    }

    private func operation(of token: UInt64) -> RingOperationRef {
        let address = UInt(truncatingIfNeeded: token & ~RingOperation.tokenBit)
        return RingOperationRef(bitPattern: address).unsafelyUnwrapped
    }

    /// The kernel's answer. A call that was broken off in the middle was cancelled.
    func complete(_ token: UInt64, with result: Int32, in runtime: RuntimeRef) {
        let operation = operation(of: token)
        pointee.operations.remove(operation)
        let isBrokenOff = operation.pointee.isCancelled && result == -CoroErrno.interrupted
        runtime.complete(operation.completion, with: Int(isBrokenOff ? -CoroErrno.cancelled : result))
    }

    /// The thread ends, and nobody will hear the answers: what is still opened is closed. What the kernel does not end soon
    /// (on a server that is not there) is left to it.
    func dropOperations() {
        var operation = pointee.operations.first
        while let current = operation {
            operation = current.pointee.next
            coro_poller_cancel(&pointee.kernel, current.token)
        }
        let deadline = coro_system_clock() + RingOperation.longestEnd
        while pointee.operations.count > 0 {
            let left = deadline - coro_system_clock()
            let events = pointee.events.unsafelyUnwrapped
            let count = left > 0 ? coro_poller_harvest(&pointee.kernel, events, Poller.eventCount, left) : -1
            if count < 0 { return }
            for index in 0..<Int(count) where events[index].token & RingOperation.tokenBit != 0 { drop(events[index]) }
        }
    }

    private func drop(_ answer: coro_poll_event) {
        let operation = operation(of: answer.token)
        pointee.operations.remove(operation)
        operation.pointee.drop(operation, answer.result)
    }

    /// In the child of a fork: the kernel does them for the parent, in the parent's memory.
    func cancelOperations(in runtime: RuntimeRef) {
        while let operation = pointee.operations.first {
            pointee.operations.remove(operation)
            runtime.complete(operation.completion, with: Int(-CoroErrno.cancelled))
        }
    }
}
