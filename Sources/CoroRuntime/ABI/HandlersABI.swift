import CCoro
import CCoroPlatform

// coro.h: I/O, the handlers of descriptors

@c @implementation
public func coro_set_handler(
    _ fd: CInt, _ events: CInt, _ handler: coro_fd_handler?, _ arg: UnsafeMutableRawPointer?, _ flags: UInt32
) -> CInt {
    let site = coro_context_caller()
    return call { runtime throws(Refusal) in
        let handler = try runtime.require(handler, "handler is NULL: coro_unset_handler() takes one back")
        if events < 1 || events > CORO_READ | CORO_WRITE {
            throw runtime.refuseArgument("events must be CORO_READ, CORO_WRITE or both")
        }
        if flags & ~UInt32(CORO_HANDLER_ONCE) != 0 { throw runtime.refuseArgument("flags has bits that mean nothing") }
        var error: Int32 = 0
        guard let descriptor = runtime.pointee.poller.obtain(fd, error: &error) else {
            throw Refusal(code: runtime.explain(error, fd))
        }
        if descriptor.pointee.kind == UInt8(CORO_KIND_FILE.rawValue) { throw Refusal(code: runtime.refuseFile(fd)) }
        try runtime.setHandler(
            FdHandler(
                fd: fd, generation: descriptor.pointee.generation, events: events,
                isOnce: flags & UInt32(CORO_HANDLER_ONCE) != 0, function: handler, argument: arg, site: site))
        return 0
    }
}

@c @implementation
public func coro_unset_handler(_ fd: CInt) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.unsetHandler(of: fd)
        return 0
    }
}
