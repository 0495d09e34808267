import Coro

let listener = try Listener(host: "127.0.0.1", port: 0)
let server = try Coroutine.spawn {
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

let answers = try Channel<String>(capacity: 10)
let printer = try Coroutine.spawn {
    var longest = ""
    while let answer = try answers.next() {
        if answer.count > longest.count { longest = answer }
    }
    return longest
}

let port = try listener.port
try Coroutine.withDiscardingGroup(limit: 10) { group in
    for number in 1...100 {
        try group.spawn {
            let answer = try ask(String(repeating: "o", count: number), port: port)
            if let answer { try answers.send(answer) }
        }
    }
}
answers.close()
print("the longest answer has", try printer.join().count, "letters")

try listener.close()
try server.join()
print("served all")
