import CCoro

// coro.h: Hooks for host languages

@c @implementation
public func coro_switch_hooks_init(_ hooks: UnsafeMutablePointer<coro_switch_hooks>) {
    hooks.initialize(to: coro_switch_hooks())
    hooks.pointee.struct_size = MemoryLayout<coro_switch_hooks>.size
}

@c @implementation
public func coro_set_switch_hooks(_ hooks: UnsafePointer<coro_switch_hooks>?) -> CInt {
    call { runtime throws(Refusal) in
        var copy = SwitchHooks()
        if let hooks {
            guard hooks.pointee.struct_size == MemoryLayout<coro_switch_hooks>.size else {
                throw runtime.refuseArgument("coro_switch_hooks.struct_size is wrong: start from CORO_SWITCH_HOOKS_INIT")
            }
            copy = SwitchHooks(
                areSet: true, context: hooks.pointee.context, leave: hooks.pointee.leave, enter: hooks.pointee.enter,
                end: hooks.pointee.end)
        }
        try runtime.setSwitchHooks(copy)
        return 0
    }
}

@c @implementation
public func coro_switch_state() -> UnsafeMutablePointer<UnsafeMutableRawPointer?>? {
    guard let runtime = Runtime.existing, runtime.pointee.hooks.onSwitch.areSet else { return nil }
    return runtime.pointee.current.hookStateSlot
}

@c @implementation
public func coro_poll_hooks_init(_ hooks: UnsafeMutablePointer<coro_poll_hooks>) {
    hooks.initialize(to: coro_poll_hooks())
    hooks.pointee.struct_size = MemoryLayout<coro_poll_hooks>.size
}

@c @implementation
public func coro_set_poll_hooks(_ hooks: UnsafePointer<coro_poll_hooks>?) -> CInt {
    call { runtime throws(Refusal) in
        var copy = PollHooks()
        if let hooks {
            guard hooks.pointee.struct_size == MemoryLayout<coro_poll_hooks>.size else {
                throw runtime.refuseArgument("coro_poll_hooks.struct_size is wrong: start from CORO_POLL_HOOKS_INIT")
            }
            copy = PollHooks(
                areSet: true, context: hooks.pointee.context, beforeWait: hooks.pointee.before_wait,
                afterWait: hooks.pointee.after_wait)
        }
        try runtime.setPollHooks(copy)
        return 0
    }
}
