typealias EventRef = UnsafeMutablePointer<Event>

/// Something that happens once and is remembered, with a value.
struct Event: SyncObject {
    var head: SyncHead
    var value: UnsafeMutableRawPointer?
    var isSet = false

    static var name: StaticString { "the event" }
}

extension RuntimeRef {
    func makeEvent() -> EventRef? {
        Heap.one(Event(head: SyncHead(in: self)))
    }

    /// Waits until the event is set. Returns 0 or an error.
    func wait(for event: EventRef, value: UnsafeMutablePointer<UnsafeMutableRawPointer?>?) -> Int32 {
        if event.pointee.isSet {
            value?.pointee = event.pointee.value
            return 0
        }
        let error = obstacle()
        if error != 0 { return error }
        let code = wait(.event, in: event.waiters, of: event)
        leave(event)
        if code != 0 { return explainEnd(code, of: Event.self) }
        // What it was set with then; by now it may have been set anew, or freed.
        value?.pointee = pointee.current.pointee.wakeValue
        return 0
    }

    func set(_ event: EventRef, value: UnsafeMutableRawPointer?) {
        event.pointee.isSet = true
        event.pointee.value = value
        wakeAll(of: event.waiters, value: value)
    }

    func reset(_ event: EventRef) {
        event.pointee.isSet = false
        event.pointee.value = nil
    }
}
