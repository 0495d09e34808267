import CCoroPlatform

typealias JobRef = UnsafeMutablePointer<Job>
/// Told the runtime, the job, and 0 or the error because of which the job will never be done.
typealias JobEnd = @convention(c) (UnsafeMutableRawPointer, UnsafeMutableRawPointer, Int32) -> Void
typealias JobDrop = @convention(c) (UnsafeMutableRawPointer) -> Void

/// Work that a thread of the pool does for a loop. It is on the heap, as the first field of what it is about: the loop's thread
/// may be gone before it is done.
struct Job {
    /// What the pool has of it. `Job.of` relies on its place.
    var task = coro_pool_task()
    fileprivate let loop: Int64
    /// Which it is about; negative: none. If that is closed before it has begun, it is not done.
    fileprivate let descriptor: Int32
    fileprivate var state = State.pending
    /// The next in the mailbox.
    fileprivate(set) var nextDone: JobRef?
    fileprivate var next: JobRef?
    fileprivate var previous: JobRef?
    /// On the loop's thread: it is done, or never will be. The job is up to this from now on.
    fileprivate let end: JobEnd
    /// Instead of that, on any thread, when the loop is not there any more or does not wait any more: frees what has been made,
    /// and the job.
    fileprivate let drop: JobDrop

    /// Behind the process lock.
    fileprivate enum State {
        case pending
        /// In the loop's mailbox, or taken from there.
        case done
        /// Nobody waits for it.
        case abandoned
    }

    /// `run` is called with the task, on a thread of the pool, and has to end with `deliver`.
    init(
        in runtime: RuntimeRef, on descriptor: Int32 = -1, isSlow: Bool = false,
        run: @convention(c) (UnsafeMutablePointer<coro_pool_task>) -> Void, end: JobEnd, drop: JobDrop
    ) {
        loop = runtime.pointee.loopID
        self.descriptor = descriptor
        task.run = run
        task.is_slow = isSlow
        self.end = end
        self.drop = drop
    }

    /// What the job of a task is about.
    static func of<Whole>(_ task: UnsafeMutablePointer<coro_pool_task>, as type: Whole.Type) -> UnsafeMutablePointer<Whole> {
        UnsafeMutableRawPointer(task).assumingMemoryBound(to: type)
    }
}

/// The jobs that a loop waits for.
struct JobList {
    fileprivate var first: JobRef?
    private(set) var count = 0
    /// How many the pool was given so far.
    private(set) var total: UInt64 = 0

    fileprivate mutating func add(_ job: JobRef) {
        job.pointee.next = first
        first?.pointee.previous = job
        first = job
        count += 1
        total &+= 1
    }

    fileprivate mutating func remove(_ job: JobRef) {
        if let previous = job.pointee.previous { previous.pointee.next = job.pointee.next } else { first = job.pointee.next }
        job.pointee.next?.pointee.previous = job.pointee.previous
        count -= 1
    }
}

extension JobRef {
    fileprivate var task: UnsafeMutablePointer<coro_pool_task> {
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: coro_pool_task.self)
    }

    /// It has been done: its loop is told. On the pool's thread, which must not touch it after this.
    func deliver() {
        let isWanted = Shared.withLock { shared -> Bool in
            guard pointee.state == .pending, let mailbox = LoopRegistry.mailbox(of: pointee.loop, in: shared) else {
                return false
            }
            pointee.state = .done
            mailbox.append(self)
            return true
        }
        if isWanted != true { pointee.drop(self) }
    }

    /// Drops all from this one on, through the mailbox's links.
    func dropAll() {
        var job: JobRef? = self
        while let dropped = job {
            job = dropped.pointee.nextDone
            dropped.pointee.drop(dropped)
        }
    }

    /// Puts it behind this one. Behind the process lock.
    func link(_ next: JobRef) {
        pointee.nextDone = next
    }
}

extension RuntimeRef {
    /// Hands a job to the pool. Returns 0, or the error because of which there is no thread to do it, with its report.
    func submit(_ job: JobRef) -> Int32 {
        let error = coro_pool_submit(job.task)
        if error == 0 {
            pointee.jobs.add(job)
            return 0
        }
        return fail(error) {
            $0.append("the pool has no thread, and none can be started: look at ulimit -u and the cgroup's pids.max")
        }
    }

    /// Takes a job back that has not begun. false: it has, or is done.
    func withdraw(_ job: JobRef) -> Bool {
        if !coro_pool_withdraw(job.task) { return false }
        pointee.jobs.remove(job)
        return true
    }

    /// Leaves a job that has begun to itself. false: it is done, and in the mailbox.
    func abandon(_ job: JobRef) -> Bool {
        let isLeft = Shared.withLock { _ -> Bool in
            if job.pointee.state == .done { return false }
            job.pointee.state = .abandoned
            pointee.jobs.remove(job) // before the pool's thread drops it, which it may as soon as the lock is free
            return true
        }
        return isLeft == true
    }

    /// Ends the jobs that have come into the mailbox, in the order in which they were done.
    func takeDoneJobs() {
        if pointee.jobs.count == 0 { return }
        var job = pointee.mailbox.takeJobs()
        while let done = job {
            job = done.pointee.nextDone
            pointee.jobs.remove(done)
            done.pointee.end(self, done, 0)
        }
    }

    /// In the child of a fork: the threads that did the jobs are the parent's.
    func cancelJobs() {
        var job = pointee.jobs.first
        while let current = job {
            job = current.pointee.next
            if current.pointee.state == .done { continue }
            pointee.jobs.remove(current)
            current.pointee.end(self, current, -CoroErrno.cancelled)
        }
    }

    /// fd is closed, or given up: what has not begun would be done to what the number means next.
    func endJobs(on fd: Int32) {
        var job = fd >= 0 ? pointee.jobs.first : nil
        while let current = job {
            job = current.pointee.next
            if current.pointee.descriptor == fd, withdraw(current) { current.pointee.end(self, current, Code.closed) }
        }
    }

    /// The thread ends: what has not begun never will.
    func dropJobs() {
        var job = pointee.jobs.first
        while let current = job {
            job = current.pointee.next
            if withdraw(current) { current.pointee.drop(current) }
        }
    }
}
