import Coro

/// What both servers do, in a coroutine: `sum 1 2 3` is 6; `later WORD` is the word, 20 ms later.
func answer(to question: String) throws -> String {
    let words = question.split(separator: " ")
    switch words.first {
    case "sum":
        return String(words.dropFirst().compactMap { Int($0) }.reduce(0, +))
    case "later":
        try Coroutine.sleep(for: .milliseconds(20))
        return words.dropFirst().joined(separator: " ")
    default:
        return "what?"
    }
}
