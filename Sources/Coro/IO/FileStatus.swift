import CCoro
import Glibc

extension File {
    /// What the system knows of a file.
    public struct Status: Sendable {
        /// All of it, as stat(2) gives it.
        public let raw: stat

        static func filled(
            _ call: (UnsafeMutablePointer<stat>) throws(CoroError) -> Void
        ) throws(CoroError) -> Status {
            let raw = UnsafeMutablePointer<stat>.allocate(capacity: 1)
            raw.initialize(to: stat())
            defer { raw.deallocate() }
            try call(raw)
            return Status(raw: raw.pointee)
        }

        /// What kind of file.
        public enum Kind: Hashable, Sendable {
            /// A file with bytes in it.
            case regular
            /// A directory.
            case directory
            /// A symbolic link.
            case symbolicLink
            /// A named pipe, a socket, a device.
            case other
        }

        /// What kind of file it is.
        public var kind: Kind {
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            default: .other
            }
        }

        /// In bytes.
        public var size: Int { Int(raw.st_size) }

        /// Who may do what with it: 0o644, and the like.
        public var permissions: mode_t { raw.st_mode & 0o7777 }

        /// When its bytes were last changed, as the time since 1970.
        public var modified: Duration { .seconds(raw.st_mtim.tv_sec) + .nanoseconds(raw.st_mtim.tv_nsec) }
    }

    /// What the system knows of a file. followingLinks: of what a symbolic link points to, and not of the link. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func status(of path: String, followingLinks: Bool = true) throws(CoroError) -> Status {
        try Status.filled { status throws(CoroError) in
            _ = try check(withText(path) { followingLinks ? coro_stat($0, status) : coro_lstat($0, status) })
        }
    }
}
