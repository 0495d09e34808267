import CCoroPlatform

/// sendfile(2).
extension RuntimeRef {
    /// How much one call may move: a socket takes less by itself, but a file would take all, and keep everybody waiting.
    private static var mostAtOnce: Int { 1 << 20 }

    /// Sends n bytes of a file, or those up to its end. Returns how many.
    func sendFile(_ out: Int32, _ file: Int32, _ offset: UnsafeMutablePointer<off_t>?, _ n: Int) -> Int {
        if n < 0 { return Int(fail(Code.invalid) { $0.append("n is more bytes than there can be") }) }
        let refusal = refuseForSendFile(out, file)
        if refusal < 0 { return Int(refusal) }
        return moveAll(n) { done in
            perform(out, .write) { _ in coro_system_sendfile(out, file, offset, Swift.min(n - done, Self.mostAtOnce)) }
        }
    }

    /// Only a file is never waited for, and sendfile(2) has no form that does not block if the descriptor does.
    private func refuseForSendFile(_ out: Int32, _ file: Int32) -> Int32 {
        var error: Int32 = 0
        guard let source = pointee.poller.obtain(file, error: &error) else { return explain(error, file) }
        if source.pointee.kind != UInt8(CORO_KIND_FILE.rawValue) {
            return fail(Code.invalid) {
                $0.append("descriptor ")
                $0.append(file)
                $0.append(" is no file: use coro_read() and coro_write()")
            }
        }
        guard let target = pointee.poller.obtain(out, error: &error) else { return explain(error, out) }
        return target.pointee.kind == UInt8(CORO_KIND_FILE.rawValue) ? 0 : refuseBlockingMode(out)
    }
}
