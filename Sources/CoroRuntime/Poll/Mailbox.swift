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

    // An id has 15 bits of its loop's number above 48 bits that count. The first loop of a process has number 0.
    private static let numberShift: Int64 = 48
    private static let maximumCount = 1 << 15

    static func number(ofCoroutine id: Int64) -> Int { Int(id >> numberShift) }

    // -- all loops of the process, under the process lock --

    private struct Entry {
        /// nil: its thread has ended.
        var mailbox: UnsafeMutablePointer<Mailbox>?
        /// The last id that the loops with this number have given out.
        var lastID: Int64
    }

    nonisolated(unsafe) private static var entries = Vector<Entry>()
    nonisolated(unsafe) private static var lastSerial: Int64 = 0

    /// A mailbox for the calling thread, with a number of its own; nil without memory or numbers.
    static func register() -> UnsafeMutablePointer<Mailbox>? {
        coro_process_lock()
        defer { coro_process_unlock() }
        var number = 0
        while number < entries.count, entries[number].mailbox != nil { number += 1 }
        let isReused = number < entries.count
        guard number < maximumCount, isReused || entries.reserveOne() else { return nil }
        let firstID = isReused ? entries[number].lastID : Int64(number) << numberShift
        let loopID = (lastSerial + 1) * Int64(maximumCount) + Int64(number)
        // Two cache lines, so that looking at one flag does not meet writing the other.
        guard let flags = Heap.zeroed(UInt32.self, count: 32, alignment: 64) else { return nil }
        let mailbox = Heap.one(
            Mailbox(
                number: number, loopID: loopID, firstID: firstID, isReused: isReused, postsFlag: flags,
                sleepingFlag: flags + 16))
        guard let mailbox else {
            Heap.free(flags)
            return nil
        }
        lastSerial += 1
        let entry = Entry(mailbox: mailbox, lastID: firstID)
        if isReused {
            entries[number] = entry
        } else {
            entries.appendReserved(entry)
        }
        return mailbox
    }

    /// Whether a loop with the number in this id has ever been.
    static func wasIssued(coroutine id: Int64) -> Bool {
        coro_process_lock()
        defer { coro_process_unlock() }
        return number(ofCoroutine: id) < entries.count
    }

    /// In the child of a fork: the loops of other threads are gone with the threads.
    static func keepOnly(_ mailbox: UnsafeMutablePointer<Mailbox>?) {
        coro_process_lock()
        for number in 0..<entries.count where entries[number].mailbox != mailbox {
            entries[number].mailbox = nil
            // How far that thread had counted is its own affair; it was not as far as this.
            entries[number].lastID &+= 1 << 40
        }
        coro_process_unlock()
    }

    /// Posts to the loop of that name. Returns 0 or an error; does not need a runtime of its own.
    static func post(to loopID: Int64, _ function: @escaping CoroutineFunction, _ argument: UnsafeMutableRawPointer?) -> Int32 {
        guard let post = Heap.one(Post(function: function, argument: argument)) else { return Code.noMemory }
        coro_process_lock()
        defer { coro_process_unlock() }
        let number = Int(loopID % Int64(maximumCount))
        guard loopID > 0, number < entries.count, let mailbox = entries[number].mailbox, mailbox.pointee.loopID == loopID else {
            Heap.free(post)
            return Code.noSuchCoroutine
        }
        mailbox.append(post)
        return 0
    }
}

extension UnsafeMutablePointer<Mailbox> {
    fileprivate func append(_ post: UnsafeMutablePointer<Mailbox.Post>) {
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
        coro_process_lock()
        Mailbox.retire(self, lastID: lastID)
        coro_process_unlock()
        var post = pointee.first
        while let dropped = post {
            post = dropped.pointee.next
            Heap.free(dropped)
        }
        Heap.free(pointee.postsFlag)
        Heap.free(self)
    }
}

extension Mailbox {
    fileprivate static func retire(_ mailbox: UnsafeMutablePointer<Mailbox>, lastID: Int64) {
        entries[mailbox.pointee.number] = Entry(mailbox: nil, lastID: lastID)
    }
}

extension RuntimeRef {
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
