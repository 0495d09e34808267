import CCoroPlatform

/// Files: what they contain, and what directories say of them.
extension RuntimeRef {
    /// A call about paths. What it returned, or an error, with its report.
    func perform(
        _ call: coro_file_call, at path: UnsafePointer<CChar>, status: UnsafeMutablePointer<stat>? = nil
    ) -> Int {
        if let code = takeTurn() { return Int(code) }
        return performOutside(call, status: status) { explain($0, path) }
    }

    /// A call about what fd refers to.
    func perform(_ call: coro_file_call, status: UnsafeMutablePointer<stat>? = nil) -> Int {
        if let code = takeTurn(call.fd) { return Int(code) }
        return performOutside(call, status: status) { explain($0, call.fd) }
    }

    @inline(never)
    private func explain(_ error: Int32, _ path: UnsafePointer<CChar>) -> Int32 {
        if error == -CoroErrno.tooManyFiles || error == -CoroErrno.tooManyFilesInSystem { return explainCreation(error) }
        return fail(error) {
            $0.append("path ")
            $0.append(cString: path)
        }
    }

    /// open(2): a descriptor that was just made.
    func openFile(_ call: coro_file_call, at path: UnsafePointer<CChar>) -> Int32 {
        let fd = Int32(truncatingIfNeeded: perform(call, at: path))
        // What is known of the number is of a file that was closed elsewhere. What it is now is found out when it is used.
        if fd >= 0 { pointee.poller.beginLife(of: fd, in: self) }
        return fd
    }

    /// pread(2), pwrite(2) and the like, at an offset.
    func transferAt(_ call: coro_file_call) -> Int {
        let fd = call.fd
        if let code = takeTurn(fd) { return Int(code) }
        var error: Int32 = 0
        guard let descriptor = pointee.poller.obtain(fd, error: &error) else { return Int(explain(error, fd)) }
        if call.offset < 0 {
            return Int(fail(Code.invalid) { $0.append("the offset is negative") })
        }
        let isFile = descriptor.pointee.kind == UInt8(CORO_KIND_FILE.rawValue)
        // What has no offset says so at once, which a ring would not; and what is in memory is read at once.
        if !isFile || call.operation == CORO_FILE_READ {
            var own = call
            let result = isFile ? coro_file_read_cached(&own) : coro_file_do(&own)
            if !isFile || result != Int(Code.again) {
                pointee.counters.fileOperations &+= 1
                return result < 0 ? Int(explain(Int32(result), fd)) : result
            }
        }
        return performOutside(call) { explain($0, fd) }
    }

    /// What read(2) or write(2) on a file, where it is at, has to wait for.
    @inline(never)
    func transferOutside(_ operation: coro_file_operation, _ fd: Int32, _ buffer: UnsafeMutableRawPointer?, _ n: Int) -> Int {
        var call = coro_file_call_on(operation, fd)
        call.buffer = buffer
        call.size = n
        call.offset = -1
        return performOutside(call) { explain($0, fd) }
    }
}
