import CCoro
import Coro
import Glibc
import Testing

@Suite struct DescriptorTests {
    @Test func H10_bytes_go_through_a_pipe() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            let reader = try start {
                var all: [UInt8] = []
                while let bytes = try input.read(upTo: 3) {
                    #expect((1...3).contains(bytes.count))
                    all += bytes
                }
                return all.text
            }
            try output.write("héllo ")
            try output.write([119, 111])
            try output.write([114, 0, 108, 100][...])
            try output.write([UInt8(ascii: "!")].span.bytes)
            try output.write([])
            try output.close()
            #expect(try reader.join() == "héllo wor\0ld!")
            #expect(try input.read() == nil)
        }
    }

    @Test func H6_more_than_a_pipe_holds() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let writer = try start {
                try output.write(bytes)
                try output.close()
            }
            #expect(try input.read(exactly: 10) == Array(bytes[..<10]))
            #expect(try input.readToEnd() == Array(bytes[10...]))
            try writer.join()
        }
    }

    @Test func H6_exactly_so_many_or_an_error() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            try output.write("abc")
            #expect(try input.read(exactly: 0) == [])
            #expect(try input.read(exactly: 2).text == "ab")
            try output.close()
            #expect(throws: CoroError.endOfFile) { try input.read(exactly: 2) }
            #expect(CoroError.progress == 1)
            #expect(throws: CoroError.system(errno: EINVAL)) { try input.read(exactly: -1) }
            #expect(throws: CoroError.system(errno: EINVAL)) { try input.read(upTo: -1) }
            #expect(try input.read(upTo: 0) == [])
            #expect(throws: CoroError.system(errno: EPIPE)) {
                let (input, output) = try Descriptor.pipe()
                try input.close()
                try output.write("x")
            }
        }
    }

    @Test func H6_into_memory_of_the_callers() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 1)
            defer { memory.deallocate() }
            try output.write("abcdef")
            #expect(try input.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[..<2])) == 2)
            try input.read(exactlyInto: UnsafeMutableRawBufferPointer(rebasing: memory[2..<6]))
            #expect(memory[..<6].text == "abcdef")
            #expect(try input.read(into: UnsafeMutableRawBufferPointer(start: nil, count: 0)) == 0)
        }
    }

    @Test func H6_a_limit_for_all() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            try output.write("abcdef")
            try output.close()
            #expect(throws: CoroError.system(errno: EOVERFLOW)) { try input.readToEnd(limit: 5) }
        }
    }

    @Test func H3_it_is_closed_when_it_is_dropped() throws {
        try inCoroutine { () throws in
            let before = try EventLoop.stats.descriptors
            do {
                let (input, output) = try Descriptor.pipe()
                #expect(isOpen(input.number) && isOpen(output.number))
                #expect("\(input)" == "Descriptor \(input.number)")
                #expect(try EventLoop.stats.descriptors == before + 2)
            }
            #expect(try EventLoop.stats.descriptors == before)
            // That they are closed, and not only forgotten, the other side sees.
            let (input, output) = try Descriptor.pipe()
            do {
                let copy = try output.duplicate()
                try output.close()
                try copy.write("x")
            }
            #expect(try input.readToEnd().text == "x")
        }
    }

    @Test func H3_who_waits_holds_it() throws {
        try inCoroutine { () throws in
            var ends: (input: Descriptor, output: Descriptor)? = try Descriptor.pipe()
            let output = ends!.output
            let reader = try start { [input = ends!.input] in try input.read(exactly: 2) }
            ends = nil
            try output.write("ab")
            #expect(try reader.join().text == "ab")
        }
    }

    @Test func H3_closing_wakes_who_waits() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            let reader = try start { try input.read() }
            let filler = try start { try output.write([UInt8](repeating: 0, count: 1_000_000)) }
            try input.close()
            #expect(throws: CoroError.closed) { try reader.join() }
            #expect(throws: CoroError.system(errno: EPIPE)) { try filler.join() }
            #expect(!input.isOpen && input.number < 0)
            #expect("\(input)" == "Descriptor closed")
            try input.close()
            #expect(throws: CoroError.closed) { try input.read() }
            #expect(throws: CoroError.closed) { try input.duplicate() }
            #expect(throws: CoroError.closed) { try input.release() }
            #expect(throws: CoroError.closed) { try input.waitUntilReadable() }
        }
    }

    @Test func H3_a_number_that_is_used_again_is_another_descriptor() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            let number = input.number
            try input.close()
            let other = Descriptor(owning: try check(fcntl(output.number, F_DUPFD_CLOEXEC, number)))
            #expect(other.number == number || other.number > number)
            #expect(throws: CoroError.closed) { try input.write("x") }
            try input.close()
            #expect(isOpen(other.number))
        }
    }

    @Test func H3_given_up_and_taken_over() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            let reader = try start { try input.read() }
            let number = try input.release()
            #expect(throws: CoroError.closed) { try reader.join() }
            #expect(isOpen(number) && !input.isOpen)
            try output.write("x")
            let again = Descriptor(owning: number)
            #expect(try again.read()?.text == "x")
            do {
                let borrowed = Descriptor(borrowing: number)
                #expect(borrowed.number == number)
            }
            #expect(isOpen(number))
            #expect(Descriptor.standardInput.number == 0)
            #expect(Descriptor.standardError.number == 2)
        }
    }

    @Test func H3_a_duplicate_is_one_of_its_own() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            let copy = try output.duplicate()
            try output.close()
            try copy.write("x")
            #expect(try input.read()?.text == "x")
            let (one, other) = try Socket.pair()
            let same: Socket = try one.duplicate()
            try same.write("y")
            #expect(try other.read()?.text == "y")
        }
    }

    @Test func H2_one_waits_for_each_direction() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            let first = try start { try input.read() }
            #expect(throws: CoroError.simultaneous) { try input.read() }
            #expect(throws: CoroError.simultaneous) { try input.waitUntilReadable() }
            try output.waitUntilWritable()
            try first.any.interrupt()
            #expect(throws: CoroError.interrupted) { try first.join() }
            let second = try start { try input.waitUntilReadable() }
            try output.write("x")
            try second.join()
            #expect(try input.read()?.text == "x")
        }
    }

    @Test func H2_a_timeout_leaves_nothing_behind() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(5)) { try input.read() } }
            try output.write("x")
            #expect(try input.read()?.text == "x")
            #expect(throws: CoroError.timeout) {
                try Coroutine.withTimeout(.seconds(5)) { try output.write([UInt8](repeating: 0, count: 1 << 20)) }
            }
            #expect(CoroError.progress == 65536)
        }
    }

    @Test func H17_errors_of_the_system() throws {
        try inCoroutine { () throws in
            let bad = Descriptor(borrowing: 9999)
            #expect(throws: CoroError.system(errno: EBADF)) { try bad.read() }
            #expect(throws: CoroError.system(errno: EBADF)) { try bad.duplicate() }
            let file = try File.open("/etc/passwd")
            #expect(throws: CoroError.system(errno: EPERM)) { try file.waitUntilReadable() }
            #expect(throws: CoroError.system(errno: EBADF)) { try file.write("x") }
        }
    }

    // -- handlers --

    @Test func H14_a_handler_is_called_when_there_is_something() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            let (input, output) = try Descriptor.pipe()
            var read: [String] = []
            try input.onReady(.readable) { [unowned input, token = counter.token()] events in
                withExtendedLifetime(token) {}
                #expect(events == .readable)
                read.append(try input.read()?.text ?? "end")
            }
            #expect(throws: CoroError.simultaneous) { try input.onReady(.readable) { _ in } }
            for text in ["a", "b"] {
                try output.write(text)
                try Coroutine.sleep(for: .seconds(1))
            }
            #expect(read == ["a", "b"])
            #expect(counter.alive == 1)
            try input.removeHandler()
            #expect(counter.alive == 0)
            try output.write("c")
            try Coroutine.sleep(for: .seconds(1))
            #expect(read == ["a", "b"])
            #expect(throws: CoroError.system(errno: ENOENT)) { try input.removeHandler() }
        }
    }

    @Test func H14_once_and_with_errors() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            let (input, output) = try Descriptor.pipe()
            try output.onReady([.readable, .writable], once: true) { [token = counter.token()] events in
                withExtendedLifetime(token) { counter.calls += 1 }
                #expect(events == .writable)
                try Coroutine.sleep(for: .seconds(1))
                throw CoroError.shutdown
            }
            try Coroutine.sleep(for: .milliseconds(1))
            #expect(counter.calls == 1 && counter.alive == 1)
            // While it runs, another may be set.
            try output.onReady(.writable, once: true) { [token = counter.token()] _ in withExtendedLifetime(token) {} }
            try Coroutine.sleep(for: .seconds(2))
            #expect(counter.calls == 1 && counter.alive == 0)
            withExtendedLifetime(input) {}
        }
    }

    @Test func H14_a_handler_ends_with_its_descriptor() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            for end: (Descriptor) throws -> Void in [{ try $0.close() }, { _ = close(try $0.release()) }, { _ in }] {
                var ends: (input: Descriptor, output: Descriptor)? = try Descriptor.pipe()
                try ends!.input.onReady(.readable) { [token = counter.token()] _ in
                    _ = withExtendedLifetime(token) { Issue.record("called") }
                }
                // Ready, but not called yet.
                try ends!.output.write("x")
                try end(ends!.input)
                ends = nil
                try Coroutine.sleep(for: .seconds(1))
                #expect(counter.alive == 0)
            }
        }
    }
}

private func check(_ result: Int32) throws -> Int32 {
    if result < 0 { throw CoroError.system(errno: errno) }
    return result
}
