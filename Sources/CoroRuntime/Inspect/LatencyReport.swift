import CCoroPlatform

/// What is written of a coroutine that runs for too long: while it runs, by the watchdog, with its stack; and how long it was,
/// by its loop, when it has yielded.
struct LatencyReport {
    private var overrun: coro_overrun
    /// For its texts alone: the loop may be gone.
    private let runtime: RuntimeRef
    private let thread: Int32
    private let interruptible: Bool
    private var stackBottom: UnsafeRawPointer?
    private var stackTop: UnsafeRawPointer?

    /// Behind the process lock, with `watch.overrun` filled in.
    init(of coroutine: CoroutineRef, in runtime: RuntimeRef) {
        overrun = runtime.pointee.watched.overrun
        self.runtime = runtime
        thread = runtime.pointee.watched.thread
        interruptible = runtime.pointee.watched.interruptible
        guard let bottom = coroutine.pointee.stackBottom else { return }
        stackBottom = UnsafeRawPointer(bottom)
        stackTop = UnsafeRawPointer(StackPool.top(of: bottom, coroutine.pointee.stackClass))
    }

    /// In one piece, if it is not longer than what a pipe takes at once.
    mutating func write() {
        let duration = coro_system_clock() &- overrun.since
        var place = coro_place()
        coro_watchdog_locate(thread, interruptible, stackBottom, stackTop, &place)
        let (memory, capacity) = (coro_watchdog_text(), Int(CORO_WATCHDOG_TEXT_SIZE.rawValue))
        var text = TextBuffer(memory, capacity: capacity)
        Self.appendStart(to: &text)
        text.append("(")
        Self.append(seconds: duration, to: &text)
        text.append(") for ")
        let (runtime, id, address) = (runtime, overrun.id, overrun.coroutine)
        Self.withCoroutine(&overrun) { coroutine in
            if id == 0 {
                text.append("the loop's own code")
            } else {
                runtime.appendRepr(of: coroutine, at: address, to: &text)
            }
        }
        place.append(to: &text)
        text.append("\n")
        Self.endLine(memory, text, capacity)
        coro_watchdog_write(thread, memory, Swift.min(text.length, capacity - 1))
    }

    /// `<date> High Latency: coro #4 (worker) ran for more than 1.020s`
    static func writeEnd(of overrun: inout coro_overrun, after duration: Int64, in runtime: RuntimeRef) {
        let capacity = 256
        guard let memory = Heap.zeroed(CChar.self, count: capacity) else { return }
        var text = TextBuffer(memory, capacity: capacity)
        appendStart(to: &text)
        if overrun.id == 0 {
            text.append("the loop's own code")
        } else {
            text.append("coro #")
            text.append(overrun.id)
            text.append(" (")
            withCoroutine(&overrun) { runtime.appendName(of: $0, to: &text) }
            text.append(")")
        }
        text.append(" ran for more than ")
        append(seconds: duration, to: &text)
        text.append("\n")
        endLine(memory, text, capacity)
        _ = LineWriter.writeWhole(2, memory, Swift.min(text.length, capacity - 1))
        Heap.free(memory)
    }

    /// Calls body with the id and the name of who ran, which may have ended; 0 and "" for the loop's own code.
    static func withName(
        of overrun: inout coro_overrun, in runtime: RuntimeRef, _ body: (Int64, UnsafePointer<CChar>) -> Void
    ) {
        let capacity = 256
        guard let memory = Heap.zeroed(CChar.self, count: capacity) else { return }
        let id = overrun.id
        if id != 0 {
            var text = TextBuffer(memory, capacity: capacity)
            withCoroutine(&overrun) { runtime.appendName(of: $0, to: &text) }
        }
        body(id, memory)
        Heap.free(memory)
    }

    /// Calls body with a control block that has what the report knows of the coroutine, for its name and description.
    private static func withCoroutine(_ overrun: inout coro_overrun, _ body: (CoroutineRef) -> Void) {
        var extras = Coroutine.Extras()
        var coroutine = Coroutine()
        coroutine.id = overrun.id
        coroutine.function = unsafeBitCast(overrun.function, to: CoroutineFunction?.self)
        coroutine.state = .running
        coroutine.flags = .started
        withUnsafeMutableBytes(of: &overrun.name) {
            guard let name = $0.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            extras.name = name.pointee == 0 ? nil : name
            withUnsafeMutablePointer(to: &extras) {
                coroutine.extras = $0
                withUnsafeMutablePointer(to: &coroutine, body)
            }
        }
    }

    private static func appendStart(to text: inout TextBuffer) {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CORO_DATE_SIZE.rawValue)) {
            guard let date = $0.baseAddress else { return }
            coro_watchdog_date(date)
            text.append(cString: date)
        }
        text.append(" High Latency: ")
    }

    /// "0.251s"
    private static func append(seconds nanoseconds: Int64, to text: inout TextBuffer) {
        let milliseconds = Swift.max(nanoseconds, 0) / 1_000_000
        text.append(milliseconds / 1000)
        text.append(".")
        text.append(milliseconds / 100 % 10)
        text.append(milliseconds / 10 % 10)
        text.append(milliseconds % 10)
        text.append("s")
    }

    /// A text that was cut keeps its end of line.
    private static func endLine(_ memory: UnsafeMutablePointer<CChar>, _ text: TextBuffer, _ capacity: Int) {
        if text.length >= capacity { memory[capacity - 2] = CChar(UInt8(ascii: "\n")) }
    }
}

extension coro_place {
    /// Where the thread is, as what follows the name of who runs there.
    fileprivate mutating func append(to text: inout TextBuffer) {
        if count == 0 {
            text.append(", which still runs")
            return
        }
        if !blocked {
            text.append(", which runs in")
        } else if call >= 0 {
            text.append(", which is blocked in system call ")
            text.append(call)
        } else {
            text.append(", which is blocked outside system calls, in")
        }
        let (count, certain) = (Int(count), Int(certain))
        withUnsafeBytes(of: &frames) {
            let frames = $0.bindMemory(to: UnsafeRawPointer?.self)
            for index in 0..<Swift.min(count, frames.count) {
                if index == certain { text.append("\n  called, by what looks like return addresses on its stack, by") }
                text.append("\n    ")
                Self.append(frames[index], isExact: index == 0, to: &text)
            }
        }
    }

    /// "program+0x12ab (function+28)". A call may be the last instruction of its function: a return address is after it.
    private static func append(_ address: UnsafeRawPointer?, isExact: Bool, to text: inout TextBuffer) {
        let back = isExact ? 0 : 1
        let place = address.map { $0 - back }
        var offset: UInt = 0
        guard let module = coro_watchdog_module(place, &offset) else {
            text.append(address: address)
            return
        }
        text.append(cString: module)
        text.append("+")
        text.append(address: UnsafeRawPointer(bitPattern: offset + UInt(back)))
        guard let symbol = coro_system_symbol(place, false, &offset) else { return }
        text.append(" (")
        text.append(cString: symbol)
        text.append("+")
        text.append(Int(offset) + back)
        text.append(")")
    }
}
