import Coro

func answer() throws -> String {
    try Coroutine.sleep(for: .seconds(3600))
    return "at last"
}

do {
    print(try Coroutine.withTimeout(.milliseconds(20)) { try answer() })
} catch CoroError.timeout {
    print("no answer in time")
}
