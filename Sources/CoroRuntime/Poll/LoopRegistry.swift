import CCoroPlatform

/// A place in the list of the process's loops.
struct LoopEntry {
    /// nil: its thread has ended.
    var mailbox: UnsafeMutablePointer<Mailbox>?
    /// The last id that the loops with this number have given out.
    var lastID: Int64
}

/// All loops of the process, by number. An id has 15 bits of its loop's number above 48 bits that count, so that an id of
/// another thread is told from one that never was. The first loop of a process has number 0. The number of a thread that has
/// ended is given to another, which goes on counting.
enum LoopRegistry {
    private static let numberShift: Int64 = 48
    private static let maximumCount = 1 << 15
    /// How many ids a thread that is left behind by a fork may have given out since its loop was made.
    private static let idsOfLostThread: Int64 = 1 << 40

    static func number(ofCoroutine id: Int64) -> Int { Int(id >> numberShift) }

    /// A mailbox for the calling thread, with a number of its own; nil without memory or numbers.
    static func register() -> UnsafeMutablePointer<Mailbox>? {
        Shared.withLock { shared -> UnsafeMutablePointer<Mailbox>? in
            var number = 0
            while number < shared.pointee.loops.count, shared.pointee.loops[number].mailbox != nil { number += 1 }
            let isReused = number < shared.pointee.loops.count
            guard number < maximumCount, isReused || shared.pointee.loops.reserveOne() else { return nil }
            let firstID = isReused ? shared.pointee.loops[number].lastID : Int64(number) << numberShift
            let serial = shared.pointee.lastLoopSerial + 1
            let loopID = serial * Int64(maximumCount) + Int64(number)
            guard let mailbox = Mailbox.make(number: number, loopID: loopID, firstID: firstID, isReused: isReused) else {
                return nil
            }
            shared.pointee.lastLoopSerial = serial
            let entry = LoopEntry(mailbox: mailbox, lastID: firstID)
            if isReused {
                shared.pointee.loops[number] = entry
            } else {
                shared.pointee.loops.appendReserved(entry)
            }
            return mailbox
        } ?? nil
    }

    /// A thread ends: nobody can post to it any more.
    static func retire(_ mailbox: UnsafeMutablePointer<Mailbox>, lastID: Int64) {
        _ = Shared.withLock { shared in
            shared.pointee.loops[mailbox.pointee.number] = LoopEntry(mailbox: nil, lastID: lastID)
        }
        mailbox.pointee.isRetired = true
    }

    /// Whose the ids are among which this one is.
    enum Owner {
        case nobody, thread, endedThread
    }

    static func owner(ofCoroutine id: Int64) -> Owner {
        Shared.withLock { shared in
            let number = number(ofCoroutine: id)
            guard number < shared.pointee.loops.count else { return .nobody }
            let entry = shared.pointee.loops[number]
            if entry.mailbox != nil { return .thread }
            return id <= entry.lastID ? .endedThread : .nobody
        } ?? .nobody
    }

    /// The name of the loop that a coroutine belongs to; CORO_EDEAD if its thread has ended, -ESRCH if there never was such a
    /// thread. Whoever has a coroutine's id can wake its loop from now on.
    static func loopID(ofCoroutine id: Int64) -> Int64 {
        Shared.withLock { shared in
            let number = number(ofCoroutine: id)
            guard id > 0, id > Int64(number) << numberShift, number < shared.pointee.loops.count else {
                return Int64(Code.noSuchCoroutine)
            }
            let entry = shared.pointee.loops[number]
            guard let mailbox = entry.mailbox else {
                return Int64(id <= entry.lastID ? Code.dead : Code.noSuchCoroutine)
            }
            if id <= mailbox.pointee.firstID { return Int64(Code.dead) }
            mailbox.setExposed(true)
            return mailbox.pointee.loopID
        } ?? Int64(Code.noSuchCoroutine)
    }

    /// In the child of a fork: the loops of other threads are gone with the threads, and with them all who knew of this one.
    static func keepOnly(_ mailbox: UnsafeMutablePointer<Mailbox>?) {
        mailbox?.setExposed(false)
        _ = Shared.withLock { shared in
            for number in 0..<shared.pointee.loops.count {
                let entry = shared.pointee.loops[number]
                if entry.mailbox == nil || entry.mailbox == mailbox { continue }
                shared.pointee.loops[number] = LoopEntry(mailbox: nil, lastID: entry.lastID &+ idsOfLostThread)
            }
        }
    }

    /// The mailbox of the loop of that name; nil if its thread has ended. Behind the process lock.
    static func mailbox(of loopID: Int64, in shared: UnsafeMutablePointer<Shared>) -> UnsafeMutablePointer<Mailbox>? {
        let number = Int(loopID % Int64(maximumCount))
        guard loopID > 0, number < shared.pointee.loops.count, let mailbox = shared.pointee.loops[number].mailbox,
            mailbox.pointee.loopID == loopID
        else { return nil }
        return mailbox
    }

    /// Posts to the loop of that name. Returns 0 or an error; does not need a loop of its own. stackClass: of the coroutine
    /// that is made of it. isCallback: none is made of it, and the loop calls it; what the function returns is not looked at
    /// then. drop: called with the argument if the thread ends before it takes the post.
    static func post(
        to loopID: Int64, _ function: @escaping CoroutineFunction, _ argument: UnsafeMutableRawPointer?,
        stackClass: UInt8 = StackPool.usualClass, isCallback: Bool = false, drop: ReleaseFunction? = nil
    ) -> Int32 {
        let made = Mailbox.Post(
            function: function, argument: argument, stackClass: stackClass, isCallback: isCallback, drop: drop)
        guard let post = Heap.one(made) else { return Code.noMemory }
        if let runtime = Runtime.existing, runtime.pointee.loopID == loopID, runtime.pointee.mailbox.appendOwn(post) {
            return 0
        }
        let posted = Shared.withLock { shared -> Bool in
            guard let mailbox = mailbox(of: loopID, in: shared) else { return false }
            mailbox.append(post)
            return true
        }
        if posted == true { return 0 }
        Heap.free(post)
        return posted == nil ? Code.noMemory : Code.noSuchCoroutine
    }
}
