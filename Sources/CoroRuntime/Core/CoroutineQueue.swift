/// Coroutines in a row, first in first out, through `waitNext`. A coroutine is in one queue at most.
struct CoroutineQueue {
    private var head: CoroutineRef?
    private var tail: CoroutineRef?

    @inline(__always)
    var isEmpty: Bool { head == nil }

    @inline(__always)
    mutating func append(_ coroutine: CoroutineRef) {
        coroutine.pointee.waitNext = nil
        if head == nil {
            head = coroutine
        } else {
            tail.unsafelyUnwrapped.pointee.waitNext = coroutine
        }
        tail = coroutine
    }

    @inline(__always)
    mutating func popFirst() -> CoroutineRef? {
        guard let first = head else { return nil }
        head = first.pointee.waitNext
        return first
    }

    /// Takes out one that is in it. Needs a search: for what is rare.
    mutating func remove(_ coroutine: CoroutineRef) {
        var previous: CoroutineRef?
        var current = head
        while let here = current, here != coroutine {
            previous = here
            current = here.pointee.waitNext
        }
        guard let found = current else { return }
        if let previous {
            previous.pointee.waitNext = found.pointee.waitNext
        } else {
            head = found.pointee.waitNext
        }
        if tail == found { tail = previous }
    }
}
