import CCoro
import Glibc

/// What a `LoopThread` and its thread share.
final class Life: Sendable {
    let end = Promise<Void, Never>()
    private let name: String
    private let beginning = Guarded<Result<LoopExecutor, CoroError>?>(nil)
    private let isBegun = Gate()
    /// Until somebody has seen to its end.
    private let thread = Guarded<pthread_t?>(nil)

    private init(name: String) {
        self.name = name
    }

    static func start(name: String) throws(CoroError) -> Life {
        let life = Life(name: name)
        let reference = Unmanaged.passRetained(life)
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Life>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, reference.toOpaque())
        if error != 0 {
            reference.release()
            throw .system(errno: error)
        }
        life.thread.withLock { [thread] in $0 = thread }
        return life
    }

    /// Of the thread, which has hardly to be waited for.
    func executor() throws(CoroError) -> LoopExecutor {
        isBegun.wait()
        guard let result = beginning.withLock({ $0 }) else { fatalError("the thread has not begun") }
        if case .failure = result { join(mayWait: true) }
        return try result.get()
    }

    /// Has the thread's loop return.
    func beginEnd() {
        guard case .success(let executor)? = beginning.withLock({ $0 }) else { return }
        // An error means that the thread has ended. What it does at its end is not to be cut short.
        try? EventLoop.post(to: executor.loop) { if !executor.isEnding { EventLoop.exit() } }
    }

    /// Waits for what the thread still does after `end`, which is no more than to free what it has.
    func join(mayWait: Bool) {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        if mayWait, pthread_equal(thread, pthread_self()) == 0 {
            pthread_join(thread, nil)
        } else {
            pthread_detach(thread)
        }
    }

    private func run() {
        setName()
        SignalMask.ofMainThread?.apply()
        let executor = Result { () throws(CoroError) in try EventLoop.executor }
        beginning.withLock { $0 = executor }
        isBegun.post()
        if case .success(let executor) = executor { runLoop(executor) }
        LoopExecutor.endOfThisThread()
        end.succeed(())
    }

    /// Glibc's function for it is none of those that Swift sees.
    private func setName() {
        guard let file = fopen("/proc/thread-self/comm", "we") else { return }
        fputs(name, file)
        fclose(file)
    }

    private func runLoop(_ executor: LoopExecutor) {
        coro_set_install_signal_handlers(false)
        EventLoop.setPrintsExitString(false)
        _ = try? EventLoop.run()
        executor.isEnding = true
        for coroutine in AnyCoroutine.all { try? coroutine.shutdown() }
        _ = try? EventLoop.runUntilIdle()
    }
}

/// A semaphore of the system's.
private final class Gate: @unchecked Sendable {
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func post() { sem_post(semaphore) }

    func wait() {
        while sem_wait(semaphore) != 0 {}
    }
}
