import Coro
import Glibc
import Synchronization

// What becomes of accesses that are held over a suspension: `inout`, `mutating`, pointers, on one thread. One case each run;
// the cases that say so end the program. The article Exclusivity tells users of it.

struct Counter {
    var count = 0
    private(set) var log: [Int] = []

    mutating func countTwice() throws(CoroError) {
        count += 1
        log.append(count)
        try Coroutine.yield()
        count += 1
        log.append(count)
    }
}

final class Owner {
    var first = Counter()
    var second = Counter()
    var number = 0
}

nonisolated(unsafe) var global = Counter()

func check<Value: Equatable>(_ actual: Value, _ expected: Value, line: Int = #line) {
    if actual == expected { return }
    print("Exclusivity.swift:\(line): \(actual), not \(expected)")
    exit(1)
}

func countTwice(_ number: inout Int) throws(CoroError) {
    number += 1
    try Coroutine.yield()
    number += 1
}

func run(_ bodies: (() throws -> Void)...) throws {
    for coroutine in try bodies.map({ try Coroutine.spawn($0) }) { try coroutine.join() }
}

// -- nobody else uses it meanwhile --

func alone() throws {
    let owner = Owner(), pointed = Owner()
    var captured = 0
    try run(
        { try countTwice(&owner.number) }, { try owner.first.countTwice() }, { try owner.second.countTwice() },
        { try global.countTwice() }, { try countTwice(&captured) },
        { try withUnsafeMutablePointer(to: &pointed.number) { number in try countTwice(&number.pointee) } })
    check(
        [owner.number, owner.first.count, owner.second.count, global.count, captured, pointed.number], [2, 2, 2, 2, 2, 2])
    check([owner.first.log, owner.second.log, global.log], [[1, 2], [1, 2], [1, 2]])
}

/// Many accesses to different things, which end in another order than they began in. Swift keeps them in one list of the
/// thread, and its nodes are on the coroutines' stacks.
func manyAtOnce() throws {
    let owners = (0..<200).map { _ in Owner() }
    for round in 1...5 {
        let order = owners.indices.map { ($0 * 73 + round * 17) % owners.count }
        let coroutines = try owners.indices.map { index in
            try Coroutine.spawn(start: .now) {
                try withUnsafeMutablePointer(to: &owners[index].number) { number in
                    number.pointee += 1
                    try Coroutine.park()
                    number.pointee += 1
                }
            }
        }
        for index in order {
            try coroutines[index].any.schedule()
            try coroutines[index].join()
            check(owners[index].number, 2 * round)
        }
    }
}

/// It throws its way out of the access.
func toldToEnd() throws {
    let owner = Owner()
    let coroutine = try Coroutine.spawn(start: .now) {
        try withUnsafeMutablePointer(to: &owner.number) { number in
            number.pointee = 1
            try Coroutine.park()
        }
    }
    try coroutine.shutdown()
    do { try coroutine.join() } catch { check(error as? CoroError, .shutdown) }
    owner.number += 1
    check(owner.number, 2)
}

/// Its stack goes with the thread, and the thread's code runs on.
func threadEnds() throws {
    var thread = pthread_t()
    check(pthread_create(&thread, nil, { _ in
        let owner = Owner()
        _ = try? Coroutine.spawn(start: .now) {
            try withUnsafeMutablePointer(to: &owner.number) { _ in _ = try Coroutine.park() }
        }
        let other = Owner()
        other.number += 1
        check(other.number, 1)
        return nil
    }, nil), 0)
    pthread_join(thread, nil)
    let other = Owner()
    other.number += 1
    check(other.number, 1)
}

// -- somebody does: these end the program --

func inoutAndRead() throws {
    let owner = Owner()
    try run({ try countTwice(&owner.number) }, { print(owner.number) })
}

func inoutAndInout() throws {
    let owner = Owner()
    try run({ try countTwice(&owner.number) }, { try countTwice(&owner.number) })
}

func mutatingAndMutating() throws {
    let owner = Owner()
    try run({ try owner.first.countTwice() }, { try owner.first.countTwice() })
}

func globals() throws {
    try run({ try global.countTwice() }, { global.count += 1 })
}

func captured() throws {
    var number = 0
    try run({ try countTwice(&number) }, { number += 1 })
}

func pointer() throws {
    let owner = Owner()
    try run(
        { try withUnsafeMutablePointer(to: &owner.number) { try countTwice(&$0.pointee) } }, { owner.number += 1 })
}

/// Its second use is no access, but a lock that its own thread has.
func mutex() throws {
    let mutex = Synchronization.Mutex(0)
    try run(
        { try mutex.withLock { number in try countTwice(&number) } }, { mutex.withLock { $0 += 1 } })
}

@main
struct Exclusivity {
    static func main() throws {
        let cases: [String: () throws -> Void] = [
            "alone": alone, "many-at-once": manyAtOnce, "told-to-end": toldToEnd, "thread-ends": threadEnds,
            "inout-read": inoutAndRead, "inout-inout": inoutAndInout, "mutating-mutating": mutatingAndMutating,
            "globals": globals, "captured": captured, "pointer": pointer, "mutex": mutex,
        ]
        guard let body = cases[CommandLine.arguments.dropFirst().first ?? ""] else { exit(2) }
        try body()
        print("done")
    }
}
