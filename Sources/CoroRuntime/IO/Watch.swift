import CCoroPlatform

/// One event of inotify(7), as it is in the stream of them; the name is there for as long as the stream is not used.
struct WatchEvent {
    let id: Int32
    let mask: UInt32
    let cookie: UInt32
    private let name: UnsafeRawPointer
    private let nameSize: Int

    fileprivate static let headerSize = 16

    /// The event at `memory`.
    fileprivate init(at memory: UnsafeRawPointer) {
        id = memory.loadUnaligned(as: Int32.self)
        mask = memory.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        cookie = memory.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
        nameSize = Int(memory.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        name = memory + WatchEvent.headerSize
    }

    fileprivate var size: Int { WatchEvent.headerSize + nameSize }

    /// Copies the name, which has its NUL, or is none at all.
    func copyName(to memory: UnsafeMutableRawPointer, _ room: Int) {
        let count = min(nameSize, room - 1)
        memory.copyMemory(from: name, byteCount: count)
        memory.storeBytes(of: 0, toByteOffset: count, as: UInt8.self)
    }
}

/// A watch is a stream of events. Only whole ones come, so that a buffer with one byte has an event.
extension RuntimeRef {
    private static var bufferSize: Int { 4096 }

    func makeWatch() throws(Refusal) -> StreamRef {
        let created = coro_system_watcher_create()
        if created == -CoroErrno.tooManyFiles {
            throw Refusal(
                code: fail(created) {
                    $0.append("no more watches: see fs.inotify.max_user_instances, and the limit of open files (ulimit -n)")
                })
        }
        let fd = adopt(created, kind: CORO_KIND_NONBLOCKING)
        if fd < 0 { throw Refusal(code: fd) }
        do throws(Refusal) {
            return try makeStream(streamEnd(of: fd), size: RuntimeRef.bufferSize)
        } catch {
            _ = close(fd)
            throw error
        }
    }

    func descriptor(of watch: StreamRef) -> Int32 {
        if case .descriptor(let fd, _) = watch.pointee.end { return fd }
        return Code.badDescriptor
    }

    func addWatch(_ watch: StreamRef, _ path: UnsafePointer<CChar>, mask: UInt32) -> Int32 {
        let id = coro_system_watcher_add(descriptor(of: watch), path, mask)
        if id >= 0 { return id }
        return fail(id) {
            if id == -CoroErrno.noSpace {
                $0.append("no more files may be watched: see fs.inotify.max_user_watches")
            } else {
                $0.append(cString: path)
            }
        }
    }

    func removeWatch(_ watch: StreamRef, _ id: Int32) -> Int32 {
        let result = coro_system_watcher_remove(descriptor(of: watch), id)
        if result == 0 { return 0 }
        return fail(result) {
            $0.append("no file is watched as ")
            $0.append(id)
        }
    }

    /// The next event, once there is one; `deliver` gets it. 0 or an error.
    func nextEvent(of watch: StreamRef, _ deliver: (WatchEvent) -> Void) -> Int32 {
        let got = peek(watch, 1, nil)
        return got < 0 ? Int32(truncatingIfNeeded: got) : takeEvent(of: watch, deliver)
    }

    /// The next event, if there is one; else -EAGAIN.
    func tryNextEvent(of watch: StreamRef, _ deliver: (WatchEvent) -> Void) -> Int32 {
        let fd = descriptor(of: watch)
        let got = use(watch) {
            if watch.pointee.buffer.count > 0 { return 1 }
            _ = watch.pointee.buffer.makeRoom() // an empty one has it
            let room = watch.pointee.buffer.room
            let got = coro_system_read(fd, Int32(CORO_KIND_NONBLOCKING.rawValue), room.baseAddress, room.count)
            if got > 0 { watch.pointee.buffer.add(got) }
            return got < 0 ? Int(explain(Int32(truncatingIfNeeded: got), fd)) : got
        }
        return got < 0 ? Int32(truncatingIfNeeded: got) : takeEvent(of: watch, deliver)
    }

    private func takeEvent(of watch: StreamRef, _ deliver: (WatchEvent) -> Void) -> Int32 {
        let count = watch.pointee.buffer.count
        guard count >= WatchEvent.headerSize else { return refuseGarbage() }
        let event = WatchEvent(at: watch.pointee.buffer.first)
        guard count >= event.size else { return refuseGarbage() }
        deliver(event)
        watch.pointee.buffer.take(event.size)
        return 0
    }

    /// The descriptor was closed behind our back, and its number is another file's.
    private func refuseGarbage() -> Int32 {
        fail(-CoroErrno.inputOutput) { $0.append("what was read is no event: was the watch's descriptor closed?") }
    }

    func freeWatch(_ watch: StreamRef) -> Int32 {
        let fd = descriptor(of: watch)
        freeStream(watch)
        return close(fd)
    }
}
