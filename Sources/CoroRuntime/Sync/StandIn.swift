typealias StandInRef = UnsafeMutablePointer<StandIn>
typealias SelectWaitRef = UnsafeMutablePointer<SelectWait>

/// What waits in a coroutine's place where it waits for several things at once: one for each, in the list that goes with it.
/// To those who wake it is a coroutine like any other. The first that is woken ends the wait of all.
struct StandIn {
    /// What is in the list. It has no stack, and is never run. `StandInRef.init(_:)` relies on its place.
    fileprivate var block = Coroutine()
    fileprivate var wait: SelectWaitRef?
    fileprivate var number = 0
    fileprivate var handover = Handover(element: nil)
    fileprivate var next: StandInRef?
}

/// A coroutine's wait for the first of several things: on its stack.
struct SelectWait {
    fileprivate let waiter: CoroutineRef
    fileprivate var standIns: StandInRef?
    let caseCount: Int
    /// Which case has happened; nil: none.
    fileprivate(set) var chosen: Int?
    /// And what its stand-in was woken with.
    fileprivate(set) var code: Int32 = 0
    fileprivate(set) var value: UnsafeMutableRawPointer?

    init(of waiter: CoroutineRef, caseCount: Int) {
        self.waiter = waiter
        self.caseCount = caseCount
    }
}

/// Stand-ins that are not in use. There are as many as were ever in use at once.
struct StandInPool {
    fileprivate var first: StandInRef?

    fileprivate mutating func take() -> StandInRef? {
        guard let standIn = first else { return Heap.one(StandIn(), alignment: 64) }
        first = standIn.pointee.next
        return standIn
    }

    fileprivate mutating func give(_ standIn: StandInRef) {
        standIn.pointee.next = first
        first = standIn
    }

    mutating func free() {
        while let standIn = first {
            first = standIn.pointee.next
            Heap.free(standIn)
        }
    }
}

extension StandInRef {
    /// The stand-in that a member of a list is.
    fileprivate init(_ member: CoroutineRef) {
        self = UnsafeMutableRawPointer(member).assumingMemoryBound(to: StandIn.self)
    }

    /// What is in the list.
    fileprivate var member: CoroutineRef { UnsafeMutableRawPointer(self).assumingMemoryBound(to: Coroutine.self) }
}

extension SelectWaitRef {
    /// Whether a member of a list of waiters stands there for this wait.
    func isServed(by member: CoroutineRef) -> Bool {
        member.pointee.state == .standIn && StandInRef(member).pointee.wait == self
    }

    /// The first `most` of those who wait in its place, in the order of the cases. Returns whether there are more.
    func forEachStandIn(most: Int, _ body: (CoroutineRef) -> Void) -> Bool {
        var number = -1
        for _ in 0..<most {
            guard let standIn = standIn(after: number) else { return false }
            body(standIn.member)
            number = standIn.pointee.number
        }
        return standIn(after: number) != nil
    }

    /// The one of the next case that has one.
    private func standIn(after number: Int) -> StandInRef? {
        var found: StandInRef?
        var next = pointee.standIns
        while let standIn = next {
            if standIn.pointee.number > number, found.map({ standIn.pointee.number < $0.pointee.number }) ?? true {
                found = standIn
            }
            next = standIn.pointee.next
        }
        return found
    }
}

extension RuntimeRef {
    /// Has a stand-in wait for one of the things: `enlist` puts it into the list that goes with `kind` and `object`, and
    /// returns 0 or an error. element: what is handed over there, or where that is put. 0 or an error.
    func addStandIn(
        for number: Int, of wait: SelectWaitRef, _ kind: WaitKind, on object: Int, element: UnsafeMutableRawPointer? = nil,
        enlist: (CoroutineRef) -> Int32
    ) -> Int32 {
        guard let standIn = pointee.standIns.take() else { return fail(Code.noMemory) }
        let member = standIn.member
        standIn.pointee.wait = wait
        standIn.pointee.number = number
        standIn.pointee.handover = Handover(element: element)
        member.pointee.wakeValue = withUnsafeMutablePointer(to: &standIn.pointee.handover) { UnsafeMutableRawPointer($0) }
        member.pointee.state = .standIn
        member.pointee.id = wait.pointee.waiter.pointee.id
        member.pointee.waitKind = kind
        member.pointee.waitObject = object
        let error = enlist(member)
        if error != 0 {
            pointee.standIns.give(standIn)
            return error
        }
        standIn.pointee.next = wait.pointee.standIns
        wait.pointee.standIns = standIn
        return 0
    }

    /// Takes all that wait in a coroutine's place out of their lists. Nothing of the wait is left then.
    func removeStandIns(of wait: SelectWaitRef) {
        while let standIn = wait.pointee.standIns {
            wait.pointee.standIns = standIn.pointee.next
            let member = standIn.member
            let isOfChild = member.pointee.waitKind == .child
            endWait(of: member)
            if isOfChild { discard(ChildWait(packed: member.pointee.waitObject).descriptor) }
            pointee.standIns.give(standIn)
        }
    }

    /// What a stand-in waits for has happened: that is the one, and nothing else can happen any more.
    @inline(never)
    func endSelect(by member: CoroutineRef, with code: Int32, value: UnsafeMutableRawPointer?) {
        let standIn = StandInRef(member)
        let wait = standIn.pointee.wait.unsafelyUnwrapped
        wait.pointee.chosen = standIn.pointee.number
        wait.pointee.code = code
        wait.pointee.value = value
        wake(wait.pointee.waiter)
    }
}
