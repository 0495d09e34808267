import CCoroPlatform

/// Which backend a loop's poller is to use: what the thread has set, or else what the environment says, or else epoll.
struct Backend {
    private var own = CORO_POLLER_DEFAULT

    var chosen: coro_poller_backend {
        if own != CORO_POLLER_DEFAULT { return own }
        let wanted = coro_poller_backend_wanted()
        return wanted == CORO_POLLER_DEFAULT ? CORO_POLLER_EPOLL : wanted
    }

    mutating func set(_ backend: coro_poller_backend) {
        own = backend
    }
}
