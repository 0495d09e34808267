import CCoroPlatform

/// Coroutines as people read of them.
extension RuntimeRef {
    /// Its name: the one it was given, else its target's, else its function's symbol, else "coro <id>".
    func appendName(of coroutine: CoroutineRef, to text: inout TextBuffer) {
        if let name = coroutine.pointee.extras?.pointee.name {
            text.append(cString: UnsafePointer(name))
            return
        }
        var function = coroutine.pointee.function
        if let target = coroutine.call?.pointee.target {
            if let name = target.pointee.signature.pointee.name {
                text.append(cString: UnsafePointer(name))
                return
            }
            function = unsafeBitCast(target.function, to: CoroutineFunction?.self)
        }
        if let function, let symbol = symbol(of: function) {
            text.append(cString: symbol)
            return
        }
        text.append("coro ")
        text.append(coroutine.pointee.id)
    }

    /// "#4 (worker)"
    func appendNumberAndName(of coroutine: CoroutineRef, to text: inout TextBuffer) {
        text.append("#")
        text.append(coroutine.pointee.id)
        text.append(" (")
        appendName(of: coroutine, to: &text)
        text.append(")")
    }

    /// The function's symbol, if it has one that is exported.
    func symbol(of function: CoroutineFunction) -> UnsafePointer<CChar>? {
        var offset: UInt = 0
        return coro_system_symbol(unsafeBitCast(function, to: UnsafeRawPointer.self), true, &offset)
    }

    /// `<coro #4 name='x' dead=0 started=1 scheduled=0 at 0x…>`; address: if `coroutine` is not the control block itself.
    func appendRepr(of coroutine: CoroutineRef, at address: UnsafeRawPointer? = nil, to text: inout TextBuffer) {
        text.append("<coro #")
        text.append(coroutine.pointee.id)
        text.append(" name='")
        appendName(of: coroutine, to: &text)
        text.append("' dead=")
        text.append(coroutine.pointee.state == .ended ? 1 : 0)
        text.append(" started=")
        text.append(coroutine.has(.started) ? 1 : 0)
        text.append(" scheduled=")
        text.append(coroutine.pointee.state == .ready ? 1 : 0)
        text.append(" at ")
        text.append(address: address ?? UnsafeRawPointer(coroutine))
        text.append(">")
    }

    /// What it waits for: "sleeping 1.2 s more", "reading fd 7", "joining #4".
    func appendWait(of coroutine: CoroutineRef, to text: inout TextBuffer) {
        switch coroutine.pointee.state {
        case .new: text.append("not started")
        case .ready: text.append("runnable")
        case .running: text.append("running")
        case .ended, .standIn: text.append("ended")
        case .waiting: appendWaitReason(of: coroutine, to: &text)
        }
    }

    private func appendWaitReason(of coroutine: CoroutineRef, to text: inout TextBuffer) {
        let object = coroutine.pointee.waitObject
        switch coroutine.pointee.waitKind {
        case .none: text.append("running the loop")
        case .park: text.append("parked")
        case .pass: text.append("waiting for the next pass")
        case .sleep: text.append("sleeping")
        case .join:
            text.append("joining #")
            text.append(CoroutineRef(bitPattern: object).unsafelyUnwrapped.pointee.id)
        case .read:
            text.append("reading fd ")
            text.append(object)
        case .write:
            text.append("writing fd ")
            text.append(object)
        case .parallel:
            text.append("in parallel, ")
            text.append(GroupRef(bitPattern: object).unsafelyUnwrapped.pointee.unfinished)
            text.append(" to end")
        case .group:
            text.append("waiting for group ")
            text.append(address: UnsafeRawPointer(bitPattern: object))
            text.append(", ")
            text.append(GroupRef(bitPattern: object).unsafelyUnwrapped.pointee.unfinished)
            text.append(" to end")
        case .child:
            text.append("waiting for process ")
            text.append(ChildWait(packed: object).process)
        case .room:
            text.append("waiting for room to accept from fd ")
            text.append(coroutine.roomDescriptor)
        case .select: appendCases(of: SelectWaitRef(bitPattern: object).unsafelyUnwrapped, to: &text)
        default:
            text.append(coroutine.pointee.waitKind.phrase)
            text.append(" ")
            text.append(address: UnsafeRawPointer(bitPattern: coroutine.pointee.waitAddress))
            if coroutine.pointee.waitKind == .mutex { appendHolder(of: MutexRef(bitPattern: object).unsafelyUnwrapped, to: &text) }
        }
        appendDeadline(of: coroutine, to: &text)
    }

    private static var mostCasesNamed: Int { 8 }

    /// "selecting: reading fd 7, receiving from channel 0x…"
    private func appendCases(of wait: SelectWaitRef, to text: inout TextBuffer) {
        text.append("selecting")
        var separator: StaticString = ": "
        let areMore = wait.forEachStandIn(most: Self.mostCasesNamed) {
            text.append(separator)
            separator = ", "
            appendWaitReason(of: $0, to: &text)
        }
        if areMore { text.append(", ...") }
    }

    private func appendDeadline(of coroutine: CoroutineRef, to text: inout TextBuffer) {
        if coroutine.pointee.timerPlace != .none {
            text.append(coroutine.pointee.waitKind == .sleep ? " " : ", ")
            text.append(nanoseconds: coroutine.pointee.deadline &- pointee.clock.read())
            text.append(" more")
        }
    }

    /// Calls body with the ids of all that have not ended, ascending; false without memory.
    func withAllIDs(_ body: (UnsafeBufferPointer<Int64>) -> Void) -> Bool {
        guard let ids = Heap.zeroed(Int64.self, count: Swift.max(pointee.table.count, 1)) else { return false }
        var count = 0
        pointee.table.forEach {
            if $0.pointee.state != .ended {
                ids[count] = $0.pointee.id
                count += 1
            }
        }
        coro_memory_sort(ids, count)
        body(UnsafeBufferPointer(start: ids, count: count))
        Heap.free(ids)
        return true
    }
}

extension WaitKind {
    /// What is done to the object at an address: "waiting for event".
    fileprivate var phrase: StaticString {
        switch self {
        case .event: "waiting for event"
        case .semaphore: "acquiring semaphore"
        case .zero: "waiting for the zero of"
        case .mutex: "locking mutex"
        case .readLock: "read-locking"
        case .writeLock: "write-locking"
        case .condition: "waiting for condition"
        case .send: "sending to channel"
        case .receive: "receiving from channel"
        case .fifo: "popping from fifo"
        case .keys: "locking keys of"
        case .barrier: "waiting at barrier"
        case .once: "waiting for once"
        case .waitGroup: "waiting for wait group"
        case .blocking: "waiting for a blocking call"
        case .names: "looking up a name"
        case .file: "waiting for a file operation"
        case .promise: "waiting for promise"
        case .none, .park, .pass, .sleep, .join, .read, .write, .child, .parallel, .group, .room, .select: ""
        }
    }
}
