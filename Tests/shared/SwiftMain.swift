import CHalf
import Coro
import Glibc

// Row L1: a Swift main program and a C library in one process, on one loop.

func check<Value: Equatable>(_ actual: Value, _ expected: Value, line: Int = #line) {
    if actual == expected { return }
    print("SwiftMain.swift:\(line): \(actual), not \(expected)")
    exit(1)
}

/// A coroutine of the C half.
func c(_ work: Int32) -> AnyCoroutine { AnyCoroutine(id: c_spawn(work)) }

func spawnSleeper(_ duration: Duration) throws -> Coroutine<String, any Error> {
    try Coroutine.spawn {
        try Coroutine.sleep(for: duration)
        return "slept"
    }
}

/// What it came to, as a number.
func code(_ body: () throws -> Void) -> Int32 {
    do {
        try body()
        return 0
    } catch {
        return (error as? CoroError)?.code ?? 1
    }
}

/// The code that a joiner or killer of the C half came to.
func result(_ id: coro_t) throws -> Int32 {
    Int32(Int(bitPattern: try AnyCoroutine(id: id).join(timeout: .seconds(10))))
}

func swiftJoinsC() throws {
    check(Int(bitPattern: try c(WORK_ANSWER).join()), Int(ANSWER))
    check(code { try c(WORK_FAIL).join() }, CoroError.system(errno: EIO).code)
    check(CoroError.detail, "the C half's disk")
}

func cJoinsSwift() throws {
    let sleeper = try spawnSleeper(.milliseconds(5))
    check(try result(c_spawn_joiner(sleeper.id, 10_000_000_000)), 0)
    check(try sleeper.join(), "slept")
}

func timeouts() throws {
    let c = c(WORK_FOREVER)
    let swift = try spawnSleeper(.seconds(1_000_000))
    check(code { try c.join(timeout: .milliseconds(5)) }, CoroError.timeout.code)
    check(c.isAlive, true)
    check(try result(c_spawn_joiner(swift.id, 5_000_000)), CoroError.timeout.code)
    check(swift.isAlive, true)

    // Each ends the other's.
    try c.shutdown()
    check(code { try c.join() }, CoroError.shutdown.code)
    check(c_cleanups(), 1)
    check(try result(c_spawn_killer(swift.id)), 0)
    check(code { try swift.join() }, CoroError.shutdown.code)
}

/// Each interrupts the other's, and sees why.
func interrupting() throws {
    let c = c(WORK_NOTE)
    try Coroutine.yield()
    try c.interrupt(UnsafeMutableRawPointer(bitPattern: Int(ANSWER)))
    try c.join()
    check(c_interruption(), Int64(CORO_EINTERRUPTED))
    check(c_interrupt_value(), Int64(ANSWER))

    let raised = AnyCoroutine(id: c_spawn(WORK_NOTE))
    try Coroutine.yield()
    try raised.raise(.wakeUp)
    try raised.join()
    check(c_interruption(), Int64(CORO_EWAKEUP))
    check(c_interrupt_value(), 0)

    let swift = try spawnSleeper(.seconds(1_000_000))
    check(try result(c_spawn_interrupter(swift.id)), 0)
    check(code { try swift.join() }, CoroError.interrupted.code)
}

/// Time limits of both languages around each other, on one stack.
func limits() throws {
    check(c_sleep_within(5_000_000, coro_forever), CORO_ETIMEOUT)
    let long: Int64 = 1_000_000_000_000
    var c: Int32 = 0
    check(code { try Coroutine.withTimeout(.milliseconds(5)) { c = c_sleep_within(long, coro_forever) } }, CORO_ETIMEOUT)
    check(c, CORO_EINTERRUPTED)
    try Coroutine.withTimeout(.nanoseconds(long)) { c = c_sleep_within(5_000_000, coro_forever) }
    check(c, CORO_ETIMEOUT)
}

func cancelling() throws {
    let unborn = c(WORK_FOREVER)
    try unborn.shutdown()  // before it ever ran: there is nothing to clean up
    check(code { try unborn.join() }, CoroError.shutdown.code)
    check(c_cleanups(), 1)

    // Who joins is ended too, and the one that was joined is left alone.
    let swift = try spawnSleeper(.milliseconds(20))
    let joiner = AnyCoroutine(id: c_spawn_joiner(swift.id, 10_000_000_000))
    try Coroutine.yield()
    try joiner.shutdown()
    check(Int32(Int(bitPattern: try joiner.join())), CoroError.shutdown.code)
    check(try swift.join(), "slept")
}

func waking() throws {
    let c = c(WORK_PARK)
    try Coroutine.yield()
    try c.schedule(UnsafeMutableRawPointer(bitPattern: Int(ANSWER)))
    try c.join()
    check(c_woken_with(), Int64(ANSWER))
}

func oneList() throws {
    let c = c(WORK_FOREVER)
    let swift = try spawnSleeper(.seconds(1_000_000))
    check(AnyCoroutine.all, [AnyCoroutine.current!, c, swift.any])
    try c.shutdown()
    try swift.shutdown()
    check(code { try c.join() }, CoroError.shutdown.code)
    check(code { try swift.join() }, CoroError.shutdown.code)
}

@main
struct SwiftMain {
    static func main() throws {
        EventLoop.setPrintsExitString(false)
        _ = try Coroutine.spawn(name: "test") {
            do {
                try swiftJoinsC()
                try cJoinsSwift()
                try timeouts()
                try interrupting()
                try limits()
                try cancelling()
                try waking()
                try oneList()
                EventLoop.exit()
            } catch {
                print("\(error): \(CoroError.detail)")
                EventLoop.exit(code: 1)
            }
        }
        exit(try EventLoop.run())
    }
}
