import CCoro

/// A coroutine's work, by the types of its closure.
@usableFromInline
struct Outcome<Success, Failure: Error> {
    @usableFromInline let work: Work

    /// Of a closure that is yet to be run.
    @inlinable @inline(__always)
    init(_ body: consuming @escaping () throws(Failure) -> Success) {
        work = ClosureWork(body)
    }

    /// Of what `perform` belongs to.
    init(_ work: Work) {
        self.work = work
    }

    /// What became of it, if it is done and it has ever run.
    @inlinable @inline(__always)
    var result: Result<Success, Failure>? {
        switch work.state {
        case .success: .success(work.slot.load(as: Success.self))
        case .failure: .failure(work.slot.load(as: Failure.self))
        case .closure, .running, .cancelled: nil
        }
    }

    /// Waits until it is done. Suspends. Throws what became of the wait; `CoroError.shutdown` if it never ran.
    @inlinable @inline(__always)
    func result(timeout: Duration?) throws(CoroError) -> Result<Success, Failure> {
        try work.wait(timeout: timeout?.nanoseconds ?? .max)
        guard let result else { throw .shutdown }
        return result
    }

    /// It captures nothing, so that it takes no memory where the types are known.
    @inlinable
    static var perform: (Work, Work.Step) -> UnsafeMutableRawPointer? {
        { work, step in
            switch step {
            case .run: return run(work)
            case .drop:
                drop(work)
                return nil
            }
        }
    }

    @inlinable
    static func run(_ work: Work) -> UnsafeMutableRawPointer? {
        let own = unsafeDowncast(work, to: ClosureWork<Success, Failure>.self)
        // Not `own.body.take()`: the compiler (6.3) crashes on what it makes of that where the error is an `any Error`.
        guard let body = own.body else { return nil }
        own.body = nil
        work.state = .running
        do throws(Failure) {
            let value = try body()
            work.slot.store(value, as: Success.self)
            work.state = .success
            return nil
        } catch {
            work.slot.store(error, as: Failure.self)
            work.state = .failure
            return error.failCoroutine()
        }
    }

    /// What is dropped is out of the slot before: it may be the user's code that this runs.
    @inlinable
    static func drop(_ work: Work) {
        switch work.state {
        case .closure: unsafeDowncast(work, to: ClosureWork<Success, Failure>.self).body = nil
        case .success: _ = work.slot.take(as: Success.self)
        case .failure: _ = work.slot.take(as: Failure.self)
        case .running, .cancelled: break
        }
    }
}

/// With a closure to run.
@usableFromInline
final class ClosureWork<Success, Failure: Error>: Work, @unchecked Sendable {
    @exclusivity(unchecked) @usableFromInline var body: (() throws(Failure) -> Success)?

    @inlinable
    init(_ body: consuming @escaping () throws(Failure) -> Success) {
        self.body = body
        super.init(state: .closure, perform: Outcome<Success, Failure>.perform)
    }
}

extension Outcome: Sendable where Success: Sendable {}

/// An error that other languages know by a code of coro.h.
protocol CodedError: Error {
    var code: Int32 { get }
}

extension CoroError: CodedError {}

extension Error {
    /// What it is in other languages.
    var codeElsewhere: Int32 { (self as? any CodedError)?.code ?? CORO_EFAILED }
}
