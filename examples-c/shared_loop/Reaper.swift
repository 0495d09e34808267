import Coro

extension Supervisor {
    /// Looks through the clients for ever, and ends those that have been idle for longer than `limit`.
    func reapIdleClients(limit: Duration) throws {
        let pause = min(max(limit / 8, .milliseconds(10)), .seconds(1))
        while true {
            try Coroutine.sleep(for: pause)
            let now = EventLoop.now
            for (coroutine, client) in clients where client.isIdle && now - client.idleSince > limit {
                markEnding(coroutine)
                // In a coroutine of its own: one client that is slow to end must not hold up the others.
                try spawn("end client #\(coroutine.id)") { try self.end(coroutine) }
            }
        }
    }

    /// Tells the client's coroutine to end, and waits until it has. C gets CORO_ESHUTDOWN from the call it waits in,
    /// cleans up, and fails with it; that failure comes back here as an error of Swift's.
    private func end(_ client: AnyCoroutine) throws {
        do {
            try client.shutdown()
            try client.join(timeout: .seconds(5))
        } catch .shutdown {
            totals.idle_ended += 1
        } catch .dead {
            // It has ended by itself between the look and the shutdown.
        }
    }
}
