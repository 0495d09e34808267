import Coro
import Glibc

// The works of coro_bench through the Swift API, on the same libcoro.so. swift_bench WORK COUNT prints what one operation takes,
// in ns of processor time, after a tenth of the work to warm up; nothing if there is no such work here.

/// The processor time of this process so far, in ns.
func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

/// Runs `body` in a coroutine; returns what it takes.
func inCoroutine(_ body: @escaping () throws(CoroError) -> Void) throws -> Double {
    let start = now()
    try Coroutine.spawn(body).join()
    return now() - start
}

/// Each closure has captured a number, which is one more allocation than C's argument takes.
func spawnJoin(_ count: Int) throws -> Double {
    try inCoroutine { () throws(CoroError) in
        for left in 0..<count where try Coroutine.spawn({ left }).join() != left { fatalError("a wrong result") }
    }
}

func yield2(_ count: Int) throws -> Double {
    let yielders = try (0..<2).map { _ in
        try Coroutine.spawn { () throws(CoroError) in
            for _ in 0..<(count / 2) { try Coroutine.yield() }
        }
    }
    let start = now()
    for yielder in yielders { try yielder.join() }
    return now() - start
}

func channelRoundtrip(_ count: Int) throws -> Double {
    let there = try Channel<Int>(), back = try Channel<Int>()
    let echo = try Coroutine.spawn { () throws(CoroError) in
        while let element = try there.next() { try back.send(element) }
    }
    return try inCoroutine { () throws(CoroError) in
        for left in 0..<count {
            try there.send(left)
            if try back.receive() != left { fatalError("a wrong answer") }
        }
        there.close()
        try echo.join()
    }
}

/// Runs async code on the loop's thread; returns what it takes.
func inTask(_ body: @escaping () async throws -> Void) throws -> Double {
    let start = now()
    try Coroutine.spawn { try Coroutine.await { try await body() } }.join()
    return now() - start
}

/// From async code to a new coroutine of the same thread, and back with its result.
func hop(_ count: Int) throws -> Double {
    try inTask {
        for left in 0..<count where try await Coroutine.spawn({ left }).value != left { fatalError("a wrong result") }
    }
}

/// What Swift has without coroutines: from async code to a new task, and back by a continuation.
func hopTask(_ count: Int) throws -> Double {
    try inTask {
        for left in 0..<count {
            let result = await withCheckedContinuation { back in
                _ = Task { back.resume(returning: left) }
            }
            if result != left { fatalError("a wrong result") }
        }
    }
}

/// From a coroutine to async code of its own thread, in a new task, and back.
func hopAwait(_ count: Int) throws -> Double {
    let start = now()
    try Coroutine.spawn {
        for left in 0..<count where try Coroutine.await({ left }) != left { fatalError("a wrong result") }
    }.join()
    return now() - start
}

@main
struct SwiftBench {
    static func main() throws {
        let works = [
            "spawn_join": spawnJoin, "yield_2": yield2, "channel_roundtrip": channelRoundtrip,
            "hop": hop, "hop_task": hopTask, "hop_await": hopAwait,
        ]
        guard CommandLine.arguments.count == 3, let count = Int(CommandLine.arguments[2]) else {
            print("usage: swift_bench WORK COUNT")
            exit(2)
        }
        guard let work = works[CommandLine.arguments[1]] else { return }
        _ = try work(count / 10)
        print(try work(count) / Double(count))
    }
}
