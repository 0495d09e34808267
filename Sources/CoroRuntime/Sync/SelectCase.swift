import CCoroPlatform

typealias SelectCaseRef = UnsafeMutablePointer<SelectCase>

/// One of the things that may happen. The layout is that of `coro_select_case`.
struct SelectCase {
    var kind: Int32
    var error: Int32
    var object: UnsafeMutableRawPointer?
    var element: UnsafeMutableRawPointer?
    var value: UnsafeMutableRawPointer?
    var id: Int64
    var events: Int32
    var reserved: Int32

    /// The numbers are `CORO_SELECT_…`.
    enum Kind: Int32 {
        case never, send, receive, pop, event, descriptor, child, join
    }

    /// Whether something changes hands when it happens, and does not only become known.
    var movesSomething: Bool {
        switch Kind(rawValue: kind) {
        case .send, .receive, .pop: true
        default: false
        }
    }

    fileprivate var channel: ChannelRef? { object?.assumingMemoryBound(to: Channel.self) }
    fileprivate var fifo: FifoRef? { object?.assumingMemoryBound(to: Fifo.self) }
    fileprivate var event: EventRef? { object?.assumingMemoryBound(to: Event.self) }
    fileprivate var descriptor: Int32 { Int32(truncatingIfNeeded: id) }
    fileprivate var direction: Direction { events == CaseEvents.write ? .write : .read }
}

extension SelectCaseRef {
    fileprivate var valueSlot: UnsafeMutablePointer<Item> { withUnsafeMutablePointer(to: &pointee.value) { $0 } }
}

/// `CORO_READ` and `CORO_WRITE`.
private enum CaseEvents {
    static let read: Int32 = 1
    static let write: Int32 = 2
}

/// Why a case can't be one.
struct BadCase: Error {
    /// With its report written, unless there is a reason.
    var code: Int32
    var reason: StaticString?

    static func argument(_ reason: StaticString) -> BadCase { BadCase(code: Code.invalid, reason: reason) }
}

/// What each kind of case means: whether it can happen now, to make it happen, and to wait for it.
extension RuntimeRef {
    /// Whether a case can happen now: 0 or the error that it happens with, or -EAGAIN. Does nothing to it. waits: whether
    /// the caller will wait if nothing can happen.
    func look(at it: SelectCaseRef, waits: Bool) throws(BadCase) -> Int32 {
        switch SelectCase.Kind(rawValue: it.pointee.kind) {
        case nil: throw .argument("its kind is not one")
        case .never: return Code.again
        case .send:
            let channel = try owned(it.pointee.channel)
            if it.pointee.element == nil, channel.pointee.elementSize > 0 { throw .argument("element is NULL") }
            return !channel.canSend ? Code.again : channel.pointee.isClosed ? Code.closed : 0
        case .receive:
            let channel = try owned(it.pointee.channel)
            return !channel.canReceive ? Code.again : channel.isDrained ? Code.closed : 0
        case .pop: return try owned(it.pointee.fifo).pointee.items.count > 0 ? 0 : Code.again
        case .event: return try owned(it.pointee.event).pointee.isSet ? 0 : Code.again
        case .descriptor: return try lookAtDescriptor(it, waits: waits)
        case .child:
            if it.pointee.id <= 0 || it.pointee.id > Int64(Int32.max) { throw .argument("id is not a process's") }
            let hasEnded = coro_system_has_ended(it.pointee.descriptor)
            return hasEnded == 0 ? Code.again : Swift.min(hasEnded, 0)
        case .join: return try lookAtCoroutine(it.pointee.id)
        }
    }

    @inline(__always)
    private func owned<Object: SyncObject>(
        _ object: UnsafeMutablePointer<Object>?
    ) throws(BadCase) -> UnsafeMutablePointer<Object> {
        guard let object else { throw .argument("object is NULL") }
        do {
            return try own(object)
        } catch {
            throw BadCase(code: error.code, reason: "its object belongs to another thread: see coro_post()")
        }
    }

    private func lookAtCoroutine(_ id: Int64) throws(BadCase) -> Int32 {
        guard let target = pointee.table.find(id) else {
            do {
                _ = try find(id)
                return 0
            } catch {
                if error.code == Code.dead { return Code.dead }
                throw BadCase(code: error.code)
            }
        }
        if target == pointee.current { throw BadCase(code: Code.deadlock, reason: "the coroutine is the caller") }
        if target.pointee.state == .new {
            throw BadCase(code: Code.notStarted, reason: "the coroutine was never started: coro_start()")
        }
        return target.pointee.state == .ended ? 0 : Code.again
    }

    private func lookAtDescriptor(_ it: SelectCaseRef, waits: Bool) throws(BadCase) -> Int32 {
        guard it.pointee.events == CaseEvents.read || it.pointee.events == CaseEvents.write else {
            throw .argument("events must be CORO_READ or CORO_WRITE")
        }
        guard it.pointee.id >= 0, it.pointee.id <= Int64(Int32.max) else { return Code.badDescriptor }
        let fd = it.pointee.descriptor
        var error: Int32 = 0
        guard let descriptor = pointee.poller.obtain(fd, error: &error) else { return descriptorError(error, fd) }
        // No news of a descriptor comes while other cases happen again and again: so now and then the system is asked.
        if waits, descriptor.pointee.wouldBlock(it.pointee.direction), pointee.order.draw(below: 8) > 0 { return Code.again }
        let ready = coro_system_ready(fd, it.pointee.direction == .write)
        if ready < 0 { return descriptorError(ready, fd) }
        if ready > 0 { return 0 }
        descriptor.pointee.setWouldBlock(it.pointee.direction)
        return Code.again
    }

    /// Whether a descriptor was reported as ready because of data that somebody has read since.
    func isFalseAlarm(_ it: SelectCaseRef) -> Bool {
        guard it.pointee.kind == SelectCase.Kind.descriptor.rawValue, it.pointee.error == 0,
            coro_system_ready(it.pointee.descriptor, it.pointee.direction == .write) == 0
        else { return false }
        pointee.poller.known(it.pointee.descriptor)?.pointee.setWouldBlock(it.pointee.direction)
        return true
    }

    private func descriptorError(_ error: Int32, _ fd: Int32) -> Int32 {
        error == Code.badDescriptor && pointee.poller.known(fd)?.pointee.flags.contains(.closed) ?? false ? Code.closed : error
    }

    /// Makes a case happen that can, with the outcome that `look` gave.
    func perform(_ it: SelectCaseRef, _ outcome: Int32) {
        it.pointee.error = outcome
        if outcome != 0 { return }
        switch SelectCase.Kind(rawValue: it.pointee.kind) {
        case .send: _ = trySend(it.pointee.element, to: it.pointee.channel.unsafelyUnwrapped)
        case .receive: _ = tryReceive(from: it.pointee.channel.unsafelyUnwrapped, into: it.pointee.element)
        case .pop: _ = tryPop(from: it.pointee.fifo.unsafelyUnwrapped, into: it.valueSlot)
        case .event: it.pointee.value = it.pointee.event?.pointee.value
        default: break
        }
    }

    /// Waits for a case, which can't happen now: in its list, at the end. 0 or an error, with its report written.
    func beginWait(for it: SelectCaseRef, _ number: Int, of wait: SelectWaitRef) -> Int32 {
        switch SelectCase.Kind(rawValue: it.pointee.kind) {
        case .send:
            let list = it.pointee.channel.unsafelyUnwrapped.senders
            return enlist(number, of: wait, .send, in: list, it.pointee.element)
        case .receive:
            let list = it.pointee.channel.unsafelyUnwrapped.receivers
            return enlist(number, of: wait, .receive, in: list, it.pointee.element)
        case .pop:
            let list = it.pointee.fifo.unsafelyUnwrapped.waiters
            return enlist(number, of: wait, .fifo, in: list, UnsafeMutableRawPointer(it.valueSlot))
        case .event: return enlist(number, of: wait, .event, in: it.pointee.event.unsafelyUnwrapped.waiters, nil)
        case .descriptor: return awaitDescriptor(it.pointee.descriptor, it.pointee.direction, number, of: wait)
        case .child: return awaitChild(it.pointee.descriptor, number, of: wait)
        case .join:
            guard let target = pointee.table.find(it.pointee.id) else { return 0 }
            return addStandIn(for: number, of: wait, .join, on: Int(bitPattern: target)) {
                target.pointee.joiners.append($0)
                return 0
            }
        default: return 0
        }
    }

    private func enlist(
        _ number: Int, of wait: SelectWaitRef, _ kind: WaitKind, in list: UnsafeMutablePointer<WaitList>,
        _ element: UnsafeMutableRawPointer?
    ) -> Int32 {
        addStandIn(for: number, of: wait, kind, on: Int(bitPattern: list), element: element) {
            list.pointee.append($0)
            return 0
        }
    }

    private func awaitDescriptor(_ fd: Int32, _ direction: Direction, _ number: Int, of wait: SelectWaitRef) -> Int32 {
        if let other = pointee.poller.known(fd)?.pointee[waiter: direction] {
            // Of two cases that are the same, the first is waited for.
            return wait.isServed(by: other) ? 0 : refuseSecond(fd, direction, other)
        }
        return addStandIn(for: number, of: wait, direction.waitKind, on: Int(fd)) {
            let error = pointee.poller.addWaiter($0, fd, direction, in: self)
            return error < 0 ? explain(error, fd) : 0
        }
    }

    private func awaitChild(_ pid: Int32, _ number: Int, of wait: SelectWaitRef) -> Int32 {
        let descriptor = openWatch(on: pid)
        if descriptor < 0 { return descriptor }
        let child = ChildWait(process: pid, descriptor: descriptor)
        let error = addStandIn(for: number, of: wait, .child, on: child.packed) {
            let error = pointee.poller.addReader($0, descriptor, in: self)
            return error < 0 ? explain(error, descriptor) : 0
        }
        if error != 0 { discard(descriptor) }
        return error
    }
}
