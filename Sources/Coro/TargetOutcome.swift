import CCoro
import Glibc

/// The outcome of a target, which C keeps until somebody joins.
class TargetOutcome<Success>: Outcome {
    private var outcome: Result<Success, any Error>?

    /// Joins by the C function for it. Suspends.
    func take(_ id: Int64, _ timeout: Int64) throws -> Success { throw CoroError.dead }

    func join(_ coroutine: AnyCoroutine, timeout: Duration?) throws -> Success {
        if let outcome { return try outcome.get() }
        let result = Result { try take(coroutine.id, timeout?.nanoseconds ?? .max) }
        // Its record goes with what it failed with, and not with what interrupted the caller; but another who joins may have
        // been faster, and has kept the outcome.
        if outcome == nil, coroutine.isGone { outcome = result }
        return try result.get()
    }
}

/// Of a type that Swift knows.
final class TypedOutcome<Success>: TargetOutcome<Success> {
    private let result: CResult<Success>

    init(_ result: CResult<Success>) {
        self.result = result
    }

    override func take(_ id: Int64, _ timeout: Int64) throws -> Success {
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
final class ValueOutcome: TargetOutcome<TargetValue> {
    private let size: Int

    /// size: the result's.
    init(size: Int) {
        self.size = size
    }

    override func take(_ id: Int64, _ timeout: Int64) throws -> TargetValue {
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

extension AnyCoroutine {
    /// Whether nothing of it is left to wait for.
    fileprivate var isGone: Bool {
        var info = coro_info()
        info.struct_size = MemoryLayout<coro_info>.size
        return coro_get_info(id, &info) < 0
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
