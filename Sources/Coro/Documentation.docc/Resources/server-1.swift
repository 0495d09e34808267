import Coro

let listener = try Listener(host: "127.0.0.1", port: 0)
_ = try Coroutine.spawn {
    try listener.serve { connection in
        while let bytes = try connection.read() { try connection.write(bytes) }
    }
}

let connection = try Socket.connect(to: "127.0.0.1", port: listener.port)
try connection.write("hello")
try connection.shutdown(.writing)
print(String(decoding: try connection.readToEnd(), as: UTF8.self))
