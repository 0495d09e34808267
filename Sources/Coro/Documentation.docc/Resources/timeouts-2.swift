import Coro

func answer() throws -> String {
    defer { print("the question is taken back") }
    try Coroutine.sleep(for: .seconds(3600))
    return "at last"
}

do {
    print(try Coroutine.withTimeout(.milliseconds(20)) { try answer() })
} catch CoroError.timeout {
    print("no answer in time")
}
