import CCoro
import Coro
import Glibc
import Testing

@Suite struct FileTests {
    /// Runs `body` in a coroutine with the path of a directory that is there for as long. On the real clock: threads and the
    /// kernel do what it does.
    private func inDirectory(_ body: @escaping (String) throws -> Void) throws {
        try inCoroutine(onVirtualTime: false) { () throws in
            var template = Array("/tmp/coro-swift-XXXXXX".utf8CString)
            try #require(mkdtemp(&template) != nil)
            let path = template.dropLast().map { UInt8(bitPattern: $0) }.text
            defer { _ = try? ChildProcess.run(["rm", "-r", path]) }
            try body(path)
        }
    }

    @Test func H16_a_file_is_written_and_read() throws {
        try inDirectory { folder in
            let path = folder + "/file"
            try File.writeAll("hello, world", to: path)
            #expect(try File.readAll(path).text == "hello, world")
            try File.writeAll([1, 2, 3], to: path, permissions: 0o600)
            #expect(try File.readAll(path) == [1, 2, 3])
            #expect(throws: CoroError.system(errno: EOVERFLOW)) { try File.readAll(path, limit: 2) }
            #expect(throws: CoroError.system(errno: ENOENT)) { try File.readAll(folder + "/none") }
            #expect(throws: CoroError.system(errno: EINVAL)) { try File.readAll(path + "\0x") }
            let large = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
            try File.writeAll(large, to: path)
            #expect(try File.readAll(path) == large)
        }
    }

    @Test func H16_options_of_opening() throws {
        try inDirectory { folder in
            let path = folder + "/log"
            #expect(throws: CoroError.system(errno: ENOENT)) { try File.open(path, [.write]) }
            do {
                let file = try File.open(path, [.write, .create, .exclusive, .append], permissions: 0o640)
                try file.write("one\n")
                try file.synchronize()
                try file.synchronize(dataOnly: true)
            }
            #expect(throws: CoroError.system(errno: EEXIST)) { try File.open(path, [.write, .create, .exclusive]) }
            let file = try File.open(path, [.read, .write, .append])
            try file.write("two\n")
            #expect(try File.readAll(path).text == "one\ntwo\n")
            #expect(try file.status().permissions == 0o640)
            let read = try File.open(path)
            #expect(throws: CoroError.system(errno: EBADF)) { try read.write("x") }
            _ = try File.open(path, [.write, .truncate])
            #expect(try read.read() == nil)
            #expect("\(read)" == "File \(read.number)")
        }
    }

    @Test func H16_at_offsets() throws {
        try inDirectory { folder in
            let file = try File.open(folder + "/data", [.read, .write, .create])
            try file.write("0123456789".utf8, at: 0)
            try file.write("xy".utf8[...], at: 4)
            #expect(try file.read(upTo: 100, at: 2).text == "23xy6789")
            #expect(try file.read(upTo: 3, at: 10) == [])
            #expect(throws: CoroError.system(errno: EINVAL)) { try file.read(upTo: 3, at: -1) }
            try file.truncate(to: 4)
            #expect(try file.status().size == 4)
            try file.truncate(to: 6)
            #expect(try file.read(upTo: 100, at: 0) == Array("0123\0\0".utf8))
            // Its own position was never moved.
            #expect(try file.read(exactly: 4).text == "0123")
            let reads = try Coroutine.inParallel((0..<20).map { at in { try file.read(upTo: 1, at: at % 4) } })
            #expect(reads.map(\.text) == (0..<20).map { "\($0 % 4)" })
        }
    }

    @Test func H16_paths_and_directories() throws {
        try inDirectory { folder in
            try File.makeDirectory(folder + "/d", permissions: 0o700)
            try File.writeAll("x", to: folder + "/d/b")
            try File.rename(folder + "/d/b", to: folder + "/d/a")
            try File.link(folder + "/d/a", to: folder + "/d/ä c")
            try File.makeSymbolicLink(folder + "/d/l", to: "a")
            #expect(try File.target(ofSymbolicLink: folder + "/d/l") == "a")
            #expect(try File.names(inDirectory: folder + "/d") == ["a", "l", "ä c"])
            #expect(try File.status(of: folder + "/d").kind == .directory)
            #expect(try File.status(of: folder + "/d/l").kind == .regular)
            #expect(try File.status(of: folder + "/d/l", followingLinks: false).kind == .symbolicLink)
            #expect(try File.status(of: "/dev/null").kind == .other)
            let status = try File.status(of: folder + "/d/a")
            #expect(status.size == 1 && status.raw.st_nlink == 2)
            let age = EventLoop.timeSince1970 - status.modified
            #expect(age > .seconds(-3600) && age < .seconds(3600))
            #expect(throws: CoroError.system(errno: ENOTEMPTY)) { try File.removeDirectory(folder + "/d") }
            for name in try File.names(inDirectory: folder + "/d") { try File.remove(folder + "/d/" + name) }
            try File.removeDirectory(folder + "/d")
            #expect(throws: CoroError.system(errno: ENOENT)) { try File.names(inDirectory: folder + "/d") }
            #expect(throws: CoroError.system(errno: EINVAL)) { try File.rename(folder, to: "a\0b") }
            #expect(throws: CoroError.system(errno: EINVAL)) { try File.remove("a\0b") }
            #expect(try File.names(inDirectory: folder) == [])
        }
    }

    // -- watching --

    @Test func H15_what_happens_to_files() throws {
        try inDirectory { folder in
            let watch = try FileWatch()
            let id = try watch.add(folder, [.created, .movedFrom, .movedTo, .removed])
            #expect(try watch.tryNext() == nil)
            let first = try start { try watch.next() }
            #expect(throws: CoroError.simultaneous) { try watch.next() }
            try File.writeAll("x", to: folder + "/a")
            let created = try first.join()
            #expect(created.id == id && created.what == .created && created.name == "a" && created.cookie == 0)
            try File.rename(folder + "/a", to: folder + "/b")
            let from = try watch.next(), to = try watch.next()
            #expect([from.what, to.what] == [.movedFrom, .movedTo])
            #expect([from.name, to.name] == ["a", "b"])
            #expect(from.cookie == to.cookie && from.cookie != 0)
            try File.makeDirectory(folder + "/d")
            #expect(try watch.next().what == [.created, .isDirectory])
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.milliseconds(1)) { try watch.next() } }
            try File.removeDirectory(folder + "/d")
            #expect(try watch.tryNext()?.name == "d")
            try watch.remove(id)
            #expect(try watch.next().what == .ended)
            #expect(throws: CoroError.system(errno: EINVAL)) { try watch.remove(id) }
            #expect(throws: CoroError.system(errno: EINVAL)) { try watch.add("a\0b", .created) }
            #expect(throws: CoroError.system(errno: ENOENT)) { try watch.add(folder + "/none", .created) }
        }
    }

    @Test func H15_a_watch_that_is_dropped_is_freed() throws {
        try inCoroutine { () throws in
            let before = try EventLoop.stats.descriptors
            do {
                let watch = try FileWatch()
                #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try watch.next() } }
                #expect(try EventLoop.stats.descriptors == before + 1)
            }
            #expect(try EventLoop.stats.descriptors == before)
        }
    }

    @Test func H15_timers_as_descriptors() throws {
        try inCoroutine(onVirtualTime: false) { () throws in
            let timer = try Timer(after: .milliseconds(1), every: .milliseconds(1))
            var count = 0
            while count < 3 { count += try timer.wait() }
            try timer.set(after: nil)
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.milliseconds(1)) { try timer.wait() } }
            try timer.set(after: .zero)
            try timer.waitUntilReadable()
            #expect(try timer.wait() == 1)
            #expect(throws: CoroError.system(errno: EINVAL)) { try Timer(after: .seconds(-1)) }
        }
    }
}
