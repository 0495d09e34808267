import CCoro
import Glibc

/// An open file, pipe, socket or terminal, by its descriptor; it is closed when this object is dropped.
///
///     let (input, output) = try Descriptor.pipe()
///     _ = try Coroutine.spawn {
///         try output.write("hello\n")
///         try output.close()
///     }
///     while let bytes = try input.read() { ... }
///
/// One coroutine may read from it and one write to it at a time; another throws `CoroError.simultaneous`. It belongs to the
/// thread whose coroutines use it. What is done with it after `close()` or `release()`, by this object, throws
/// `CoroError.closed`, as do those who wait in it at that moment.
public class Descriptor {
    /// What the system calls it by; negative once it is closed or released.
    public final private(set) var number: Int32
    private let isOwner: Bool
    /// The part of it that C holds while `onReady` is set.
    final var readiness: Readiness?

    /// Takes over an open descriptor.
    public required init(owning number: Int32) {
        self.number = number
        isOwner = true
    }

    /// Uses a descriptor that is somebody else's, and stays open when this object is dropped.
    public required init(borrowing number: Int32) {
        self.number = number
        isOwner = false
    }

    deinit {
        if number < 0 { return }
        if isOwner {
            _ = coro_close(number)
        } else if readiness != nil {
            _ = coro_unset_handler(number)
        }
    }

    /// This program's own, which stay open when the object is dropped.
    public static var standardInput: Descriptor { Descriptor(borrowing: 0) }
    /// What this program writes; it stays open when the object is dropped.
    public static var standardOutput: Descriptor { Descriptor(borrowing: 1) }
    /// What this program writes of errors; it stays open when the object is dropped.
    public static var standardError: Descriptor { Descriptor(borrowing: 2) }

    /// A pipe: what is written to `output` is read from `input`. Close-on-exec.
    public static func pipe() throws(CoroError) -> (input: Descriptor, output: Descriptor) {
        let (input, output) = try pair { coro_pipe($0, O_CLOEXEC) }
        return (Descriptor(owning: input), Descriptor(owning: output))
    }

    /// Two descriptors that C makes in one call.
    static func pair(_ make: (UnsafeMutablePointer<Int32>) -> Int32) throws(CoroError) -> (Int32, Int32) {
        var numbers: (Int32, Int32) = (-1, -1)
        let code = withUnsafeMutableBytes(of: &numbers) { make($0.baseAddress!.assumingMemoryBound(to: Int32.self)) }
        try check(code)
        return numbers
    }

    /// Whether it was neither closed nor released.
    public final var isOpen: Bool { number >= 0 }

    /// Closes it: those who wait for it throw `CoroError.closed`. Nothing happens if it is closed or released already. A
    /// borrowed one is closed too.
    public final func close() throws(CoroError) {
        if isOpen { try check(coro_close(take())) }
    }

    /// Gives it up without closing it, to whoever goes on with its number; those who wait for it throw `CoroError.closed`.
    public final func release() throws(CoroError) -> Int32 {
        if !isOpen { throw .closed }
        let number = take()
        try check(coro_forget(number))
        return number
    }

    private func take() -> Int32 {
        defer {
            number = -1
            readiness = nil
        }
        return number
    }

    /// Another descriptor of the same open file, close-on-exec.
    public final func duplicate() throws(CoroError) -> Self {
        Self(owning: Int32(try call(coro_dup)))
    }

    /// Has the open file never block, for all who share it, other processes too: what was made elsewhere may be in blocking
    /// mode, in which some calls throw `CoroError.blocking`.
    public final func setNonblocking() throws(CoroError) {
        try call(coro_set_nonblocking)
    }

    /// Waits until it can be read from: data, the end, or an error. Suspends. Throws `CoroError.system(errno: EPERM)` for what
    /// always can, as a file; `CoroError.closed`, `.simultaneous`, or what the caller was interrupted with.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public final func waitUntilReadable() throws(CoroError) {
        try call { coro_wait_for($0, CORO_READ) }
    }

    /// Waits until it can be written to, as `waitUntilReadable`. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public final func waitUntilWritable() throws(CoroError) {
        try call { coro_wait_for($0, CORO_WRITE) }
    }

    /// Makes a call of C with the number. This object stays as long as that.
    @discardableResult
    final func call(_ function: (Int32) -> some SignedInteger) throws(CoroError) -> Int {
        if !isOpen { throw .closed }
        defer { withExtendedLifetime(self) {} }
        return Int(try check(function(number)))
    }
}

extension Descriptor: CustomStringConvertible {
    /// `Socket 7`
    public var description: String { "\(type(of: self)) \(isOpen ? "\(number)" : "closed")" }
}
