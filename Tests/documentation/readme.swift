import Coro

let worker = try Coroutine.spawn(name: "worker") {
    try Coroutine.sleep(for: .milliseconds(100))
    return 42
}
print(try worker.join())        // a C coroutine could join it too, by worker.id
