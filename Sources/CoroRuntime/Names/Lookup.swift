import CCoroPlatform

typealias LookupRef = UnsafeMutablePointer<Lookup>
typealias AddressList = UnsafeMutablePointer<addrinfo>

/// What somebody asks for.
struct NameQuery {
    let node: UnsafePointer<CChar>?
    let service: UnsafePointer<CChar>?
    let hints: UnsafePointer<addrinfo>?
}

/// Asking for a name, on a thread of the pool, and all who wait for the answer. One that nobody waits for any more goes on, and
/// its answer is thrown away.
struct Lookup {
    var job: Job
    /// `waiters` of a reference relies on its place.
    fileprivate var waitList = WaitList()
    /// How many calls are in it: suspended, or woken and not yet back.
    fileprivate var calls = 0
    fileprivate var isDone = false
    fileprivate var code: Int32 = 0
    fileprivate var addresses: AddressList?
    // What is asked for, in memory of its own.
    fileprivate let node: UnsafeMutablePointer<CChar>?
    fileprivate let service: UnsafeMutablePointer<CChar>?
    fileprivate let hasHints: Bool
    fileprivate var hints: addrinfo
    /// The next of those of the loop that others may join.
    fileprivate var next: LookupRef?
}

extension LookupRef {
    fileprivate var job: JobRef { UnsafeMutableRawPointer(self).assumingMemoryBound(to: Job.self) }

    fileprivate var waiters: UnsafeMutablePointer<WaitList> {
        (UnsafeMutableRawPointer(self) + MemoryLayout<Job>.stride).assumingMemoryBound(to: WaitList.self)
    }

    /// nil without memory.
    fileprivate static func make(_ query: NameQuery, in runtime: RuntimeRef) -> LookupRef? {
        let job = Job(in: runtime, isSlow: true, run: runLookup, end: endLookup, drop: dropLookup)
        let node = query.node.flatMap(Heap.copy), service = query.service.flatMap(Heap.copy)
        var hints = query.hints?.pointee ?? addrinfo()
        hints.ai_addr = nil // which means nothing here
        hints.ai_canonname = nil
        hints.ai_next = nil
        let isComplete = (node == nil) == (query.node == nil) && (service == nil) == (query.service == nil)
        if isComplete,
            let lookup = Heap.one(
                Lookup(job: job, node: node, service: service, hasHints: query.hints != nil, hints: hints))
        {
            return lookup
        }
        Heap.free(node)
        Heap.free(service)
        return nil
    }

    fileprivate func free() {
        coro_system_free_addresses(pointee.addresses)
        Heap.free(pointee.node)
        Heap.free(pointee.service)
        Heap.free(self)
    }

    fileprivate func isFor(_ query: NameQuery) -> Bool {
        guard isSame(pointee.node, query.node), isSame(pointee.service, query.service),
            pointee.hasHints == (query.hints != nil)
        else { return false }
        guard let hints = query.hints?.pointee else { return true }
        let own = pointee.hints
        return own.ai_flags == hints.ai_flags && own.ai_family == hints.ai_family && own.ai_socktype == hints.ai_socktype
            && own.ai_protocol == hints.ai_protocol
    }
}

private func isSame(_ own: UnsafeMutablePointer<CChar>?, _ other: UnsafePointer<CChar>?) -> Bool {
    guard let own, let other else { return own == nil && other == nil }
    return Heap.isSame(own, other)
}

private func runLookup(_ task: UnsafeMutablePointer<coro_pool_task>) {
    let lookup = Job.of(task, as: Lookup.self)
    var hints = lookup.pointee.hints
    var found: AddressList?
    let (node, service) = (lookup.pointee.node, lookup.pointee.service)
    lookup.pointee.code =
        lookup.pointee.hasHints
        ? coro_system_look_up(node, service, &hints, &found) : coro_system_look_up(node, service, nil, &found)
    lookup.pointee.addresses = found
    lookup.job.deliver()
}

private func endLookup(_ runtime: UnsafeMutableRawPointer, _ job: UnsafeMutableRawPointer, _ code: Int32) {
    let runtime = runtime.assumingMemoryBound(to: Runtime.self)
    let lookup = job.assumingMemoryBound(to: Lookup.self)
    runtime.close(lookup)
    if code != 0 { lookup.pointee.code = code }
    lookup.pointee.isDone = true
    runtime.wakeAll(of: lookup.waiters)
    if lookup.pointee.calls == 0 { lookup.free() }
}

private func dropLookup(_ job: UnsafeMutableRawPointer) {
    job.assumingMemoryBound(to: Lookup.self).free()
}

extension RuntimeRef {
    /// getaddrinfo(3). Returns 0 and a list that is the caller's, or an error with its report.
    func lookUp(_ query: NameQuery, _ result: inout AddressList?) -> Int32 {
        var code: Int32 = 0
        if coro_system_look_up_numeric(query.node, query.service, query.hints, &result, &code) {
            return code == 0 ? 0 : explain(code, query)
        }
        let error = obstacle()
        if error != 0 { return error }
        guard let lookup = findOpen(query) ?? begin(query, error: &code) else { return code }
        let interruption = wait(for: lookup)
        code = interruption
        if code == 0 { code = take(&result, of: lookup) }
        leave(lookup)
        return code == 0 ? 0 : interruption != 0 ? fail(code) : explain(code, query)
    }

    /// Each caller gets a list of its own.
    private func take(_ result: inout AddressList?, of lookup: LookupRef) -> Int32 {
        if lookup.pointee.code != 0 { return lookup.pointee.code }
        result = lookup.pointee.addresses.flatMap { coro_system_copy_addresses($0) }
        return result == nil ? Code.noMemory : 0
    }

    private func wait(for lookup: LookupRef) -> Int32 {
        lookup.pointee.calls += 1
        lookup.waiters.pointee.append(pointee.current)
        pointee.outsideCount += 1
        let code = park(.names, on: Int(bitPattern: lookup.waiters))
        pointee.outsideCount -= 1
        return code
    }

    /// The look-up of that query that is under way.
    private func findOpen(_ query: NameQuery) -> LookupRef? {
        var lookup = pointee.lookups
        while let open = lookup, !open.isFor(query) { lookup = open.pointee.next }
        return lookup
    }

    private func begin(_ query: NameQuery, error: inout Int32) -> LookupRef? {
        guard let lookup = LookupRef.make(query, in: self) else {
            error = fail(Code.noMemory)
            return nil
        }
        error = submit(lookup.job)
        if error != 0 {
            lookup.free()
            return nil
        }
        lookup.pointee.next = pointee.lookups
        pointee.lookups = lookup
        return lookup
    }

    /// A call is over. If it was the last and there is no answer yet, nobody will hear it.
    private func leave(_ lookup: LookupRef) {
        lookup.pointee.calls -= 1
        if lookup.pointee.calls > 0 { return }
        if lookup.pointee.isDone { return lookup.free() }
        close(lookup)
        if withdraw(lookup.job) { return lookup.free() }
        _ = abandon(lookup.job) // or it is in the mailbox
    }

    /// Nobody is to join it from now on.
    fileprivate func close(_ lookup: LookupRef) {
        if pointee.lookups == lookup {
            pointee.lookups = lookup.pointee.next
            return
        }
        var previous = pointee.lookups
        while let open = previous, open.pointee.next != lookup { previous = open.pointee.next }
        previous?.pointee.next = lookup.pointee.next
    }

    private func explain(_ code: Int32, _ query: NameQuery) -> Int32 {
        fail(code) {
            if let node = query.node {
                $0.append("looking up ")
                $0.append(cString: node)
            }
            if let service = query.service {
                $0.append(query.node == nil ? "looking up service " : ", service ")
                $0.append(cString: service)
            }
            if code == -CoroErrno.cancelled { $0.append(": the process was forked") }
        }
    }
}
