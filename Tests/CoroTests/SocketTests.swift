import CCoro
import Coro
import Glibc
import Testing

@Suite struct SocketTests {
    /// One that echoes what comes, until the listener is closed.
    private func echo(_ listener: Listener) throws -> Coroutine<Void, any Error> {
        try start {
            try listener.serve { connection in
                while let bytes = try connection.read() { try connection.write(bytes) }
            }
        }
    }

    @Test func H8_echo_over_tcp() throws {
        try inCoroutine { () throws in
            let listener = try Listener(host: "127.0.0.1", port: 0)
            let server = try echo(listener)
            let port = try listener.port
            #expect(try listener.address == SocketAddress(ip: "127.0.0.1", port: port))
            let client = try Socket.connect(to: "127.0.0.1", port: port)
            #expect(try client.peerAddress == listener.address)
            #expect(try client.localAddress.ip == "127.0.0.1")
            try client.write("hello")
            #expect(try client.read(exactly: 5).text == "hello")
            // The other direction goes on.
            try client.write("more")
            try client.shutdown(.writing)
            #expect(try client.readToEnd().text == "more")
            #expect(try client.option(TCP_NODELAY, level: Int32(IPPROTO_TCP)) != 0)
            try listener.close()
            try server.join()
            #expect(throws: CoroError.system(errno: ECONNREFUSED)) { try Socket.connect(to: "127.0.0.1", port: port) }
        }
    }

    @Test func H8_names_and_both_families() throws {
        // A name is looked up by a thread, whose time is not virtual.
        try inCoroutine(onVirtualTime: false) { () throws in
            let listener = try Listener(host: "localhost", port: 0)
            let server = try echo(listener)
            let client = try Socket.connect(to: "localhost", port: try listener.port)
            try client.write("x")
            #expect(try client.read()?.text == "x")
            try client.close()
            try listener.close()
            try server.join()
            let all = try Listener(port: 0)
            let connection = try Socket.connect(to: "127.0.0.1", port: try all.port)
            let accepted = try all.accept()
            #expect(try accepted.peerAddress.port == connection.localAddress.port)
            #expect(throws: CoroError.self) { try Socket.connect(to: "no.such.host.invalid", port: 1) }
        }
    }

    @Test func H8_many_connections_at_once() throws {
        try inCoroutine { () throws in
            let listener = try Listener(host: "127.0.0.1", port: 0)
            let server = try echo(listener)
            let port = try listener.port
            let before = try EventLoop.stats.descriptors
            let replies = try Coroutine.inParallel(
                (0..<200).map { number in
                    {
                        let client = try Socket.connect(to: "127.0.0.1", port: port)
                        try client.write("client \(number)")
                        try client.shutdown(.writing)
                        return try client.readToEnd().text
                    }
                })
            #expect(replies == (0..<200).map { "client \($0)" })
            try listener.close()
            try server.join()
            #expect(try EventLoop.stats.descriptors == before - 1, "the listener's, and no other")
        }
    }

    @Test func H8_a_server_that_is_told_to_end_ends_all() throws {
        try inCoroutine { () throws in
            let listener = try Listener(host: "127.0.0.1", port: 0)
            let counter = Counter()
            var ended = 0
            let server = try start { [token = counter.token()] in
                try listener.serve { connection in
                    withExtendedLifetime(token) {}
                    defer { ended += 1 }
                    _ = try connection.read()
                }
            }
            let clients = try (0..<3).map { _ in try Socket.connect(to: "127.0.0.1", port: try listener.port) }
            try Coroutine.sleep(for: .seconds(1))
            try server.shutdown()
            #expect(throws: CoroError.shutdown) { try server.join() }
            #expect(ended == 3)
            #expect(counter.alive == 0)
            for client in clients { #expect(try client.read() == nil) }
            // It was interrupted, not closed: the next can serve.
            let again = try echo(listener)
            let client = try Socket.connect(to: "127.0.0.1", port: try listener.port)
            try client.write("x")
            #expect(try client.read()?.text == "x")
            try client.close()
            try listener.close()
            try again.join()
        }
    }

    @Test func H8_closing_the_listener_lets_connections_come_to_their_end() throws {
        try inCoroutine { () throws in
            let listener = try Listener(host: "127.0.0.1", port: 0)
            let server = try echo(listener)
            let client = try Socket.connect(to: "127.0.0.1", port: try listener.port)
            try client.write("x")
            #expect(try client.read()?.text == "x")
            try listener.close()
            try Coroutine.sleep(for: .seconds(1))
            #expect(server.isAlive)
            try client.write("y")
            #expect(try client.read()?.text == "y")
            try client.close()
            try server.join()
        }
    }

    @Test func H8_a_connection_that_fails_is_told_and_ends_alone() throws {
        var failures: [any Error] = []
        try inCoroutine { () throws in
            EventLoop.onFailure { _, error, _ in failures.append(error) }
            let listener = try Listener(host: "127.0.0.1", port: 0)
            var kept: [Socket] = []
            let server = try start {
                try listener.serve { connection in
                    kept.append(connection)
                    if try connection.read()?.text == "fail" { throw Odd(number: 1) }
                    try connection.write("fine")
                }
            }
            for (text, reply) in [("fail", nil), ("else", "fine"), ("fail", nil)] {
                let client = try Socket.connect(to: "127.0.0.1", port: try listener.port)
                try client.write(text)
                #expect(try client.read()?.text == reply)
                #expect(try client.read() == nil)
            }
            #expect(kept.allSatisfy { !$0.isOpen }, "closed when they are done, whoever has them")
            try listener.close()
            try server.join()
        }
        #expect(failures.map { $0 as? Odd } == [Odd(number: 1), Odd(number: 1)])
    }

    @Test func H8_a_limit_of_connections() throws {
        try inCoroutine { () throws in
            let listener = try Listener(host: "127.0.0.1", port: 0)
            var running = 0, most = 0
            let server = try start {
                try listener.serve(limit: 2) { connection in
                    running += 1
                    most = max(most, running)
                    defer { running -= 1 }
                    try Coroutine.sleep(for: .seconds(1))
                    try connection.write("x")
                }
            }
            let port = try listener.port
            let replies = try Coroutine.inParallel(
                (0..<7).map { _ in { try Socket.connect(to: "127.0.0.1", port: port).readToEnd().text } })
            #expect(replies == [String](repeating: "x", count: 7))
            #expect(most == 2)
            try listener.close()
            try server.join()
            #expect(throws: CoroError.system(errno: EINVAL)) { try listener.serve(limit: 0) { _ in } }
        }
    }

    @Test func H8_accepting_by_hand() throws {
        try inCoroutine { () throws in
            let listener = try Listener(host: "127.0.0.1", port: 0)
            let accepting = try start { try listener.accept() }
            #expect(throws: CoroError.simultaneous) { try listener.accept() }
            let first = try Socket.connect(to: try listener.address)
            #expect(try accepting.join().peerAddress == first.localAddress)
            let clients = try (0..<3).map { _ in try Socket.connect(to: try listener.address) }
            #expect(try listener.accept(upTo: 2).count == 2)
            #expect(try listener.accept(upTo: 1000).count == 1)
            #expect(throws: CoroError.system(errno: EINVAL)) { try listener.accept(upTo: 0) }
            let waiting = try start { try listener.accept() }
            try listener.close()
            #expect(throws: CoroError.closed) { try waiting.join() }
            // Nobody has kept the other side.
            for client in clients { #expect(try client.read() == nil) }
        }
    }

    @Test func H9_unix_sockets() throws {
        try inCoroutine { () throws in
            for path in ["/tmp/coro-\(getpid())-\(UInt32.random(in: 0 ... .max))", "@coro-\(UInt64.random(in: 0 ... .max))"] {
                defer { unlink(path) }
                let listener = try Listener(path: path)
                #expect(try listener.address == SocketAddress(path: path))
                #expect(try listener.address.path == path)
                #expect(throws: CoroError.system(errno: EADDRINUSE)) { try Listener(path: path) }
                let server = try echo(listener)
                let client = try Socket.connect(toPath: path)
                #expect(try client.peerAddress.description == path)
                #expect(try client.localAddress.path == nil)
                #expect(try "\(client.localAddress)" == "(unnamed)")
                try client.write("x")
                #expect(try client.read()?.text == "x")
                try client.close()
                try listener.close()
                try server.join()
            }
            #expect(throws: CoroError.system(errno: EINVAL)) { try Listener(path: "a\0b") }
            #expect(throws: CoroError.system(errno: EINVAL)) { try Socket.connect(toPath: "/tmp/a\0b") }
            #expect(throws: CoroError.system(errno: EINVAL)) { try Socket.connect(to: "127.0.0.1\0", port: 1) }
            #expect(throws: CoroError.system(errno: EINVAL)) { try Socket.connect(to: "127.0.0.1", port: 65536) }
            #expect(throws: CoroError.system(errno: ENOENT)) { try Socket.connect(toPath: "/nowhere/none") }
        }
    }

    @Test func H5_datagrams() throws {
        try inCoroutine { () throws in
            let server = try Socket.datagrams(boundTo: SocketAddress(ip: "127.0.0.1", port: 0))
            let client = try Socket.make(.ipv4, .datagram)
            try client.send("hello".utf8, to: try server.localAddress)
            let (bytes, sender) = try server.receiveFrom()
            #expect(bytes.text == "hello")
            try server.send([], to: sender)
            try server.send("again".utf8, to: sender)
            #expect(try client.receive() == [])
            #expect(try client.receive(upTo: 2).text == "ag")
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try client.receiveFrom() } }
            try client.connect(to: try server.localAddress)
            try client.send("x".utf8)
            #expect(try server.receive(flags: Int32(MSG_PEEK)).text == "x")
            #expect(try server.receiveFrom().sender == client.localAddress)
            #expect(throws: CoroError.system(errno: ENOTCONN)) { try server.peerAddress }
        }
    }

    @Test func H11_options() throws {
        let socket = try Socket.make(.ipv4, .stream)
        #expect(try socket.option(SO_KEEPALIVE) == 0)
        try socket.setOption(SO_KEEPALIVE, to: 1)
        #expect(try socket.option(SO_KEEPALIVE) == 1)
        #expect(throws: CoroError.system(errno: ENOPROTOOPT)) { try socket.setOption(9999, to: 1) }
    }

    @Test func H12_descriptors_go_with_messages() throws {
        try inCoroutine { () throws in
            let (one, other) = try Socket.pair()
            let (input, output) = try Descriptor.pipe()
            try one.send("take this".utf8, with: [output, output])
            try output.close()
            let (bytes, received) = try other.receiveWithDescriptors()
            #expect(bytes.text == "take this")
            #expect(received.count == 2)
            try received[1].write("through")
            #expect(try input.read()?.text == "through")
            #expect(throws: CoroError.closed) { try one.send("x".utf8, with: [output]) }
            #expect(throws: CoroError.system(errno: EINVAL)) { try one.send([], with: [input]) }
            #expect(throws: CoroError.system(errno: EINVAL)) { try other.receiveWithDescriptors(room: -1) }
            let before = try EventLoop.stats.descriptors
            try one.send("x".utf8, with: [input, input, input])
            #expect(throws: CoroError.system(errno: EMSGSIZE)) { try other.receiveWithDescriptors(room: 2) }
            #expect(try EventLoop.stats.descriptors == before)
            try one.close()
            #expect(try other.receiveWithDescriptors().bytes == [])
        }
    }

    @Test func H12_a_file_is_sent() throws {
        try inCoroutine { () throws in
            let (one, other) = try Socket.pair()
            let file = try File.open("/etc/passwd")
            let content = try File.readAll("/etc/passwd")
            let sender = try start {
                #expect(try one.send(file) == content.count)
                #expect(try one.send(file, from: 5, count: 10) == 10)
                #expect(throws: CoroError.system(errno: EINVAL)) { try one.send(file, from: -1) }
                try file.close()
                #expect(throws: CoroError.closed) { try one.send(file) }
                try one.close()
            }
            #expect(try other.readToEnd() == content + content[5..<15])
            try sender.join()
        }
    }

    @Test func L3_addresses() throws {
        let v4 = try SocketAddress(ip: "127.0.0.1", port: 8080)
        #expect("\(v4)" == "127.0.0.1:8080")
        #expect((v4.ip, v4.port, v4.family) == ("127.0.0.1", 8080, .ipv4))
        #expect(v4.path == nil)
        let v6 = try SocketAddress(ip: "::1", port: 80)
        #expect("\(v6)" == "[::1]:80")
        #expect(v6.family == .ipv6)
        let unix = try SocketAddress(path: "/run/x")
        #expect((unix.path, unix.ip, unix.port, unix.family) == ("/run/x", nil, nil, .unix))
        #expect(try SocketAddress(path: "/run/x") == unix)
        #expect(Set([v4, v6, unix, try SocketAddress(ip: "127.0.0.1", port: 8080)]).count == 3)
        #expect(throws: CoroError.unknownHost) { try SocketAddress(ip: "localhost", port: 1) }
        #expect(throws: CoroError.system(errno: EINVAL)) { try SocketAddress(ip: "127.0.0.1", port: 65536) }
        #expect(throws: CoroError.system(errno: EINVAL)) { try SocketAddress(ip: "127.0.0.1", port: -1) }
        #expect(throws: CoroError.system(errno: EINVAL)) { try SocketAddress(path: "") }
        #expect(throws: CoroError.system(errno: EINVAL)) { try SocketAddress(path: "/a\0b") }
        #expect(throws: CoroError.system(errno: ENAMETOOLONG)) {
            try SocketAddress(path: String(repeating: "x", count: 108))
        }
        #expect(try SocketAddress(path: String(repeating: "x", count: 107)).path?.count == 107)
    }

    @Test func L3_names_are_resolved() throws {
        try inCoroutine { () throws in
            #expect(try SocketAddress.resolve("127.0.0.1", port: 7) == [SocketAddress(ip: "127.0.0.1", port: 7)])
            #expect(try SocketAddress.resolve("::1").map(\.description) == ["[::1]:0"])
            #expect(throws: CoroError.system(errno: EINVAL)) { try SocketAddress.resolve("a\0b") }
            #expect(throws: CoroError.system(errno: EINVAL)) { try SocketAddress.resolve("127.0.0.1", port: 65536) }
            let found = try SocketAddress.resolve("localhost", service: "80")
            #expect(found.contains(try SocketAddress(ip: "127.0.0.1", port: 80)))
            let names = try SocketAddress(ip: "127.0.0.1", port: 80).resolveNames()
            #expect(!names.host.isEmpty && !names.service.isEmpty)
        }
    }
}
