import CCoroPlatform

/// The time that a loop goes by: the system's monotonic clock, moved on by tests, or a virtual one.
struct Clock {
    private var offset: Int64 = 0
    private(set) var isVirtual = false
    private var virtualNow: Int64 = 0
    /// What the wall clock says more than this one.
    private(set) var wallOffset: Int64 = 0

    /// The time right now, in nanoseconds. It never goes back.
    @inline(__always)
    func read() -> Int64 {
        isVirtual ? virtualNow : coro_system_clock() &+ offset
    }

    /// Virtual time goes on from the real one, and the other way round.
    mutating func setVirtual(_ on: Bool) {
        if on == isVirtual { return }
        if on {
            virtualNow = read()
        } else {
            offset = max(offset, min(virtualNow, Int64.max / 2) &- coro_system_clock())
        }
        isVirtual = on
    }

    mutating func step(_ nanoseconds: Int64) {
        if isVirtual {
            virtualNow = addClamped(virtualNow, nanoseconds)
        } else {
            // Half the range is left for the real clock to go on.
            offset = min(addClamped(offset, nanoseconds), Int64.max / 2)
        }
    }

    /// Looks at the wall clock.
    mutating func relateToWallClock() {
        wallOffset = coro_system_wall_clock() &- read()
    }

    /// Virtual time jumps to `time`.
    mutating func jump(to time: Int64) {
        virtualNow = max(virtualNow, time)
    }
}

/// The sum, or the latest time there is.
@inline(__always)
func addClamped(_ time: Int64, _ duration: Int64) -> Int64 {
    let (sum, overflow) = time.addingReportingOverflow(duration)
    return overflow ? Int64.max : sum
}
