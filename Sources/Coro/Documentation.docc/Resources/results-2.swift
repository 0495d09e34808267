import Coro

func wait(_ name: String, _ milliseconds: Int) throws {
    print(name, "waits")
    try Coroutine.sleep(for: .milliseconds(milliseconds))
    print(name, "goes on")
}

let slow = try Coroutine.spawn { try wait("the slow one", 50) }
let quick = try Coroutine.spawn { try wait("the quick one", 10) }
try slow.join()
try quick.join()
