/// Coroutines in a row, first in first out, through `next`. A coroutine is in one queue at most.
struct CoroutineQueue {
    private var head: CoroutineRef?
    private var tail: CoroutineRef?

    @inline(__always)
    var isEmpty: Bool { head == nil }

    @inline(__always)
    mutating func append(_ coroutine: CoroutineRef) {
        coroutine.pointee.next = nil
        if head == nil {
            head = coroutine
        } else {
            tail.unsafelyUnwrapped.pointee.next = coroutine
        }
        tail = coroutine
    }

    @inline(__always)
    mutating func popFirst() -> CoroutineRef? {
        guard let first = head else { return nil }
        head = first.pointee.next
        return first
    }

    /// Takes out one that is in it. Needs a search: for what is rare.
    mutating func remove(_ coroutine: CoroutineRef) {
        var previous: CoroutineRef?
        var current = head
        while let here = current, here != coroutine {
            previous = here
            current = here.pointee.next
        }
        guard let found = current else { return }
        if let previous {
            previous.pointee.next = found.pointee.next
        } else {
            head = found.pointee.next
        }
        if tail == found { tail = previous }
    }
}
