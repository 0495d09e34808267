import Coro

let listener = try Listener(host: "127.0.0.1", port: 0)
_ = try Coroutine.spawn {
    try listener.serve { connection in
        let reader = try Reader(connection)
        while let line = try Coroutine.withTimeout(.seconds(10), { try reader.readLine() }) {
            try connection.write(line.uppercased() + "\n")
        }
    }
}

func ask(_ question: String, port: Int) throws -> String? {
    let connection = try Socket.connect(to: "127.0.0.1", port: port)
    try connection.write(question + "\n")
    return try Reader(connection).readLine()
}

let port = try listener.port
let answers = try Coroutine.withTimeout(.seconds(10)) {
    try Coroutine.withGroup(of: String?.self, limit: 10) { group in
        for number in 1...100 { try group.spawn { try ask("number \(number)", port: port) } }
        var answers = 0
        while let answer = try group.next() {
            if answer != nil { answers += 1 }
        }
        return answers
    }
}
print(answers, "answers")
