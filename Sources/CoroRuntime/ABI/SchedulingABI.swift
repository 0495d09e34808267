import CCoro
import CCoroPlatform

// coro.h: Scheduling and the loop

@c @implementation
public func coro_current() -> coro_t {
    Runtime.existing?.pointee.current.pointee.id ?? 0
}

@c @implementation
public func coro_yield() -> CInt {
    guard let runtime = Runtime.here else { return Code.noMemory }
    return runtime.yield()
}

@c @implementation
public func coro_yield_slice() -> CInt {
    call { $0.yieldSlice() }
}

@c @implementation
public func coro_park(_ value: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> CInt {
    call { runtime throws(Refusal) in
        value?.pointee = nil
        let error = runtime.obstacle()
        if error != 0 { return error }
        let code = runtime.park(.park)
        if code != 0 { return runtime.fail(code) }
        value?.pointee = runtime.pointee.current.pointee.wakeValue
        return 0
    }
}

@c @implementation
public func coro_schedule(_ co: coro_t, _ value: UnsafeMutableRawPointer?) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.schedule(co == 0 ? runtime.pointee.main : runtime.find(co), value: value)
        return 0
    }
}

@c @implementation
public func coro_loop_options_init(_ options: UnsafeMutablePointer<coro_loop_options>) {
    options.initialize(to: coro_loop_options())
    options.pointee.struct_size = MemoryLayout<coro_loop_options>.size
}

@c @implementation
public func coro_event_loop() -> CInt {
    coro_event_loop_with(nil)
}

@c @implementation
public func coro_event_loop_with(_ options: UnsafePointer<coro_loop_options>?) -> CInt {
    call { runtime throws(Refusal) in
        var pollLimit: Int64 = 30_000_000_000
        var flags: UInt32 = 0
        if let options {
            guard options.pointee.struct_size == MemoryLayout<coro_loop_options>.size else {
                throw runtime.refuseArgument("coro_loop_options.struct_size is wrong: start from CORO_LOOP_OPTIONS_INIT")
            }
            let known = UInt32(CORO_LOOP_UNTIL_IDLE | CORO_LOOP_DETECT_DEADLOCK)
            flags = options.pointee.flags
            guard options.pointee.poll_timeout >= 0, flags & ~known == 0, options.pointee.reserved == 0
            else { throw runtime.refuseArgument("coro_loop_options has values that mean nothing") }
            if options.pointee.poll_timeout > 0 { pollLimit = options.pointee.poll_timeout }
        }
        let detects = flags & UInt32(CORO_LOOP_DETECT_DEADLOCK) != 0
        return try runtime.runEventLoop(pollLimit: pollLimit, whenIdle: detects ? .reportDeadlock : flags != 0 ? .stop : .wait)
    }
}

@c @implementation
public func coro_set_exit(_ code: CInt) {
    guard let runtime = Runtime.here else { return }
    runtime.pointee.exit.request(code, now: coro_system_clock())
}

@c @implementation
public func coro_set_print_exit_string(_ on: Bool) -> Bool {
    guard let runtime = Runtime.here else { return true }
    let before = runtime.pointee.exit.printsLine
    runtime.pointee.exit.printsLine = on
    return before
}

@c @implementation
public func coro_is_running() -> Bool {
    Runtime.existing?.pointee.loopState == .explicit
}

@c @implementation
public func coro_set_serve_main_queue(_ on: Bool) -> Bool {
    guard let runtime = Runtime.here else { return true }
    let before = runtime.pointee.mainQueue.isWanted
    runtime.setServeMainQueue(on)
    return before
}

@c @implementation
public func coro_set_strict_main(_ on: Bool) -> Bool {
    guard let runtime = Runtime.here else { return false }
    let before = runtime.pointee.obstacles.strictMain
    runtime.pointee.obstacles.setStrictMain(on)
    return before
}
