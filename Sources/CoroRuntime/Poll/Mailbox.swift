import CCoroPlatform

/// What other threads may reach of a thread's loop: where they post, and how they wake it. Everything in it is guarded by the
/// process lock, but for the two flags.
struct Mailbox {
    /// Which part of the ids the loop gives out: the high bits of its coroutines' ids.
    let number: Int
    /// Its name, which is never used again.
    let loopID: Int64
    /// The id before the first that this loop gives out.
    let firstID: Int64
    /// Whether an earlier loop had this number.
    let isReused: Bool
    /// Whether any other thread can know of the loop, and so could wake it.
    var isExposed = false
    fileprivate var first: UnsafeMutablePointer<Post>?
    fileprivate var last: UnsafeMutablePointer<Post>?
    fileprivate var wakeup: Int32 = -1
    /// Whether there are posts, and whether the loop's thread waits: read and written without the lock.
    fileprivate let postsFlag: UnsafeMutablePointer<UInt32>
    fileprivate let sleepingFlag: UnsafeMutablePointer<UInt32>

    struct Post {
        var function: CoroutineFunction
        var argument: UnsafeMutableRawPointer?
        var next: UnsafeMutablePointer<Post>?
    }

    /// nil without memory.
    static func make(number: Int, loopID: Int64, firstID: Int64, isReused: Bool) -> UnsafeMutablePointer<Mailbox>? {
        // Two cache lines, so that looking at one flag does not meet writing the other.
        guard let flags = Heap.zeroed(UInt32.self, count: 32, alignment: 64) else { return nil }
        let mailbox = Heap.one(
            Mailbox(
                number: number, loopID: loopID, firstID: firstID, isReused: isReused, postsFlag: flags,
                sleepingFlag: flags + 16))
        if mailbox == nil { Heap.free(flags) }
        return mailbox
    }
}

extension UnsafeMutablePointer<Mailbox> {
    /// Behind the process lock.
    func append(_ post: UnsafeMutablePointer<Mailbox.Post>) {
        if let last = pointee.last {
            last.pointee.next = post
        } else {
            pointee.first = post
        }
        pointee.last = post
        // The other side sets its flag first and looks at this one then: one of the two sees the other.
        _ = coro_atomic_exchange(pointee.postsFlag, 1)
        if coro_atomic_exchange(pointee.sleepingFlag, 0) == 1 { coro_system_wakeup_ring(pointee.wakeup) }
    }

    /// Whether there are posts to take. For the loop's thread, as all that follows.
    var hasPosts: Bool { coro_atomic_load(pointee.postsFlag) != 0 }

    var isExposed: Bool { pointee.isExposed }

    /// Takes out all posts, in their order.
    func takeAll() -> UnsafeMutablePointer<Mailbox.Post>? {
        coro_process_lock()
        defer { coro_process_unlock() }
        _ = coro_atomic_exchange(pointee.postsFlag, 0)
        let first = pointee.first
        pointee.first = nil
        pointee.last = nil
        return first
    }

    /// Puts back posts that could not be dealt with, ahead of those that have come since.
    func putBack(_ posts: UnsafeMutablePointer<Mailbox.Post>) {
        coro_process_lock()
        defer { coro_process_unlock() }
        var end = posts
        while let next = end.pointee.next { end = next }
        end.pointee.next = pointee.first
        if pointee.first == nil { pointee.last = end }
        pointee.first = posts
        _ = coro_atomic_exchange(pointee.postsFlag, 1)
    }

    /// From now on posts ring. false: there is one already, so that the loop must not wait.
    func goToSleep() -> Bool {
        _ = coro_atomic_exchange(pointee.sleepingFlag, 1)
        if !hasPosts { return true }
        wakeUp()
        return false
    }

    func wakeUp() {
        _ = coro_atomic_exchange(pointee.sleepingFlag, 0)
    }

    /// What posts ring from now on.
    func setWakeup(_ descriptor: Int32) {
        coro_process_lock()
        pointee.wakeup = descriptor
        coro_process_unlock()
    }

    /// The thread ends. Posts that nobody took are dropped.
    func close(lastID: Int64) {
        LoopRegistry.retire(self, lastID: lastID)
        var post = pointee.first
        while let dropped = post {
            post = dropped.pointee.next
            Heap.free(dropped)
        }
        Heap.free(pointee.postsFlag)
        Heap.free(self)
    }
}

extension RuntimeRef {
    /// How long posts wait for memory before they are tried again: 10 ms.
    static var postsRetryInterval: Int64 { 10_000_000 }

    /// Makes what other threads have posted into coroutines. What there is no memory for stays, for the next pass.
    func takePosts() {
        var post = pointee.mailbox.takeAll()
        while let current = post {
            var creation = Creation(function: current.pointee.function, argument: current.pointee.argument)
            creation.flags = initialFlags.union(.detached)
            do throws(Refusal) {
                makeReady(try create(creation))
            } catch {
                pointee.mailbox.putBack(current)
                pointee.postsRetryAt = addClamped(pointee.now, RuntimeRef.postsRetryInterval)
                return
            }
            post = current.pointee.next
            Heap.free(current)
        }
    }

    /// The loop's name for other threads, or an error.
    func exposeLoop() -> Int64 {
        let error = pointee.poller.open(in: self)
        if error < 0 { return Int64(fail(error)) }
        pointee.mailbox.pointee.isExposed = true
        return pointee.mailbox.pointee.loopID
    }
}
