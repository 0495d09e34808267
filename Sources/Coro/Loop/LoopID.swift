import CCoro
import Glibc

extension EventLoop {
    /// A thread's loop, as other threads name it: what they hand work to.
    ///
    ///     let loop = try EventLoop.id                  // on the thread that runs coroutines
    ///     ...
    ///     try loop.post { try handle(answer) }         // on any other
    public struct ID: Hashable, Sendable {
        /// What C calls it by.
        public let number: Int64
        private let mailbox: Mailbox

        fileprivate init(number: Int64, mailbox: Mailbox) {
            self.number = number
            self.mailbox = mailbox
        }

        /// Runs `body` on that loop's thread, in a new coroutine, when the loop runs; wakes the thread if it waits. What one
        /// thread posts is begun in that order. Does not suspend. May be called on any thread.
        ///
        /// What `body` throws is told as the failure of any coroutine (`EventLoop.onFailure`). It is released when it has run;
        /// or when its thread ends before that. Throws `CoroError.dead` if that thread has ended.
        public func post(_ body: @escaping @Sendable () throws -> Void) throws(CoroError) {
            try mailbox.post(body, to: number)
        }

        /// Calls `body` on that loop's thread between two coroutines: for what is over at once. It must not suspend. In the
        /// order of `post`, of which it is the cheaper kind. It is called once, at the latest as that thread ends. Throws
        /// `CoroError.dead` if that thread has ended.
        public func call(_ body: @escaping @Sendable () -> Void) throws(CoroError) {
            try EventLoop.post(to: number, body)
        }

        public static func == (a: ID, b: ID) -> Bool { a.number == b.number }

        public func hash(into hasher: inout Hasher) { hasher.combine(number) }
    }

    /// The calling thread's loop, which is made if there is none. Throws `CoroError.system(errno:)` if it can't be.
    public static var id: ID {
        get throws(CoroError) {
            let number = try check(coro_loop_current())
            return ID(number: number, mailbox: Mailbox.ofThisThread)
        }
    }
}

/// What was posted to a thread, and has not begun. C holds the key of each: what it drops when the thread ends, it tells
/// nobody.
private final class Mailbox: Sendable {
    private struct Posts {
        var bodies: [Int: @Sendable () throws -> Void] = [:]
        var lastKey = 0
        var isClosed = false
    }

    private let posts = Guarded(Posts())

    private static let current = ThreadOwned<Owner>()

    /// What the thread itself holds: until it ends.
    private final class Owner {
        let mailbox = Mailbox()

        deinit { mailbox.close() }
    }

    static var ofThisThread: Mailbox {
        if let owner = current.value { return owner.mailbox }
        let owner = Owner()
        current.value = owner
        return owner.mailbox
    }

    func post(_ body: @escaping @Sendable () throws -> Void, to loop: coro_loop_t) throws(CoroError) {
        let code = posts.withLock { posts in
            if posts.isClosed { return -ESRCH }
            posts.lastKey += 1
            // Still under the lock: before it can be taken, it is there.
            let code = coro_post(loop, Mailbox.runner, UnsafeMutableRawPointer(bitPattern: posts.lastKey))
            if code == 0 { posts.bodies[posts.lastKey] = body }
            return code
        }
        if code == -ESRCH { throw .dead }
        try check(code)
    }

    private static func take(_ key: UnsafeMutableRawPointer?) -> (@Sendable () throws -> Void)? {
        current.value?.mailbox.posts.withLock { $0.bodies.removeValue(forKey: Int(bitPattern: key)) }
    }

    static var runner: coro_fn {
        { key in
            do { try Mailbox.take(key)?() } catch { return error.failCoroutine() }
            return nil
        }
    }

    private func close() {
        // Released outside the lock: who is may post.
        let bodies = posts.withLock { posts in
            posts.isClosed = true
            defer { posts.bodies = [:] }
            return posts.bodies
        }
        withExtendedLifetime(bodies) {}
    }
}
