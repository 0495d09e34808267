import CCoroPlatform

/// Reading through a buffer.
extension RuntimeRef {
    /// Reads from what is behind the stream: 1 to n bytes, 0 at the end, or an error.
    private func fetch(_ stream: StreamRef, _ memory: UnsafeMutableRawPointer, _ n: Int) -> Int {
        let got: Int
        switch stream.pointee.end {
        case .descriptor(let fd, let generation):
            let error = checkLife(of: fd, generation)
            got = error < 0 ? error : read(fd, memory, n)
        case .producer(let producer, let argument):
            got = checkAnswer(producer(argument, memory, n), least: 0, most: n)
        case .consumer:
            got = Int(fail(Code.badDescriptor))
        }
        return stream.pointee.head.isFreed ? Int(Code.closed) : got
    }

    /// Reads more into the buffer. How many bytes, 0 at the end, or an error.
    private func refill(_ stream: StreamRef) -> Int {
        guard stream.pointee.buffer.makeRoom() else { return Int(fail(Code.noMemory)) }
        let room = stream.pointee.buffer.room
        let got = fetch(stream, room.baseAddress.unsafelyUnwrapped, room.count)
        if got > 0 { stream.pointee.buffer.add(got) }
        return got
    }

    /// Moves what there is, at least a byte unless the end has come. What is larger than the buffer does not go through it.
    private func moveSome(_ stream: StreamRef, _ memory: UnsafeMutableRawPointer, _ n: Int) -> Int {
        if n == 0 { return 0 }
        if stream.pointee.buffer.count == 0 {
            if n >= stream.pointee.buffer.capacity { return fetch(stream, memory, n) }
            let got = refill(stream)
            if got <= 0 { return got }
        }
        let count = min(n, stream.pointee.buffer.count)
        memory.copyMemory(from: stream.pointee.buffer.first, byteCount: count)
        stream.pointee.buffer.take(count)
        return count
    }

    func readSome(_ stream: StreamRef, _ memory: UnsafeMutableRawPointer, _ n: Int) -> Int {
        use(stream) { moveSome(stream, memory, n) }
    }

    func readExact(_ stream: StreamRef, _ memory: UnsafeMutableRawPointer, _ n: Int) -> Int {
        use(stream) {
            var done = 0
            while done < n {
                let moved = moveSome(stream, memory + done, n - done)
                if moved == 0 { return Int(failAtEnd(after: done, of: n)) }
                if moved < 0 {
                    pointee.report.progress = Int64(done)
                    return moved
                }
                done += moved
            }
            return done
        }
    }

    /// Takes n bytes, and says where they are.
    private func takeText(_ stream: StreamRef, _ n: Int, _ data: UnsafeMutablePointer<UnsafePointer<CChar>?>?) -> Int {
        data?.pointee = UnsafeRawPointer(stream.pointee.buffer.first).assumingMemoryBound(to: CChar.self)
        stream.pointee.buffer.takeText(n)
        return n
    }

    func readUntil(
        _ stream: StreamRef, _ delimiter: UnsafeRawPointer, _ n: Int, limit: Int,
        _ data: UnsafeMutablePointer<UnsafePointer<CChar>?>?
    ) -> Int {
        use(stream) {
            // No delimiter begins before this: so each byte is looked at once, however they come.
            var searched = 0
            while true {
                let count = min(stream.pointee.buffer.count, limit)
                let place = coro_memory_find(stream.pointee.buffer.first + searched, count - searched, delimiter, n)
                if place >= 0 { return takeText(stream, searched + place + n, data) }
                if count == limit { return failAtLimit(limit, "there is no delimiter in the first ") }
                searched = max(searched, count - n + 1)
                let got = refill(stream)
                if got < 0 { return got }
                if got == 0 { return takeText(stream, stream.pointee.buffer.count, data) }
            }
        }
    }

    func readAll(_ stream: StreamRef, limit: Int, _ data: UnsafeMutablePointer<UnsafePointer<CChar>?>?) -> Int {
        use(stream) {
            while true {
                if stream.pointee.buffer.count > limit { return failAtLimit(limit, "there are more than ") }
                let got = refill(stream)
                if got < 0 { return got }
                if got == 0 { return takeText(stream, stream.pointee.buffer.count, data) }
            }
        }
    }

    private func failAtLimit(_ limit: Int, _ what: StaticString) -> Int {
        Int(
            fail(-CoroErrno.overflow) {
                $0.append(what)
                $0.append(limit)
                $0.append(" bytes, which is the limit; nothing was taken")
            })
    }

    func peek(_ stream: StreamRef, _ n: Int, _ data: UnsafeMutablePointer<UnsafePointer<CChar>?>?) -> Int {
        use(stream) {
            while stream.pointee.buffer.count < n {
                let got = refill(stream)
                if got < 0 { return got }
                if got == 0 { break }
            }
            data?.pointee = UnsafeRawPointer(stream.pointee.buffer.first).assumingMemoryBound(to: CChar.self)
            return stream.pointee.buffer.count
        }
    }

    func consume(_ stream: StreamRef, _ n: Int) -> Int {
        use(stream) {
            guard n <= stream.pointee.buffer.count else {
                return Int(
                    fail(Code.invalid) {
                        $0.append("the reader has but ")
                        $0.append(stream.pointee.buffer.count)
                        $0.append(" bytes: see coro_reader_peek()")
                    })
            }
            stream.pointee.buffer.take(n)
            return n
        }
    }
}
