import Coro

let answer = try Coroutine.spawn {
    6 * 7
}
print(try answer.join())
