import CCoro
import Glibc

extension EventLoop {
    /// Calls `body` on the thread of that loop, from any thread: on its own stack, between two coroutines, or when it ends.
    /// `body` must not suspend. It is called once, unless this throws: `CoroError.dead` if that thread has ended.
    static func post(to loop: coro_loop_t, _ body: @escaping @Sendable () -> Void) throws(CoroError) {
        let call = Unmanaged.passRetained(Box(body))
        let code = coro_post_callback(
            loop, { Unmanaged<Box<@Sendable () -> Void>>.fromOpaque($0!).takeRetainedValue().value() }, call.toOpaque())
        if code == 0 { return }
        call.release()
        throw code == -ENOMEM ? CoroError(code: code) : .dead
    }
}
