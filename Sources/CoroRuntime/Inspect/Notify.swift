import CCoroPlatform

/// Telling of failures that no code has dealt with.
extension RuntimeRef {
    /// Tells the notifier that `coroutine`, which is the running one, has failed. User code that must not suspend: who joins it
    /// waits for it.
    func notify(_ coroutine: CoroutineRef) {
        let failure = coroutine.pointee.failure
        if let notifier = pointee.notifier {
            let message = coroutine.pointee.extras?.pointee.failureMessage
            var none: CChar = 0
            pointee.obstacles.forbid()
            let reported = message.map { notifier(coroutine.pointee.id, failure, $0) }
                ?? notifier(coroutine.pointee.id, failure, &none)
            pointee.obstacles.allow()
            if reported == 0 { return }
        }
        writeFailure(of: coroutine, failure)
    }

    /// `coro #4 (worker) failed: EIO (input/output error): short header`
    private func writeFailure(of coroutine: CoroutineRef, _ failure: Int32) {
        let capacity = 512
        guard let memory = Heap.zeroed(CChar.self, count: capacity) else { return }
        var text = TextBuffer(memory, capacity: capacity)
        text.append("coro ")
        appendNumberAndName(of: coroutine, to: &text)
        text.append(" failed: ")
        ErrorText.append(failure, to: &text)
        if let message = coroutine.pointee.extras?.pointee.failureMessage {
            text.append(": ")
            text.append(cString: UnsafePointer(message))
        }
        text.append("\n")
        _ = LineWriter.writeWhole(2, memory, Swift.min(text.length, capacity - 1))
        Heap.free(memory)
    }
}
