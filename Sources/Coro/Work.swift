import CCoro

/// What the C side holds of a closure: something to run.
class Work {
    func run() -> UnsafeMutableRawPointer? { nil }

    /// A reference for the C side: the argument of `function`, then of `giveBack`.
    final func lend() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

    static var function: coro_fn { { Unmanaged<Work>.fromOpaque($0!).takeUnretainedValue().run() } }
    static var giveBack: @convention(c) (UnsafeMutableRawPointer?) -> Void { { Unmanaged<Work>.fromOpaque($0!).release() } }
}

/// Where the result of a coroutine comes from.
protocol Outcome<Success>: AnyObject {
    associatedtype Success

    /// Waits until the coroutine has ended. Suspends.
    func join(_ coroutine: AnyCoroutine, timeout: Duration?) throws -> Success
}

/// A closure, then its outcome.
final class TypedWork<Success>: Work, Outcome {
    private var body: (() throws -> Success)?
    private(set) var outcome: Result<Success, any Error>?

    init(_ body: @escaping () throws -> Success) {
        self.body = body
    }

    override func run() -> UnsafeMutableRawPointer? {
        guard let body = body.take() else { return nil }
        do {
            outcome = .success(try body())
            return nil
        } catch {
            outcome = .failure(error)
            return error.failCoroutine()
        }
    }

    func join(_ coroutine: AnyCoroutine, timeout: Duration?) throws -> Success {
        if let outcome { return try outcome.get() }
        do {
            try coroutine.join(timeout: timeout)
        } catch {
            // The error itself, rather than the code it became. Any other code is what the caller was interrupted with.
            if case .failure(let own)? = outcome, own.codeElsewhere == error.code { throw own }
            throw error
        }
        guard let outcome else { throw CoroError.dead }
        return try outcome.get()
    }
}

/// An error that other languages know by a code of coro.h.
protocol CodedError: Error {
    var code: Int32 { get }
}

extension CoroError: CodedError {}

extension Error {
    /// What it is in other languages.
    var codeElsewhere: Int32 { (self as? any CodedError)?.code ?? CORO_EFAILED }
}
