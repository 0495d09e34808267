import CCoro
import CCoroPlatform

// coro.h: Testing

@c @implementation
public func coro_test_set_virtual_time(_ on: Bool) -> CInt {
    call {
        $0.pointee.clock.setVirtual(on)
        return 0
    }
}

@c @implementation
public func coro_test_step_time(_ ns: Int64) -> CInt {
    call { runtime throws(Refusal) in
        if ns < 0 { throw runtime.refuseArgument("time does not go back") }
        runtime.pointee.clock.step(ns)
        return 0
    }
}

@c @implementation
public func coro_test_set_time(_ when: Int64) -> CInt {
    call {
        let left = when.subtractingReportingOverflow($0.pointee.clock.read())
        if !left.overflow { $0.pointee.clock.step(max(left.partialValue, 0)) }
        return 0
    }
}

@c @implementation
public func coro_test_set_order_seed(_ seed: UInt64) -> CInt {
    call {
        $0.pointee.order.set(seed: seed)
        return 0
    }
}

@c @implementation
public func coro_test_fail_call(_ name: UnsafePointer<CChar>?, _ n: CInt, _ error: CInt) -> CInt {
    call { runtime throws(Refusal) in
        let name = try runtime.require(name, "call is NULL")
        let result = coro_system_fail_call(name, n, error)
        return result == 0 ? 0 : runtime.fail(result) {
            $0.append("libcoro makes no system call ")
            $0.append(cString: name)
            $0.append(", or n or error is out of range")
        }
    }
}

@c @implementation
public func coro_test_set_latency_unit(_ ns: Int64) -> CInt {
    call { runtime throws(Refusal) in
        if !(0...1_000_000_000).contains(ns) { throw runtime.refuseArgument("a latency unit is from 0 ns to a second") }
        runtime.pointee.latency.set(unit: ns == 0 ? nil : ns)
        runtime.applyLatencySettings()
        return 0
    }
}

@c @implementation
public func coro_test_set_blocking_idle_time(_ ns: Int64) -> CInt {
    if ns < 0 { return Runtime.existing?.refuseArgument("a time is not negative").code ?? Code.invalid }
    _ = coro_pool_set_idle_time(ns == 0 ? 10_000_000_000 : ns)
    return 0
}

@c @implementation
public func coro_test_set_mprotect_guards(_ on: Bool) {
    StackPool.mprotectGuards = on
}

@c @implementation
public func coro_test_set_ring_size(_ n: CUnsignedInt) {
    coro_ring_set_size(n)
}
