import CCoroPlatform

/// All coroutines of a thread with their stacks, for people.
extension RuntimeRef {
    /// Writes the dump. site: where it was called. 0 or an error.
    func dump(to fd: Int32, site: UnsafeRawPointer?) -> Int32 {
        guard var trace = StackTrace() else { return fail(Code.noMemory) }
        defer { trace.free() }
        guard var lines = LineWriter(fd: fd) else { return fail(Code.noMemory) }
        writeBlock(of: pointee.main, &lines, &trace, site)
        let isComplete = forEachAscending {
            writeBlock(of: $0, &lines, &trace, site)
            return true
        }
        let ended = countAll { $0.pointee.state == .ended }
        if ended > 0 {
            lines.write {
                $0.append(ended)
                $0.append(" more have ended, and were neither joined nor detached")
            }
        }
        let error = lines.finish()
        return error < 0 ? fail(error) : isComplete ? 0 : fail(Code.noMemory)
    }

    private func writeBlock(
        of coroutine: CoroutineRef, _ lines: inout LineWriter, _ trace: inout StackTrace, _ site: UnsafeRawPointer?
    ) {
        lines.write { coroutine == pointee.main ? appendMainHead(to: &$0) : appendHead(of: coroutine, to: &$0) }
        trace.take(coroutine, in: self, site: site)
        for index in 0..<trace.count {
            let address = trace[index]
            lines.write {
                $0.append("    ")
                $0.append(place: address)
            }
        }
    }

    /// `coro #4 (worker): joining #5; 1.2 s old, 12 switches, ran 340 ms, created before main+123, detached`
    private func appendHead(of coroutine: CoroutineRef, to text: inout TextBuffer) {
        text.append("coro ")
        appendNumberAndName(of: coroutine, to: &text)
        text.append(": ")
        appendWait(of: coroutine, to: &text)
        text.append("; ")
        text.append(nanoseconds: coroutine.pointee.age(at: pointee.clock.read()))
        text.append(" old, ")
        text.append(Int64(coroutine.pointee.switches))
        text.append(coroutine.pointee.switches == 1 ? " switch" : " switches")
        if pointee.observers.accounting {
            text.append(", ran ")
            text.append(nanoseconds: runTime(of: coroutine))
        }
        text.append(", created before ")
        text.append(place: coroutine.pointee.spawnSite)
        if coroutine.has(.detached) { text.append(", detached") }
    }

    /// `coro #0 (main): running the loop`
    private func appendMainHead(to text: inout TextBuffer) {
        text.append("coro #0 (main): ")
        appendWait(of: pointee.main, to: &text)
    }
}
