import CCoro
import CCoroPlatform

// coro.h: Signals

@c @implementation
public func coro_signal(
    _ signum: CInt, _ handler: coro_signal_handler?, _ arg: UnsafeMutableRawPointer?, _ flags: UInt32
) -> CInt {
    let site = coro_context_caller()
    return call { runtime throws(Refusal) in
        let handler = try runtime.require(handler, "handler is NULL: coro_signal_unregister() takes one back")
        if flags & ~UInt32(CORO_SIGNAL_SERIAL | CORO_SIGNAL_ONCE) != 0 {
            throw runtime.refuseArgument("flags has bits that mean nothing")
        }
        var options: SignalOptions = []
        if flags & UInt32(CORO_SIGNAL_SERIAL) != 0 { options.insert(.serial) }
        if flags & UInt32(CORO_SIGNAL_ONCE) != 0 { options.insert(.once) }
        try runtime.registerSignal(signum, .coroutine(handler, argument: arg), options, site: site)
        return 0
    }
}

@c @implementation
public func coro_signal_unregister(_ signum: CInt) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.unregisterSignal(signum)
        return 0
    }
}

@c @implementation
public func coro_dump_on_signal(_ signum: CInt) -> CInt {
    let site = coro_context_caller()
    return call { runtime throws(Refusal) in
        let dump: @convention(c) (Int32) -> Void = { _ in _ = Runtime.existing?.dump(to: 2, site: nil) }
        try runtime.registerSignal(signum, .loopFunction(dump), site: site)
        return 0
    }
}

@c @implementation
public func coro_set_install_signal_handlers(_ on: Bool) -> Bool {
    guard let runtime = Runtime.here else { return true }
    let before = runtime.pointee.signals.defaults.areWanted
    runtime.pointee.signals.defaults.areWanted = on
    return before
}
