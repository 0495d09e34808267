import CCoroPlatform

/// A stdio stream over a descriptor: its reading, writing and closing suspend. The cookie is the descriptor, plus one.
func openStream(_ fd: Int32, _ mode: UnsafePointer<CChar>) -> UnsafeMutablePointer<FILE>? {
    guard let cookie = UnsafeMutableRawPointer(bitPattern: Int(fd) + 1) else { return nil }
    return coro_system_fopen(cookie, mode, readStream, writeStream, closeStream)
}

private func readStream(_ cookie: UnsafeMutableRawPointer, _ buffer: UnsafeMutablePointer<CChar>, _ n: Int) -> Int {
    guard let runtime = Runtime.here else { return stdioResult(Int(Code.noMemory)) }
    return stdioResult(runtime.read(descriptor(cookie), buffer, n))
}

/// stdio takes 0, not -1, for an error in writing.
private func writeStream(_ cookie: UnsafeMutableRawPointer, _ buffer: UnsafePointer<CChar>, _ n: Int) -> Int {
    guard let runtime = Runtime.here else { return max(stdioResult(Int(Code.noMemory)), 0) }
    return max(stdioResult(runtime.write(descriptor(cookie), buffer, n)), 0)
}

private func closeStream(_ cookie: UnsafeMutableRawPointer) -> Int32 {
    guard let runtime = Runtime.here else { return Int32(stdioResult(Int(Code.noMemory))) }
    return Int32(stdioResult(Int(runtime.close(descriptor(cookie)))))
}

private func descriptor(_ cookie: UnsafeMutableRawPointer) -> Int32 {
    Int32(truncatingIfNeeded: Int(bitPattern: cookie) - 1)
}

/// stdio wants -1 and errno. Our own codes have no errno: they become EIO.
private func stdioResult(_ result: Int) -> Int {
    if result >= 0 { return result }
    coro_errno_here().pointee = result > -4096 ? Int32(-result) : CoroErrno.inputOutput
    return -1
}
