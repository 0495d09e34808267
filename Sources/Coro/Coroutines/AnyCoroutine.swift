import CCoro

/// A coroutine by its id, whatever language it is written in.
public struct AnyCoroutine: Hashable, Sendable {
    /// The number that names it: never reused.
    public let id: Int64

    /// The coroutine that has this id, as `coro_spawn` and others return it: there needn't be one.
    public init(id: Int64) {
        self.id = id
    }

    /// The running coroutine; nil on a thread's own stack.
    public static var current: AnyCoroutine? {
        let id = coro_current()
        return id == 0 ? nil : AnyCoroutine(id: id)
    }

    /// Those of this thread that have not ended, in the order of their creation.
    public static var all: [AnyCoroutine] {
        let count = Int(coro_all(nil, 0))
        let ids = [Int64](unsafeUninitializedCapacity: max(count, 0)) { buffer, initialized in
            initialized = max(0, min(count, Int(coro_all(buffer.baseAddress, Int32(count)))))
        }
        return ids.map(AnyCoroutine.init(id:))
    }

    /// Whether it has been started and has not ended.
    public var isAlive: Bool { coro_is_alive(id) }

    /// Its name, "" if it is gone.
    public var name: String { text(coro_get_name) ?? "" }

    /// Gives it another name, up to the first NUL. Throws `CoroError.dead` if it is gone, `CoroError.system(errno: ENOMEM)`.
    public func setName(_ name: String) throws(CoroError) {
        try check(coro_set_name(id, name))
    }

    /// What it waits for, as a person reads it: "sleeping 1.2 s more", "reading fd 7"; "" if it is gone.
    public var waiting: String {
        guard let info else { return "" }
        return withUnsafeBytes(of: info.waiting) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// How long ago it was created; nil if it is gone.
    public var age: Duration? { info.map { .nanoseconds($0.age) } }

    /// How often it was switched to; nil if it is gone.
    public var switches: Int? { info.map { Int($0.switches) } }

    /// For how long it has run, as far as that was counted (see `EventLoop.setAccounting`); nil if it is gone.
    public var runTime: Duration? { info.map { .nanoseconds($0.run_time) } }

    /// Where it is, as return addresses, innermost first: "[coro_sleep+69] [$s3app4worker…+130]". "" if it has not run, or is
    /// gone.
    public var stackTrace: String { text(coro_where_text) ?? "" }

    /// `CORO_STATE_NEW` and so on; nil if it is gone.
    var state: UInt32? { info.map { UInt32($0.state) } }

    /// Runs `body` on the thread that it belongs to: at once, if that is this one. `body` must not suspend. It is not called if
    /// that thread has ended.
    func onItsThread(_ body: @escaping @Sendable (AnyCoroutine) -> Void) {
        if coro_ident(id) != CORO_EWRONGTHREAD { return body(self) }
        try? EventLoop.post(to: coro_loop_of(id)) { body(self) }
    }

    private var info: coro_info? {
        var info = coro_info()
        info.struct_size = MemoryLayout<coro_info>.size
        return coro_get_info(id, &info) < 0 ? nil : info
    }

    /// A text of which C returns the whole length; nil for an error. It may change between asking for its length and for
    /// itself: what has become longer is cut.
    private func text(_ copy: (Int64, UnsafeMutablePointer<CChar>?, Int) -> Int32) -> String? {
        let length = Int(copy(id, nil, 0))
        if length < 0 { return nil }
        return String(unsafeUninitializedCapacity: length + 1) { buffer in
            let written = buffer.withMemoryRebound(to: CChar.self) { Int(copy(id, $0.baseAddress, $0.count)) }
            return max(0, min(written, length))
        }
    }

    /// Waits until it has ended. Suspends. Throws what it failed with, `CoroError.timeout` when the time ran out, or what
    /// the caller was interrupted with. Returns what a C coroutine returned; nil for one written in Swift, whose result is
    /// `Coroutine.join()`'s.
    @available(*, noasync, message: "use `try await coroutine.value`")
    @discardableResult
    public func join(timeout: Duration? = nil) throws(CoroError) -> UnsafeMutableRawPointer? {
        var result: UnsafeMutableRawPointer?
        try check(coro_join(id, &result, timeout?.nanoseconds ?? .max))
        return result
    }

    /// Tells it to end: what it waits in, or next waits in, throws `CoroError.shutdown`. One that never ran is cancelled.
    public func shutdown() throws(CoroError) {
        try check(coro_shutdown(id))
    }

    /// Makes it runnable, if it is parked or asleep: its `park()` returns `value`.
    public func schedule(_ value: UnsafeMutableRawPointer? = nil) throws(CoroError) {
        try check(coro_schedule(id, value))
    }

    /// Says that nobody will join it.
    public func detach() throws(CoroError) {
        try check(coro_detach(id))
    }
}

extension AnyCoroutine: CustomStringConvertible {
    /// `<coro #4 name='x' dead=0 started=1 scheduled=0 at 0x…>`
    public var description: String {
        text(coro_repr) ?? "<coro #\(id) dead=1>"
    }
}
