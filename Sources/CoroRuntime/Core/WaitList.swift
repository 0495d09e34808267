/// Those who wait for one thing, first come first: a ring through `waitNext` and `waitPrevious`, so that the list itself is
/// one pointer, and leaving from the middle takes no search.
struct WaitList {
    private(set) var first: CoroutineRef?

    /// How many there are. Takes longer with many.
    var count: Int {
        guard let first else { return 0 }
        var count = 1
        var next = first.pointee.waitNext
        while let coroutine = next, coroutine != first {
            count += 1
            next = coroutine.pointee.waitNext
        }
        return count
    }

    mutating func append(_ coroutine: CoroutineRef) {
        guard let first else {
            coroutine.pointee.waitNext = coroutine
            coroutine.pointee.waitPrevious = coroutine
            self.first = coroutine
            return
        }
        let last = first.pointee.waitPrevious.unsafelyUnwrapped
        coroutine.pointee.waitNext = first
        coroutine.pointee.waitPrevious = last
        last.pointee.waitNext = coroutine
        first.pointee.waitPrevious = coroutine
    }

    mutating func remove(_ coroutine: CoroutineRef) {
        let next = coroutine.pointee.waitNext.unsafelyUnwrapped
        let previous = coroutine.pointee.waitPrevious.unsafelyUnwrapped
        if next == coroutine {
            first = nil
        } else {
            previous.pointee.waitNext = next
            next.pointee.waitPrevious = previous
            if first == coroutine { first = next }
        }
        coroutine.pointee.waitNext = nil
        coroutine.pointee.waitPrevious = nil
    }
}
