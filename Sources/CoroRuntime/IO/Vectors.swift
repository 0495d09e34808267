import CCoroPlatform

extension coro_vector {
    /// How many bytes are left in it; -EINVAL if that is more than there can be.
    var total: Int {
        var total = -skip
        for index in 0..<count {
            let (sum, overflows) = total.addingReportingOverflow(elements.unsafelyUnwrapped[index].iov_len)
            if overflows || elements.unsafelyUnwrapped[index].iov_len < 0 { return Int(Code.invalid) }
            total = sum
        }
        return total
    }

    /// Whether one call takes all that is left.
    private var isWhole: Bool {
        count <= Int(skip > 0 ? CORO_VECTOR_MOST_COPIED.rawValue : CORO_VECTOR_MOST.rawValue)
    }

    /// How many bytes a call was given if that moves all it can; nil: that does not follow from a short one.
    func offered(by kind: UInt8?) -> Int? {
        kind == UInt8(CORO_KIND_STREAM.rawValue) && isWhole ? total : nil
    }

    /// n bytes have been moved. Ends at an element that is not empty, or behind the last.
    mutating func advance(by n: Int) {
        skip += n
        while count > 0, let first = elements, skip >= first.pointee.iov_len {
            skip -= first.pointee.iov_len
            elements = first + 1
            count -= 1
        }
    }
}

/// readv(2) and writev(2).
extension RuntimeRef {
    /// A vector of the caller's, with its size in bytes.
    func checkVector(_ elements: UnsafePointer<iovec>?, _ count: Int32) throws(Refusal) -> (vector: coro_vector, total: Int) {
        if count < 0 { throw Refusal(code: fail(Code.invalid) { $0.append("count is negative") }) }
        return try checkVector(elements, count: Int(count))
    }

    func checkVector(_ elements: UnsafePointer<iovec>?, count: Int) throws(Refusal) -> (vector: coro_vector, total: Int) {
        if elements == nil, count != 0 { throw Refusal(code: fail(Code.invalid) { $0.append("the vector is NULL") }) }
        let vector = coro_vector(elements: elements, count: count, skip: 0)
        let total = vector.total
        if total < 0 { throw Refusal(code: fail(Code.invalid) { $0.append("the vector has more bytes than there can be") }) }
        return (vector, total)
    }

    /// Moves what is there, at least a byte; 0: the end.
    func read(_ fd: Int32, _ vector: coro_vector) -> Int {
        var vector = vector
        vector.advance(by: 0)
        let got = perform(fd, .read) { coro_system_readv(fd, $0, vector) }
        noteShort(fd, .read, vector, moved: got)
        return got
    }

    private func noteShort(_ fd: Int32, _ direction: Direction, _ vector: coro_vector, moved: Int) {
        if let offered = vector.offered(by: pointee.poller.known(fd)?.pointee.kind) {
            noteShort(fd, direction, moved: moved, of: offered)
        }
    }

    func readVector(_ fd: Int32, _ vector: coro_vector, total: Int) -> Int {
        total == 0 ? moveNothing(fd, coro_system_readv) : read(fd, vector)
    }

    /// Reads until the whole vector is filled.
    func readVectorExact(_ fd: Int32, _ vector: coro_vector, total: Int) -> Int {
        if total == 0 { return moveNothing(fd, coro_system_readv) }
        var rest = vector
        return moveAll(total) { done in
            let got = read(fd, rest)
            if got == 0 { return Int(failAtEnd(after: done, of: total)) }
            if got > 0 { rest.advance(by: got) }
            return got
        }
    }

    func writeVector(_ fd: Int32, _ vector: coro_vector, total: Int) -> Int {
        if total == 0 { return moveNothing(fd, coro_system_writev) }
        var rest = vector
        rest.advance(by: 0)
        return moveAll(total) { _ in
            let sent = perform(fd, .write) { coro_system_writev(pointee.poller.writable(fd), $0, rest) }
            noteShort(fd, .write, rest, moved: sent)
            if sent > 0 { rest.advance(by: sent) }
            return sent
        }
    }

    /// A vector without bytes: the system only looks at the descriptor.
    private func moveNothing(_ fd: Int32, _ operation: (Int32, Int32, coro_vector) -> Int) -> Int {
        let result = operation(fd, Int32(CORO_KIND_FILE.rawValue), coro_vector())
        return result < 0 ? Int(explain(Int32(result), fd)) : result
    }
}
