import CCoroPlatform

typealias LatencyReporter = @convention(c) (Int64, Int64, UnsafePointer<CChar>) -> Void

/// What a thread's program wants to hear of coroutines that run for long without yielding.
struct LatencySettings {
    private(set) var factor: Int32 = 1
    /// What the factor is multiplied by.
    private var unit = Self.usualUnit
    /// Told what would be written to stderr when such a coroutine has yielded.
    var reporter: LatencyReporter?

    static let factors: ClosedRange<Int32> = 0...300
    private static let usualUnit: Int64 = 200_000_000

    /// How long a coroutine may run before it is reported; 0: for ever.
    var threshold: Int64 { Int64(factor) * unit }

    mutating func set(factor: Int32) { self.factor = factor }

    /// nil: the usual one.
    mutating func set(unit: Int64?) { self.unit = unit ?? Self.usualUnit }

    static func initialWatch() -> coro_loop_watch {
        var watch = coro_loop_watch()
        watch.threshold = LatencySettings().threshold
        return watch
    }
}

/// The loop's side of the watchdog. It costs the loop a few instructions for each pass, and a coroutine's switch nothing: the
/// watchdog looks at what a switch changes anyway.
extension RuntimeRef {
    var watch: UnsafeMutablePointer<coro_loop_watch> {
        withUnsafeMutablePointer(to: &pointee.watched) { $0 }
    }

    /// Whether there is nothing to do before a coroutine runs: the watchdog knows this loop, and is awake; or it shall not
    /// look.
    @inline(__always)
    var isWatchedOver: Bool {
        coro_watch_threshold(watch) == 0 || (pointee.watched.current != nil && coro_watchdog_is_awake())
    }

    @inline(never)
    func beWatched() {
        if pointee.watched.current == nil {
            pointee.watched.batches = withUnsafeMutablePointer(to: &pointee.counters.batches) { UnsafePointer($0) }
            pointee.watched.budget = withUnsafeMutablePointer(to: &pointee.budget) { $0 }
            pointee.watched.starts = withUnsafeMutablePointer(to: &pointee.startsInARow) { UnsafePointer($0) }
            pointee.watched.thread = coro_watch_thread_id()
            pointee.watched.interruptible = coro_watch_has_signal_stack()
            pointee.watched.current = withUnsafeMutablePointer(to: &pointee.current) {
                UnsafeRawPointer($0).assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
            }
            let me = self
            _ = Shared.withLock { _ in me.pointee.mailbox.pointee.watched = me }
        }
        coro_watchdog_alert { Watchdog.run() }
    }

    /// In the child of a fork: another thread of the system, without a watchdog so far.
    func continueBeingWatched() {
        pointee.watched.thread = coro_watch_thread_id()
        pointee.watched.since = 0
        pointee.watched.has_overrun = 0
    }

    func applyLatencySettings() {
        coro_watch_set_threshold(watch, pointee.latency.threshold)
        if pointee.loopState != .idle, !isWatchedOver { beWatched() }
    }

    /// What was reported while it ran has yielded, or ended.
    @inline(never)
    func finishOverrun() {
        var overrun = pointee.watched.overrun
        guard coro_watch_take_overrun(watch) else { return }
        let duration = coro_system_clock() &- overrun.since
        guard let reporter = pointee.latency.reporter else {
            LatencyReport.writeEnd(of: &overrun, after: duration, in: self)
            return
        }
        pointee.obstacles.forbid()
        let runtime = self
        LatencyReport.withName(of: &overrun, in: runtime) { reporter($0, duration, $1) }
        pointee.obstacles.allow()
    }
}
