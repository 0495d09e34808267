import CCoro
import Glibc

extension Listener {
    /// Runs `body` for each connection, in a coroutine of its own, until the listener is closed. Suspends.
    ///
    /// When it returns or throws, none of those coroutines is left, and each connection is closed: `close()` of the listener
    /// lets them come to their end, and then this returns; a caller that is interrupted has them told to end
    /// (`CoroError.shutdown`), waits for that, and throws what it was interrupted with. A connection is also closed when its
    /// `body` is done. What `body` throws ends that connection alone, and is told as the failure of any coroutine
    /// (`EventLoop.onFailure`), but for `CoroError.shutdown`.
    ///
    /// `limit`: how many connections are served at once; others wait to be accepted.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func serve(limit: Int = .max, _ body: @escaping (Socket) throws -> Void) throws(CoroError) {
        if limit < 1 { throw .system(errno: EINVAL) }
        guard let group = coro_group_new(nil) else { throw .system(errno: ENOMEM) }
        let room = coro_semaphore_new(Int64(limit))
        var end = CoroError.system(errno: ENOMEM)
        if let room {
            do throws(CoroError) {
                while true {
                    try check(coro_semaphore_acquire(room, 1))
                    try ServedConnection(try accept(), room, body).spawn(in: group)
                }
            } catch {
                end = error
            }
        }
        defer { _ = coro_semaphore_free(room) }
        if end != .closed { _ = coro_group_cancel(group) }
        var code = coro_group_leave(group)
        if code == -EDEADLK {
            // On a thread's own stack, with connections that wait for nothing that could come.
            _ = coro_group_cancel(group)
            code = coro_group_leave(group)
        }
        if end != .closed { throw end }
        // Failures were told; what is left is an interruption.
        if code < 0, code != CORO_EINPARALLEL { throw CoroError(code: code) }
    }
}

/// A connection that a coroutine of a group serves.
private final class ServedConnection {
    private let connection: Socket
    /// Gets one back when the connection has been served.
    private let room: OpaquePointer
    private let body: (Socket) throws -> Void

    init(_ connection: Socket, _ room: OpaquePointer, _ body: @escaping (Socket) throws -> Void) {
        self.connection = connection
        self.room = room
        self.body = body
    }

    deinit {
        // Also of one that never ran.
        try? connection.close()
        _ = coro_semaphore_release(room, 1)
    }

    func spawn(in group: OpaquePointer) throws(CoroError) {
        let work = Outcome { try self.body(self.connection) }.work
        let argument = work.lend()
        var options = coro_options()
        coro_options_init(&options)
        options.release = Work.giveBack
        do throws(CoroError) {
            _ = try withText("connection") { name throws(CoroError) in
                options.name = name
                return try check(coro_group_spawn_with(group, Work.function, argument, &options))
            }
        } catch {
            Work.giveBack(argument)
            throw error
        }
    }
}
