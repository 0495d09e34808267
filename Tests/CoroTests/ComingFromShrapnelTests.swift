import CCoro
import Coro
import Glibc
import Testing

extension ComingFrom {
    @Test func shrapnel_hello() throws {
        let print = Printer()
        EventLoop.setPrintsExitString(false)
        defer { EventLoop.setPrintsExitString(true) }

        _ = try Coroutine.spawn {
            print("Hello world!")
            EventLoop.exit()
        }
        let status = try EventLoop.run()

        #expect(print.lines == ["Hello world!"])
        #expect(status == 0)
    }

    @Test func shrapnel_with_timeout() throws {
        try onThread {
            try onVirtualTime {
                let print = Printer()
                var isCleanedUp = false
                let coroutine = try Coroutine.spawn {
                    print(try Coroutine.withTimeout(.seconds(1000)) { 3 })
                    do {
                        try Coroutine.withTimeout(.milliseconds(50)) {
                            for _ in 0..<1_000_000 { try Coroutine.sleep(for: .milliseconds(10)) }
                        }
                    } catch CoroError.timeout {
                        print("timed out")
                    }
                    #expect(throws: CoroError.system(errno: ECONNREFUSED)) {
                        try Coroutine.withTimeout(.seconds(1000)) {
                            defer { isCleanedUp = true }
                            throw CoroError.system(errno: ECONNREFUSED)
                        }
                    }
                }
                try coroutine.join()
                #expect(print.lines == ["3", "timed out"])
                #expect(isCleanedUp)
            }
        }
    }

    @Test func shrapnel_in_parallel() throws {
        try onThread {
            func f(_ number: Int) throws -> Int {
                try Coroutine.sleep(for: .seconds(5))
                return number
            }
            func burn(_ number: Int) throws -> Int { throw CoroError.system(errno: EIO) }
            try onVirtualTime {
                let print = Printer()
                print(try Coroutine.inParallel([4, 5, 6].map { number in { try f(number) } }))
                do {
                    print(try Coroutine.inParallel([{ try f(4) }, { try burn(5) }, { try f(6) }]))
                } catch let error as InParallelError<Int> {
                    print(error.results.map { (try? $0.get()).map(String.init) ?? "failed" })
                }
                #expect(throws: CoroError.timeout) {
                    try Coroutine.withTimeout(.seconds(2)) { try Coroutine.inParallel([{ try f(7) }]) }
                }
                #expect(print.lines == ["[4, 5, 6]", #"["4", "failed", "6"]"#])
                try EventLoop.runUntilIdle()
            }
        }
    }

    @Test func shrapnel_thread_local() throws {
        try onThread {
            let print = Printer()
            let color = try checked(coro_local_new(nil))
            defer { _ = coro_local_free(color) }
            func printColor(_ who: String) {
                var value: UnsafeMutableRawPointer?
                let isSet = coro_local_get(color, &value) == 0
                print(isSet ? "\(who) is \(Int(bitPattern: value))" : "\(who) has none")
            }

            let first = try Coroutine.spawn {
                try checked(coro_local_set(color, UnsafeMutableRawPointer(bitPattern: 1)))
                try Coroutine.yieldSlice()
                printColor("first")
            }
            let second = try Coroutine.spawn {
                printColor("second")
                try checked(coro_local_set(color, UnsafeMutableRawPointer(bitPattern: 2)))
                printColor("second")
            }
            try first.join()
            try second.join()
            printColor("main")

            #expect(print.lines == ["second has none", "second is 2", "first is 1", "main has none"])
        }
    }

    /// A hundred clients, each of which sends 13 bytes ten times and wants exactly those back.
    @Test func shrapnel_echo() throws {
        try onThread {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let listener = try checked(coro_socket(AF_INET, streamSocket, 0))
            defer { _ = coro_close(listener) }
            try withAddress(&address) { address, length throws in
                try checked(coro_bind(listener, address, length))
                try checked(coro_listen(listener, 1024))
                try checked(coro_getsockname(listener, address, &length))
            }

            let server = try Coroutine.spawn(name: "server") {
                while true {
                    let connection = try checked(coro_accept(listener, nil, nil))
                    _ = try Coroutine.spawn { try echo(connection) }
                }
            }
            let clients = try (0..<100).map { number in
                try Coroutine.spawn { try talk(to: address, as: number) }
            }
            var echoes = 0
            for client in clients { echoes += try client.join() }
            try server.shutdown()

            #expect(echoes == 1000)
            #expect(throws: CoroError.shutdown) { try server.join() }
        }
    }

    @Test func shrapnel_sleepers() throws {
        try onVirtualTime {
            var awake = [Duration]()
            let start = EventLoop.now
            for number in 0..<1000 {
                let time = Duration.milliseconds(number * 7919 % 15000)
                _ = try Coroutine.spawn {
                    try Coroutine.sleep(for: time)
                    #expect(EventLoop.now - start >= time)
                    awake.append(time)
                }
            }
            try EventLoop.runUntilIdle()
            #expect(awake.count == 1000)
            #expect(awake == awake.sorted())
        }
    }
}

private let streamSocket = Int32(SOCK_STREAM.rawValue)

private func echo(_ connection: Int32) throws {
    defer { _ = coro_close(connection) }
    var buffer = [UInt8](repeating: 0, count: 1024)
    while true {
        let count = try checked(coro_recv(connection, &buffer, buffer.count, 0))
        if count == 0 { return }
        try checked(coro_send(connection, buffer, count, 0))
    }
}

/// Returns how many echoes were right.
private func talk(to server: sockaddr_in, as number: Int) throws -> Int {
    var server = server
    let connection = try checked(coro_socket(AF_INET, streamSocket, 0))
    defer { _ = coro_close(connection) }
    try withAddress(&server) { address, length throws in
        _ = try checked(coro_connect(connection, address, length))
    }
    var echoes = 0
    for round in 0..<10 {
        let sent = [UInt8](repeating: UInt8(number + round), count: 13)
        var received = [UInt8](repeating: 0, count: 13)
        try checked(coro_send(connection, sent, 13, 0))
        try checked(coro_recv_exact(connection, &received, 13))
        if received == sent { echoes += 1 }
    }
    return echoes
}
