/// Writing through a buffer.
extension RuntimeRef {
    /// Hands all n bytes to what is behind the stream. How many it has taken, and 0 or the error that kept it from taking all.
    private func emit(_ stream: StreamRef, _ memory: UnsafeRawPointer, _ n: Int) -> (moved: Int, error: Int) {
        var moved = 0
        var error = 0
        switch stream.pointee.end {
        case .descriptor(let fd, let generation):
            error = checkLife(of: fd, generation)
            if error < 0 { break }
            let sent = write(fd, memory, n)
            moved = sent < 0 ? Int(pointee.report.progress) : sent
            error = min(sent, 0)
        case .consumer(let consumer, let argument):
            while moved < n, error == 0, !stream.pointee.head.isFreed {
                let taken = checkAnswer(consumer(argument, memory + moved, n - moved), least: 1, most: n - moved)
                moved += max(taken, 0)
                error = min(taken, 0)
            }
        case .producer:
            error = Int(fail(Code.badDescriptor))
        }
        return (moved, stream.pointee.head.isFreed ? Int(Code.closed) : error)
    }

    /// Hands on all that is in the buffer: 0 or an error.
    private func drain(_ stream: StreamRef) -> Int {
        let count = stream.pointee.buffer.count
        if count == 0 { return 0 }
        let (moved, error) = emit(stream, stream.pointee.buffer.first, count)
        stream.pointee.buffer.take(moved)
        pointee.report.progress = 0
        return error
    }

    func writeAll(_ stream: StreamRef, _ memory: UnsafeRawPointer, _ n: Int) -> Int {
        use(stream) {
            var done = 0
            while done < n {
                let error = writeSome(stream, memory, n, &done)
                if error < 0 {
                    pointee.report.progress = Int64(done)
                    return error
                }
            }
            return done
        }
    }

    /// Takes more of n bytes of which `done` are taken: 0 or an error. What is larger than the buffer does not go through it.
    private func writeSome(_ stream: StreamRef, _ memory: UnsafeRawPointer, _ n: Int, _ done: inout Int) -> Int {
        let room = stream.pointee.buffer.room
        if room.isEmpty { return drain(stream) }
        if stream.pointee.buffer.count == 0, n - done >= stream.pointee.buffer.capacity {
            let (moved, error) = emit(stream, memory + done, n - done)
            done += moved
            return error
        }
        let count = min(room.count, n - done)
        room.baseAddress.unsafelyUnwrapped.copyMemory(from: memory + done, byteCount: count)
        stream.pointee.buffer.add(count)
        done += count
        return 0
    }

    func flush(_ stream: StreamRef) -> Int32 {
        Int32(truncatingIfNeeded: use(stream) { drain(stream) })
    }

    /// Flushes it, and frees it if that has succeeded.
    func closeWriter(_ stream: StreamRef) -> Int32 {
        let error = flush(stream)
        if error == 0 { freeStream(stream) }
        return error
    }

    /// Frees it, and says whether bytes are lost by that.
    func freeWriter(_ stream: StreamRef) -> Int32 {
        let lost = stream.pointee.buffer.count
        freeStream(stream)
        if lost == 0 { return 0 }
        return fail(-CoroErrno.cancelled, progress: lost) {
            $0.append(lost)
            $0.append(" bytes had not been flushed: see coro_writer_close()")
        }
    }
}
