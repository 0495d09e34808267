import CCoro

// coro.h: Threads

@c @implementation
public func coro_loop_current() -> coro_loop_t {
    callForID { $0.exposeLoop() }
}

@c @implementation
public func coro_post(_ loop: coro_loop_t, _ fn: coro_fn?, _ arg: UnsafeMutableRawPointer?) -> CInt {
    // The posting thread needs no loop of its own; if it has one, the error is explained.
    guard let fn else {
        return Runtime.existing?.fail(Code.invalid) { $0.append("fn is NULL") } ?? Code.invalid
    }
    let error = LoopRegistry.post(to: loop, fn, arg)
    if error == 0 { return 0 }
    return Runtime.existing?.fail(error) {
        if error == Code.noMemory { return }
        $0.append("there is no loop ")
        $0.append(loop)
        $0.append(", or its thread has ended")
    } ?? error
}
