/// What every object that coroutines wait for begins with.
struct SyncHead {
    /// Those who wait, first come first. `RuntimeRef.endWait` relies on its place.
    var waiters = WaitList()
    /// The number of the loop that the object belongs to.
    let loop: Int64
    /// How many calls are in it: suspended, or woken and not yet back.
    fileprivate(set) var calls: Int32 = 0
    /// Freed by its owner; the memory is there for as long as calls are in it.
    fileprivate(set) var isFreed = false

    init(in runtime: RuntimeRef) {
        loop = runtime.pointee.loopID
    }
}

/// An object whose first field is its head.
protocol SyncObject {
    var head: SyncHead { get set }
    /// "the event": how errors speak of it.
    static var name: StaticString { get }
}

extension Coroutine {
    /// The address of the object in one of whose lists it waits.
    var waitAddress: Int {
        switch waitKind {
        case .writeLock: waitObject - MemoryLayout<LockHead>.stride // see `ReadWriteLockRef.writers`
        case .send: waitObject - MemoryLayout<SyncHead>.stride // see `ChannelRef.senders`
        default: waitObject
        }
    }
}

extension UnsafeMutablePointer where Pointee: SyncObject {
    /// The list in its head.
    @inline(__always)
    var waiters: UnsafeMutablePointer<WaitList> { UnsafeMutableRawPointer(self).assumingMemoryBound(to: WaitList.self) }
}

extension RuntimeRef {
    @inline(__always)
    func owns<Object: SyncObject>(_ object: UnsafeMutablePointer<Object>) -> Bool {
        object.pointee.head.loop == pointee.loopID
    }

    /// The object, if it belongs to this thread.
    @inline(__always)
    func own<Object: SyncObject>(_ object: UnsafeMutablePointer<Object>) throws(Refusal) -> UnsafeMutablePointer<Object> {
        if owns(object) { return object }
        throw refuseForeign(Object.name)
    }

    @inline(never)
    private func refuseForeign(_ name: StaticString) -> Refusal {
        Refusal(
            code: fail(Code.wrongThread) {
                $0.append(name)
                $0.append(" belongs to another thread: see coro_post()")
            })
    }

    /// Waits in one of the object's lists, at its end, until somebody wakes the caller. Returns what it was woken with:
    /// CORO_ECLOSED if the object was freed. Until `leave` is called, which the caller
    /// owes, the object's memory is there. The caller has seen that there is no `obstacle()`.
    func wait<Object: SyncObject>(
        _ kind: WaitKind, in list: UnsafeMutablePointer<WaitList>, of object: UnsafeMutablePointer<Object>
    ) -> Int32 {
        enter(object)
        list.pointee.append(pointee.current)
        return park(kind, on: Int(bitPattern: list))
    }

    /// The same for a wait of which something is to be kept: whoever ends it finds `record`, which is on the caller's stack,
    /// as the `wakeValue` of the caller.
    func wait<Object: SyncObject, Record>(
        _ kind: WaitKind, in list: UnsafeMutablePointer<WaitList>, of object: UnsafeMutablePointer<Object>,
        record: UnsafeMutablePointer<Record>
    ) -> Int32 {
        let me = pointee.current
        me.pointee.wakeValue = UnsafeMutableRawPointer(record)
        let code = wait(kind, in: list, of: object)
        // Some ends of a wait leave it as it was.
        if me.pointee.wakeValue == UnsafeMutableRawPointer(record) { me.pointee.wakeValue = nil }
        return code
    }

    /// The object's memory is there until `leave`.
    @inline(__always)
    func enter<Object: SyncObject>(_ object: UnsafeMutablePointer<Object>) {
        object.pointee.head.calls += 1
    }

    /// A call that has waited in the object is over.
    @inline(__always)
    func leave<Object: SyncObject>(_ object: UnsafeMutablePointer<Object>) {
        object.pointee.head.calls -= 1
        if object.pointee.head.isFreed, object.pointee.head.calls == 0 { Heap.free(object) }
    }

    /// Frees it, as soon as those who are woken have left it.
    func free<Object: SyncObject>(_ object: UnsafeMutablePointer<Object>) {
        wakeAll(of: object.waiters, with: Code.closed)
        object.pointee.head.isFreed = true
        if object.pointee.head.calls == 0 { Heap.free(object) }
    }

    /// Wakes all in a list, in their order.
    func wakeAll(of list: UnsafeMutablePointer<WaitList>, with code: Int32 = 0, value: UnsafeMutableRawPointer? = nil) {
        while let waiter = list.pointee.first { wake(waiter, with: code, value: value) }
    }

    /// The report of a call whose wait has ended with an error.
    func explainEnd<Object: SyncObject>(_ code: Int32, of type: Object.Type) -> Int32 {
        guard code == Code.closed else { return fail(code) }
        return fail(code) {
            $0.append(Object.name)
            $0.append(" was freed")
        }
    }
}
