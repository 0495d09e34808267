import Coro

struct SoldOut: Error {
    let item: String
}

let coroutine = try Coroutine.spawn { () throws(SoldOut) -> Int in
    throw SoldOut(item: "milk")
}
switch try coroutine.result() {
case .success(let price): print(price)
case .failure(let error): print("there is no", error.item)  // a SoldOut
}
