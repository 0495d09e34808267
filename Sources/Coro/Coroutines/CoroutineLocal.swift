import CCoro

/// A variable of which every coroutine, and every thread's own stack, has its own value: what a thread-local would be if every
/// coroutine were a thread.
///
///     let user = CoroutineLocal(default: "nobody")
///
///     try user.withValue("anna") {
///         try handle(request)     // and all it calls: user.value is "anna"
///     }
///
/// Coroutines do not inherit the values of those that start them. A value is released when its coroutine ends; or when the
/// variable is, for those of other threads at the end of their coroutines.
public final class CoroutineLocal<Value>: Sendable {
    private let local: coro_local_t
    private let makeDefault: @Sendable () -> Value

    /// A new one. `default` is computed for each coroutine that asks for a value before it has set one, which then has that.
    public init(default makeDefault: @autoclosure @escaping @Sendable () -> Value) {
        local = coro_local_new { Unmanaged<AnyObject>.fromOpaque($0!).release() }
        precondition(local >= 0, "no memory for a coroutine-local variable")
        self.makeDefault = makeDefault
    }

    deinit {
        _ = coro_local_free(local)
    }

    /// The caller's value. Does not suspend.
    public var value: Value {
        get {
            if let box { return box.takeUnretainedValue().value }
            let value = makeDefault()
            replace(with: value)
            return value
        }
        set { replace(with: newValue) }
    }

    /// Whether the caller has a value: it has set one, or asked for the default.
    public var isSet: Bool { box != nil }

    /// Runs `body` with `value` as the caller's, and sets it back to what it was. `body` may suspend.
    public func withValue<Result: ~Copyable, Failure: Error>(
        _ value: Value, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let before = box?.takeUnretainedValue()
        replace(with: value)
        defer { replace(with: before) }
        return try body()
    }

    /// Unsets the caller's value.
    public func reset() {
        replace(with: nil)
    }

    /// The caller's reference to its value.
    private var box: Unmanaged<Box<Value>>? {
        var pointer: UnsafeMutableRawPointer?
        if coro_local_get(local, &pointer) < 0 { return nil }
        return pointer.map { Unmanaged.fromOpaque($0) }
    }

    private func replace(with value: Value) {
        replace(with: Box(value))
    }

    private func replace(with new: Box<Value>?) {
        let before = box
        if let new {
            let code = coro_local_set(local, Unmanaged.passRetained(new).toOpaque())
            precondition(code == 0, "no memory for a coroutine-local variable")
        } else {
            _ = coro_local_delete(local)
        }
        // Last: what is released may look at the value.
        before?.release()
    }
}

extension CoroutineLocal {
    /// A new one, nil until it is set.
    public convenience init<Wrapped>() where Value == Wrapped? {
        self.init(default: nil)
    }
}
