import CCoroPlatform

/// Nothing is left that could ever run, but there are coroutines that wait.
extension RuntimeRef {
    private static var mostNamed: Int { 4 }

    /// The first few: "#4 (worker) joining #5; #5 (x) parked; and 12 more".
    func appendDeadlock(to text: inout TextBuffer) {
        var left = countAll { $0.pointee.state == .waiting }
        if left == 0 {
            text.append("no coroutine is left that could end this wait")
            return
        }
        var named = 0
        let isListed = forEachAscending {
            if $0.pointee.state != .waiting { return true }
            if named == Self.mostNamed { return false }
            if named > 0 { text.append("; ") }
            appendWaiter($0, to: &text)
            named += 1
            return true
        }
        if named == left { return }
        left -= named
        text.append(isListed ? "; and " : "")
        text.append(left)
        text.append(isListed ? " more" : " waiting, and no memory to list them")
    }

    /// "#4 (worker) joining #5"
    private func appendWaiter(_ coroutine: CoroutineRef, to text: inout TextBuffer) {
        appendNumberAndName(of: coroutine, to: &text)
        text.append(" ")
        appendWait(of: coroutine, to: &text)
    }

    /// Lists all who wait on stderr. Returns -EDEADLK, or 0 if nobody does.
    func reportDeadlock() -> Int32 {
        let count = countAll { $0.pointee.state == .waiting }
        if count == 0 { return 0 }
        if var lines = LineWriter(fd: 2) {
            lines.write {
                $0.append("libcoro: deadlock: nothing can run any more, and these wait:")
            }
            _ = forEachAscending { coroutine in
                if coroutine.pointee.state == .waiting {
                    lines.write {
                        $0.append("  ")
                        appendWaiter(coroutine, to: &$0)
                    }
                }
                return true
            }
            _ = lines.finish()
        }
        return fail(Code.deadlock) { appendDeadlock(to: &$0) }
    }
}
