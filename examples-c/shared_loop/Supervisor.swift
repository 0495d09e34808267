import CSupervisor
import Coro

/// What is known of one client, whose coroutine is written in C.
struct Client {
    /// While it is served a request; otherwise it is idle, since `idleSince`.
    var isBusy = false
    var idleSince: Duration
    /// It has been told to end: not to be told again.
    var isEnding = false

    var isIdle: Bool { !isBusy && !isEnding }
}

/// Keeps the books: who is connected, what was done for them, and which coroutines are written in Swift.
final class Supervisor {
    private(set) var clients: [AnyCoroutine: Client] = [:]
    private(set) var coroutines: Set<AnyCoroutine> = []
    var totals = supervisor_totals()
    weak var liveLine: LiveLine?

    /// Runs `body` in a coroutine that is known as one of ours while it lives. Nobody joins it.
    func spawn(_ name: String, _ body: @escaping () throws -> Void) throws(CoroError) {
        let coroutine = try Coroutine.spawn(name: name) {
            defer { AnyCoroutine.current.map { _ = self.coroutines.remove($0) } }
            try body()
        }
        coroutines.insert(coroutine.any)
        totals.swift_coroutines += 1
    }

    func connected(_ client: AnyCoroutine) {
        clients[client] = Client(idleSince: EventLoop.now)
        totals.connections += 1
        totals.most_clients = max(totals.most_clients, Int64(clients.count))
    }

    func requestBegan(_ client: AnyCoroutine) {
        clients[client]?.isBusy = true
    }

    func requestEnded(_ client: AnyCoroutine, bytesIn: Int64, bytesOut: Int64) {
        clients[client]?.isBusy = false
        clients[client]?.idleSince = EventLoop.now
        totals.requests += 1
        totals.bytes_in += bytesIn
        totals.bytes_out += bytesOut
    }

    func disconnected(_ client: AnyCoroutine) {
        clients[client] = nil
    }

    func markEnding(_ client: AnyCoroutine) {
        clients[client]?.isEnding = true
    }
}
