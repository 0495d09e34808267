import CCoroPlatform

typealias TrampolineRef = UnsafeMutablePointer<Trampoline>

/// A target as a C function, and the place of that function's code. The place outlives it, so that calls which come too late
/// find what it was: see `TrampolineTable`.
///
/// Each call uses the place while it is under way, also what it has spawned or posted. What follows `entry` does not change
/// while anybody does.
struct Trampoline {
    /// `TrampolineRef.entry` relies on its place.
    var entry = coro_entry()
    /// Where it is in the table.
    let number: Int
    /// What a call of it is, but for what is its target's; nil before it is first used.
    var callee: Callee?
    /// Held; nil once it was freed and is no longer used. Behind the process lock from when it is freed.
    var target: TargetRef?
    var id: Int64 = 0
    /// The next of those that were freed.
    var nextFreed: TrampolineRef?

    /// What a call does. The numbers are `CORO_TRAMPOLINE_…`.
    enum Mode: Int32 {
        case spawn = 1
        case call, post, direct
    }

    /// What is kept for calls that come too late, too.
    struct Callee {
        let mode: Mode
        /// The loop to post to.
        var loopID: Int64 = 0
        let resultSize: Int
        /// Owned; nil: all zero.
        var otherwise: UnsafeMutableRawPointer?
        /// Owned.
        var prepared: UnsafeMutableRawPointer?
        /// Owned: the target's prototype.
        var text: UnsafeMutablePointer<CChar>?

        func free() {
            coro_memory_free(otherwise)
            coro_signature_unprepare(prepared)
            Heap.free(text)
        }
    }
}

extension TrampolineRef {
    init(of entry: UnsafeMutablePointer<coro_entry>) {
        self = UnsafeMutableRawPointer(entry).assumingMemoryBound(to: Trampoline.self)
    }

    var entry: UnsafeMutablePointer<coro_entry> {
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: coro_entry.self)
    }

    /// Ends a use of it: its target goes with the last, if it was freed.
    @inline(__always)
    func leave() {
        if coro_entry_leave(entry) { letGoOfTarget() }
    }

    /// It was freed, and nobody uses it.
    @inline(never)
    func letGoOfTarget() {
        let target = Shared.withLock { _ -> TargetRef? in
            // Others may come here too, and it may be another's by now.
            guard coro_entry_is_unused(entry) else { return nil }
            let target = pointee.target
            pointee.target = nil
            return target
        }
        if case .some(.some(let target)) = target { TargetRegistry.leave(target) }
    }

    // -- what goes wrong --

    /// A call could not run its target.
    @inline(never)
    func noteRefusal(_ code: Int32, _ why: StaticString? = nil) {
        coro_entry_set_error(entry, code)
        writeLine { text in
            text.append(": nothing was run: ")
            ErrorText.append(code, to: &text)
            if let why {
                text.append(": ")
                text.append(why)
            } else if let detail = Runtime.existing?.pointee.report.detail, detail.pointee != 0 {
                text.append(": ")
                text.append(cString: detail)
            }
        }
    }

    @inline(never)
    func noteLateCall() {
        writeLine { $0.append(": a call of it after it was freed: nothing was run") }
    }

    /// A line on stderr: "trampoline of int resize(const char *path)…"
    private func writeLine(_ what: (inout TextBuffer) -> Void) {
        let capacity = 512
        guard let memory = Heap.zeroed(CChar.self, count: capacity) else { return }
        var text = TextBuffer(memory, capacity: capacity)
        text.append("trampoline of ")
        if let prototype = pointee.callee?.text { text.append(cString: prototype) }
        what(&text)
        ErrorLine.write(memory)
        Heap.free(memory)
    }
}
