import CCoro

// The wall clock. Times are durations since 1970, to the microsecond.
extension EventLoop {
    /// The time right now by the wall clock.
    public static var timeSince1970: Duration { .microseconds(coro_get_usec()) }

    /// What the wall clock shows when `EventLoop.now` is `time`.
    public static func timeSince1970(at time: Duration) -> Duration {
        .microseconds(coro_ticks_to_absolute_time(time.nanoseconds))
    }

    /// What `EventLoop.now` is when the wall clock shows `timeSince1970`: `Coroutine.sleep(until: EventLoop.time(at: noon))`.
    public static func time(at timeSince1970: Duration) -> Duration {
        .nanoseconds(coro_absolute_time_to_ticks(timeSince1970.nanoseconds / 1000))
    }

    /// Looks at the wall clock again. The two clocks' relation is noted down when the loop is made; later changes of the wall
    /// clock count after this. Timers are not touched: they don't go by it.
    public static func updateTimeRelation() {
        coro_update_time_relation()
    }
}
