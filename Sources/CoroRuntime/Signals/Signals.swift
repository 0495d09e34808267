import CCoroPlatform

/// The signals that were given to a loop. A handler of the system's kind counts deliveries and rings the loop's bell; the loop
/// takes them where it takes posts.
struct Signals {
    /// Those registered, and those unregistered whose handlers have not all ended.
    fileprivate(set) var first: SignalRegistrationRef?
    /// How many registrations run code that could wake a coroutine.
    fileprivate(set) var handlerCount = 0
    var defaults = DefaultSignals()
}

extension RuntimeRef {
    /// Gives a signal to this loop.
    func registerSignal(
        _ number: Int32, _ action: SignalAction, _ options: SignalOptions = [], site: UnsafeRawPointer? = nil
    ) throws(Refusal) {
        try checkSignal(number)
        guard let registration = SignalRegistration.make(number, action, options, site: site) else {
            throw Refusal(code: fail(Code.noMemory))
        }
        let error = claimSignal(number)
        if error < 0 {
            registration.free()
            throw refuseSignal(number, error)
        }
        registration.pointee.next = pointee.signals.first
        pointee.signals.first = registration
        if case .coroutine = action { pointee.signals.handlerCount += 1 }
    }

    /// Takes it back. Deliveries for which no handler has begun are dropped.
    func unregisterSignal(_ number: Int32) throws(Refusal) {
        if coro_system_signal_kind(number) == CORO_SIGNAL_KIND_NONE { try checkSignal(number) }
        if let registration = findSignal(number) {
            end(registration)
            return
        }
        let isRegistered = withSignalOwner(number) { owner, byDefault in owner != nil && !byDefault }
        throw Refusal(
            code: fail(isRegistered ? Code.wrongThread : -CoroErrno.noEntry) {
                $0.append(signal: number)
                $0.append(isRegistered ? " is registered by another thread; only that may unregister it" : " is not registered")
            })
    }

    private func checkSignal(_ number: Int32) throws(Refusal) {
        let why: StaticString
        switch coro_system_signal_kind(number) {
        case CORO_SIGNAL_KIND_USUAL: return
        case CORO_SIGNAL_KIND_UNCATCHABLE: why = " can't be caught"
        case CORO_SIGNAL_KIND_FAULT:
            why = " tells of a fault in the instruction that runs, which can't go on until a coroutine runs: use sigaction()"
        case CORO_SIGNAL_KIND_RESERVED: why = " is kept by the C library for itself"
        default: throw refuseArgument("there is no signal of that number: they go from 1 to 64")
        }
        throw Refusal(
            code: fail(Code.invalid) {
                $0.append(signal: number)
                $0.append(why)
            })
    }

    private func refuseSignal(_ number: Int32, _ error: Int32) -> Refusal {
        Refusal(
            code: fail(error) {
                $0.append(signal: number)
                $0.append(
                    error == Code.simultaneous
                        ? " is registered already, by this thread or another: coro_signal_unregister() comes first"
                        : ": no handler could be installed")
            })
    }

    private func claimSignal(_ number: Int32) -> Int32 {
        withSignalOwner(number) { owner, byDefault in
            if owner != nil, !byDefault { return Code.simultaneous }
            return coro_system_signal_claim(number, pointee.mailbox.pointee.bell)
        }
    }

    private func withSignalOwner<Result>(
        _ number: Int32, _ body: (UnsafeMutablePointer<coro_bell>?, _ byDefault: Bool) -> Result
    ) -> Result {
        coro_process_lock()
        defer { coro_process_unlock() }
        var byDefault = false
        let owner = coro_system_signal_owner(number, &byDefault)
        return body(owner, byDefault)
    }

    private func findSignal(_ number: Int32) -> SignalRegistrationRef? {
        var next = pointee.signals.first
        while let registration = next {
            if registration.pointee.number == number, registration.pointee.isActive { return registration }
            next = registration.pointee.next
        }
        return nil
    }

    /// Ends a registration, which is freed if no handler of it is left.
    private func end(_ registration: SignalRegistrationRef) {
        registration.pointee.isActive = false
        if case .coroutine = registration.pointee.action { pointee.signals.handlerCount -= 1 }
        coro_process_lock()
        coro_system_signal_release(registration.pointee.number)
        coro_process_unlock()
        dropIfUnneeded(registration)
    }

    private func dropIfUnneeded(_ registration: SignalRegistrationRef) {
        if registration.pointee.isActive || registration.pointee.handlers > 0 { return }
        if pointee.signals.first == registration {
            pointee.signals.first = registration.pointee.next
        } else {
            var before = pointee.signals.first
            while let other = before, other.pointee.next != registration { before = other.pointee.next }
            before?.pointee.next = registration.pointee.next
        }
        registration.free()
    }

    // -- deliveries --

    /// Step 2 of a pass: does what is to be done about the signals that have come. Follows `takePosts`.
    func takeSignals() {
        takeDefaultSignals()
        var next = pointee.signals.first
        while let registration = next {
            next = registration.pointee.next
            guard registration.pointee.isActive else { continue }
            registration.addWaiting(coro_system_signal_take(registration.pointee.number))
            answer(registration)
        }
    }

    /// How many handlers of a registration may begin in a pass. Deliveries that come faster than handlers can be made would
    /// otherwise keep the loop from ever getting past them.
    private static var mostHandlersInAPass: Int { 64 }

    /// Begins what is due. What there is no memory for is tried again later.
    private func answer(_ registration: SignalRegistrationRef) {
        var begun = 0
        while registration.isDue {
            if begun == Self.mostHandlersInAPass {
                coro_bell_set_rung(pointee.mailbox.pointee.bell, true)
                return
            }
            begun += 1
            switch registration.pointee.action {
            case .loopFunction(let function): function(registration.pointee.number)
            case .coroutine:
                guard beginHandler(of: registration) else {
                    retryLater()
                    return
                }
            }
            registration.pointee.waiting -= 1
            if registration.pointee.options.contains(.once) {
                end(registration)
                return
            }
        }
    }

    private func beginHandler(of registration: SignalRegistrationRef) -> Bool {
        var creation = Creation(function: runHandler, argument: registration, site: registration.pointee.site)
        creation.flags = initialFlags.union(.detached)
        creation.name = UnsafePointer(registration.pointee.name)
        // Also called for one that is shut down before it has run.
        creation.release = handlerEnded
        do throws(Refusal) {
            makeReady(try create(creation))
        } catch {
            return false
        }
        registration.pointee.handlers += 1
        return true
    }

    fileprivate func noteEnd(ofHandlerOf registration: SignalRegistrationRef) {
        registration.pointee.handlers -= 1
        answer(registration)
        dropIfUnneeded(registration)
    }

    // -- the ends --

    /// In the child of a fork: deliveries that no handler was begun for are the parent's alone.
    func forgetWaitingSignals() {
        var next = pointee.signals.first
        while let registration = next {
            registration.pointee.waiting = 0
            next = registration.pointee.next
        }
    }

    /// The thread ends: no handler of the system's kind may look at its loop any more.
    func endSignals() {
        dropDefaultSignals()
        var next = pointee.signals.first
        while let registration = next {
            next = registration.pointee.next
            if registration.pointee.isActive { end(registration) }
        }
    }

    /// Frees those whose handlers were suspended when the thread ended.
    func freeSignals() {
        while let registration = pointee.signals.first {
            pointee.signals.first = registration.pointee.next
            registration.free()
        }
    }
}

private func runHandler(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let registration = argument?.assumingMemoryBound(to: SignalRegistration.self) else { return nil }
    let number = registration.pointee.number
    if case .coroutine(let handler, let argument) = registration.pointee.action { handler(number, argument) }
    return nil
}

private func handlerEnded(_ argument: UnsafeMutableRawPointer?) {
    guard let registration = argument?.assumingMemoryBound(to: SignalRegistration.self) else { return }
    Runtime.existing?.noteEnd(ofHandlerOf: registration)
}
