import CCoro

// coro.h: Threads

@c @implementation
public func coro_loop_current() -> coro_loop_t {
    callForID { $0.exposeLoop() }
}

@c @implementation
public func coro_post(_ loop: coro_loop_t, _ fn: coro_fn?, _ arg: UnsafeMutableRawPointer?) -> CInt {
    guard let fn else { return refuseNoFunction() }
    return tellOfPost(LoopRegistry.post(to: loop, fn, arg), to: loop)
}

@c @implementation
public func coro_post_callback(
    _ loop: coro_loop_t, _ fn: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?, _ arg: UnsafeMutableRawPointer?
) -> CInt {
    guard let fn else { return refuseNoFunction() }
    // What a register holds that a function without a result leaves is not looked at.
    return tellOfPost(LoopRegistry.post(to: loop, unsafeBitCast(fn, to: coro_fn.self), arg, isCallback: true), to: loop)
}

@c @implementation
public func coro_loop_of(_ co: coro_t) -> coro_loop_t {
    let loop = LoopRegistry.loopID(ofCoroutine: co)
    if loop > 0 { return loop }
    let error = Int32(truncatingIfNeeded: loop)
    return Int64(
        Runtime.existing?.fail(error) {
            $0.append(error == Code.dead ? "the thread of coroutine #" : "there never was a coroutine #")
            $0.append(co)
            if error == Code.dead { $0.append(" has ended") }
        } ?? error)
}

// Who posts needs no loop of its own; if the thread has one, errors are explained.

private func refuseNoFunction() -> CInt {
    Runtime.existing?.fail(Code.invalid) { $0.append("fn is NULL") } ?? Code.invalid
}

private func tellOfPost(_ error: CInt, to loop: coro_loop_t) -> CInt {
    if error == 0 { return 0 }
    return Runtime.existing?.fail(error) {
        if error == Code.noMemory { return }
        $0.append("there is no loop ")
        $0.append(loop)
        $0.append(", or its thread has ended")
    } ?? error
}
