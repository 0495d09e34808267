import CCoro

// coro.h: Events

extension RuntimeRef {
    fileprivate func find(_ event: OpaquePointer?) throws(Refusal) -> EventRef {
        try own(EventRef(require(event, "event is NULL")))
    }
}

@c @implementation
public func coro_event_new() -> OpaquePointer? {
    make { runtime in runtime.makeEvent() }
}

@c @implementation
public func coro_event_wait(_ event: OpaquePointer?, _ value: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> CInt {
    call { runtime throws(Refusal) in
        value?.pointee = nil
        return try runtime.wait(for: runtime.find(event), value: value)
    }
}

@c @implementation
public func coro_event_set(_ event: OpaquePointer?, _ value: UnsafeMutableRawPointer?) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.set(runtime.find(event), value: value)
        return 0
    }
}

@c @implementation
public func coro_event_reset(_ event: OpaquePointer?) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.reset(runtime.find(event))
        return 0
    }
}

@c @implementation
public func coro_event_is_set(_ event: OpaquePointer?) -> Bool {
    event.map { EventRef($0).pointee.isSet } ?? false
}

@c @implementation
public func coro_event_free(_ event: OpaquePointer?) -> CInt {
    if event == nil { return 0 }
    return call { runtime throws(Refusal) in
        try runtime.free(runtime.find(event))
        return 0
    }
}
