import CCoroPlatform

private typealias RaceRef = UnsafeMutablePointer<ConnectionRace>

/// Connecting to the first of a host's addresses that answers (RFC 8305, "happy eyeballs"): one after the other, the two
/// families in turn, the next as soon as one has failed or has not answered for a while. It is all done by the caller: the
/// sockets are its own until one has won, and it waits for all of them by one descriptor.
private struct ConnectionRace {
    /// In the order in which they are tried.
    var attempts = Vector<Attempt>()
    var startedCount = 0
    /// How many wait for an answer.
    var pendingCount = 0
    /// An epoll of its own for them; -1: there was no need yet.
    var poller: Int32 = -1
    /// When the next is tried.
    var nextStart: Int64 = .min

    struct Attempt {
        let address: UnsafePointer<addrinfo>
        /// -1: not begun, or over.
        var fd: Int32 = -1
        /// Why it has failed.
        var error: Int32 = 0
    }

    /// How long to wait for an answer before the next address is tried too: 250 ms, as the RFC recommends.
    static let stagger: Int64 = 250_000_000

    var hasMore: Bool { startedCount < attempts.count }
}

extension UnsafeMutablePointer<ConnectionRace> {
    /// nil without memory.
    fileprivate static func make(_ addresses: UnsafePointer<addrinfo>) -> RaceRef? {
        guard let race = Heap.one(ConnectionRace()) else { return nil }
        let preferred = addresses.pointee.ai_family
        var next = find(in: addresses, preferred, true), other = find(in: addresses, preferred, false)
        while let address = next ?? other {
            guard race.pointee.attempts.reserveOne() else {
                race.pointee.attempts.free()
                Heap.free(race)
                return nil
            }
            race.pointee.attempts.appendReserved(ConnectionRace.Attempt(address: address))
            let following = find(in: UnsafePointer(address.pointee.ai_next), preferred, address.pointee.ai_family == preferred)
            (next, other) = (next == nil ? nil : other, following)
        }
        return race
    }

    /// The first address in the list that is of the family, or that is not.
    private static func find(
        in list: UnsafePointer<addrinfo>?, _ family: Int32, _ isOfFamily: Bool
    ) -> UnsafePointer<addrinfo>? {
        var address = list
        while let each = address, (each.pointee.ai_family == family) != isOfFamily {
            address = UnsafePointer(each.pointee.ai_next)
        }
        return address
    }

    /// Begins the next attempt. Returns its socket if it is connected already, else nil.
    fileprivate func startNext() -> Int32? {
        let index = pointee.startedCount
        let address = pointee.attempts[index].address
        pointee.startedCount += 1
        let fd = coro_system_socket(address.pointee.ai_family, address.pointee.ai_socktype, address.pointee.ai_protocol)
        if fd < 0 {
            pointee.attempts[index].error = fd
            return nil
        }
        pointee.attempts[index].fd = fd
        pointee.pendingCount += 1
        let result = coro_system_connect(fd, address.pointee.ai_addr, address.pointee.ai_addrlen)
        let isUnderWay = result == -CoroErrno.inProgress || result == -CoroErrno.interrupted
        if result < 0, !isUnderWay {
            fail(index, result)
        } else if check(index) {
            return fd
        } else if pointee.poller >= 0 {
            watch(index)
        }
        return nil
    }

    /// Whether it is connected. If it has failed, that is noted down.
    private func check(_ index: Int) -> Bool {
        let fd = pointee.attempts[index].fd
        if fd < 0 { return false }
        let error = coro_system_socket_error(fd)
        if error == 0 { return coro_system_is_connected(fd) }
        fail(index, error)
        return false
    }

    private func fail(_ index: Int, _ error: Int32) {
        _ = coro_system_close(pointee.attempts[index].fd)
        pointee.attempts[index].fd = -1
        pointee.attempts[index].error = error
        pointee.pendingCount -= 1
        pointee.nextStart = .min // the next at once
    }

    /// One of them that is connected.
    fileprivate func findWinner() -> Int32? {
        for index in 0..<pointee.startedCount where check(index) { return pointee.attempts[index].fd }
        return nil
    }

    private func watch(_ index: Int) {
        let fd = pointee.attempts[index].fd
        if fd < 0 { return }
        let error = coro_epoll_add(pointee.poller, fd, UInt64(index))
        if error < 0 { fail(index, error) }
    }

    /// The descriptor that says when to look again; or an error.
    fileprivate func obtainPoller(in runtime: RuntimeRef) -> Int32 {
        if pointee.poller >= 0 { return pointee.poller }
        let poller = runtime.adopt(coro_epoll_create(), kind: CORO_KIND_NONBLOCKING)
        if poller < 0 { return poller }
        pointee.poller = poller
        for index in 0..<pointee.startedCount { watch(index) }
        return poller
    }

    /// Takes from the poller what it has to report.
    fileprivate func empty() {
        var event = coro_poll_event()
        for _ in 0..<pointee.startedCount { _ = coro_epoll_wait(pointee.poller, &event, 1, 0) }
    }

    /// Closes what is left, all but the winner.
    fileprivate func free(butFor winner: Int32?, in runtime: RuntimeRef) {
        for index in 0..<pointee.startedCount {
            let fd = pointee.attempts[index].fd
            if fd >= 0, fd != winner { _ = coro_system_close(fd) }
        }
        if pointee.poller >= 0 { _ = runtime.close(pointee.poller) }
        pointee.attempts.free()
        Heap.free(self)
    }
}

extension RuntimeRef {
    /// Connects to one of the addresses. Returns a socket, or an error with its report.
    func connectFirst(of addresses: UnsafePointer<addrinfo>) -> Int32 {
        guard let race = RaceRef.make(addresses) else { return fail(Code.noMemory) }
        let outcome = run(race)
        race.free(butFor: outcome < 0 ? nil : outcome, in: self)
        if outcome < 0 { return outcome }
        coro_system_set_no_delay(outcome)
        return adopt(outcome, kind: CORO_KIND_STREAM)
    }

    private func run(_ race: RaceRef) -> Int32 {
        while true {
            while race.pointee.hasMore, race.pointee.pendingCount == 0 || race.pointee.nextStart <= pointee.clock.read() {
                race.pointee.nextStart = addClamped(pointee.clock.read(), ConnectionRace.stagger)
                if let winner = race.startNext() { return winner }
            }
            if race.pointee.pendingCount == 0 { return explainFailure(of: race) }
            let code = awaitNews(of: race)
            if code != 0 { return code }
            if let winner = race.findWinner() { return winner }
        }
    }

    /// Waits until something has happened to an attempt, or it is time for the next.
    private func awaitNews(of race: RaceRef) -> Int32 {
        let poller = race.obtainPoller(in: self)
        if poller < 0 { return poller }
        let deadline = race.pointee.hasMore ? race.pointee.nextStart : .max
        if race.pointee.pendingCount == 0 || deadline == .min { return 0 } // not even the watch could begin
        let code = awaitReady(poller, .read, until: deadline)
        race.empty()
        return code == Code.timeout && pointee.clock.read() >= deadline ? 0 : code
    }

    /// All have failed. The first error that says more than that there is no way there counts.
    private func explainFailure(of race: RaceRef) -> Int32 {
        var code = race.pointee.attempts[0].error
        for index in 0..<race.pointee.attempts.count where coro_system_is_of_route(-code) {
            let other = race.pointee.attempts[index].error
            if !coro_system_is_of_route(-other) { code = other }
        }
        return fail(code) {
            for index in 0..<race.pointee.attempts.count {
                let attempt = race.pointee.attempts[index]
                $0.append(index == 0 ? "tried " : ", ")
                $0.append(attempt.address.pointee.ai_addr, attempt.address.pointee.ai_addrlen)
                $0.append(": ")
                if let name = ErrorText.name(attempt.error) { $0.append(cString: name) }
            }
        }
    }
}

extension TextBuffer {
    /// "127.0.0.1:80"
    mutating func append(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CORO_ADDRESS_TEXT_SIZE)) {
            guard let text = $0.baseAddress else { return }
            coro_system_address_text(address, length, text, $0.count)
            append(cString: text)
        }
    }
}
