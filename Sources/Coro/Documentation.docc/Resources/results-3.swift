import Coro

func price(of item: String) throws -> Int {
    try Coroutine.sleep(for: .milliseconds(10))
    return item.count * 100
}

let items = ["tea", "coffee", "milk"]
let prices = try items.map { item in
    try Coroutine.spawn { try price(of: item) }
}
print(try prices.map { try $0.join() }.reduce(0, +))
