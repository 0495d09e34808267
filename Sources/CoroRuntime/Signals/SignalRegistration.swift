import CCoroPlatform

typealias SignalRegistrationRef = UnsafeMutablePointer<SignalRegistration>
typealias SignalHandler = @convention(c) (Int32, UnsafeMutableRawPointer?) -> Void

/// What is done about a signal.
enum SignalAction {
    /// A handler in a new coroutine for each delivery.
    case coroutine(SignalHandler, argument: UnsafeMutableRawPointer?)
    /// A function that the loop calls between two coroutines. It must not suspend, nor register or unregister signals.
    case loopFunction(@convention(c) (Int32) -> Void)
}

struct SignalOptions: OptionSet {
    let rawValue: UInt32
    /// A handler begins when the one before has ended.
    static let serial = SignalOptions(rawValue: 1 << 0)
    /// It ends with the first delivery.
    static let once = SignalOptions(rawValue: 1 << 1)
}

/// One signal that this loop was given, until it is unregistered and the last of its handlers has ended.
struct SignalRegistration {
    let number: Int32
    let action: SignalAction
    let options: SignalOptions
    /// The address after the call that registered it.
    let site: UnsafeRawPointer?
    /// The name of its coroutines, "signal SIGUSR1". Owned.
    let name: UnsafeMutablePointer<CChar>
    var isActive = true
    /// Deliveries that no handler was begun for yet.
    var waiting: UInt32 = 0
    /// Coroutines that were made for it and have not ended.
    var handlers = 0
    var next: SignalRegistrationRef?

    private static let nameSize = 32

    /// nil without memory.
    static func make(
        _ number: Int32, _ action: SignalAction, _ options: SignalOptions, site: UnsafeRawPointer?
    ) -> SignalRegistrationRef? {
        guard let name = Heap.zeroed(CChar.self, count: nameSize) else { return nil }
        var text = TextBuffer(name, capacity: nameSize)
        text.append("signal ")
        text.append(signal: number)
        let registration = Heap.one(
            SignalRegistration(number: number, action: action, options: options, site: site, name: name))
        if registration == nil { Heap.free(name) }
        return registration
    }
}

extension SignalRegistrationRef {
    /// Whether a handler may begin now.
    var isDue: Bool {
        pointee.isActive && pointee.waiting > 0 && !(pointee.options.contains(.serial) && pointee.handlers > 0)
    }

    func addWaiting(_ deliveries: UInt32) {
        let (sum, overflow) = pointee.waiting.addingReportingOverflow(deliveries)
        pointee.waiting = overflow ? .max : sum
    }

    func free() {
        Heap.free(pointee.name)
        Heap.free(self)
    }
}
