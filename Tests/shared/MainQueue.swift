import CCoro
import Coro
import Dispatch
import Glibc

// The loop of the main thread serves Dispatch's main queue, and with it Swift's main actor.

func check<Value: Equatable>(_ actual: Value, _ expected: Value, line: Int = #line) {
    if actual == expected { return }
    print("MainQueue.swift:\(line): \(actual), not \(expected)")
    exit(1)
}

@MainActor final class Counter {
    static let shared = Counter()
    private(set) var count = 0
    private(set) var order: [String] = []

    func add() -> Int {
        count += 1
        return count
    }

    func note(_ text: String) { order.append(text) }
    func takeOrder() -> [String] {
        defer { order = [] }
        return order
    }
}

nonisolated(unsafe) var mainThread = pthread_self()

/// Spawns what nobody joins.
func go(_ body: @escaping () throws -> Void) {
    do { try AnyCoroutine(id: Coroutine.spawn(body).id).detach() } catch { check("\(error)", "spawned") }
}

func stop(_ code: Int32 = 0) { coro_set_exit(code) }

func onThread(_ body: @escaping @Sendable () -> Void) { DispatchQueue.global().async(execute: body) }

@MainActor func runLoop() { check(coro_event_loop(), 0) }

/// Work from another thread wakes the loop, which has nothing else to wait for.
@MainActor func asyncFromAnotherThread() {
    onThread {
        usleep(20_000)
        DispatchQueue.main.async {
            check(pthread_self(), mainThread)
            check(coro_current(), 0)
            check(coro_sleep(1), CORO_EYIELDFROMMAIN)
            check(coro_event_loop(), CORO_EYIELDFROMMAIN)
            stop()
        }
    }
    runLoop()
}

/// What is queued by what runs there comes too, and so does what was queued before the loop.
@MainActor func asyncFromMain() {
    DispatchQueue.main.async {
        Counter.shared.note("first")
        DispatchQueue.main.async {
            Counter.shared.note("nested")
            stop()
        }
    }
    DispatchQueue.main.async { Counter.shared.note("second") }
    runLoop()
    check(Counter.shared.takeOrder(), ["first", "second", "nested"])
}

/// A job of the main actor makes coroutines, which are on its thread.
@MainActor func jobsSpawnCoroutines() throws {
    Task { @MainActor in
        Counter.shared.note("job")
        go {
            try Coroutine.sleep(for: .milliseconds(1))
            // A coroutine of the main thread is on the main actor, as far as can be asked.
            MainActor.assumeIsolated { Counter.shared.note("coroutine") }
            MainActor.preconditionIsolated()
            stop()
        }
    }
    runLoop()
    check(Counter.shared.takeOrder(), ["job", "coroutine"])
}

/// Tasks elsewhere await what is isolated to the main actor, while coroutines sleep.
@MainActor func awaitedFromTasks() throws {
    let before = Counter.shared.count
    for _ in 0..<10 {
        Task.detached {
            for _ in 0..<100 { _ = await Counter.shared.add() }
            if await Counter.shared.count == before + 1000 { await MainActor.run { stop() } }
        }
    }
    let sleeper = try Coroutine.spawn { try Coroutine.sleep(for: .seconds(3600)) }
    runLoop()
    check(Counter.shared.count, before + 1000)
    try sleeper.shutdown()
    _ = try? sleeper.join()
}

/// Coroutines that always run, and a queue that is never empty, let each other through.
@MainActor func nobodyStarves() throws {
    let yields = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    let jobs = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    (yields.pointee, jobs.pointee) = (0, 0)
    nonisolated(unsafe) let (yielded, done) = (yields, jobs)
    @Sendable func queueAnother() {
        done.pointee += 1
        if done.pointee < 200 || yielded.pointee < 200 { DispatchQueue.main.async(execute: queueAnother) }
    }
    DispatchQueue.main.async(execute: queueAnother)
    let yielder = try Coroutine.spawn {
        while done.pointee < 200 || yielded.pointee < 200 {
            yielded.pointee += 1
            try Coroutine.yield()
        }
        stop()
    }
    runLoop()
    try yielder.join()
}

/// A call on the thread's own stack runs the loop, too.
@MainActor func servedByTheLoopOfACall() throws {
    let promise = coro_promise_new(nil)
    nonisolated(unsafe) let kept = promise
    DispatchQueue.main.async { check(coro_promise_keep(kept, 0, nil), 0) }
    check(coro_promise_wait(promise, nil), 0)
    check(coro_promise_free(promise), 0)
}

/// Turned off, it is somebody else's.
@MainActor func canBeTurnedOff() throws {
    check(EventLoop.setServesMainQueue(false), true)
    DispatchQueue.main.async { Counter.shared.note("served") }
    go {
        try Coroutine.sleep(for: .milliseconds(20))
        stop()
    }
    runLoop()
    check(Counter.shared.takeOrder(), [])
    check(EventLoop.setServesMainQueue(true), false)
    go {
        try Coroutine.sleep(for: .milliseconds(20))
        stop()
    }
    runLoop()
    check(Counter.shared.takeOrder(), ["served"])
}

/// The child of a fork leaves the parent its news.
@MainActor func notServedInTheChildOfAFork() throws {
    let child = coro_test_fork()
    if child == 0 { runLoopAndExit() }
    for _ in 0..<5 {
        onThread {
            usleep(2_000)
            DispatchQueue.main.async { stop() }
        }
        runLoop()
    }
    check(waitForEnd(of: child), 0)
}

/// Nor is it served where another thread has forked, which is the first one of its child.
@MainActor func notServedInTheChildThatAnotherThreadForks() {
    let ended = DispatchSemaphore(value: 0)
    onThread {
        DispatchQueue.main.async { stop() }
        let child = coro_test_fork()
        if child == 0 { runLoopAndExit() }
        check(waitForEnd(of: child), 0)
        ended.signal()
    }
    ended.wait()
    runLoop()
}

func runLoopAndExit() -> Never {
    alarm(30)
    coro_set_print_exit_string(false)
    go {
        try Coroutine.sleep(for: .milliseconds(50))
        stop()
    }
    _exit(coro_event_loop())
}

func waitForEnd(of child: pid_t) -> Int32 {
    var status: Int32 = -1
    check(waitpid(child, &status, 0), child)
    return status
}

/// Swift has no fork().
func coro_test_fork() -> pid_t {
    typealias Fork = @convention(c) () -> pid_t
    return unsafeBitCast(dlsym(nil, "fork"), to: Fork.self)()
}

@main
struct MainQueue {
    @MainActor static func main() throws {
        alarm(60)
        coro_set_print_exit_string(false)
        asyncFromAnotherThread()
        asyncFromMain()
        try jobsSpawnCoroutines()
        try awaitedFromTasks()
        try nobodyStarves()
        try servedByTheLoopOfACall()
        try canBeTurnedOff()
        try notServedInTheChildOfAFork()
        notServedInTheChildThatAnotherThreadForks()
        check(coro_get_live_coros(), 0)
        print("all served")
    }
}
