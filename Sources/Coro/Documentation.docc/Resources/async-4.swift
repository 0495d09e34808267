import Coro

func fetch(_ name: String) throws -> String {
    defer { print("done with \(name)") }
    try Coroutine.sleep(for: .seconds(3600))  // a slow server
    return "page of \(name)"
}

let io = try LoopThread(name: "io")
let task = Task { try await io.run { try fetch("anna") } }
try await Task.sleep(for: .milliseconds(50))
task.cancel()
do {
    print(try await task.value)
} catch is CancellationError {
    print("cancelled")
}
await io.stop()
