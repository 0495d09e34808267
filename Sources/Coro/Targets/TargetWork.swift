import CCoro
import Glibc

/// A coroutine that runs a target, whose outcome C keeps until somebody joins.
class TargetWork<Success>: Work, @unchecked Sendable {
    init(id: Int64) {
        super.init(id: id, state: .running, perform: Outcome<Success, any Error>.perform)
    }

    /// Joins by the C function for it. Suspends.
    func take(_ timeout: Int64) throws -> Success { throw CoroError.dead }

    final override func wait(timeout: Int64) throws(CoroError) {
        if !isHere { throw .wrongThread }
        if isDone { return }
        do {
            keep(try take(timeout), as: Success.self, .success)
        } catch {
            if let error = error as? CoroError, !isOutcome(error) { throw error }
            keep(error, as: (any Error).self, .failure)
        }
    }

    /// Whether a join that failed has told what the coroutine failed with: that is an error about it, as are some of the
    /// caller's own.
    private func isOutcome(_ error: CoroError) -> Bool {
        if coro_error_other() != id { return false }
        return switch error {
        case .notStarted, .dead, .system(errno: EDEADLK): AnyCoroutine(id: id).state == nil
        default: true
        }
    }

    /// Another who joins may have been faster.
    private func keep<Value>(_ value: Value, as type: Value.Type, _ state: State) {
        isTaken = true
        if isDone { return }
        slot.store(value, as: type)
        self.state = state
    }
}

/// Of a type that Swift knows.
final class TypedTargetWork<Success>: TargetWork<Success>, @unchecked Sendable {
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
final class ValueTargetWork: TargetWork<TargetValue>, @unchecked Sendable {
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
