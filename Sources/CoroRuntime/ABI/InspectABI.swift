import CCoro
import CCoroPlatform

// coro.h: Looking into the loop

@c @implementation
public func coro_where(_ co: coro_t, _ frames: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ n: CInt) -> CInt {
    let site = coro_context_caller()
    return call { runtime throws(Refusal) in
        try runtime.withStack(of: co, site: site) { trace in
            guard let frames, n > 0 else { return }
            for index in 0..<min(trace.count, Int(n)) { frames[index] = trace[index] }
        }
    }
}

@c @implementation
public func coro_where_text(_ co: coro_t, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int) -> CInt {
    let site = coro_context_caller()
    return call { runtime throws(Refusal) in
        var text = TextBuffer(buffer, capacity: size)
        _ = try runtime.withStack(of: co, site: site) { trace in
            for index in 0..<trace.count {
                text.append(index == 0 ? "[" : " [")
                text.append(place: trace[index])
                text.append("]")
            }
        }
        return Int32(truncatingIfNeeded: text.length)
    }
}

extension RuntimeRef {
    /// Calls body with the stack of a coroutine, or the thread's own for 0. Returns how many frames it has.
    fileprivate func withStack(
        of co: coro_t, site: UnsafeRawPointer?, _ body: (StackTrace) -> Void
    ) throws(Refusal) -> Int32 {
        let coroutine = co == 0 ? pointee.main : try find(co)
        guard var trace = StackTrace() else { throw Refusal(code: fail(Code.noMemory)) }
        trace.take(coroutine, in: self, site: site)
        body(trace)
        let count = trace.count
        trace.free()
        return Int32(truncatingIfNeeded: count)
    }
}

@c @implementation
public func coro_dump(_ fd: CInt) -> CInt {
    let site = coro_context_caller()
    return call { runtime in runtime.withoutAlarm { runtime.dump(to: fd, site: site) } }
}

@c @implementation
public func coro_set_accounting(_ on: Bool) -> Bool {
    Runtime.here?.setAccounting(on) ?? false
}

@c @implementation
public func coro_get_stats(_ stats: UnsafeMutablePointer<coro_stats>?) -> CInt {
    call { runtime throws(Refusal) in
        let stats = try runtime.require(stats, "stats is NULL")
        guard stats.pointee.struct_size == MemoryLayout<coro_stats>.size else {
            throw runtime.refuseArgument("coro_stats.struct_size is not sizeof(coro_stats)")
        }
        runtime.count(in: stats)
        return 0
    }
}

extension RuntimeRef {
    fileprivate func count(in stats: UnsafeMutablePointer<coro_stats>) {
        let stacks = pointee.stacks.usage
        let mainIsReady = pointee.main.pointee.state == .ready
        stats.pointee.coroutines = Int64(pointee.table.count)
        stats.pointee.runnable = Int64(pointee.ready.count - pointee.cancelledInQueue - (mainIsReady ? 1 : 0))
        stats.pointee.fd_waiters = Int64(pointee.poller.coroutineCount)
        stats.pointee.timers = Int64(pointee.timers.count)
        stats.pointee.descriptors = Int64(pointee.poller.knownCount)
        stats.pointee.stacks_in_use = Int64(stacks.inUse)
        stats.pointee.stacks_kept = Int64(stacks.kept)
        stats.pointee.stack_bytes = Int64(stacks.mappedBytes)
        stats.pointee.created = UInt64(pointee.lastID &- pointee.mailbox.pointee.firstID)
        stats.pointee.passes = pointee.counters.passes
        stats.pointee.batches = pointee.counters.batches
        stats.pointee.switches = switchCount
        stats.pointee.polls = pointee.poller.pointee.counters.polls
        stats.pointee.events = pointee.poller.pointee.counters.events
        stats.pointee.posts = pointee.counters.posts
        let pool = coro_pool_count()
        stats.pointee.blocking_calls = pointee.jobs.total
        stats.pointee.blocking_threads = pool.threads
        stats.pointee.blocking_queued = pool.queued
        stats.pointee.accept_waits = pointee.acceptRoom.waits
        stats.pointee.file_operations = pointee.counters.fileOperations
    }
}

@c @implementation
public func coro_write_stderr(_ text: UnsafePointer<CChar>?) {
    let runtime = Runtime.existing
    runtime?.pauseAlarm()
    ErrorLine.write(text ?? ErrorText.null)
    runtime?.resumeAlarm()
}
