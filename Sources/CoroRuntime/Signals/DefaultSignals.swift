import CCoroPlatform

/// SIGINT and SIGTERM, which end `coro_event_loop()` unless the program does something else about them. The first loop of a
/// process that runs has them, while it runs.
struct DefaultSignals {
    /// What `coro_set_install_signal_handlers` says.
    var areWanted = true
    fileprivate var areHeld = false
    /// One of them has come in this run of the loop.
    fileprivate var haveCome = false
}

extension RuntimeRef {
    /// The loop begins to run.
    func holdDefaultSignals() {
        guard pointee.signals.defaults.areWanted else { return }
        pointee.signals.defaults.haveCome = false
        let bell = pointee.mailbox.pointee.bell
        coro_process_lock()
        let interrupt = coro_system_signal_hold_default(Int32(CORO_SIGNAL_INTERRUPT.rawValue), bell)
        let terminate = coro_system_signal_hold_default(Int32(CORO_SIGNAL_TERMINATE.rawValue), bell)
        coro_process_unlock()
        pointee.signals.defaults.areHeld = interrupt || terminate
    }

    /// The loop has ended. A signal that came for it too late is sent again, and does what it does without a loop; not if the
    /// loop has ended because of one before.
    func dropDefaultSignals() {
        guard pointee.signals.defaults.areHeld else { return }
        pointee.signals.defaults.areHeld = false
        drop(Int32(CORO_SIGNAL_INTERRUPT.rawValue))
        drop(Int32(CORO_SIGNAL_TERMINATE.rawValue))
    }

    private func drop(_ number: Int32) {
        coro_process_lock()
        let wasLeft = coro_system_signal_drop_default(number, pointee.mailbox.pointee.bell)
        coro_process_unlock()
        if wasLeft, !pointee.signals.defaults.haveCome { coro_system_signal_raise(number) }
    }

    /// An exit that the program has asked for already keeps its code.
    func takeDefaultSignals() {
        guard pointee.signals.defaults.areHeld else { return }
        let bell = pointee.mailbox.pointee.bell
        let interrupt = coro_system_signal_take_default(Int32(CORO_SIGNAL_INTERRUPT.rawValue), bell)
        let terminate = coro_system_signal_take_default(Int32(CORO_SIGNAL_TERMINATE.rawValue), bell)
        guard interrupt || terminate else { return }
        pointee.signals.defaults.haveCome = true
        if !pointee.exit.isRequested { pointee.exit.request(0, now: coro_system_clock()) }
    }
}
