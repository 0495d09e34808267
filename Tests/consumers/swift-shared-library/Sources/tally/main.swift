// A Swift program and a C library that both use libcoro.so: one loop, on which each waits for the other's coroutines.
import CTally
import Coro

struct Failed: Error {}

let main = try Coroutine.spawn {
    let inC = AnyCoroutine(id: tally_start(42))
    let inSwift = try Coroutine.spawn { try Coroutine.sleep(for: .milliseconds(10)) }
    print("\(tally_count()) coroutines as C counts them, \(AnyCoroutine.all.count) as Swift does")
    print("C's, joined by Swift: \(Int(bitPattern: try inC.join()))")
    print("Swift's, joined by C: \(tally_wait(inSwift.id))")

    let ended = AnyCoroutine(id: tally_start(1))
    try Coroutine.yield()
    try ended.shutdown()
    do {
        try ended.join()
        throw Failed()
    } catch CoroError.shutdown {
        print("C's, ended by Swift")
    }
}
EventLoop.setPrintsExitString(false)
try EventLoop.runUntilIdle()
try main.join()
