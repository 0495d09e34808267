import CCoro
import CCoroPlatform

// coro.h: Time, the part about the wall clock

@c @implementation
public func coro_now_usec() -> Int64 {
    coro_ticks_to_absolute_time(coro_now())
}

@c @implementation
public func coro_get_usec() -> Int64 {
    coro_system_wall_clock() / Unit.microsecond
}

@c @implementation
public func coro_absolute_time_to_ticks(_ usec: Int64) -> Int64 {
    ticks(usec, in: Unit.microsecond)
}

@c @implementation
public func coro_ticks_to_absolute_time(_ ticks: Int64) -> Int64 {
    wallTime(ticks, in: Unit.microsecond)
}

@c @implementation
public func coro_absolute_time_to_ticks_safe(_ usec: Int64) -> Int64 {
    usec == 0 ? 0 : coro_absolute_time_to_ticks(usec)
}

@c @implementation
public func coro_ticks_to_absolute_time_safe(_ ticks: Int64) -> Int64 {
    ticks == 0 ? 0 : coro_ticks_to_absolute_time(ticks)
}

@c @implementation
public func coro_absolute_secs_to_ticks(_ seconds: Int64) -> Int64 {
    ticks(seconds, in: Unit.second)
}

@c @implementation
public func coro_ticks_to_absolute_secs(_ ticks: Int64) -> Int64 {
    wallTime(ticks, in: Unit.second)
}

@c @implementation
public func coro_absolute_fsecs_to_ticks(_ seconds: Double) -> Int64 {
    let nanoseconds = seconds * Double(Unit.second)
    if nanoseconds.isNaN { return .min }
    if nanoseconds >= 0x1p63 { return .max }
    return nanoseconds < -0x1p63 ? .min : ticks(Int64(nanoseconds), in: 1)
}

@c @implementation
public func coro_ticks_to_absolute_fsecs(_ ticks: Int64) -> Double {
    Double(wallTime(ticks, in: 1)) / Double(Unit.second)
}

@c @implementation
public func coro_update_time_relation() {
    Runtime.here?.pointee.clock.relateToWallClock()
}

/// How many nanoseconds it has.
private enum Unit {
    static let microsecond: Int64 = 1000
    static let second: Int64 = 1_000_000_000
}

private var wallOffset: Int64 {
    Runtime.here?.pointee.clock.wallOffset ?? coro_system_wall_clock() &- coro_system_clock()
}

/// The loop's time at `count` units since 1970.
private func ticks(_ count: Int64, in unit: Int64) -> Int64 {
    let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: unit)
    if overflow { return count < 0 ? .min : .max }
    let (ticks, overflow2) = nanoseconds.subtractingReportingOverflow(wallOffset)
    return overflow2 ? (nanoseconds < 0 ? .min : .max) : ticks
}

/// How many units since 1970 have gone by at a time of the loop's, rounded down.
private func wallTime(_ ticks: Int64, in unit: Int64) -> Int64 {
    let nanoseconds = addClamped(ticks, wallOffset)
    let quotient = nanoseconds / unit
    return nanoseconds % unit < 0 ? quotient - 1 : quotient
}
