import CSupervisor
import Coro

// supervisor.h, for the C half of the server. The compiler checks each function against its declaration there.

/// The one supervisor. All that it does happens on the thread whose loop the server runs on, so nothing has to lock it.
nonisolated(unsafe) private let supervisor = Supervisor()

@c @implementation
public func supervisor_start(_ options: UnsafePointer<supervisor_options>) -> Int32 {
    let options = options.pointee
    do {
        try supervisor.spawn("reap idle clients") {
            try supervisor.reapIdleClients(limit: .nanoseconds(options.idle_limit))
        }
        if options.shows_line {
            try supervisor.spawn("show live line") {
                try LiveLine(of: supervisor, isOnTerminal: options.on_terminal).run()
            }
        }
        return 0
    } catch {
        return error.code
    }
}

@c @implementation
public func supervisor_connected(_ client: coro_t) {
    supervisor.connected(AnyCoroutine(id: client))
}

@c @implementation
public func supervisor_request_began(_ client: coro_t) {
    supervisor.requestBegan(AnyCoroutine(id: client))
}

@c @implementation
public func supervisor_request_ended(_ client: coro_t, _ bytesIn: Int64, _ bytesOut: Int64) {
    supervisor.requestEnded(AnyCoroutine(id: client), bytesIn: bytesIn, bytesOut: bytesOut)
}

@c @implementation
public func supervisor_disconnected(_ client: coro_t) -> Int64 {
    supervisor.disconnected(AnyCoroutine(id: client))
    return Int64(supervisor.clients.count)
}

@c @implementation
public func supervisor_owns(_ co: coro_t) -> Bool {
    supervisor.coroutines.contains(AnyCoroutine(id: co))
}

@c @implementation
public func supervisor_finish(_ totals: UnsafeMutablePointer<supervisor_totals>) {
    supervisor.liveLine?.end()
    totals.initialize(to: supervisor.totals)
}
