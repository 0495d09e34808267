import Coro

func fetch(_ name: String) throws -> String {
    try Coroutine.sleep(for: .milliseconds(10))  // a socket, perhaps
    return "page of \(name)"
}

let io = try LoopThread(name: "io")
let page = try await io.run { try fetch("anna") }
print(page)
await io.stop()
