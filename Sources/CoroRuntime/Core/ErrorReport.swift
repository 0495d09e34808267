/// What there is to say about the last error on a thread, beside its code.
struct ErrorReport {
    /// The coroutine that the error is about; 0: none.
    var other: Int64 = 0
    /// How many bytes the failing call had moved.
    var progress: Int64 = 0
    private var text: UnsafeMutablePointer<CChar>?

    static let textSize = 320

    var detail: UnsafePointer<CChar>? { UnsafePointer(text) }

    mutating func free() {
        Heap.free(text)
        text = nil
    }

    /// Empties the report, and lets `write` say more. Without memory nothing more is said.
    fileprivate mutating func start(_ write: (inout TextBuffer) -> Void) {
        other = 0
        progress = 0
        if text == nil { text = Heap.zeroed(CChar.self, count: Self.textSize) }
        var buffer = TextBuffer(text, capacity: Self.textSize)
        write(&buffer)
    }
}

extension RuntimeRef {
    /// Notes down an error of which there is no more to say than its code, which is returned. What a wait on the thread's own
    /// stack ends with when nothing can end it otherwise is said here, for all that wait there.
    @inline(never)
    func fail(_ code: Int32, other: Int64 = 0, progress: Int = 0) -> Int32 {
        fail(code, other: other, progress: progress) {
            if code == Code.deadlock, pointee.current == pointee.main { appendDeadlock(to: &$0) }
        }
    }

    /// Notes down what an error is about, and returns its code: `return runtime.fail(Code.dead) { … }`.
    @inline(never)
    func fail(_ code: Int32, other: Int64 = 0, progress: Int = 0, _ write: (inout TextBuffer) -> Void) -> Int32 {
        pointee.report.start(write)
        pointee.report.other = other
        pointee.report.progress = Int64(progress)
        return code
    }
}
