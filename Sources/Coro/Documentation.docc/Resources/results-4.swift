import Coro

struct SoldOut: Error {
    let item: String
}

func price(of item: String) throws -> Int {
    try Coroutine.sleep(for: .milliseconds(10))
    if item == "milk" { throw SoldOut(item: item) }
    return item.count * 100
}

for item in ["tea", "milk"] {
    let coroutine = try Coroutine.spawn { try price(of: item) }
    do {
        print(item, try coroutine.join())
    } catch let error as SoldOut {
        print("there is no", error.item)
    }
}
