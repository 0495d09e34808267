import Coro

let ticker = try Coroutine.spawn {
    defer { print("stopped") }
    while true {
        try Coroutine.sleep(for: .milliseconds(20))
        print("tick")
    }
}

try Coroutine.sleep(for: .milliseconds(50))
try ticker.shutdown()
do {
    try ticker.join()
} catch CoroError.shutdown {
    print("it was told to end")
}
