typealias EventRef = UnsafeMutablePointer<Event>

/// Something that happens once and is remembered, with a value.
struct Event {
    /// Those who wait. `RuntimeRef.endWait` relies on its place.
    var waiters = WaitList()
    var value: UnsafeMutableRawPointer?
    var isSet = false
    /// The number of the loop that it belongs to.
    let loop: Int64
}

extension RuntimeRef {
    func makeEvent() -> EventRef? {
        Heap.one(Event(loop: pointee.mailbox.pointee.loopID))
    }

    /// The event, if it belongs to this thread.
    func own(_ event: EventRef) throws(Refusal) -> EventRef {
        if event.pointee.loop == pointee.mailbox.pointee.loopID { return event }
        throw Refusal(code: fail(Code.wrongThread) { $0.append("the event belongs to another thread: see coro_post()") })
    }

    /// Waits until the event is set. Returns 0 or an error.
    func wait(for event: EventRef, value: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> Int32 {
        if event.pointee.isSet {
            value?.pointee = event.pointee.value
            return 0
        }
        let error = obstacle()
        if error != 0 { return error }
        let me = pointee.current
        event.pointee.waiters.append(me)
        let code = park(.event, on: Int(bitPattern: event))
        if code == Code.closed { return fail(code) { $0.append("the event was freed") } }
        if code != 0 { return fail(code) }
        // What it was set with then; by now it may have been set anew, or freed.
        value?.pointee = me.pointee.wakeValue
        return 0
    }

    func set(_ event: EventRef, value: UnsafeMutableRawPointer?) {
        event.pointee.isSet = true
        event.pointee.value = value
        while let waiter = event.pointee.waiters.first { wake(waiter, value: value) }
    }

    func reset(_ event: EventRef) {
        event.pointee.isSet = false
        event.pointee.value = nil
    }

    func free(_ event: EventRef) {
        while let waiter = event.pointee.waiters.first { wake(waiter, with: Code.closed) }
        Heap.free(event)
    }
}
