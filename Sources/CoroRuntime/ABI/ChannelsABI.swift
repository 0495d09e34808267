import CCoro

// coro.h: Channels and queues

extension RuntimeRef {
    @inline(__always)
    fileprivate func find(channel: OpaquePointer?) throws(Refusal) -> ChannelRef {
        try own(ChannelRef(require(channel, "channel is NULL")))
    }

    @inline(__always)
    fileprivate func find(fifo: OpaquePointer?) throws(Refusal) -> FifoRef {
        try own(FifoRef(require(fifo, "fifo is NULL")))
    }

    /// The channel, if that is something that can be sent there.
    @inline(__always)
    fileprivate func find(channel: OpaquePointer?, for element: UnsafeRawPointer?) throws(Refusal) -> ChannelRef {
        let channel = try find(channel: channel)
        if element == nil, channel.pointee.elementSize > 0 { throw refuseArgument("element is NULL") }
        return channel
    }

    /// The report of a call that does not wait.
    @inline(__always)
    fileprivate func explain(_ code: Int32) -> Int32 {
        code == 0 ? 0 : code == Code.closed ? failClosed() : fail(code)
    }
}

// -- channels --

@c @implementation
public func coro_channel_new(_ element_size: Int, _ capacity: Int) -> OpaquePointer? {
    // A size_t that is more than an Int is negative: there is no memory for that.
    make { runtime in
        element_size < 0 || capacity < 0 ? nil : runtime.makeChannel(elementSize: element_size, capacity: capacity)
    }
}

@c @implementation
public func coro_channel_send(_ channel: OpaquePointer?, _ element: UnsafeRawPointer?) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.send(UnsafeMutableRawPointer(mutating: element), to: runtime.find(channel: channel, for: element))
    }
}

@c @implementation
public func coro_channel_try_send(_ channel: OpaquePointer?, _ element: UnsafeRawPointer?) -> CInt {
    call { runtime throws(Refusal) in
        let channel = try runtime.find(channel: channel, for: element)
        return runtime.explain(runtime.trySend(UnsafeMutableRawPointer(mutating: element), to: channel))
    }
}

@c @implementation
public func coro_channel_receive(_ channel: OpaquePointer?, _ element: UnsafeMutableRawPointer?) -> CInt {
    call { runtime throws(Refusal) in try runtime.receive(from: runtime.find(channel: channel), into: element) }
}

@c @implementation
public func coro_channel_try_receive(_ channel: OpaquePointer?, _ element: UnsafeMutableRawPointer?) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.explain(runtime.tryReceive(from: runtime.find(channel: channel), into: element))
    }
}

@c @implementation
public func coro_channel_close(_ channel: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.close(runtime.find(channel: channel))
        return 0
    }
}

@c @implementation
public func coro_channel_is_closed(_ channel: OpaquePointer?) -> Bool {
    channel.map { ChannelRef($0).pointee.isClosed } ?? false
}

@c @implementation
public func coro_channel_length(_ channel: OpaquePointer?) -> Int {
    channel.map { ChannelRef($0).pointee.count } ?? 0
}

@c @implementation
public func coro_channel_capacity(_ channel: OpaquePointer?) -> Int {
    channel.map { ChannelRef($0).pointee.capacity } ?? 0
}

@c @implementation
public func coro_channel_senders(_ channel: OpaquePointer?) -> Int {
    channel.map { ChannelRef($0).senders.pointee.count } ?? 0
}

@c @implementation
public func coro_channel_receivers(_ channel: OpaquePointer?) -> Int {
    channel.map { ChannelRef($0).receivers.pointee.count } ?? 0
}

@c @implementation
public func coro_channel_free(_ channel: OpaquePointer?) -> CInt {
    if channel == nil { return 0 }
    return call { runtime throws(Refusal) in
        try runtime.freeClosed(runtime.find(channel: channel))
        return 0
    }
}

// -- fifos --

@c @implementation
public func coro_fifo_new(_ release: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?) -> OpaquePointer? {
    make { runtime in runtime.makeFifo(release) }
}

@c @implementation
public func coro_fifo_push(_ fifo: OpaquePointer?, _ item: UnsafeMutableRawPointer?) -> CInt {
    call { runtime throws(Refusal) in try runtime.push(item, to: runtime.find(fifo: fifo)) }
}

@c @implementation
public func coro_fifo_push_front(_ fifo: OpaquePointer?, _ item: UnsafeMutableRawPointer?) -> CInt {
    call { runtime throws(Refusal) in try runtime.push(item, to: runtime.find(fifo: fifo), inFront: true) }
}

@c @implementation
public func coro_fifo_pop(_ fifo: OpaquePointer?, _ item: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> CInt {
    call { runtime throws(Refusal) in try runtime.pop(from: runtime.find(fifo: fifo), into: item) }
}

@c @implementation
public func coro_fifo_try_pop(_ fifo: OpaquePointer?, _ item: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.tryPop(from: runtime.find(fifo: fifo), into: item) ? 0 : runtime.fail(Code.again)
    }
}

@c @implementation
public func coro_fifo_pop_all(
    _ fifo: OpaquePointer?, _ items: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ n: Int
) -> Int {
    guard let runtime = Runtime.here else { return Int(Code.noMemory) }
    do throws(Refusal) {
        let fifo = try runtime.find(fifo: fifo)
        let items = try runtime.require(items, "items is NULL")
        if n <= 0 { throw runtime.refuseArgument("n is 0, or too large") }
        return runtime.popAll(from: fifo, into: items, n)
    } catch {
        return Int(error.code)
    }
}

@c @implementation
public func coro_fifo_top(_ fifo: OpaquePointer?, _ item: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> CInt {
    call { runtime throws(Refusal) in
        let fifo = try runtime.find(fifo: fifo)
        if fifo.pointee.items.count == 0 { return runtime.fail(-CoroErrno.noEntry) }
        item?.pointee = fifo.pointee.items[0]
        return 0
    }
}

@c @implementation
public func coro_fifo_length(_ fifo: OpaquePointer?) -> Int {
    fifo.map { FifoRef($0).pointee.items.count } ?? 0
}

@c @implementation
public func coro_fifo_free(_ fifo: OpaquePointer?) -> CInt {
    if fifo == nil { return 0 }
    return call { runtime throws(Refusal) in
        try runtime.freeWithItems(runtime.find(fifo: fifo))
        return 0
    }
}
