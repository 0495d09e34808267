import CCoroPlatform

typealias ChannelRef = UnsafeMutablePointer<Channel>

/// Elements of one size on their way from those who send to those who receive, first come first served on both sides.
///
/// Who finds somebody waiting on the other side moves the element straight from the one's memory to the other's. So nobody
/// waits to receive while there is an element, and nobody to send while there is room.
struct Channel: SyncObject {
    /// With those who wait to receive.
    var head: SyncHead
    /// Those who wait to send. `ChannelRef.senders` relies on its place.
    private var senderList = WaitList()
    let elementSize: Int
    let capacity: Int
    /// How many elements are in the buffer, and which place is the first one's.
    fileprivate(set) var count = 0
    fileprivate var first = 0
    fileprivate(set) var isClosed = false

    static var name: StaticString { "the channel" }

    fileprivate init(head: SyncHead, elementSize: Int, capacity: Int) {
        self.head = head
        self.elementSize = elementSize
        self.capacity = capacity
    }
}

extension ChannelRef {
    /// Those who wait to receive.
    @inline(__always)
    var receivers: UnsafeMutablePointer<WaitList> { waiters }

    /// Those who wait to send.
    @inline(__always)
    var senders: UnsafeMutablePointer<WaitList> {
        (UnsafeMutableRawPointer(self) + MemoryLayout<SyncHead>.stride).assumingMemoryBound(to: WaitList.self)
    }

    var canSend: Bool { pointee.isClosed || pointee.count < pointee.capacity || receivers.pointee.first != nil }
    var canReceive: Bool { pointee.count > 0 || senders.pointee.first != nil || pointee.isClosed }

    /// Whether it is closed, and nothing is left in it.
    var isDrained: Bool { pointee.isClosed && pointee.count == 0 }

    /// The buffer's place of that number, counted from the first element.
    @inline(__always)
    fileprivate func place(_ number: Int) -> UnsafeMutableRawPointer {
        let index = pointee.first &+ number
        let wrapped = index < pointee.capacity ? index : index &- pointee.capacity
        return UnsafeMutableRawPointer(self) + Self.bufferOffset + wrapped &* pointee.elementSize
    }

    fileprivate static var bufferOffset: Int { (MemoryLayout<Channel>.stride + 15) & ~15 }

    @inline(__always)
    fileprivate func move(_ source: UnsafeMutableRawPointer?, to target: UnsafeMutableRawPointer?) {
        guard let source, let target else { return }
        if pointee.elementSize == 8 {
            // A pointer, mostly.
            target.storeBytes(of: source.loadUnaligned(as: UInt64.self), as: UInt64.self)
        } else {
            target.copyMemory(from: source, byteCount: pointee.elementSize)
        }
    }
}

extension RuntimeRef {
    /// A new one, its buffer included; nil without memory.
    func makeChannel(elementSize: Int, capacity: Int) -> ChannelRef? {
        let (size, overflow) = elementSize.multipliedReportingOverflow(by: capacity)
        let (whole, overflowToo) = size.addingReportingOverflow(ChannelRef.bufferOffset)
        guard !overflow, !overflowToo, let memory = coro_memory_allocate(whole, 16) else { return nil }
        let channel = memory.bindMemory(to: Channel.self, capacity: 1)
        channel.initialize(to: Channel(head: SyncHead(in: self), elementSize: elementSize, capacity: capacity))
        return channel
    }

    /// Sends it if that takes no waiting: 0, CORO_ECLOSED, or -EAGAIN. Writes no report.
    @inline(__always)
    func trySend(_ element: UnsafeMutableRawPointer?, to channel: ChannelRef) -> Int32 {
        if let receiver = channel.receivers.pointee.first {
            channel.move(element, to: receiver.handover.pointee.element)
            finishHandover(with: receiver)
            return 0
        }
        if channel.pointee.isClosed { return Code.closed }
        if channel.pointee.count == channel.pointee.capacity { return Code.again }
        channel.move(element, to: channel.place(channel.pointee.count))
        channel.pointee.count &+= 1
        return 0
    }

    /// Receives one if that takes no waiting, and lets the first of those who wait to send go on: 0, CORO_ECLOSED, or -EAGAIN.
    /// Writes no report.
    @inline(__always)
    func tryReceive(from channel: ChannelRef, into element: UnsafeMutableRawPointer?) -> Int32 {
        if channel.pointee.count > 0 {
            takeFirst(of: channel, into: element)
            return 0
        }
        if let sender = channel.senders.pointee.first {
            channel.move(sender.handover.pointee.element, to: element)
            finishHandover(with: sender)
            return 0
        }
        return channel.pointee.isClosed ? Code.closed : Code.again
    }

    @inline(__always)
    private func takeFirst(of channel: ChannelRef, into element: UnsafeMutableRawPointer?) {
        channel.move(channel.place(0), to: element)
        let next = channel.pointee.first &+ 1
        channel.pointee.first = next == channel.pointee.capacity ? 0 : next
        channel.pointee.count &-= 1
        guard let sender = channel.senders.pointee.first else { return }
        channel.move(sender.handover.pointee.element, to: channel.place(channel.pointee.count))
        channel.pointee.count &+= 1
        finishHandover(with: sender)
    }

    /// Sends it as soon as that can be done. 0 or an error.
    @inline(__always)
    func send(_ element: UnsafeMutableRawPointer?, to channel: ChannelRef) -> Int32 {
        let code = trySend(element, to: channel)
        if code == 0 { return 0 }
        if code != Code.again { return failClosed() }
        let error = obstacle()
        return error != 0 ? error : exchange(.send, in: channel.senders, of: channel, element)
    }

    /// Receives one as soon as there is one. 0 or an error.
    @inline(__always)
    func receive(from channel: ChannelRef, into element: UnsafeMutableRawPointer?) -> Int32 {
        let code = tryReceive(from: channel, into: element)
        if code == 0 { return 0 }
        if code != Code.again { return failClosed() }
        let error = obstacle()
        return error != 0 ? error : exchange(.receive, in: channel.receivers, of: channel, element)
    }

    @inline(__always)
    private func exchange(
        _ kind: WaitKind, in list: UnsafeMutablePointer<WaitList>, of channel: ChannelRef, _ element: UnsafeMutableRawPointer?
    ) -> Int32 {
        let code = waitForHandover(kind, in: list, of: channel, element)
        let isFreed = channel.pointee.head.isFreed
        leave(channel)
        if code == 0 { return 0 }
        return code == Code.closed && !isFreed ? failClosed() : explainEnd(code, of: Channel.self)
    }

    @inline(never)
    func failClosed() -> Int32 {
        fail(Code.closed) {
            $0.append("the channel was closed: nothing more can be sent, and all that was sent has been received")
        }
    }

    /// Nothing more can be sent. What is in the buffer can still be received.
    func close(_ channel: ChannelRef) {
        channel.pointee.isClosed = true
        wakeAll(of: channel.receivers, with: Code.closed)
        wakeAll(of: channel.senders, with: Code.closed)
    }

    /// Frees it with what is in it.
    func freeClosed(_ channel: ChannelRef) {
        close(channel)
        free(channel)
    }
}
