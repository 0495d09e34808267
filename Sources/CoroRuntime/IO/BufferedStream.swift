typealias StreamRef = UnsafeMutablePointer<BufferedStream>
typealias Producer = @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer, Int) -> Int
typealias Consumer = @convention(c) (UnsafeMutableRawPointer?, UnsafeRawPointer, Int) -> Int

/// Where a stream's bytes come from or go to.
enum StreamEnd {
    /// A descriptor, in that life of its number.
    case descriptor(Int32, generation: UInt32)
    case producer(Producer, UnsafeMutableRawPointer?)
    case consumer(Consumer, UnsafeMutableRawPointer?)
}

/// A reader or a writer: a buffer, used by one coroutine at a time. Nobody waits in the stream itself, but in what is behind
/// it.
struct BufferedStream: SyncObject {
    var head: SyncHead
    let end: StreamEnd
    var buffer: StreamBuffer
    /// Whose call is in it.
    fileprivate var user: CoroutineRef?

    static let defaultSize = 16384
    static var name: StaticString { "the stream" }
}

extension RuntimeRef {
    /// What a stream over fd is connected to; nil if fd is not open.
    func streamEnd(of fd: Int32) throws(Refusal) -> StreamEnd {
        var error: Int32 = 0
        guard let descriptor = pointee.poller.obtain(fd, error: &error) else { throw Refusal(code: explain(error, fd)) }
        return .descriptor(fd, generation: descriptor.pointee.generation)
    }

    /// size: of the buffer; 0: the usual.
    func makeStream(_ end: StreamEnd, size: Int) throws(Refusal) -> StreamRef {
        if size < 0 || size > Int.max / 4 {
            throw Refusal(code: fail(Code.invalid) { $0.append("buffer_size is out of range") })
        }
        guard let buffer = StreamBuffer(capacity: size == 0 ? BufferedStream.defaultSize : size) else {
            throw Refusal(code: fail(Code.noMemory))
        }
        let stream = BufferedStream(head: SyncHead(in: self), end: end, buffer: buffer, user: nil)
        if let place = Heap.one(stream) { return place }
        buffer.free()
        throw Refusal(code: fail(Code.noMemory))
    }

    /// Does something with a stream that takes several steps, between which others may run. Returns what `body` does, or an
    /// error.
    func use(_ stream: StreamRef, _ body: () -> Int) -> Int {
        if let user = stream.pointee.user { return refuseSecond(user) }
        stream.pointee.user = pointee.current
        enter(stream)
        stream.pointee.buffer.uncover()
        var result = body()
        stream.pointee.user = nil
        if stream.pointee.head.isFreed {
            result = Int(fail(Code.closed, progress: Int(pointee.report.progress)) { $0.append("the stream was freed") })
            stream.pointee.buffer.free()
        }
        leave(stream)
        return result
    }

    @inline(never)
    private func refuseSecond(_ user: CoroutineRef) -> Int {
        Int(
            fail(Code.simultaneous, other: user.pointee.id) {
                $0.append("coroutine #")
                $0.append(user.pointee.id)
                $0.append(" is using the stream")
            })
    }

    /// Frees it, and wakes who waits for its descriptor. What is in the functions of a program can't be woken: who is there
    /// finds out by `isFreed`.
    func freeStream(_ stream: StreamRef) {
        if case .descriptor(let fd, _) = stream.pointee.end, let user = stream.pointee.user, user.pointee.state == .waiting,
            user.pointee.waitKind == .read || user.pointee.waitKind == .write, user.pointee.waitObject == Int(fd)
        {
            wake(user, with: Code.closed)
        }
        if stream.pointee.user == nil { stream.pointee.buffer.free() }
        free(stream)
    }

    /// Whether a stream's descriptor is what it was when the stream was made: 0, or the error for the call.
    func checkLife(of fd: Int32, _ generation: UInt32) -> Int {
        pointee.poller.known(fd)?.pointee.generation == generation ? 0 : Int(explainClosed(fd))
    }

    /// What a function of the program has returned, which may be anything.
    func checkAnswer(_ answer: Int, least: Int, most: Int) -> Int {
        if answer < 0 {
            return Int(fail(Int32(clamping: answer)) { $0.append("the stream's own function returned it") })
        }
        if answer >= least, answer <= most { return answer }
        return Int(
            fail(Code.invalid) {
                $0.append("the stream's own function was asked for ")
                $0.append(most)
                $0.append(" bytes, and returned ")
                $0.append(answer)
            })
    }
}
