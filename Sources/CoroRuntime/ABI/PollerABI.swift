import CCoro
import CCoroPlatform

// coro.h: The poller

@c @implementation
public func coro_set_backend(_ backend: CInt) -> CInt {
    call { runtime throws(Refusal) in
        let chosen: coro_poller_backend
        switch backend {
        case CORO_BACKEND_DEFAULT: chosen = CORO_POLLER_DEFAULT
        case CORO_BACKEND_EPOLL: chosen = CORO_POLLER_EPOLL
        case CORO_BACKEND_IO_URING: chosen = CORO_POLLER_IO_URING
        default: throw runtime.refuseArgument("a backend is CORO_BACKEND_DEFAULT, _EPOLL or _IO_URING")
        }
        if runtime.pointee.poller.isOpen {
            return runtime.fail(-CoroErrno.busy) {
                $0.append("the loop of this thread is in use: choose before the first call that waits")
            }
        }
        runtime.pointee.poller.pointee.backend.set(chosen)
        return 0
    }
}

@c @implementation
public func coro_backend_name() -> UnsafePointer<CChar>? {
    guard let runtime = Runtime.here else { return nil }
    let error = runtime.pointee.poller.open(in: runtime)
    if error < 0 {
        _ = runtime.fail(error) { $0.append("the loop of this thread can't be set up") }
        return nil
    }
    return coro_poller_name(&runtime.pointee.poller.pointee.kernel)
}
