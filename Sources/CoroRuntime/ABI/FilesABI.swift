import CCoro
import CCoroPlatform

// coro.h: Files

/// A call about paths, none of which may be NULL; `fill` adds what else there is to it.
private func callAt(
    _ operation: coro_file_operation, _ path: UnsafePointer<CChar>?, _ fill: (inout coro_file_call) -> Void = { _ in }
) -> CInt {
    call { runtime throws(Refusal) in
        let path = try runtime.require(path, "path is NULL")
        var file = coro_file_call_at(operation, path)
        fill(&file)
        return Int32(truncatingIfNeeded: runtime.perform(file, at: path))
    }
}

/// A call about two paths.
private func callAt(
    _ operation: coro_file_operation, _ path: UnsafePointer<CChar>?, _ newPath: UnsafePointer<CChar>?
) -> CInt {
    call { runtime throws(Refusal) in
        let path = try runtime.require(path, "path is NULL")
        let newPath = try runtime.require(newPath, "new_path is NULL")
        var file = coro_file_call_at(operation, path)
        file.new_path = newPath
        return Int32(truncatingIfNeeded: runtime.perform(file, at: path))
    }
}

/// A call about what fd refers to.
private func callOn(
    _ operation: coro_file_operation, _ fd: CInt, _ fill: (inout coro_file_call) -> Void = { _ in }
) -> CInt {
    call { runtime in
        var file = coro_file_call_on(operation, fd)
        fill(&file)
        return Int32(truncatingIfNeeded: runtime.perform(file))
    }
}

// -- what is in a file --

@c @implementation
public func coro_open(_ path: UnsafePointer<CChar>?, _ flags: CInt, _ mode: mode_t) -> CInt {
    coro_openat(coro_file_call_at(CORO_FILE_OPEN, nil).fd, path, flags, mode)
}

@c @implementation
public func coro_openat(_ directory: CInt, _ path: UnsafePointer<CChar>?, _ flags: CInt, _ mode: mode_t) -> CInt {
    call { runtime throws(Refusal) in
        let path = try runtime.require(path, "path is NULL")
        var file = coro_file_call_at(CORO_FILE_OPEN, path)
        file.fd = directory
        file.flags = coro_file_open_flags(flags)
        file.mode = mode
        return runtime.openFile(file, at: path)
    }
}

@c @implementation
public func coro_pread(_ fd: CInt, _ buffer: UnsafeMutableRawPointer?, _ n: Int, _ offset: off_t) -> Int {
    transfer(CORO_FILE_READ, fd, buffer, n, offset)
}

@c @implementation
public func coro_pwrite(_ fd: CInt, _ buffer: UnsafeRawPointer?, _ n: Int, _ offset: off_t) -> Int {
    transfer(CORO_FILE_WRITE, fd, UnsafeMutableRawPointer(mutating: buffer), n, offset)
}

private func transfer(
    _ operation: coro_file_operation, _ fd: CInt, _ buffer: UnsafeMutableRawPointer?, _ n: Int, _ offset: off_t
) -> Int {
    guard let runtime = Runtime.here else { return Int(Code.noMemory) }
    var file = coro_file_call_on(operation, fd)
    file.buffer = buffer
    file.size = n
    file.offset = Int64(offset)
    return runtime.transferAt(file)
}

@c @implementation
public func coro_preadv(_ fd: CInt, _ vector: UnsafePointer<iovec>?, _ count: CInt, _ offset: off_t) -> Int {
    transfer(CORO_FILE_READ, fd, vector, count, offset)
}

@c @implementation
public func coro_pwritev(_ fd: CInt, _ vector: UnsafePointer<iovec>?, _ count: CInt, _ offset: off_t) -> Int {
    transfer(CORO_FILE_WRITE, fd, vector, count, offset)
}

private func transfer(
    _ operation: coro_file_operation, _ fd: CInt, _ vector: UnsafePointer<iovec>?, _ count: CInt, _ offset: off_t
) -> Int {
    guard let runtime = Runtime.here else { return Int(Code.noMemory) }
    guard let vector, count >= 0 else { return Int(runtime.refuseArgument("vector is NULL, or count is negative").code) }
    var file = coro_file_call_on(operation, fd)
    file.vector = vector
    file.count = count
    file.offset = Int64(offset)
    return runtime.transferAt(file)
}

@c @implementation
public func coro_fsync(_ fd: CInt) -> CInt {
    callOn(CORO_FILE_SYNC, fd)
}

@c @implementation
public func coro_fdatasync(_ fd: CInt) -> CInt {
    callOn(CORO_FILE_DATASYNC, fd)
}

@c @implementation
public func coro_ftruncate(_ fd: CInt, _ length: off_t) -> CInt {
    callOn(CORO_FILE_TRUNCATE, fd) { $0.offset = Int64(length) }
}

// -- what is said of files --

@c @implementation
public func coro_stat(_ path: UnsafePointer<CChar>?, _ status: UnsafeMutablePointer<stat>?) -> CInt {
    callForStatus(path, coro_file_status_flags(true), status)
}

@c @implementation
public func coro_lstat(_ path: UnsafePointer<CChar>?, _ status: UnsafeMutablePointer<stat>?) -> CInt {
    callForStatus(path, coro_file_status_flags(false), status)
}

private func callForStatus(_ path: UnsafePointer<CChar>?, _ flags: CInt, _ status: UnsafeMutablePointer<stat>?) -> CInt {
    call { runtime throws(Refusal) in
        let path = try runtime.require(path, "path is NULL")
        let status = try runtime.require(status, "status is NULL")
        var file = coro_file_call_at(CORO_FILE_STATUS, path)
        file.flags = flags
        return Int32(truncatingIfNeeded: runtime.perform(file, at: path, status: status))
    }
}

@c @implementation
public func coro_fstat(_ fd: CInt, _ status: UnsafeMutablePointer<stat>?) -> CInt {
    call { runtime throws(Refusal) in
        let status = try runtime.require(status, "status is NULL")
        return Int32(truncatingIfNeeded: runtime.perform(coro_file_call_status_on(fd), status: status))
    }
}

// -- directories --

@c @implementation
public func coro_rename(_ path: UnsafePointer<CChar>?, _ newPath: UnsafePointer<CChar>?) -> CInt {
    callAt(CORO_FILE_RENAME, path, newPath)
}

@c @implementation
public func coro_link(_ path: UnsafePointer<CChar>?, _ newPath: UnsafePointer<CChar>?) -> CInt {
    callAt(CORO_FILE_LINK, path, newPath)
}

@c @implementation
public func coro_symlink(_ target: UnsafePointer<CChar>?, _ newPath: UnsafePointer<CChar>?) -> CInt {
    callAt(CORO_FILE_SYMLINK, target, newPath)
}

@c @implementation
public func coro_readlink(_ path: UnsafePointer<CChar>?, _ buffer: UnsafeMutablePointer<CChar>?, _ n: Int) -> Int {
    Int(
        callAt(CORO_FILE_READLINK, path) {
            $0.buffer = UnsafeMutableRawPointer(buffer)
            $0.size = n
        })
}

@c @implementation
public func coro_unlink(_ path: UnsafePointer<CChar>?) -> CInt {
    callAt(CORO_FILE_UNLINK, path)
}

@c @implementation
public func coro_rmdir(_ path: UnsafePointer<CChar>?) -> CInt {
    callAt(CORO_FILE_UNLINK, path) { $0.flags = coro_file_unlink_directory() }
}

@c @implementation
public func coro_mkdir(_ path: UnsafePointer<CChar>?, _ mode: mode_t) -> CInt {
    callAt(CORO_FILE_MKDIR, path) { $0.mode = mode }
}

@c @implementation
public func coro_scandir(
    _ path: UnsafePointer<CChar>?, _ entries: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<dirent>?>?>?
) -> CInt {
    call { runtime throws(Refusal) in
        let path = try runtime.require(path, "path is NULL")
        let entries = try runtime.require(entries, "entries is NULL")
        entries.pointee = nil
        var file = coro_file_call_at(CORO_FILE_SCANDIR, path)
        file.entries = entries
        return Int32(truncatingIfNeeded: runtime.perform(file, at: path))
    }
}

@c @implementation
public func coro_file_engine_name() -> UnsafePointer<CChar>? {
    guard let runtime = Runtime.here else { return nil }
    return coro_poller_file_engine_name(runtime.pointee.poller.obtainRing(in: runtime) == 0)
}
