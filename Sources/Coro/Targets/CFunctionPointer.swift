import CCoro
import Glibc

/// A closure, or a target, as a plain function pointer of C: for whoever takes a callback, and knows nothing of coroutines.
///
///     let compare = try CFunctionPointer(.call) { (a: UnsafeRawPointer, b: UnsafeRawPointer) throws -> Int32 in
///         try order(a.load(as: Item.self), b.load(as: Item.self))          // may suspend
///     }
///     typealias Compare = @convention(c) (UnsafeRawPointer?, UnsafeRawPointer?) -> Int32
///     compare.withPointer(as: Compare.self) { qsort(items, count, size, $0) }
///
/// The pointer is valid until this object is dropped. Calls that are under way then end as they would. See Trampolines in
/// coro.h.
public final class CFunctionPointer {
    /// What a call of the function does.
    public enum Mode: Sendable {
        /// Spawns what it is made of, and returns at once.
        case spawn
        /// Spawns it, waits for its end, and returns its result. Suspends; what interrupts the caller is raised in it.
        case call
        /// Has the thread that made this object spawn it, and returns at once. May be called on any thread.
        case post
        /// Runs it there and then, without a coroutine.
        case direct

        fileprivate var code: Int32 {
            switch self {
            case .spawn: CORO_TRAMPOLINE_SPAWN
            case .call: CORO_TRAMPOLINE_CALL
            case .post: CORO_TRAMPOLINE_POST
            case .direct: CORO_TRAMPOLINE_DIRECT
            }
        }
    }

    private let trampoline: Int64
    private let last: LastError?

    /// A closure that may be anything: but for `.post`, the function must be called on the thread that made this object. On
    /// another the closure isn't run, and that is an error.
    ///
    /// otherwise: what a call returns that has no result of the closure to return, because it only starts it, or because the
    /// closure throws; nil: all zero. An error is told as that of any coroutine (`EventLoop.onFailure`), with `.direct` in a
    /// line on stderr. See also `error`.
    public convenience init<each Argument: CArgument, Result: CValue>(
        _ mode: Mode, otherwise: Result? = nil, _ body: @escaping (repeat each Argument) throws -> Result
    ) throws {
        try self.init(CalledBack(mode, CValueResult(), otherwise, body), mode, CValueResult(), otherwise)
    }

    /// The same of a closure that returns nothing.
    public convenience init<each Argument: CArgument>(
        _ mode: Mode, _ body: @escaping (repeat each Argument) throws -> Void
    ) throws {
        try self.init(CalledBack(mode, CVoidResult(), (), body), mode, CVoidResult(), nil)
    }

    /// A target: it may be called on every thread, but with `.spawn` and `.call` on one whose loop can run it. With `.direct`,
    /// what a target of Swift throws has the calling coroutine fail.
    public convenience init<each Argument: CArgument, Result>(
        _ mode: Mode, _ function: TargetFunction<repeat each Argument, Result>, otherwise: Result? = nil
    ) throws {
        try self.init(function.target, mode, function.result, otherwise, last: nil)
    }

    private convenience init<each Argument: CArgument, Result>(
        _ closure: CalledBack<repeat each Argument, Result>, _ mode: Mode, _ result: CResult<Result>, _ otherwise: Result?
    ) throws {
        let target = try closure.register(CPrototype.text("", result, repeat (each Argument).self))
        // The trampoline keeps it.
        defer { try? target.unregister() }
        try self.init(target, mode, result, otherwise, last: closure.last)
    }

    private init<Result>(
        _ target: Target, _ mode: Mode, _ result: CResult<Result>, _ otherwise: Result?, last: LastError?
    ) throws {
        var options = coro_trampoline_options()
        coro_trampoline_options_init(&options)
        trampoline = try withUnsafeTemporaryAllocation(byteCount: max(result.type.size, 1), alignment: 16) { bytes in
            if let otherwise {
                bytes.initializeMemory(as: UInt8.self, repeating: 0)
                result.store(otherwise, to: bytes.baseAddress)
                options.otherwise = UnsafeRawPointer(bytes.baseAddress)
            }
            return try check(coro_trampoline_new(target.id, mode.code, &options))
        }
        self.last = last
    }

    deinit {
        _ = coro_trampoline_free(trampoline)
    }

    /// The function's address, as `pointer(as:)`.
    public var address: UnsafeRawPointer {
        unsafeBitCast(coro_trampoline_function(trampoline), to: UnsafeRawPointer.self)
    }

    /// Runs `body` with the function, which is valid there. Its type must be the closure's, as C has it: that can't be checked.
    public func withPointer<Function, Success>(as: Function.Type, _ body: (Function) throws -> Success) rethrows -> Success {
        try withExtendedLifetime(self) { try body(pointer(as: Function.self)) }
    }

    /// The function, for those who keep it; keep this object for as long: Swift may drop it after its last use, even if there
    /// is a variable for it.
    public func pointer<Function>(as: Function.Type) -> Function {
        precondition(
            MemoryLayout<Function>.size == MemoryLayout<coro_function>.size,
            "\(Function.self) is no function pointer of C: write (@convention(c) (...) -> ...).self")
        return unsafeBitCast(address, to: Function.self)
    }

    /// What the last call that failed met; nil if none has. What a closure has thrown is that itself.
    public var error: (any Error)? {
        let code = coro_trampoline_error(trampoline)
        if let error = last?.error, code == 0 || error.codeElsewhere == code { return error }
        return code == 0 ? nil : CoroError(code: code)
    }
}

/// What the last call of a closure has thrown, on its own thread.
private final class LastError {
    var error: (any Error)?
}

/// A closure behind a function pointer.
private final class CalledBack<each Argument: CArgument, Result>: CalledByC, @unchecked Sendable {
    let last = LastError()
    private let mode: CFunctionPointer.Mode
    private let result: CResult<Result>
    private let otherwise: Result?
    private let body: (repeat each Argument) throws -> Result
    private let thread = pthread_self()

    init(
        _ mode: CFunctionPointer.Mode, _ result: CResult<Result>, _ otherwise: Result?,
        _ body: @escaping (repeat each Argument) throws -> Result
    ) {
        self.mode = mode
        self.result = result
        self.otherwise = otherwise
        self.body = body
    }

    override func run(_ result: UnsafeMutableRawPointer?, _ arguments: UnsafePointer<UnsafeMutableRawPointer?>) {
        let isOwnThread = pthread_equal(thread, pthread_self()) != 0
        do {
            if !isOwnThread { throw CoroError.wrongThread }
            var arguments = CalledArguments(arguments)
            self.result.store(try body(repeat try arguments.next(as: (each Argument).self)), to: result)
        } catch {
            if isOwnThread { last.error = error }
            if mode != .direct {
                _ = error.failCoroutine()
                return
            }
            // The caller's coroutine, if there is one, has not failed.
            EventLoop.printToStandardError("a closure that C calls: \(error)")
            if let otherwise { self.result.store(otherwise, to: result) }
        }
    }
}
