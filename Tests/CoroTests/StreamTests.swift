import CCoro
import Coro
import Glibc
import Testing

@Suite struct StreamTests {
    @Test func H18_lines() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            let reader = try Reader(input)
            let lines = try start {
                var lines: [String] = []
                while let line = try reader.readLine() { lines.append(line) }
                return lines
            }
            for part in ["one\ntw", "o\r\n\n", "\r\r\n", "äöü\n", "last"] {
                try output.write(part)
                try Coroutine.yieldSlice()
            }
            try output.close()
            #expect(try lines.join() == ["one", "two", "", "\r", "äöü", "last"])
            #expect(try reader.readLine() == nil)
        }
    }

    @Test func H18_by_delimiters_lengths_and_looks() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            let reader = try Reader(input, bufferSize: 16)
            try output.write("head\r\n\r\nbody|rest of it all")
            #expect(try reader.read(until: "\r\n\r\n")?.text == "head\r\n\r\n")
            #expect(try reader.read(exactly: 4).text == "body")
            #expect(try reader.peek(3).starts(with: Array("|re".utf8)))
            try reader.skip(1)
            #expect(reader.bufferedCount >= 2)
            #expect(throws: CoroError.system(errno: EINVAL)) { try reader.skip(1000) }
            #expect(throws: CoroError.system(errno: EINVAL)) { try reader.read(exactly: -1) }
            #expect(throws: CoroError.system(errno: EINVAL)) { try reader.read(until: "") }
            #expect(try reader.read(exactly: 5).text == "rest ")
            #expect(throws: CoroError.system(errno: EOVERFLOW)) { try reader.read(until: [0], limit: 3) }
            try output.close()
            #expect(throws: CoroError.endOfFile) { try reader.read(exactly: 100) }
            #expect(throws: CoroError.system(errno: EOVERFLOW)) { try reader.readToEnd(limit: 8) }
            #expect(try reader.readToEnd().text == "of it all", "errors take nothing")
            #expect(try reader.readToEnd() == [])
            #expect(try reader.read() == nil)
            #expect(try reader.read(until: "x") == nil)
        }
    }

    @Test func H18_an_interruption_loses_nothing() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            let reader = try Reader(input)
            try output.write("half a li")
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try reader.readLine() } }
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try reader.read(exactly: 20) } }
            let first = try start { try reader.readLine() }
            #expect(throws: CoroError.simultaneous) { try reader.readLine() }
            try output.write("ne\nmore")
            #expect(try first.join() == "half a line")
            let second = try start { try reader.readLine() }
            try input.close()
            #expect(throws: CoroError.closed) { try second.join() }
            #expect(throws: CoroError.closed) { try reader.readLine() }
        }
    }

    @Test func H18_a_reader_holds_its_descriptor_and_lets_it_go() throws {
        try inCoroutine { () throws in
            let before = try EventLoop.stats.descriptors
            do {
                let reader: Reader, output: Descriptor
                do {
                    let ends = try Descriptor.pipe()
                    reader = try Reader(ends.input)
                    output = ends.output
                }
                try output.write("x\n")
                #expect(try reader.readLine() == "x")
                let closed = try Descriptor.pipe().input
                try closed.close()
                #expect(throws: CoroError.closed) { try Reader(closed) }
                #expect(throws: CoroError.closed) { try Writer(closed) }
            }
            #expect(try EventLoop.stats.descriptors == before)
        }
    }

    @Test func H18_what_a_closure_delivers() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            do {
                var rest = "one\ntwo\nthree".utf8[...]
                let reader = try Reader { [token = counter.token()] buffer throws(CoroError) in
                    withExtendedLifetime(token) {}
                    try Coroutine.sleep(for: .seconds(1))
                    if rest.first == UInt8(ascii: "t") && counter.calls == 0 {
                        counter.calls += 1
                        throw .system(errno: EIO)
                    }
                    let part = rest.prefix(4)
                    rest = rest.dropFirst(4)
                    buffer.copyBytes(from: part)
                    return part.count
                }
                #expect(try reader.readLine() == "one")
                #expect(throws: CoroError.system(errno: EIO)) { try reader.readLine() }
                #expect(try reader.readLine() == "two")
                #expect(try reader.readToEnd().text == "three")
                #expect(counter.alive == 1)
            }
            #expect(counter.alive == 0)
        }
    }

    @Test func H18_small_pieces_go_out_together() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            let writer = try Writer(output, bufferSize: 64)
            try writer.write("a")
            try writer.write([98, 99])
            try writer.write("")
            #expect(writer.bufferedCount == 3)
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try input.read() } }
            try writer.flush()
            #expect(writer.bufferedCount == 0)
            #expect(try input.read()?.text == "abc")
            try writer.flush()
            // More than the buffer holds, and more than the pipe does.
            let reading = try start { try input.readToEnd().count }
            try writer.write([UInt8](repeating: 1, count: 200_000))
            try writer.flush()
            try output.close()
            #expect(try reading.join() == 200_000)
            try writer.write("lost")
            #expect(throws: CoroError.closed) { try writer.flush() }
            #expect(writer.bufferedCount == 4)
        }
    }

    @Test func H18_an_interrupted_flush_goes_on() throws {
        try inCoroutine { () throws in
            let (input, output) = try Descriptor.pipe()
            let writer = try Writer(output, bufferSize: 1 << 20)
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try writer.write(bytes)
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try writer.flush() } }
            let flushing = try start {
                try writer.flush()
                try output.close()
            }
            #expect(try input.readToEnd() == bytes)
            try flushing.join()
        }
    }

    @Test func H18_what_a_closure_takes() throws {
        try inCoroutine { () throws in
            let counter = Counter()
            do {
                var taken: [UInt8] = []
                let writer = try Writer { [token = counter.token()] bytes throws(CoroError) in
                    withExtendedLifetime(token) {}
                    try Coroutine.yield()
                    if taken.count == 4 && counter.calls == 0 {
                        counter.calls += 1
                        throw .wakeUp
                    }
                    taken += bytes.prefix(2)
                    return min(bytes.count, 2)
                }
                try writer.write("abcdefg")
                #expect(throws: CoroError.wakeUp) { try writer.flush() }
                #expect(writer.bufferedCount == 3)
                try writer.flush()
                #expect(taken.text == "abcdefg")
                try writer.write("dropped with the writer")
                #expect(counter.alive == 1)
            }
            #expect(counter.alive == 0)
        }
    }
}
