import CCoro
import Glibc

/// The outcome of a target, which C keeps until somebody joins.
class TargetOutcome<Success>: Outcome<Success, any Error>, @unchecked Sendable {
    private var outcome: Result<Success, any Error>?

    /// Joins by the C function for it. Suspends.
    func take(_ timeout: Int64) throws -> Success { throw CoroError.dead }

    override func result(timeout: Duration?) throws(CoroError) -> Result<Success, any Error> {
        if !isHere { throw .wrongThread }
        if let outcome { return outcome }
        let result = Result { try take(timeout?.nanoseconds ?? .max) }
        // Its record goes with its outcome, and not with what interrupted the caller; but another who joins may have been
        // faster, and has kept the outcome.
        if outcome == nil, AnyCoroutine(id: id).state == nil {
            isTaken = true
            outcome = result
        }
        guard case .failure(let error as CoroError) = result else { return result }
        if case .failure(error as CoroError)? = outcome { return result }
        throw error
    }
}

/// Of a type that Swift knows.
final class TypedOutcome<Success>: TargetOutcome<Success>, @unchecked Sendable {
    private let result: CResult<Success>

    init(id: Int64, _ result: CResult<Success>) {
        self.result = result
        super.init(id: id)
    }

    override func take(_ timeout: Int64) throws -> Success {
        let size = result.type.size
        return try withUnsafeTemporaryAllocation(byteCount: max(size, 1), alignment: 16) { bytes in
            let address = bytes.baseAddress!
            try check(coro_join_result(id, size == 0 ? nil : address, size, timeout))
            guard let value = result.load(from: address) else {
                throw TargetError("the result is NULL, for which Swift's \(Success.self) has no value: make it optional")
            }
            return value
        }
    }
}

/// Of what type it is.
final class ValueOutcome: TargetOutcome<TargetValue>, @unchecked Sendable {
    private let size: Int

    /// size: the result's.
    init(id: Int64, size: Int) {
        self.size = size
        super.init(id: id)
    }

    override func take(_ timeout: Int64) throws -> TargetValue {
        try withUnsafeTemporaryAllocation(byteCount: max(size, 1), alignment: 16) { bytes in
            var value = coro_value()
            value.kind = UInt32(CORO_VALUE_BYTES)
            value.size = UInt32(size)
            value.as.p = UnsafeRawPointer(bytes.baseAddress)
            try check(coro_join_value(id, &value, timeout))
            return TargetValue(value)
        }
    }
}

extension Coroutine {
    /// Joins what the caller has called: what interrupts the caller is raised in it, and its end is waited for all the same,
    /// for it may have pointers to what is the caller's. If it never ran it is cancelled.
    func joinAsCall() throws -> Success {
        var isStuck = false
        while true {
            do {
                return try join()
            } catch {
                // Twice: it waits for ever, and what was raised in it has not changed that.
                if !isAlive || isStuck && error.codeElsewhere == -EDEADLK { throw error }
                isStuck = error.codeElsewhere == -EDEADLK
                if coro_raise(id, error.codeElsewhere, 0) < 0 {
                    _ = coro_shutdown(id)
                    throw error
                }
            }
        }
    }
}
