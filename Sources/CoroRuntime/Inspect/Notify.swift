import CCoroPlatform

/// Telling of failures that no code has dealt with.
extension CoroutineRef {
    fileprivate func restoreFailureMessage(_ message: UnsafeMutablePointer<CChar>?) {
        guard let extras = pointee.extras else { return }
        Heap.free(extras.pointee.failureMessage)
        extras.pointee.failureMessage = message
    }
}

extension RuntimeRef {
    /// Tells the notifier that `coroutine`, which is the running one, has failed.
    func notify(_ coroutine: CoroutineRef) {
        let message = coroutine.pointee.extras?.pointee.failureMessage
        let failure = coroutine.pointee.failure
        if let notifier = pointee.notifier {
            coroutine.pointee.extras?.pointee.failureMessage = nil
            var none: CChar = 0
            let reported = message.map { notifier(coroutine.pointee.id, failure, $0) }
                ?? notifier(coroutine.pointee.id, failure, &none)
            // What the notifier may have failed with is its own.
            coroutine.pointee.failure = failure
            coroutine.restoreFailureMessage(message)
            if reported == 0 { return }
        }
        writeFailure(of: coroutine, failure)
    }

    /// `coro #4 (worker) failed: EIO (input/output error): short header`
    private func writeFailure(of coroutine: CoroutineRef, _ failure: Int32) {
        let capacity = 512
        guard let memory = Heap.zeroed(CChar.self, count: capacity) else { return }
        var text = TextBuffer(memory, capacity: capacity)
        text.append("coro #")
        text.append(coroutine.pointee.id)
        text.append(" (")
        appendName(of: coroutine, to: &text)
        text.append(") failed: ")
        ErrorText.append(failure, to: &text)
        if let message = coroutine.pointee.extras?.pointee.failureMessage {
            text.append(": ")
            text.append(cString: UnsafePointer(message))
        }
        text.append("\n")
        coro_system_write_all(2, memory, Swift.min(text.length, capacity - 1))
        Heap.free(memory)
    }
}
