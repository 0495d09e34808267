import CCoro
import Glibc

/// What all handles to a coroutine share: where its result comes from.
///
/// Unchecked: it is used on the coroutine's thread alone, but for what every thread may call.
class Outcome<Success, Failure: Error>: Work, @unchecked Sendable {
    /// Negative if there is no coroutine.
    final var id: Int64
    /// Whether the coroutine's record has gone, with a join.
    final var isTaken = false
    private let thread = pthread_self()

    init(id: Int64 = -1) {
        self.id = id
    }

    deinit {
        // Its record is of no use to anybody without its result. An error means that it is gone already.
        if id < 0 || isTaken { return }
        if isHere { _ = coro_detach(id) } else { AnyCoroutine(id: id).onItsThread { _ = coro_detach($0.id) } }
    }

    /// Whether the caller is on the coroutine's thread.
    final var isHere: Bool { pthread_equal(thread, pthread_self()) != 0 }

    /// Waits until the coroutine has ended. Suspends. Throws what became of the wait.
    func result(timeout: Duration?) throws(CoroError) -> Result<Success, Failure> { throw .dead }
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
