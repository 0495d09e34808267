import CCoro

/// Those who wait to be told that something has changed. It remembers nothing: who comes later was not told.
///
///     let changed = try Condition<String>()
///     _ = try Coroutine.spawn { print(try changed.wait()) }
///     ...
///     changed.wakeAll("it rains")
///
/// It belongs to the thread that made it. To wait until something is so, see `CoroutineMutex.withLock(waitingFor:until:_:)`.
public final class Condition<Signal> {
    private let condition: OpaquePointer

    /// A new one, for which nobody waits. Throws `CoroError.system(errno: ENOMEM)`.
    public init() throws(CoroError) {
        condition = try made(coro_condition_new())
    }

    deinit {
        // Nobody waits: who does holds this object.
        _ = coro_condition_free(condition)
    }

    /// Waits to be woken; returns what with. Suspends, always. Throws what `raiseAll` says, or what the caller was interrupted
    /// with; but one who was woken first returns, and is interrupted in its next call that would suspend.
    @available(*, noasync, message: "wait in a coroutine")
    @discardableResult
    public func wait() throws(CoroError) -> Signal {
        let (code, signal) = receive { coro_condition_wait(condition, $0) }
        try check(code)
        guard let signal else { throw .closed }
        return signal
    }

    /// Wakes the one who has waited longest. Returns whether anybody waited. Does not suspend.
    @discardableResult
    public func wakeOne(_ signal: Signal) -> Bool {
        wake(signal) { Int64(coro_condition_wake_one(condition, $0)) } == 1
    }

    /// Wakes the first `count`, each with `signal`. Returns how many there were. Does not suspend.
    @discardableResult
    public func wake(_ count: Int, _ signal: Signal) -> Int {
        wake(signal) { coro_condition_wake(condition, Int64(max(count, 0)), $0) }
    }

    /// Wakes all. Returns how many there were. Does not suspend.
    @discardableResult
    public func wakeAll(_ signal: Signal) -> Int {
        wake(signal) { coro_condition_wake_all(condition, $0) }
    }

    /// Has the waits of all throw `error`. Returns how many there were. Does not suspend.
    @discardableResult
    public func raiseAll(_ error: CoroError) -> Int {
        max(0, Int(coro_condition_raise_all(condition, error.code)))
    }

    /// How many coroutines wait; counts them.
    public var waiting: Int { Int(coro_condition_waiting(condition)) }

    /// Waits with a mutex, which is unlocked meanwhile. Returns what coro.h returned.
    func wait(with mutex: OpaquePointer) -> Int32 {
        receive { coro_condition_wait_with(condition, mutex, $0) }.code
    }

    /// Has `wait` wait. Who was woken has a reference to the signal, whatever `wait` returns.
    private func receive(
        _ wait: (UnsafeMutablePointer<UnsafeMutableRawPointer?>) -> Int32
    ) -> (code: Int32, signal: Signal?) {
        withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: 1) { memory in
            let place = memory.baseAddress!
            place.initialize(to: nil)
            let code = wait(place)
            return (code, place.pointee.map { Unmanaged<Box<Signal>>.fromOpaque($0).takeRetainedValue().value })
        }
    }

    /// Has `wake` wake some, each of whom is given a reference to the signal.
    private func wake(_ signal: Signal, _ wake: (UnsafeMutableRawPointer) -> Int64) -> Int {
        let box = Unmanaged.passRetained(Box(signal))
        defer { box.release() }
        let count = max(0, Int(wake(box.toOpaque())))
        // None of them has run yet.
        for _ in 0..<count { _ = box.retain() }
        return count
    }
}

extension Condition where Signal == Void {
    /// Wakes the one who has waited longest. Returns whether anybody waited.
    @discardableResult
    public func wakeOne() -> Bool { wakeOne(()) }

    /// Wakes the first `count`. Returns how many there were.
    @discardableResult
    public func wake(_ count: Int) -> Int { wake(count, ()) }

    /// Wakes all. Returns how many there were.
    @discardableResult
    public func wakeAll() -> Int { wakeAll(()) }
}
