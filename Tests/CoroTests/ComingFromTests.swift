import CCoro
import Coro
import Testing

/// The programs of Shrapnel and of jschwinger23/coroutine in Swift, as docs/coming-from-*.md shows them. What they print is
/// compared.
@Suite struct ComingFrom {}

/// What a program has printed.
final class Printer {
    private(set) var lines = [String]()

    func callAsFunction(_ item: Any) {
        lines.append("\(item)")
    }
}

/// What a C function returned; thrown, if that is an error.
@discardableResult
func checked<Result: SignedInteger>(_ result: Result) throws(CoroError) -> Result {
    if result < 0 { throw CoroError(code: Int32(truncatingIfNeeded: result)) }
    return result
}

/// Runs a program on virtual time, and without "Exiting...".
func onVirtualTime(_ program: () throws -> Void) rethrows {
    _ = coro_test_set_virtual_time(true)
    let printed = EventLoop.setPrintsExitString(false)
    defer {
        _ = coro_test_set_virtual_time(false)
        EventLoop.setPrintsExitString(printed)
    }
    try program()
}

/// A C `struct sockaddr` of any family, as socket calls want it.
func withAddress<Address, Result>(
    _ address: inout Address, _ body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) throws -> Result
) rethrows -> Result {
    var length = socklen_t(MemoryLayout<Address>.size)
    return try withUnsafeMutablePointer(to: &address) { pointer in
        try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { try body($0, &length) }
    }
}
