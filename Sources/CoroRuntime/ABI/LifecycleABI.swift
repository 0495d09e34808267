import CCoro
import CCoroPlatform

// coro.h: Life cycle

@c @implementation
public func coro_options_init(_ options: UnsafeMutablePointer<coro_options>) {
    options.initialize(to: coro_options())
    options.pointee.struct_size = MemoryLayout<coro_options>.size
}

@c @implementation
public func coro_new(
    _ fn: coro_fn?, _ arg: UnsafeMutableRawPointer?, _ options: UnsafePointer<coro_options>?
) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in
        let (creation, startsNow) = try runtime.creation(fn, arg, options, site)
        if startsNow { throw runtime.refuseArgument("CORO_START_NOW: coro_new() does not start") }
        return try runtime.create(creation).pointee.id
    }
}

@c @implementation
public func coro_spawn(_ fn: coro_fn?, _ arg: UnsafeMutableRawPointer?) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in
        let function = try runtime.require(fn, "fn is NULL")
        let coroutine = try runtime.create(
            Creation(function: function, argument: arg, site: site, flags: runtime.initialFlags))
        runtime.makeReady(coroutine)
        return coroutine.pointee.id
    }
}

@c @implementation
public func coro_spawn_with(
    _ fn: coro_fn?, _ arg: UnsafeMutableRawPointer?, _ options: UnsafePointer<coro_options>?
) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in
        let (creation, startsNow) = try runtime.creation(fn, arg, options, site)
        return try runtime.spawn(creation, startsNow: startsNow)
    }
}

extension RuntimeRef {
    /// Creates and starts; returns the id.
    func spawn(_ creation: Creation, startsNow: Bool) throws(Refusal) -> Int64 {
        if startsNow, pointee.obstacles.forbidden != 0 { throw Refusal(code: obstacle()) }
        let coroutine = try create(creation)
        let id = coroutine.pointee.id
        if startsNow {
            try startNow(coroutine)
        } else {
            makeReady(coroutine)
        }
        return id
    }

    /// What the options say, checked.
    func creation(
        _ fn: coro_fn?, _ arg: UnsafeMutableRawPointer?, _ options: UnsafePointer<coro_options>?, _ site: UnsafeRawPointer?
    ) throws(Refusal) -> (Creation, startsNow: Bool) {
        let function = try require(fn, "fn is NULL")
        var creation = Creation(function: function, argument: arg, site: site, flags: initialFlags)
        guard let options else { return (creation, false) }
        guard options.pointee.struct_size == MemoryLayout<coro_options>.size else {
            throw refuseArgument("coro_options.struct_size is wrong: start from CORO_OPTIONS_INIT")
        }
        let flags = options.pointee.flags
        if flags & ~UInt32(CORO_DETACHED | CORO_START_NOW | CORO_SAVE_FP) != 0 || options.pointee.reserved != 0 {
            throw refuseArgument("coro_options.flags has bits that mean nothing")
        }
        if flags & UInt32(CORO_DETACHED) != 0 { creation.flags.insert(.detached) }
        if flags & UInt32(CORO_SAVE_FP) != 0 { creation.flags.insert(.savesFloatingPoint) }
        if options.pointee.stack_size != 0 { creation.stackClass = try stackClass(options.pointee.stack_size) }
        creation.name = options.pointee.name
        creation.release = options.pointee.release
        return (creation, flags & UInt32(CORO_START_NOW) != 0)
    }

    /// For a stack_size that was given.
    func stackClass(_ size: Int) throws(Refusal) -> UInt8 {
        guard size >= StackPool.smallest, size <= StackPool.largest else {
            throw refuseArgument("stack_size must be from 16 KiB to 1 GiB")
        }
        // Where pages are large, a guard of one must leave room for a stack.
        return StackPool.classOf(size: max(size, 4 * coro_memory_page_size()))
    }
}

@c @implementation
public func coro_start(_ co: coro_t) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.start(runtime.find(co))
        return 0
    }
}

@c @implementation
public func coro_start_now(_ co: coro_t) -> CInt {
    call { runtime throws(Refusal) in
        let coroutine = try runtime.find(co)
        guard coroutine.pointee.state == .new else {
            try runtime.start(coroutine)
            return 0
        }
        try runtime.startNow(coroutine)
        return 0
    }
}

@c @implementation
public func coro_fail(_ code: CInt, _ message: UnsafePointer<CChar>?) -> UnsafeMutableRawPointer? {
    Runtime.existing?.recordFailure(code, message)
    return nil
}

@c @implementation
public func coro_join(
    _ co: coro_t, _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ timeout: Int64
) -> CInt {
    call { runtime throws(Refusal) in
        result?.pointee = nil
        if timeout < 0 { throw runtime.refuseArgument("timeout is negative: CORO_FOREVER waits without limit") }
        try runtime.join(runtime.find(co), timeout: timeout) { result?.pointee = $0.pointee.result }
        return 0
    }
}

@c @implementation
public func coro_detach(_ co: coro_t) -> coro_t {
    if co < 0 { return co }
    return callForID { runtime throws(Refusal) in
        let coroutine = try runtime.find(co)
        coroutine.set(.detached)
        runtime.dropIfUnneeded(coroutine)
        return co
    }
}

@c @implementation
public func coro_shutdown(_ co: coro_t) -> CInt {
    call { runtime throws(Refusal) in
        let coroutine: CoroutineRef
        do throws(Refusal) {
            coroutine = try runtime.find(co)
        } catch {
            // What has ended is as it should be.
            if error.code == Code.dead { return 0 }
            throw error
        }
        runtime.shutDown(coroutine)
        return 0
    }
}

@c @implementation
public func coro_raise(_ co: coro_t, _ code: CInt, _ flags: UInt32) -> CInt {
    call { runtime throws(Refusal) in
        let coroutine = try runtime.find(co)
        if code >= 0 { throw runtime.refuseArgument("code is not negative: only an error can be raised") }
        if flags & ~UInt32(CORO_NO_FORCE | CORO_CANCEL_START) != 0 {
            throw runtime.refuseArgument("flags has bits that mean nothing")
        }
        try runtime.raise(
            coroutine, code,
            RuntimeRef.RaiseOptions(
                replaces: flags & UInt32(CORO_NO_FORCE) == 0, cancels: flags & UInt32(CORO_CANCEL_START) != 0))
        return 0
    }
}

@c @implementation
public func coro_interrupt(_ co: coro_t, _ value: UnsafeMutableRawPointer?) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.interrupt(runtime.find(co), value: value)
        return 0
    }
}

@c @implementation
public func coro_interrupt_value() -> UnsafeMutableRawPointer? {
    guard let me = Runtime.existing?.pointee.current, me.pointee.wakeCode == Code.interrupted else { return nil }
    return me.pointee.wakeValue
}

@c @implementation
public func coro_is_alive(_ co: coro_t) -> Bool {
    guard let coroutine = Runtime.existing?.pointee.table.find(co) else { return false }
    return coroutine.pointee.state != .new && coroutine.pointee.state != .ended
}

@c @implementation
public func coro_ident(_ co: coro_t) -> coro_t {
    callForID { runtime throws(Refusal) in try runtime.find(co).pointee.id }
}

@c @implementation
public func coro_set_name(_ co: coro_t, _ name: UnsafePointer<CChar>?) -> coro_t {
    callForID { runtime throws(Refusal) in
        let coroutine = try runtime.find(co)
        let name = try runtime.require(name, "name is NULL")
        guard let extras = coroutine.obtainExtras(), let copy = Heap.copy(name) else {
            throw Refusal(code: runtime.fail(Code.noMemory))
        }
        Heap.free(extras.pointee.name)
        extras.pointee.name = copy
        return co
    }
}

@c @implementation
public func coro_get_name(_ co: coro_t, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int) -> CInt {
    call { runtime throws(Refusal) in
        let coroutine = try runtime.find(co)
        var text = TextBuffer(buffer, capacity: size)
        runtime.appendName(of: coroutine, to: &text)
        return Int32(truncatingIfNeeded: text.length)
    }
}

@c @implementation
public func coro_set_exception_notifier(_ notifier: coro_notifier?) -> coro_notifier? {
    guard let runtime = Runtime.here else { return nil }
    let before = runtime.pointee.notifier
    runtime.pointee.notifier = notifier
    return before
}
