import CCoroPlatform

/// Accepting while there is no room for another descriptor. The connection stays in the listener's queue, where it is ready all
/// the while: to try again at once would take all the processor, and to give up would end the service. So the acceptor waits
/// until a descriptor is closed here, or for a little: other threads close some too, and so do those who use plain close(2).
struct AcceptRoom {
    /// Each has the descriptor that it accepts from in `wakeValue`: see `CoroutineRef.roomDescriptor`.
    var waiters = WaitList()
    /// How often an acceptor has waited.
    fileprivate(set) var waits: UInt64 = 0
    /// When one last did, by the loop's clock.
    fileprivate var lackedAt: Int64 = .min

    /// How often to try again: each 100 ms.
    fileprivate static let interval: Int64 = 100_000_000
    /// A shortage that comes after so long a time without one (10 s) is another, and told of anew.
    fileprivate static let pauseBetweenShortages: Int64 = 10_000_000_000

    /// Whether an error of accept(2) says that there is no room.
    static func isLacking(_ error: Int32) -> Bool {
        error == -CoroErrno.tooManyFiles || error == -CoroErrno.tooManyFilesInSystem || error == -CoroErrno.noBuffers
            || error == Code.noMemory
    }
}

extension CoroutineRef {
    /// What it accepts from, while it waits for room.
    var roomDescriptor: Int32 {
        get { Int32(truncatingIfNeeded: Int(bitPattern: pointee.wakeValue)) }
        nonmutating set { pointee.wakeValue = UnsafeMutableRawPointer(bitPattern: Int(newValue)) }
    }
}

extension RuntimeRef {
    private var roomWaiters: UnsafeMutablePointer<WaitList> {
        withUnsafeMutablePointer(to: &pointee.acceptRoom.waiters) { $0 }
    }

    /// Waits until there may be room for a connection that waits on fd. 0 or an error.
    func awaitRoom(toAcceptFrom fd: Int32, lacking error: Int32) -> Int32 {
        // Without room accept(2) fails whether or not anybody waits to be accepted.
        if coro_system_ready(fd, false) == 0 { return awaitReady(fd, .read) }
        let obstacle = obstacle()
        if obstacle != 0 { return obstacle }
        if let other = roomWaiter(toAcceptFrom: fd) { return refuseSecond(fd, .read, other) }
        noteShortage(fd, error)
        let me = pointee.current
        let generation = pointee.poller.known(fd)?.pointee.generation
        me.pointee.selfishActsLeft = selfishActs(of: me)
        me.roomDescriptor = fd
        roomWaiters.pointee.append(me)
        let deadline = addClamped(pointee.clock.read(), AcceptRoom.interval)
        let code = park(.room, on: Int(bitPattern: roomWaiters), until: deadline)
        if code != 0 && code != Code.closed {
            // It may have been woken for room, which somebody else can use.
            wakeFirstForRoom()
            return fail(code)
        }
        if pointee.poller.known(fd)?.pointee.generation != generation { return explainClosed(fd) }
        return code == 0 ? 0 : fail(code)
    }

    private func roomWaiter(toAcceptFrom fd: Int32) -> CoroutineRef? {
        guard let first = roomWaiters.pointee.first else { return nil }
        var waiter = first
        repeat {
            if waiter.roomDescriptor == fd { return waiter }
            waiter = waiter.pointee.waitNext.unsafelyUnwrapped
        } while waiter != first
        return nil
    }

    private func wakeFirstForRoom() {
        if let waiter = roomWaiters.pointee.first { wake(waiter) }
    }

    /// fd was closed: who accepts from it is told, and there is room for a connection.
    func noteRoom(after fd: Int32) {
        endRoomWait(toAcceptFrom: fd)
        wakeFirstForRoom()
    }

    /// fd is closed, or given up.
    func endRoomWait(toAcceptFrom fd: Int32) {
        if let waiter = roomWaiter(toAcceptFrom: fd) { wake(waiter, with: Code.closed) }
    }

    /// Counts the wait, and tells of the shortage if it is a new one.
    private func noteShortage(_ fd: Int32, _ error: Int32) {
        let now = pointee.clock.read()
        let isNew = pointee.acceptRoom.waits == 0
            || now &- pointee.acceptRoom.lackedAt > AcceptRoom.pauseBetweenShortages
        pointee.acceptRoom.waits &+= 1
        pointee.acceptRoom.lackedAt = now
        if isNew { writeShortage(fd, error) }
    }

    private func writeShortage(_ fd: Int32, _ error: Int32) {
        let capacity = 256
        guard let memory = Heap.zeroed(CChar.self, count: capacity) else { return }
        var text = TextBuffer(memory, capacity: capacity)
        text.append("no room to accept from descriptor ")
        text.append(fd)
        text.append(": ")
        ErrorText.append(error, to: &text)
        text.append("; connections wait until descriptors are closed: see ulimit -n")
        ErrorLine.write(memory)
        Heap.free(memory)
    }
}
