import CCoroPlatform

/// The thread that looks at all loops of the process, and reports who runs for too long while it still runs.
///
/// It reads what a loop's thread writes without a lock, several times per threshold: who runs, and counters that change with
/// every switch or batch. Two looks that find the same have found the same slice. When no loop has run for a while it sleeps
/// until one does, and when there is none left it ends: a process whose other threads have all ended could not end otherwise.
///
/// It reads plain memory: a loop's runtime stays for as long as its mailbox is in the registry, and the process lock is held;
/// control blocks stay as long. What may be freed meanwhile, a name, is copied by the system, which notices if it is not there.
enum Watchdog {
    /// The longest time between two looks; a quarter of the shortest threshold if that is less.
    private static let longestPause: Int64 = 100_000_000

    /// What a look at all loops has found.
    private struct Found {
        /// Whether there is any loop to watch.
        var loops = false
        /// When to look again, in nanoseconds, because a loop runs, or has since the last look; 0: none has.
        var pause: Int64 = 0
        var report: LatencyReport?
    }

    static func run() {
        var due = coro_system_clock()
        var pause: Int64 = 0
        while true {
            let now = coro_system_clock()
            // When this thread did not run either (the process was stopped, say), nothing is said of the others.
            let late = now &- due
            let found = look(at: now, lost: late > pause ? late : 0)
            if !found.loops { return }
            pause = found.pause
            if var report = found.report {
                report.write()
                pause = 0
                due = coro_system_clock()
            } else if pause > 0 {
                due = now &+ pause
                coro_watchdog_pause(pause)
            } else {
                sleep()
                due = coro_system_clock()
            }
        }
    }

    private static func sleep() {
        coro_watchdog_will_sleep()
        if anyRuns { coro_watchdog_wake() }
        coro_watchdog_sleep()
    }

    private static var anyRuns: Bool {
        Shared.withLock { shared in
            var any = false
            forEachLoop(shared) { runtime in
                let runs = coro_slice_activity(coro_watch_look(runtime.watch)) == CORO_LOOP_RUNS
                any = any || (runs && coro_watch_threshold(runtime.watch) != 0)
            }
            return any
        } ?? false
    }

    private static func forEachLoop(_ shared: UnsafeMutablePointer<Shared>, _ body: (RuntimeRef) -> Void) {
        for number in 0..<shared.pointee.loops.count {
            if let runtime = shared.pointee.loops[number].mailbox?.pointee.watched { body(runtime) }
        }
    }

    /// `lost`: how much of the time since the last look does not count.
    private static func look(at now: Int64, lost: Int64) -> Found {
        var found = Found()
        _ = Shared.withLock { shared in
            forEachLoop(shared) { runtime in
                found.loops = true
                if found.report == nil { look(at: runtime, now: now, lost: lost, &found) }
            }
            if !found.loops { coro_watchdog_will_end() }
        }
        return found
    }

    private static func look(at runtime: RuntimeRef, now: Int64, lost: Int64, _ found: inout Found) {
        let watch = runtime.watch
        let changed = observe(watch, at: now, lost: lost)
        let threshold = coro_watch_threshold(watch)
        let runs = coro_slice_activity(watch.pointee.slice) == CORO_LOOP_RUNS
        if threshold == 0 || !(runs || changed) { return }
        let pause = Swift.max(Swift.min(threshold / 4, longestPause), 1)
        if found.pause == 0 || pause < found.pause { found.pause = pause }
        if runs, !changed, !watch.pointee.reported, now &- watch.pointee.since >= threshold {
            found.report = catchSlice(of: runtime)
        }
    }

    /// Looks at one loop. Returns whether it has done anything since the last look.
    private static func observe(_ watch: UnsafeMutablePointer<coro_loop_watch>, at now: Int64, lost: Int64) -> Bool {
        let slice = coro_watch_look(watch)
        if watch.pointee.since != 0, slice == watch.pointee.slice {
            watch.pointee.since = Swift.min(watch.pointee.since &+ lost, now)
            return false
        }
        watch.pointee.slice = slice
        watch.pointee.since = now
        watch.pointee.reported = false
        return true
    }

    /// The slice has lasted for too long: notes down whose it is, and hands that to the loop; nil if it has just ended. The
    /// loop is told before it is looked at again, so that one of both sees what the other has done.
    private static func catchSlice(of runtime: RuntimeRef) -> LatencyReport? {
        let watch = runtime.watch
        guard let current = watch.pointee.slice.current else { return nil }
        // What the loop has not come to finish goes unfinished: this report is the more urgent one.
        _ = coro_watch_take_overrun(watch)
        let coroutine = UnsafeMutableRawPointer(mutating: current).assumingMemoryBound(to: Coroutine.self)
        watch.pointee.overrun = coro_overrun()
        watch.pointee.overrun.coroutine = current
        watch.pointee.overrun.id = coroutine.pointee.id
        watch.pointee.overrun.function = coroutine.pointee.function.map { unsafeBitCast($0, to: UnsafeRawPointer.self) }
        watch.pointee.overrun.since = watch.pointee.since
        copyName(of: coroutine, to: watch)
        let report = LatencyReport(of: coroutine, in: runtime)
        coro_watch_hand_over(watch)
        if coro_watch_look(watch) == watch.pointee.slice {
            watch.pointee.reported = true
            return report
        }
        _ = coro_watch_take_overrun(watch)
        return nil
    }

    /// Whoever runs may end, or be given another name, while this looks: then what it reads may have been freed.
    private static func copyName(of coroutine: CoroutineRef, to watch: UnsafeMutablePointer<coro_loop_watch>) {
        guard let name = peekName(of: coroutine) else { return }
        withUnsafeMutableBytes(of: &watch.pointee.overrun.name) {
            // The last byte stays zero.
            if let memory = $0.baseAddress { _ = coro_watchdog_peek(memory, name, $0.count - 1) }
        }
    }

    /// Where its name is, if it was given one, or its target's.
    private static func peekName(of coroutine: CoroutineRef) -> UnsafeRawPointer? {
        if let extras = coroutine.pointee.extras {
            let slot = withUnsafeMutablePointer(to: &extras.pointee.name) { UnsafeRawPointer($0) }
            if let name = peekPointer(at: slot) { return name }
        }
        // The target is what a call begins with, the signature what a target does, and the name what that does.
        guard let call = coroutine.call, let target = peekPointer(at: UnsafeRawPointer(call)) else { return nil }
        return peekPointer(at: target).flatMap(peekPointer)
    }

    private static func peekPointer(at place: UnsafeRawPointer) -> UnsafeRawPointer? {
        var pointer: UnsafeRawPointer?
        let size = MemoryLayout.size(ofValue: pointer)
        return coro_watchdog_peek(&pointer, place, size) == size ? pointer : nil
    }
}

private func == (left: coro_slice, right: coro_slice) -> Bool {
    left.current == right.current && left.budget == right.budget && left.starts == right.starts
        && left.batches == right.batches && left.activity == right.activity
}
