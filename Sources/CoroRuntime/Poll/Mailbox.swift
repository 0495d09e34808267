import CCoroPlatform

/// What other threads may reach of a thread's loop: where they post, and how they wake it. Everything in it is guarded by the
/// process lock, but for the bell, and for what its own thread posts.
struct Mailbox {
    /// Which part of the ids the loop gives out: the high bits of its coroutines' ids.
    let number: Int
    /// Its name, which is never used again.
    let loopID: Int64
    /// The id before the first that this loop gives out.
    let firstID: Int64
    /// Whether an earlier loop had this number.
    let isReused: Bool
    /// Whether any other thread can know of the loop, and so could wake it. Atomic: who knows of a coroutine sets it.
    fileprivate var exposed: UInt32 = 0
    /// What the watchdog looks at; nil until the loop first runs a coroutine.
    var watched: RuntimeRef?
    fileprivate var posts = PostList()
    /// What its own thread has posted: for that thread alone.
    fileprivate var ownPosts = PostList()
    /// Whether nobody can post to it any more. For its thread alone.
    var isRetired = false
    fileprivate var firstJob: JobRef?
    fileprivate var lastJob: JobRef?
    /// Those that other threads have kept.
    var promises = PromiseList()
    /// Rung for posts, for jobs, for promises and for signals. Used without the lock.
    let bell: UnsafeMutablePointer<coro_bell>

    struct Post {
        var function: CoroutineFunction
        var argument: UnsafeMutableRawPointer?
        var stackClass = StackPool.usualClass
        /// Whether the function is called by the loop itself, instead of in a coroutine.
        var isCallback = false
        /// Called with the argument if nobody takes the post.
        var drop: ReleaseFunction?
        fileprivate(set) var next: UnsafeMutablePointer<Post>?
    }

    /// First in, first out.
    struct PostList {
        private(set) var first: UnsafeMutablePointer<Post>?
        private var last: UnsafeMutablePointer<Post>?

        mutating func append(_ post: UnsafeMutablePointer<Post>) {
            if let last { last.pointee.next = post } else { first = post }
            last = post
        }

        /// Puts what was taken out, from `posts` on, ahead of what has come since.
        mutating func putBack(_ posts: UnsafeMutablePointer<Post>) {
            var end = posts
            while let next = end.pointee.next { end = next }
            end.pointee.next = first
            if first == nil { last = end }
            first = posts
        }

        mutating func takeAll() -> UnsafeMutablePointer<Post>? {
            defer { self = PostList() }
            return first
        }
    }

    /// nil without memory.
    static func make(number: Int, loopID: Int64, firstID: Int64, isReused: Bool) -> UnsafeMutablePointer<Mailbox>? {
        guard let bell = Heap.one(coro_bell(), alignment: 64) else { return nil }
        coro_bell_set_wakeup(bell, -1)
        let mailbox = Heap.one(Mailbox(number: number, loopID: loopID, firstID: firstID, isReused: isReused, bell: bell))
        if mailbox == nil { Heap.free(bell) }
        return mailbox
    }
}

extension UnsafeMutablePointer<Mailbox> {
    /// Behind the process lock.
    func append(_ post: UnsafeMutablePointer<Mailbox.Post>) {
        pointee.posts.append(post)
        coro_bell_ring(pointee.bell)
    }

    /// What the loop's own thread posts, which needs no lock, and does not sleep. false: too late.
    func appendOwn(_ post: UnsafeMutablePointer<Mailbox.Post>) -> Bool {
        if pointee.isRetired { return false }
        pointee.ownPosts.append(post)
        return true
    }

    /// A job is done. Behind the process lock.
    func append(_ job: JobRef) {
        if let last = pointee.lastJob { last.link(job) } else { pointee.firstJob = job }
        pointee.lastJob = job
        coro_bell_ring(pointee.bell)
    }

    /// Whether there are posts, jobs, promises or signals to take. For the loop's thread, as all that follows.
    var hasPosts: Bool { hasRung || pointee.ownPosts.first != nil }

    /// Whether any of that came from elsewhere.
    var hasRung: Bool { coro_bell_has_rung(pointee.bell) }

    var isExposed: Bool { withUnsafePointer(to: &pointee.exposed) { coro_atomic_load($0) != 0 } }

    /// On any thread.
    func setExposed(_ on: Bool) {
        withUnsafeMutablePointer(to: &pointee.exposed) { _ = coro_atomic_exchange($0, on ? 1 : 0) }
    }

    /// Takes out all posts and promises, in their order. Jobs and signals are to be looked at after this, which takes back the
    /// ring for all.
    func takeAll() -> (posts: UnsafeMutablePointer<Mailbox.Post>?, promises: PromiseList) {
        coro_process_lock()
        defer { coro_process_unlock() }
        coro_bell_set_rung(pointee.bell, false)
        return (pointee.posts.takeAll(), pointee.promises.takeAll())
    }

    private func takeForeign() -> UnsafeMutablePointer<Mailbox.Post>? {
        coro_process_lock()
        defer { coro_process_unlock() }
        return pointee.posts.takeAll()
    }

    /// Takes out what the loop's own thread has posted.
    func takeOwn() -> UnsafeMutablePointer<Mailbox.Post>? {
        pointee.ownPosts.takeAll()
    }

    func takePromises() -> PromiseList {
        coro_process_lock()
        defer { coro_process_unlock() }
        return pointee.promises.takeAll()
    }

    private func popPromise() -> PromiseRef? {
        coro_process_lock()
        defer { coro_process_unlock() }
        return pointee.promises.popFirst()
    }

    /// Takes out all jobs that are done, in the order in which they came.
    func takeJobs() -> JobRef? {
        coro_process_lock()
        defer { coro_process_unlock() }
        let first = pointee.firstJob
        pointee.firstJob = nil
        pointee.lastJob = nil
        return first
    }

    /// Puts back posts that could not be dealt with, ahead of those that have come since.
    func putBack(_ posts: UnsafeMutablePointer<Mailbox.Post>) {
        coro_process_lock()
        defer { coro_process_unlock() }
        pointee.posts.putBack(posts)
    }

    func putBackOwn(_ posts: UnsafeMutablePointer<Mailbox.Post>) {
        pointee.ownPosts.putBack(posts)
    }

    /// From now on who rings wakes the loop. false: somebody has rung already, so that the loop must not wait.
    func goToSleep() -> Bool {
        coro_bell_set_asleep(pointee.bell, true)
        if !hasPosts { return true }
        wakeUp()
        return false
    }

    func wakeUp() {
        coro_bell_set_asleep(pointee.bell, false)
    }

    /// What wakes the loop from now on.
    func setWakeup(_ descriptor: Int32) {
        coro_bell_set_wakeup(pointee.bell, descriptor)
    }

    /// No loop will take the posts that there are: callbacks are called all the same. User code that must not suspend.
    func dropPosts() {
        takeForeign()?.dropAll()
        takeOwn()?.dropAll()
    }

    /// The thread ends. Posts and jobs that nobody took are dropped; and then the promises that were kept, for until then code
    /// of the user's may free them.
    func close(lastID: Int64) {
        LoopRegistry.retire(self, lastID: lastID)
        if pointee.watched != nil { coro_watchdog_wake() }
        dropPosts()
        while let promise = popPromise() { promise.dispose() }
        pointee.firstJob?.dropAll()
        Heap.free(pointee.bell)
        Heap.free(self)
    }
}

extension UnsafeMutablePointer<Mailbox.Post> {
    /// Drops all from this one on.
    fileprivate func dropAll() {
        var post: UnsafeMutablePointer<Mailbox.Post>? = self
        while let dropped = post {
            post = dropped.pointee.next
            if dropped.pointee.isCallback {
                _ = dropped.pointee.function(dropped.pointee.argument)
            } else {
                dropped.pointee.drop?(dropped.pointee.argument)
            }
            Heap.free(dropped)
        }
    }
}

extension RuntimeRef {
    /// How long posts wait for memory before they are tried again: 10 ms.
    static var postsRetryInterval: Int64 { 10_000_000 }

    /// Tells of the promises that other threads have kept, makes what was posted into coroutines, and calls the callbacks. What
    /// is posted meanwhile is for the next pass.
    func takePosts() {
        let ownPosts = pointee.mailbox.takeOwn()
        if pointee.mailbox.hasRung {
            let (posts, promises) = pointee.mailbox.takeAll()
            settleAll(promises)
            if let rest = take(posts) { pointee.mailbox.putBack(rest) }
            takeDoneJobs()
            takeSignals()
            retryHandlers()
        }
        if let rest = take(ownPosts) { pointee.mailbox.putBackOwn(rest) }
    }

    /// Returns what there is no memory for, with what came after it: it stays, for a later pass.
    private func take(_ posts: UnsafeMutablePointer<Mailbox.Post>?) -> UnsafeMutablePointer<Mailbox.Post>? {
        var post = posts
        while let current = post {
            let next = current.pointee.next
            if current.pointee.isCallback {
                callBack(current)
            } else if !makeCoroutine(of: current) {
                retryLater()
                return current
            }
            post = next
            pointee.counters.posts &+= 1
        }
        return nil
    }

    private func makeCoroutine(of post: UnsafeMutablePointer<Mailbox.Post>) -> Bool {
        var creation = Creation(function: post.pointee.function, argument: post.pointee.argument)
        creation.flags = initialFlags.union(.detached)
        creation.stackClass = post.pointee.stackClass
        do throws(Refusal) {
            makeReady(try create(creation))
        } catch {
            return false
        }
        Heap.free(post)
        return true
    }

    private func callBack(_ post: UnsafeMutablePointer<Mailbox.Post>) {
        let (function, argument) = (post.pointee.function, post.pointee.argument)
        Heap.free(post)
        callBack { _ = function(argument) }
    }

    /// User code that must not suspend, called by the loop.
    func callBack(_ body: () -> Void) {
        if !isWatchedOver { beWatched() }
        pointee.obstacles.forbid()
        body()
        pointee.obstacles.allow()
    }

    /// Has the loop look for posts and signals again when there may be memory for them.
    func retryLater() {
        coro_bell_set_rung(pointee.mailbox.pointee.bell, true)
        pointee.postsRetryAt = addClamped(coro_system_clock(), RuntimeRef.postsRetryInterval)
    }

    /// Whether posts wait for memory. By the system's clock: virtual time may stand still meanwhile.
    var postsWait: Bool { pointee.mailbox.hasPosts && pointee.postsRetryAt > coro_system_clock() }

    /// The loop's name for other threads, or an error.
    func exposeLoop() -> Int64 {
        let error = pointee.poller.open(in: self)
        if error < 0 { return Int64(fail(error)) }
        pointee.mailbox.setExposed(true)
        return pointee.loopID
    }
}
