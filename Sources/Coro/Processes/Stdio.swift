import CCoro

extension ChildProcess {
    /// What a standard stream of a process is.
    public enum Stdio: Hashable, Sendable {
        /// The same as here.
        case inherit
        /// /dev/null.
        case null
        /// A pipe, of which `descriptor(of:)` is the other end; what `run` captures.
        case pipe
        /// What a descriptor is, which stays open here.
        case descriptor(Int32)
        /// A file: to read it for input, created or emptied and to write it for output and error. The path is relative to our
        /// directory.
        case file(String)
        /// A file, created if there is none, to write at its end: for output and error.
        case append(String)
        /// The same as output: for error.
        case output
    }

    /// What a program reads that is run to its end.
    public enum Input: Hashable, Sendable {
        /// Nothing.
        case null
        /// These bytes, and then the end.
        case bytes([UInt8])
        /// A text, and then the end.
        case text(String)
        /// The same as here.
        case inherit
        /// What a descriptor is, which stays open here.
        case descriptor(Int32)
        /// A file. The path is relative to our directory.
        case file(String)

        var stdio: Stdio {
            switch self {
            case .null: .null
            case .bytes, .text: .pipe
            case .inherit: .inherit
            case .descriptor(let descriptor): .descriptor(descriptor)
            case .file(let path): .file(path)
            }
        }

        /// What is written to it.
        var bytes: [UInt8] {
            switch self {
            case .bytes(let bytes): bytes
            case .text(let text): Array(text.utf8)
            default: []
            }
        }
    }
}
