import CCoro

// coro.h: Watching

extension RuntimeRef {
    fileprivate func find(_ watch: OpaquePointer?) throws(Refusal) -> StreamRef {
        try own(StreamRef(require(watch, "watch is NULL")))
    }

    fileprivate func check(_ event: UnsafeMutablePointer<coro_watch_event>?) throws(Refusal) -> EventMemory {
        let event = try require(event, "event is NULL")
        guard event.pointee.struct_size == MemoryLayout<coro_watch_event>.size else {
            throw refuseArgument("coro_watch_event.struct_size is wrong: start from CORO_WATCH_EVENT_INIT")
        }
        return EventMemory(event)
    }
}

/// Where the caller wants an event.
private struct EventMemory {
    private let event: UnsafeMutablePointer<coro_watch_event>

    init(_ event: UnsafeMutablePointer<coro_watch_event>) { self.event = event }

    func store(_ from: WatchEvent) {
        event.pointee.id = from.id
        event.pointee.mask = from.mask
        event.pointee.cookie = from.cookie
        event.pointee.reserved = 0
        withUnsafeMutableBytes(of: &event.pointee.name) { from.copyName(to: $0.baseAddress.unsafelyUnwrapped, $0.count) }
    }
}

@c @implementation
public func coro_watch_new() -> OpaquePointer? {
    guard let runtime = Runtime.here else { return nil }
    do throws(Refusal) {
        return OpaquePointer(try runtime.makeWatch())
    } catch {
        return nil
    }
}

@c @implementation
public func coro_watch_add(_ watch: OpaquePointer?, _ path: UnsafePointer<CChar>?, _ mask: UInt32) -> CInt {
    call { runtime throws(Refusal) in
        let watch = try runtime.find(watch)
        return runtime.addWatch(watch, try runtime.require(path, "path is NULL"), mask: mask)
    }
}

@c @implementation
public func coro_watch_remove(_ watch: OpaquePointer?, _ id: CInt) -> CInt {
    call { runtime throws(Refusal) in runtime.removeWatch(try runtime.find(watch), id) }
}

@c @implementation
public func coro_watch_next(_ watch: OpaquePointer?, _ event: UnsafeMutablePointer<coro_watch_event>?) -> CInt {
    call { runtime throws(Refusal) in
        let watch = try runtime.find(watch)
        let memory = try runtime.check(event)
        return runtime.nextEvent(of: watch) { memory.store($0) }
    }
}

@c @implementation
public func coro_watch_try_next(_ watch: OpaquePointer?, _ event: UnsafeMutablePointer<coro_watch_event>?) -> CInt {
    call { runtime throws(Refusal) in
        let watch = try runtime.find(watch)
        let memory = try runtime.check(event)
        return runtime.tryNextEvent(of: watch) { memory.store($0) }
    }
}

@c @implementation
public func coro_watch_fd(_ watch: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in runtime.descriptor(of: try runtime.find(watch)) }
}

@c @implementation
public func coro_watch_free(_ watch: OpaquePointer?) -> CInt {
    if watch == nil { return 0 }
    return call { runtime throws(Refusal) in runtime.freeWatch(try runtime.find(watch)) }
}

@c @implementation
public func coro_timer_open(_ first: Int64, _ interval: Int64) -> CInt {
    call { runtime throws(Refusal) in try runtime.openTimer(first: first, interval: interval) }
}

@c @implementation
public func coro_timer_set(_ fd: CInt, _ first: Int64, _ interval: Int64) -> CInt {
    call { runtime throws(Refusal) in try runtime.setTimer(fd, first: first, interval: interval) }
}

@c @implementation
public func coro_timer_read(_ fd: CInt) -> Int64 {
    callForID { $0.readTimer(fd) }
}

@c @implementation
public func coro_pidfd_open(_ pid: pid_t) -> CInt {
    call { runtime throws(Refusal) in try runtime.openProcess(pid) }
}
