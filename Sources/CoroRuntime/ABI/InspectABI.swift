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
