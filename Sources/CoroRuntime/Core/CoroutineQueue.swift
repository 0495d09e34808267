/// Coroutines in a row, first in first out, through `next`. A coroutine is in one queue at most.
struct CoroutineQueue {
    private(set) var head: CoroutineRef?
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

    mutating func prepend(_ coroutine: CoroutineRef) {
        coroutine.pointee.next = head
        if head == nil { tail = coroutine }
        head = coroutine
    }

    @inline(__always)
    mutating func popFirst() -> CoroutineRef? {
        guard let first = head else { return nil }
        head = first.pointee.next
        return first
    }

    mutating func append(contentsOf other: inout CoroutineQueue) {
        guard let first = other.head else { return }
        if head == nil {
            head = first
        } else {
            tail.unsafelyUnwrapped.pointee.next = first
        }
        tail = other.tail
        other.head = nil
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
        unlink(found, after: previous)
    }

    /// Takes out the one `steps` places behind the first, or the last.
    mutating func pop(after steps: Int) -> CoroutineRef? {
        var previous: CoroutineRef?
        guard var found = head else { return nil }
        for _ in 0..<steps {
            guard let next = found.pointee.next else { break }
            previous = found
            found = next
        }
        unlink(found, after: previous)
        return found
    }

    private mutating func unlink(_ coroutine: CoroutineRef, after previous: CoroutineRef?) {
        if let previous {
            previous.pointee.next = coroutine.pointee.next
        } else {
            head = coroutine.pointee.next
        }
        if tail == coroutine { tail = previous }
    }
}
