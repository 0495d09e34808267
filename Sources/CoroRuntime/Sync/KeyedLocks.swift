typealias KeyedLocksRef = UnsafeMutablePointer<KeyedLocks>

/// Locks by number, which exist while somebody holds them or waits for them. Several can be locked at once: all or none.
///
/// Each lock has a queue. Who holds none of this object's locks is served when it is the first in the queues of all that it
/// wants. Who holds some goes before those who hold none: they may wait for what it holds, and it could wait for them for ever.
struct KeyedLocks: Lock {
    var lock: LockHead
    var entries = KeyTable<Entry>()
    /// How many locks each coroutine that holds any has, by id. There is room for those who wait, too.
    var holders = KeyTable<Int>()
    fileprivate var waiting = 0

    static var name: StaticString { "the set of keyed locks" }

    init(in runtime: RuntimeRef) {
        lock = LockHead(.keyedLocks, in: runtime)
    }

    /// A lock.
    struct Entry {
        var owner: Int64 = 0
        /// How often the owner has locked it; 0: nobody has.
        var depth = 0
        /// Its last owner ended while it held it.
        var isInherited = false
        /// The queue of those who want it.
        var first: UnsafeMutablePointer<Place>?
        var last: UnsafeMutablePointer<Place>?
    }

    /// One coroutine's place in one queue.
    struct Place {
        var key: UInt64 = 0
        var request: UnsafeMutablePointer<Request>?
        var next: UnsafeMutablePointer<Place>?
        var previous: UnsafeMutablePointer<Place>?
    }

    /// What is kept of a wait, on the waiter's stack: the caller's keys, and its places in their queues.
    struct Request {
        let coroutine: CoroutineRef
        let locks: KeyedLocksRef
        let keys: UnsafePointer<UInt64>
        let count: Int
        let places: UnsafeMutablePointer<Place>
        let holdsSome: Bool
        var isGranted = false
        /// For a search of a circle: the last that has been here, from where it came, and what it has yet to look at.
        var search: Int64 = 0
        var cameFrom: UnsafeMutablePointer<Request>?
        var nextUnseen: UnsafeMutablePointer<Request>?
    }
}

typealias KeyRequestRef = UnsafeMutablePointer<KeyedLocks.Request>
typealias KeyPlaceRef = UnsafeMutablePointer<KeyedLocks.Place>

extension KeyedLocksRef {
    /// Who holds the lock of a key; nil: nobody.
    func owner(of key: UInt64) -> Int64? {
        guard let entry = pointee.entries.find(key)?.pointee, entry.depth > 0 else { return nil }
        return entry.owner
    }

    func holdsSome(_ coroutine: CoroutineRef) -> Bool {
        pointee.holders.find(UInt64(bitPattern: coroutine.pointee.id)) != nil
    }

    /// Whether all these are free, or the coroutine's already.
    fileprivate func areFree(_ keys: UnsafePointer<UInt64>, _ count: Int, for coroutine: CoroutineRef) -> Bool {
        for index in 0..<count {
            if let entry = pointee.entries.find(keys[index]), entry.pointee.depth > 0,
                entry.pointee.owner != coroutine.pointee.id
            { return false }
        }
        return true
    }

    private func areUnwanted(_ keys: UnsafePointer<UInt64>, _ count: Int) -> Bool {
        for index in 0..<count where pointee.entries.find(keys[index])?.pointee.first != nil { return false }
        return true
    }

    /// Whether one who asks now need not wait.
    fileprivate func canLock(_ keys: UnsafePointer<UInt64>, _ count: Int, _ coroutine: CoroutineRef) -> Bool {
        areFree(keys, count, for: coroutine) && (holdsSome(coroutine) || areUnwanted(keys, count))
    }

    /// Makes room for a coroutine with so many keys: false without memory.
    fileprivate func reserve(_ count: Int) -> Bool {
        pointee.entries.reserve(pointee.entries.count + count)
            && pointee.holders.reserve(pointee.holders.count + pointee.waiting + 1)
    }

    /// The lock of a key, which is made if there is none, after `reserve` has said true.
    fileprivate func obtain(_ key: UInt64) -> UnsafeMutablePointer<KeyedLocks.Entry>? {
        if pointee.entries.find(key) == nil { pointee.entries.insert(key, KeyedLocks.Entry()) }
        return pointee.entries.find(key)
    }

    /// Locks them. They are free.
    fileprivate func take(_ keys: UnsafePointer<UInt64>, _ count: Int, _ coroutine: CoroutineRef) {
        for index in 0..<count {
            guard let entry = obtain(keys[index]) else { continue }
            if entry.pointee.depth == 0 { noteHeld(coroutine.pointee.id, 1) }
            entry.pointee.owner = coroutine.pointee.id
            entry.pointee.depth += 1
        }
    }

    /// One lock more or less is held.
    fileprivate func noteHeld(_ id: Int64, _ change: Int) {
        let id = UInt64(bitPattern: id)
        guard let held = pointee.holders.find(id) else {
            pointee.holders.insert(id, 1)
            return
        }
        held.pointee += change
        if held.pointee == 0 { pointee.holders.remove(id) }
    }

    /// Forgets a lock that nobody has or wants, and of which nothing is to be said.
    fileprivate func forgetUnused(_ key: UInt64) {
        guard let entry = pointee.entries.find(key)?.pointee, entry.depth == 0, entry.first == nil, !entry.isInherited
        else { return }
        pointee.entries.remove(key)
        pointee.entries.shrink(to: pointee.entries.count)
        pointee.holders.shrink(to: pointee.holders.count + pointee.waiting)
    }

    // -- the queues --

    fileprivate func enqueue(_ request: KeyRequestRef) {
        for index in 0..<request.pointee.count {
            let place = request.pointee.places + index
            place.pointee.key = request.pointee.keys[index]
            place.pointee.request = request
            guard let entry = obtain(place.pointee.key) else { continue }
            var next = request.pointee.holdsSome ? entry.pointee.first : nil
            while let other = next, other.pointee.request?.pointee.holdsSome == true { next = other.pointee.next }
            let previous = next == nil ? entry.pointee.last : next?.pointee.previous
            place.pointee.next = next
            place.pointee.previous = previous
            if let next { next.pointee.previous = place } else { entry.pointee.last = place }
            if let previous { previous.pointee.next = place } else { entry.pointee.first = place }
        }
    }

    fileprivate func dequeue(_ request: KeyRequestRef) {
        for index in 0..<request.pointee.count {
            let place = (request.pointee.places + index).pointee
            guard let entry = pointee.entries.find(place.key) else { continue }
            if let next = place.next { next.pointee.previous = place.previous } else { entry.pointee.last = place.previous }
            if let previous = place.previous { previous.pointee.next = place.next } else { entry.pointee.first = place.next }
        }
    }

    fileprivate func canGrant(_ request: KeyRequestRef) -> Bool {
        guard request.pointee.coroutine.pointee.waitKind == .keys,
            areFree(request.pointee.keys, request.pointee.count, for: request.pointee.coroutine)
        else { return false }
        if request.pointee.holdsSome { return true }
        for index in 0..<request.pointee.count
        where pointee.entries.find(request.pointee.keys[index])?.pointee.first?.pointee.request != request { return false }
        return true
    }
}

extension RuntimeRef {
    func makeKeyedLocks() -> KeyedLocksRef? {
        Heap.one(KeyedLocks(in: self))
    }

    /// Locks all of them, without waiting. Returns 0, -EOWNERDEAD, -ENOMEM; nil: the caller would have to wait.
    func tryLock(_ locks: KeyedLocksRef, _ keys: UnsafePointer<UInt64>, _ count: Int) -> Int32? {
        let me = pointee.current
        if !locks.canLock(keys, count, me), !dropEnded(of: locks, keys, count) || !locks.canLock(keys, count, me) { return nil }
        guard locks.reserve(count) else { return fail(Code.noMemory) }
        locks.take(keys, count, me)
        return takeInherited(locks, keys, count, outcome: 0)
    }

    /// Locks all of them, and waits until they are free together.
    func lock(_ locks: KeyedLocksRef, _ keys: UnsafePointer<UInt64>, _ count: Int) -> Int32 {
        if let outcome = tryLock(locks, keys, count) { return outcome }
        var error = obstacle()
        if error == 0 { error = findCycle(in: locks, keys, count) }
        if error != 0 { return error }
        if count == 1 {
            var place = KeyedLocks.Place()
            return withUnsafeMutablePointer(to: &place) { wait(for: locks, keys, count, places: $0) }
        }
        guard let places = Heap.zeroed(KeyedLocks.Place.self, count: count) else { return fail(Code.noMemory) }
        defer { Heap.free(places) }
        return wait(for: locks, keys, count, places: places)
    }

    private func wait(
        for locks: KeyedLocksRef, _ keys: UnsafePointer<UInt64>, _ count: Int, places: KeyPlaceRef
    ) -> Int32 {
        guard locks.reserve(count) else { return fail(Code.noMemory) }
        var request = KeyedLocks.Request(
            coroutine: pointee.current, locks: locks, keys: keys, count: count, places: places,
            holdsSome: locks.holdsSome(pointee.current))
        return withUnsafeMutablePointer(to: &request) {
            locks.enqueue($0)
            locks.noteContention(in: self)
            locks.pointee.waiting += 1
            let code = wait(.keys, in: locks.waiters, of: locks, record: $0)
            locks.pointee.waiting -= 1
            if locks.waiters.pointee.first == nil { locks.noteCalm(in: self) }
            let outcome = code == 0 ? takeInherited(locks, keys, count, outcome: 1) : giveUp($0, code)
            leave(locks)
            return outcome
        }
    }

    /// A wait was interrupted: those behind it may go on, with what it was granted too.
    private func giveUp(_ request: KeyRequestRef, _ code: Int32) -> Int32 {
        let locks = request.pointee.locks
        if !locks.pointee.head.isFreed {
            if !request.pointee.isGranted { locks.dequeue(request) }
            for index in 0..<request.pointee.count {
                let key = request.pointee.keys[index]
                if request.pointee.isGranted { release(key, of: locks) } else { grantNext(key, of: locks) }
            }
        }
        return explainEnd(code, of: KeyedLocks.self)
    }

    /// Undoes one lock of its owner.
    private func release(_ key: UInt64, of locks: KeyedLocksRef) {
        guard let entry = locks.pointee.entries.find(key) else { return }
        entry.pointee.depth -= 1
        if entry.pointee.depth > 0 { return }
        locks.noteHeld(entry.pointee.owner, -1)
        grantNext(key, of: locks)
    }

    /// A key is free, or somebody has left its queue: the first who can have all that it wants gets it.
    private func grantNext(_ key: UInt64, of locks: KeyedLocksRef) {
        var next = locks.pointee.entries.find(key)?.pointee.first
        while let place = next, let request = place.pointee.request {
            if locks.canGrant(request) {
                locks.dequeue(request)
                locks.take(request.pointee.keys, request.pointee.count, request.pointee.coroutine)
                request.pointee.isGranted = true
                wake(request.pointee.coroutine)
                return
            }
            // Behind the first who holds none all wait for it.
            next = request.pointee.holdsSome ? place.pointee.next : nil
        }
        locks.forgetUnused(key)
    }

    func unlock(_ key: UInt64, of locks: KeyedLocksRef) throws(Refusal) {
        let me = pointee.current
        let entry = locks.pointee.entries.find(key)?.pointee
        guard let entry, entry.depth > 0, entry.owner == me.pointee.id else {
            throw Refusal(
                code: fail(Code.lock, other: entry.map { $0.depth > 0 ? $0.owner : 0 } ?? 0) {
                    $0.append("the caller does not hold the lock of key ")
                    $0.append(Int64(bitPattern: key))
                })
        }
        release(key, of: locks)
    }

    // -- those who end while they hold some --

    /// The caller has them. `outcome`: what it returns if nothing is wrong with them.
    private func takeInherited(_ locks: KeyedLocksRef, _ keys: UnsafePointer<UInt64>, _ count: Int, outcome: Int32) -> Int32 {
        var isInherited = false
        for index in 0..<count {
            guard let entry = locks.pointee.entries.find(keys[index]), entry.pointee.isInherited else { continue }
            entry.pointee.isInherited = false
            isInherited = true
        }
        if !isInherited { return outcome }
        return fail(Code.ownerDead) {
            $0.append("the locks are the caller's, but a coroutine ended while it held one of them")
        }
    }

    /// Takes away what coroutines held that ended when nobody waited. Returns whether there was any.
    private func dropEnded(of locks: KeyedLocksRef, _ keys: UnsafePointer<UInt64>, _ count: Int) -> Bool {
        var found = false
        for index in 0..<count {
            guard let entry = locks.pointee.entries.find(keys[index]), entry.pointee.depth > 0, hasEnded(entry.pointee.owner)
            else { continue }
            takeAway(entry, of: locks)
            found = true
        }
        return found
    }

    private func takeAway(_ entry: UnsafeMutablePointer<KeyedLocks.Entry>, of locks: KeyedLocksRef) {
        entry.pointee.depth = 0
        entry.pointee.isInherited = true
        locks.noteHeld(entry.pointee.owner, -1)
    }

    func ownerEnds(_ coroutine: CoroutineRef, of locks: KeyedLocksRef) {
        let id = coroutine.pointee.id
        if !locks.holdsSome(coroutine) { return }
        // What nobody wants now is noticed by who wants it later.
        while let key = locks.pointee.entries.first(where: { _, entry in
            entry.pointee.depth > 0 && entry.pointee.owner == id && entry.pointee.first != nil
        }) {
            if let entry = locks.pointee.entries.find(key) { takeAway(entry, of: locks) }
            grantNext(key, of: locks)
        }
    }

    /// Frees them, unless another holds one.
    func freeUnused(_ locks: KeyedLocksRef) throws(Refusal) {
        let me = pointee.current.pointee.id
        let held = locks.pointee.entries.first {
            $1.pointee.depth > 0 && $1.pointee.owner != me && !hasEnded($1.pointee.owner)
        }
        if let held {
            let owner = locks.pointee.entries.find(held)?.pointee.owner ?? 0
            throw Refusal(
                code: fail(Code.busy, other: owner) {
                    $0.append("another holds the lock of key ")
                    $0.append(Int64(bitPattern: held))
                })
        }
        locks.pointee.entries.free()
        locks.pointee.holders.free()
        free(locks)
    }
}
