import Coro

let listener = try Listener(host: "127.0.0.1", port: 0)
_ = try Coroutine.spawn {
    try listener.serve { connection in
        let reader = try Reader(connection)
        while let line = try reader.readLine() {
            try connection.write(line.uppercased() + "\n")
        }
    }
}

func ask(_ question: String, port: Int) throws -> String? {
    let connection = try Socket.connect(to: "127.0.0.1", port: port)
    try connection.write(question + "\n")
    return try Reader(connection).readLine()
}

print(try ask("hello", port: listener.port) ?? "no answer")
print(try ask("goodbye", port: listener.port) ?? "no answer")
