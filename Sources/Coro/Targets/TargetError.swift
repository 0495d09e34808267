import CCoro
import Glibc

/// Why a function of C and its Swift types don't go together.
public struct TargetError: CodedError, Hashable {
    /// The code that C would have got.
    public let code: Int32
    /// What is wrong.
    public let message: String

    init(_ message: String) {
        code = -EINVAL
        self.message = message
    }
}

extension TargetError: CustomStringConvertible {
    public var description: String { message }
}
