import CCoro
import CCoroPlatform

// coro.h: Parallel

@c @implementation
public func coro_parallel_options_init(_ options: UnsafeMutablePointer<coro_parallel_options>) {
    options.initialize(to: coro_parallel_options())
    options.pointee.struct_size = MemoryLayout<coro_parallel_options>.size
}

@c @implementation
public func coro_in_parallel(_ calls: UnsafeMutablePointer<coro_call>?, _ n: CInt) -> CInt {
    let site = coro_context_caller()
    return call { runtime throws(Refusal) in try runtime.inParallel(calls, Int(n), nil, site) }
}

@c @implementation
public func coro_in_parallel_with(
    _ calls: UnsafeMutablePointer<coro_call>?, _ n: CInt, _ options: UnsafePointer<coro_parallel_options>?
) -> CInt {
    let site = coro_context_caller()
    guard let runtime = Runtime.here else {
        // Nothing is run, and the arguments are given back all the same.
        if let calls, let release = options?.pointee.release { for index in 0..<Int(max(n, 0)) { release(calls[index].arg) } }
        return Code.noMemory
    }
    do {
        return try runtime.inParallel(calls, Int(n), options, site)
    } catch {
        return error.code
    }
}

extension RuntimeRef {
    fileprivate func inParallel(
        _ calls: UnsafeMutablePointer<coro_call>?, _ n: Int, _ options: UnsafePointer<coro_parallel_options>?,
        _ site: UnsafeRawPointer?
    ) throws(Refusal) -> Int32 {
        if n < 0 { throw refuseArgument("n is negative") }
        let options = try read(options)
        if n == 0 { return 0 }
        let calls = try require(calls, "calls is NULL")
        let run: ParallelRunRef
        do throws(Refusal) {
            run = try prepare(calls, n, options, site)
        } catch {
            for index in 0..<n { giveBack(calls[index].arg, to: options.release) }
            throw error
        }
        let deadline = options.timeout == 0 ? Int64.max : addClamped(pointee.clock.read(), options.timeout)
        try perform(run, until: deadline)
        let failures = report(run, in: calls)
        if run.group.pointee.unfinished > 0 { return failLate(run) }
        run.free()
        return failures == 0 ? 0 : failParallel(calls, n, failures)
    }

    private typealias Options = (limit: Int, timeout: Int64, release: ReleaseFunction?)

    private func read(_ options: UnsafePointer<coro_parallel_options>?) throws(Refusal) -> Options {
        guard let options else { return (.max, 0, nil) }
        guard options.pointee.struct_size == MemoryLayout<coro_parallel_options>.size else {
            throw refuseArgument("coro_parallel_options.struct_size is wrong: start from CORO_PARALLEL_OPTIONS_INIT")
        }
        let limit = options.pointee.limit
        return (
            limit == 0 ? .max : Int(clamping: UInt(bitPattern: limit)), options.pointee.timeout, options.pointee.release
        )
    }

    /// Checks everything before anything is started.
    private func prepare(
        _ calls: UnsafeMutablePointer<coro_call>, _ n: Int, _ options: Options, _ site: UnsafeRawPointer?
    ) throws(Refusal) -> ParallelRunRef {
        if options.timeout < 0 { throw refuseArgument("coro_parallel_options.timeout is negative") }
        guard let run = makeParallelRun(count: n, limit: options.limit, site: site) else {
            throw Refusal(code: fail(Code.noMemory))
        }
        for index in 0..<n {
            guard let function = calls[index].fn else {
                run.free()
                throw Refusal(
                    code: fail(Code.invalid) {
                        $0.append("the function of call ")
                        $0.append(index)
                        $0.append(" is NULL")
                    })
            }
            add(function, calls[index].arg, release: options.release, to: run)
        }
        return run
    }

    /// Writes the outcomes to where the caller wants them. Returns how many failed.
    private func report(_ run: ParallelRunRef, in calls: UnsafeMutablePointer<coro_call>) -> Int {
        var failures = 0
        for index in 0..<run.pointee.count {
            let task = run.pointee.tasks + index
            calls[index].result = task.pointee.result
            calls[index].error = task.pointee.error
            withUnsafeMutableBytes(of: &calls[index].message) {
                var text = TextBuffer($0.baseAddress?.assumingMemoryBound(to: CChar.self), capacity: $0.count)
                if let message = task.pointee.message { text.append(cString: UnsafePointer(message)) }
            }
            if task.pointee.error != 0 { failures += 1 }
        }
        return failures
    }

    /// The time was up before all had ended.
    private func failLate(_ run: ParallelRunRef) -> Int32 {
        let unstarted = run.group.pointee.unfinished - run.group.pointee.running
        dropPending(of: run.group)
        let code = fail(Code.timeout) { text in
            text.append(run.group.pointee.running)
            text.append(" of ")
            text.append(run.pointee.count)
            text.append(" have not ended and run on, ")
            text.append(unstarted)
            text.append(" were not started and never will be")
        }
        run.abandon()
        return code
    }

    /// "2 of 10 failed: [3] EIO (Input/output error): short header; [7] CORO_ESHUTDOWN (…)"
    private func failParallel(_ calls: UnsafeMutablePointer<coro_call>, _ n: Int, _ failures: Int) -> Int32 {
        fail(Code.inParallel) { text in
            text.append(failures)
            text.append(" of ")
            text.append(n)
            text.append(" failed:")
            var separator: StaticString = " ["
            for index in 0..<n where calls[index].error != 0 && text.length < ErrorReport.textSize {
                text.append(separator)
                separator = "; ["
                text.append(index)
                text.append("] ")
                ErrorText.append(calls[index].error, to: &text)
                if calls[index].message.0 != 0 {
                    text.append(": ")
                    withUnsafeBytes(of: &calls[index].message) {
                        $0.baseAddress.map { text.append(cString: $0.assumingMemoryBound(to: CChar.self)) }
                    }
                }
            }
        }
    }
}
