import CCoroPlatform

typealias FdHandlerRef = UnsafeMutablePointer<FdHandler>
typealias FdHandlerFunction = @convention(c) (Int32, Int32, UnsafeMutableRawPointer?) -> Void

/// What coroutines are to be made for when a descriptor is ready. It is there until it is ended and its coroutine has.
struct FdHandler {
    let fd: Int32
    /// What of the poller knows the file that fd meant when this was made.
    let generation: UInt32
    /// CORO_POLL_READ, CORO_POLL_WRITE or both; they are the numbers of CORO_READ and CORO_WRITE.
    let events: Int32
    let isOnce: Bool
    let function: FdHandlerFunction
    let argument: UnsafeMutableRawPointer?
    /// The address after the call that made it.
    let site: UnsafeRawPointer?
    var isActive = true
    /// Whether there is a coroutine of it. There is never more than one.
    var isRunning = false
    /// What that coroutine was made for.
    var ready: Int32 = 0
    /// An earlier one of the same number whose coroutine has not ended.
    var next: FdHandlerRef?
}

/// The handlers of a loop, by the descriptor's number.
struct FdHandlers {
    fileprivate(set) var activeCount = 0
    fileprivate var byNumber = Vector<FdHandlerRef?>()
    /// Whether there was no memory for a coroutine.
    fileprivate var wantsRetry = false

    /// Those of that number, the active one first.
    fileprivate subscript(fd: Int32) -> FdHandlerRef? {
        get { Int(fd) < byNumber.count && fd >= 0 ? byNumber[Int(fd)] : nil }
        nonmutating set { byNumber[Int(fd)] = newValue }
    }

    /// false without memory.
    fileprivate mutating func reserve(_ fd: Int32) -> Bool {
        while byNumber.count <= Int(fd) {
            if !byNumber.reserveOne() { return false }
            byNumber.appendReserved(nil)
        }
        return true
    }

    mutating func free() {
        for number in 0..<byNumber.count {
            while let handler = byNumber[number] {
                byNumber[number] = handler.pointee.next
                Heap.free(handler)
            }
        }
        byNumber.free()
    }
}

extension RuntimeRef {
    /// Has a coroutine made whenever fd is ready, one at a time.
    func setHandler(_ handler: FdHandler) throws(Refusal) {
        let fd = handler.fd
        if let other = activeHandler(of: fd) { throw refuseSecondHandler(other) }
        guard pointee.handlers.reserve(fd), let added = Heap.one(handler) else { throw Refusal(code: fail(Code.noMemory)) }
        let error = pointee.poller.beginHandling(
            fd, { runtime, fd in runtime.assumingMemoryBound(to: Runtime.self).noteEvent(of: fd) }, in: self)
        if error < 0 {
            Heap.free(added)
            throw Refusal(code: explain(error, fd))
        }
        added.pointee.next = pointee.handlers[fd]
        pointee.handlers[fd] = added
        pointee.handlers.activeCount += 1
        answer(added)
    }

    private func refuseSecondHandler(_ other: FdHandlerRef) -> Refusal {
        Refusal(
            code: fail(Code.simultaneous) {
                $0.append("descriptor ")
                $0.append(other.pointee.fd)
                $0.append(" has a handler already: coro_unset_handler() comes first")
            })
    }

    /// The handler of what fd means now. One of what it meant before is ended.
    private func activeHandler(of fd: Int32) -> FdHandlerRef? {
        guard let handler = pointee.handlers[fd], handler.pointee.isActive else { return nil }
        if pointee.poller.known(fd)?.pointee.generation == handler.pointee.generation { return handler }
        end(handler)
        return nil
    }

    func unsetHandler(of fd: Int32) throws(Refusal) {
        if let handler = activeHandler(of: fd) { return end(handler) }
        throw Refusal(
            code: fail(-CoroErrno.noEntry) {
                $0.append("descriptor ")
                $0.append(fd)
                $0.append(" has no handler")
            })
    }

    /// fd is closed, or given up.
    func endHandler(of fd: Int32) {
        if let handler = pointee.handlers[fd], handler.pointee.isActive { end(handler) }
    }

    private func end(_ handler: FdHandlerRef) {
        handler.pointee.isActive = false
        pointee.handlers.activeCount -= 1
        pointee.poller.endUnattended()
        dropIfUnneeded(handler)
    }

    private func dropIfUnneeded(_ handler: FdHandlerRef) {
        if handler.pointee.isActive || handler.pointee.isRunning { return }
        let fd = handler.pointee.fd
        if pointee.handlers[fd] == handler {
            pointee.handlers[fd] = handler.pointee.next
        } else {
            var before = pointee.handlers[fd]
            while let other = before, other.pointee.next != handler { before = other.pointee.next }
            before?.pointee.next = handler.pointee.next
        }
        Heap.free(handler)
    }

    // -- readiness --

    fileprivate func noteEvent(of fd: Int32) {
        if let handler = activeHandler(of: fd) { answer(handler) }
    }

    /// Makes a coroutine if there is none and the descriptor is ready.
    private func answer(_ handler: FdHandlerRef) {
        if !handler.pointee.isActive || handler.pointee.isRunning { return }
        let ready = coro_system_ready_events(handler.pointee.fd, handler.pointee.events)
        // Closed behind our back: nothing will be reported of it any more.
        if ready < 0 { return end(handler) }
        if ready == 0 { return }
        handler.pointee.ready = ready
        if begin(handler) { return }
        pointee.handlers.wantsRetry = true
        retryLater()
    }

    private func begin(_ handler: FdHandlerRef) -> Bool {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { name in
            var text = TextBuffer(name.baseAddress, capacity: name.count)
            text.append("handler of fd ")
            text.append(handler.pointee.fd)
            return begin(handler, named: name.baseAddress)
        }
    }

    private func begin(_ handler: FdHandlerRef, named name: UnsafePointer<CChar>?) -> Bool {
        var creation = Creation(function: runHandler, argument: handler, site: handler.pointee.site)
        creation.flags = initialFlags.union(.detached)
        creation.name = name
        // Also called for one that is shut down before it has run.
        creation.release = handlerEnded
        do throws(Refusal) {
            makeReady(try create(creation))
        } catch {
            return false
        }
        handler.pointee.isRunning = true
        return true
    }

    /// Called for posts: makes the coroutines that there was no memory for.
    func retryHandlers() {
        if !pointee.handlers.wantsRetry { return }
        pointee.handlers.wantsRetry = false
        forEachHandler { answer($0) }
    }

    private func forEachHandler(_ body: (FdHandlerRef) -> Void) {
        for number in 0..<Int32(truncatingIfNeeded: pointee.handlers.byNumber.count) {
            if let handler = pointee.handlers[number], handler.pointee.isActive { body(handler) }
        }
    }

    /// Its coroutine is about to call the function: whether it shall.
    fileprivate func beginCall(of handler: FdHandlerRef) -> Bool {
        if !handler.pointee.isActive { return false }
        if handler.pointee.isOnce { end(handler) }
        return true
    }

    fileprivate func noteEnd(of handler: FdHandlerRef) {
        handler.pointee.isRunning = false
        if handler.pointee.isActive { answer(handler) } else { dropIfUnneeded(handler) }
    }

    // -- the ends --

    /// In the child of a fork, which has another poller.
    func rewatchHandled() {
        forEachHandler { if pointee.poller.watch($0.pointee.fd, in: self) < 0 { end($0) } }
    }

    /// The thread ends: no more coroutines are made.
    func endHandlers() {
        forEachHandler { end($0) }
    }
}

private func runHandler(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let handler = argument?.assumingMemoryBound(to: FdHandler.self), let runtime = Runtime.existing,
        runtime.beginCall(of: handler)
    else { return nil }
    handler.pointee.function(handler.pointee.fd, handler.pointee.ready, handler.pointee.argument)
    return nil
}

private func handlerEnded(_ argument: UnsafeMutableRawPointer?) {
    guard let handler = argument?.assumingMemoryBound(to: FdHandler.self) else { return }
    Runtime.existing?.noteEnd(of: handler)
}
