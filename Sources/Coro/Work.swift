import CCoro

/// What the C side holds of a closure: something to run.
class Work {
    func run() -> UnsafeMutableRawPointer? { nil }

    /// A reference for the C side: the argument of `function`, then of `giveBack`.
    final func lend() -> UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

    static var function: coro_fn { { Unmanaged<Work>.fromOpaque($0!).takeUnretainedValue().run() } }
    static var giveBack: @convention(c) (UnsafeMutableRawPointer?) -> Void { { Unmanaged<Work>.fromOpaque($0!).release() } }
}

/// A closure, then its outcome.
final class TypedWork<Success>: Work {
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
