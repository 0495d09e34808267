import CCoro
import Coro
import Glibc
import Testing

extension ComingFrom {
    @Test func coroutine_start_join() throws {
        try onThread {
            let print = Printer()

            let coroutine = try Coroutine.spawn(start: .now) {
                print("12")
                try Coroutine.sleep(for: .milliseconds(100))
                print("34")
            }
            print("56")
            try coroutine.join()

            #expect(print.lines == ["12", "56", "34"])
        }
    }

    /// A handler of signals that sleeps, while main goes on printing.
    @Test func coroutine_signal() throws {
        try onThread {
            try onVirtualTime {
                let print = Printer()
                try EventLoop.onSignal(SIGUSR1) { _ in
                    print("handler: to bed")
                    try Coroutine.sleep(for: .milliseconds(500))
                    print("handler: awake")
                }
                try letting(SIGUSR1) {
                    for number in 0..<5 {
                        print("main: \(number)")
                        if number == 0 || number == 2 { raise(SIGUSR1) }
                        try Coroutine.sleep(for: .milliseconds(200))
                    }
                }
                try EventLoop.removeSignalHandler(SIGUSR1)

                let begin = ["main: 0", "handler: to bed", "main: 1", "main: 2", "handler: to bed"]
                #expect(print.lines == begin + ["handler: awake", "main: 3", "main: 4", "handler: awake"])
            }
        }
    }

    @Test func coroutine_pipe() throws {
        try onThread {
            let print = Printer()
            var ends: [Int32] = [0, 0]
            try checked(coro_pipe(&ends, O_CLOEXEC))
            let (input, output) = (ends[0], ends[1])

            let reader = try Coroutine.spawn(start: .now) {
                defer { _ = coro_close(input) }
                var buffer = [UInt8](repeating: 0, count: 100)
                while true {
                    let count = try checked(coro_read(input, &buffer, buffer.count))
                    if count == 0 { break }
                    print(String(decoding: buffer[..<count], as: UTF8.self))
                }
                print("the end")
            }
            try checked(coro_write(output, "one", 3))
            try Coroutine.sleep(for: .milliseconds(10))
            try checked(coro_write(output, "two", 3))
            try checked(coro_close(output))
            try reader.join()

            #expect(print.lines == ["one", "two", "the end"])
        }
    }

    /// A server of datagrams, and a heartbeat beside it.
    @Test func coroutine_recvfrom() throws {
        try onThread {
            try onVirtualTime {
                let print = Printer()
                let datagrams = Int32(SOCK_DGRAM.rawValue)
                let (socket, client) = (coro_socket(AF_UNIX, datagrams, 0), coro_socket(AF_UNIX, datagrams, 0))
                defer { _ = (coro_close(socket), coro_close(client)) }
                var address = sockaddr_un()
                address.sun_family = sa_family_t(AF_UNIX)
                // An address that is nothing but its family: the system chooses the name.
                let length = try withAddress(&address) { address, length throws in
                    try checked(coro_bind(socket, address, socklen_t(MemoryLayout<sa_family_t>.size)))
                    try checked(coro_getsockname(socket, address, &length))
                    return length
                }

                let server = try Coroutine.spawn(start: .now) {
                    var buffer = [UInt8](repeating: 0, count: 100), text = ""
                    while text != "stop" {
                        let count = try checked(coro_recvfrom(socket, &buffer, buffer.count, 0, nil, nil))
                        text = String(decoding: buffer[..<count], as: UTF8.self)
                        print(text)
                    }
                }
                let heartbeat = try Coroutine.spawn(start: .now) {
                    while true {
                        print("heartbeat")
                        try Coroutine.sleep(for: .seconds(1))
                    }
                }
                for (pause, text) in [(500, "ping"), (1000, "ping"), (1000, "stop")] {
                    try Coroutine.sleep(for: .milliseconds(pause))
                    try withAddress(&address) { address, _ throws in
                        _ = try checked(coro_sendto(client, text, text.utf8.count, 0, address, length))
                    }
                }
                try server.join()
                try heartbeat.shutdown()

                #expect(print.lines == ["heartbeat", "ping", "heartbeat", "ping", "heartbeat", "stop"])
            }
        }
    }
}
