import Coro

func fetch(_ name: String) throws -> String {
    try Coroutine.sleep(for: .milliseconds(10))  // a socket, perhaps
    return "page of \(name)"
}

let io = try LoopThread(name: "io")
let pages = try await io.run {
    try Coroutine.withTimeout(.seconds(5)) {
        try Coroutine.inParallel(["anna", "bert", "cleo"].map { name in { try fetch(name) } })
    }
}
for page in pages { print(page) }
await io.stop()
