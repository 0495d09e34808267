import CSwiftHalf
import Coro

// swift_half.h

/// What the coroutines have to tell. All of it happens on one thread.
private struct Notes {
    var result: Int64 = 0
    var cleanups: Int64 = 0
    var wokenWith: Int64 = 0
    var interruption: Int64 = 0
    var interruptValue: Int64 = 0
    /// Kept until C has joined them.
    var coroutines: [Coroutine<Void, any Error>] = []
}

nonisolated(unsafe) private var notes = Notes()

private struct OddError: Error {}

private func spawn(_ body: @escaping () throws -> Void) -> coro_t {
    do {
        let coroutine = try Coroutine.spawn(name: "swift half", body)
        notes.coroutines.append(coroutine)
        return coroutine.id
    } catch {
        return coro_t(error.code)
    }
}

@c @implementation
public func swift_spawn(_ work: Int32) -> coro_t {
    spawn {
        switch work {
        case WORK_ANSWER: try Coroutine.sleep(for: .milliseconds(5))
        case WORK_FOREVER:
            defer { notes.cleanups += 1 }
            try Coroutine.sleep(for: .seconds(1_000_000))
        case WORK_PARK: notes.wokenWith = Int64(Int(bitPattern: try Coroutine.park()))
        case WORK_FAIL: throw CoroError.closed
        case WORK_NOTE:
            notes.interruption = Int64(code { try Coroutine.sleep(for: .seconds(1_000_000)) })
            notes.interruptValue = Int64(Int(bitPattern: Coroutine.interruptValue))
        default: throw OddError()
        }
    }
}

/// The code that `body` came to.
private func code(_ body: () throws -> Void) -> Int32 {
    do {
        try body()
        return 0
    } catch {
        return (error as? CoroError)?.code ?? CORO_EFAILED
    }
}

/// Runs `body`, and notes the code it came to.
private func spawnNoting(_ body: @escaping () throws -> Void) -> coro_t {
    spawn { notes.result = Int64(code(body)) }
}

@c @implementation
public func swift_spawn_joiner(_ other: coro_t, _ timeout: Int64) -> coro_t {
    spawnNoting { try AnyCoroutine(id: other).join(timeout: .nanoseconds(timeout)) }
}

@c @implementation
public func swift_spawn_killer(_ other: coro_t) -> coro_t {
    spawnNoting { try AnyCoroutine(id: other).shutdown() }
}

@c @implementation
public func swift_spawn_interrupter(_ other: coro_t) -> coro_t {
    spawnNoting { try AnyCoroutine(id: other).interrupt() }
}

@c @implementation
public func swift_result() -> Int64 { notes.result }

@c @implementation
public func swift_cleanups() -> Int64 { notes.cleanups }

@c @implementation
public func swift_woken_with() -> Int64 { notes.wokenWith }

@c @implementation
public func swift_interruption() -> Int64 { notes.interruption }

@c @implementation
public func swift_interrupt_value() -> Int64 { notes.interruptValue }

@c @implementation
public func swift_sleep_within(_ limit: Int64, _ ns: Int64) -> Int32 {
    code { try Coroutine.withTimeout(.nanoseconds(limit)) { try Coroutine.sleep(for: .nanoseconds(ns)) } }
}

@c @implementation
public func swift_count_all() -> Int64 { Int64(AnyCoroutine.all.count) }

@c @implementation
public func swift_drop_all() { notes.coroutines = [] }
