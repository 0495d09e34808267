import CCoro
import Glibc

/// An open file. Reading and writing suspend only the caller while the disk is at work.
///
///     let file = try File.open("log", [.write, .create, .append])
///     try file.write("started\n")
public final class File: Descriptor {
    /// What a file is opened for.
    public struct Options: OptionSet, Sendable {
        public let rawValue: Int

        public init(rawValue: Int) {
            self.rawValue = rawValue
        }

        /// It can be read.
        public static let read = Options(rawValue: 1 << 0)
        /// It can be written to.
        public static let write = Options(rawValue: 1 << 1)
        /// Each write goes to the end.
        public static let append = Options(rawValue: 1 << 2)
        /// It is made if there is none.
        public static let create = Options(rawValue: 1 << 3)
        /// With `create`: it must not be there yet, else `CoroError.system(errno: EEXIST)`.
        public static let exclusive = Options(rawValue: 1 << 4)
        /// It is emptied.
        public static let truncate = Options(rawValue: 1 << 5)

        var flags: Int32 {
            var flags = contains(.write) ? (contains(.read) ? O_RDWR : O_WRONLY) : O_RDONLY
            if contains(.append) { flags |= O_APPEND }
            if contains(.create) { flags |= O_CREAT }
            if contains(.exclusive) { flags |= O_EXCL }
            if contains(.truncate) { flags |= O_TRUNC }
            return flags
        }
    }

    /// Opens a file, close-on-exec. permissions: of one that is made, less the process's umask. Suspends. Throws
    /// `CoroError.system(errno:)`, or what the caller was interrupted with, as all about files.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func open(
        _ path: String, _ options: Options = .read, permissions: mode_t = 0o666
    ) throws(CoroError) -> File {
        File(owning: try check(withText(path) { coro_open($0, options.flags, permissions) }))
    }

    /// Reads at most `count` bytes from `offset` on; fewer at the end of the file. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func read(upTo count: Int, at offset: Int) throws(CoroError) -> [UInt8] {
        try Bytes.filled(count) { buffer throws(CoroError) in
            try self.call { coro_pread($0, buffer.baseAddress, buffer.count, off_t(offset)) }
        }
    }

    /// Writes all of the bytes from `offset` on. Suspends. Throws `CoroError.system(errno: ENOSPC)` if the disk is full.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func write(_ bytes: some Sequence<UInt8>, at offset: Int) throws(CoroError) {
        let bytes = Array(bytes)
        var done = 0
        while done < bytes.count {
            let count = try call { number in
                bytes.withUnsafeBytes { coro_pwrite(number, $0.baseAddress! + done, $0.count - done, off_t(offset + done)) }
            }
            if count == 0 { throw .system(errno: ENOSPC) }
            done += count
        }
    }

    /// Waits until what was written is on the disk; without `dataOnly` also what is known of the file, its times say. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func synchronize(dataOnly: Bool = false) throws(CoroError) {
        try call { dataOnly ? coro_fdatasync($0) : coro_fsync($0) }
    }

    /// Makes it `length` bytes long: what is beyond is gone, what is missing is zero. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func truncate(to length: Int) throws(CoroError) {
        try call { coro_ftruncate($0, off_t(length)) }
    }

    /// What the system knows of it. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func status() throws(CoroError) -> Status {
        try Status.filled { status throws(CoroError) in try self.call { coro_fstat($0, status) } }
    }
}

extension File {
    /// All of a file. Suspends. Throws `CoroError.system(errno: EOVERFLOW)` if that is more than `limit` bytes.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func readAll(_ path: String, limit: Int = .max) throws(CoroError) -> [UInt8] {
        let file = try open(path)
        let bytes = try file.readToEnd(limit: limit)
        try file.close()
        return bytes
    }

    /// Makes a file of these bytes, or has them take the place of what was in it. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func writeAll(
        _ bytes: some Sequence<UInt8>, to path: String, permissions: mode_t = 0o666
    ) throws(CoroError) {
        let file = try open(path, [.write, .create, .truncate], permissions: permissions)
        try file.write(bytes)
        try file.close()
    }

    /// Makes a file of a text, as UTF-8. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func writeAll(_ text: String, to path: String, permissions: mode_t = 0o666) throws(CoroError) {
        try writeAll(text.utf8, to: path, permissions: permissions)
    }
}
