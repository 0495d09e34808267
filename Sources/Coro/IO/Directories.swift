import CCoro
import Glibc

// Files by their paths. Each throws `CoroError.system(errno:)`, with EINVAL for a path with a NUL in it, or what the caller was
// interrupted with.
extension File {
    /// Gives a file another path, in the place of what had that. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func rename(_ path: String, to newPath: String) throws(CoroError) {
        try call(path, newPath, coro_rename)
    }

    /// Gives a file one more path. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func link(_ path: String, to newPath: String) throws(CoroError) {
        try call(path, newPath, coro_link)
    }

    /// Makes a symbolic link at `path`. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func makeSymbolicLink(_ path: String, to target: String) throws(CoroError) {
        try call(target, path, coro_symlink)
    }

    /// Where a symbolic link points to. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func target(ofSymbolicLink path: String) throws(CoroError) -> String {
        let bytes = try Bytes.filled(Int(PATH_MAX)) { buffer throws(CoroError) in
            try check(
                withText(path) {
                    coro_readlink($0, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
                })
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Takes away a path of a file, which is gone with its last one. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func remove(_ path: String) throws(CoroError) {
        try check(withText(path) { coro_unlink($0) })
    }

    /// Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func makeDirectory(_ path: String, permissions: mode_t = 0o777) throws(CoroError) {
        try check(withText(path) { coro_mkdir($0, permissions) })
    }

    /// Removes a directory, which must be empty. Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func removeDirectory(_ path: String) throws(CoroError) {
        try check(withText(path) { coro_rmdir($0) })
    }

    /// The names of what is in a directory, sorted, without "." and "..". Suspends.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public static func names(inDirectory path: String) throws(CoroError) -> [String] {
        var entries: UnsafeMutablePointer<UnsafeMutablePointer<dirent>?>?
        let count = Int(try check(withText(path) { coro_scandir($0, &entries) }))
        defer {
            for index in 0..<count { free(entries?[index]) }
            free(entries)
        }
        return (0..<count).compactMap { index in
            guard let entry = entries?[index] else { return nil }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) { String(cString: $0) }
            }
            return name == "." || name == ".." ? nil : name
        }
    }

    private static func call(
        _ first: String, _ second: String, _ function: (UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> Int32
    ) throws(CoroError) {
        try check(
            withText(first) { first throws(CoroError) in try withText(second) { function(first, $0) } })
    }
}
