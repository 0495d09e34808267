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
    wallTime(ticks, in: Unit.microsecond).whole
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
    wallTime(ticks, in: Unit.second).whole
}

@c @implementation
public func coro_absolute_fsecs_to_ticks(_ seconds: Double) -> Int64 {
    guard seconds > -0x1p63 else { return .min }
    if seconds >= 0x1p63 { return .max }
    var whole = Int64(seconds)
    if Double(whole) > seconds { whole -= 1 }
    let time = ticks(whole, in: Unit.second)
    return time == .min ? .min : addClamped(time, Int64((seconds - Double(whole)) * Double(Unit.second)))
}

@c @implementation
public func coro_ticks_to_absolute_fsecs(_ ticks: Int64) -> Double {
    let (whole, rest) = wallTime(ticks, in: Unit.second)
    return Double(whole) + Double(rest) / Double(Unit.second)
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

/// The loop's time at `count` units since 1970. The units of the difference go first: nothing in between is larger than what
/// comes out.
private func ticks(_ count: Int64, in unit: Int64) -> Int64 {
    let offset = split(wallOffset, in: unit)
    let (units, overflow) = count.subtractingReportingOverflow(offset.whole)
    let (nanoseconds, overflow2) = units.multipliedReportingOverflow(by: unit)
    let (ticks, overflow3) = nanoseconds.subtractingReportingOverflow(offset.rest)
    return overflow || overflow2 || overflow3 ? (count < 0 ? .min : .max) : ticks
}

/// How many units since 1970 have gone by at a time of the loop's, and how many nanoseconds of the next.
private func wallTime(_ ticks: Int64, in unit: Int64) -> (whole: Int64, rest: Int64) {
    let time = split(ticks, in: unit)
    let offset = split(wallOffset, in: unit)
    let rest = time.rest + offset.rest
    return (time.whole + offset.whole + (rest < unit ? 0 : 1), rest < unit ? rest : rest - unit)
}

/// Whole units, rounded down, and what is left.
private func split(_ nanoseconds: Int64, in unit: Int64) -> (whole: Int64, rest: Int64) {
    let rest = nanoseconds % unit
    return rest < 0 ? (nanoseconds / unit - 1, rest + unit) : (nanoseconds / unit, rest)
}
