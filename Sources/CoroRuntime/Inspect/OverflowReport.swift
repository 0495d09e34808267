import CCoroPlatform

/// What is said when a coroutine runs into the guard below its stack. It runs in the signal handler, on a stack of its own;
/// the process ends after it.
enum OverflowReport {
    static let size = 1024
}

extension RuntimeRef {
    /// Reports, if `address` is in the guard of the running coroutine's stack.
    func reportOverflow(at address: UnsafeRawPointer?) {
        let coroutine = pointee.current
        guard let address, let bottom = coroutine.pointee.stackBottom,
            pointee.stacks.isInGuard(address, of: bottom, coroutine.pointee.stackClass),
            let memory = pointee.overflowText
        else { return }
        // The symbols come last: looking them up is not safe in a handler, and by then the rest is written.
        write(memory) {
            $0.append("libcoro: stack overflow in coroutine #")
            $0.append(coroutine.pointee.id)
            $0.append(": its ")
            $0.append(StackPool.slotSize(coroutine.pointee.stackClass) / 1024)
            $0.append(" KiB stack is used up. Set coro_options.stack_size to more, or keep large arrays off the stack.\n")
        }
        write(memory) {
            $0.append("libcoro: it is '")
            appendName(of: coroutine, to: &$0)
            $0.append("', created before ")
            appendSite(coroutine.pointee.spawnSite, to: &$0)
            $0.append("\n")
        }
    }

    private func write(_ memory: UnsafeMutablePointer<CChar>, _ compose: (inout TextBuffer) -> Void) {
        var text = TextBuffer(memory, capacity: OverflowReport.size)
        compose(&text)
        coro_system_write_all(2, memory, Swift.min(text.length, OverflowReport.size - 1))
    }

    private func appendSite(_ site: UnsafeRawPointer?, to text: inout TextBuffer) {
        text.append(address: site)
        var offset: UInt = 0
        guard let symbol = coro_system_symbol(site, false, &offset) else { return }
        text.append(" (")
        text.append(cString: symbol)
        text.append("+")
        text.append(Int(offset))
        text.append(")")
    }
}
