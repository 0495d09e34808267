import CCoro
import Coro
import Glibc
import Testing

/// The Swift of docs/targets-in-swift.md: that it does what is said there.
@Suite struct TargetSnippets {
    @Test func closures() throws {
        try onThread {
            let print = Printer()

            let resize = try Target.register("resize", parameters: ["path", "width = 800"]) { (path: String, width: Int32) in
                try Coroutine.sleep(for: .milliseconds(10))  // it may do all that coroutines may
                return Int32(path.utf8.count) * width
            }
            print(resize.target.prototype ?? "")  // int resize(const char *path, int width = 800)

            print(try resize("a.png", 640))  // called: it runs in a coroutine, whose end is waited for
            let later = try resize.spawn("b.png", 320)
            print(try later.join())

            try resize.target.unregister()

            #expect(print.lines == ["int resize(const char *path, int width = 800)", "3200", "1600"])
        }
    }

    @Test func values() throws {
        try onThread {
            let made = try Target.register("scale", parameters: ["path", "width = 800"]) {
                (path: String, width: UInt16) in width
            }
            defer { try? made.target.unregister() }
            let print = Printer()

            let scale = try Target.named("scale")
            print(try scale("a.png"))
            print(try scale("a.png", width: 640))
            let coroutine = try scale.spawn(["a.png"], ["width": 320], name: "small")
            print(try coroutine.join())
            do {
                try scale("a.png", width: 70_000)
            } catch {
                print(error)
                print(CoroError.detail)  // names the parameter
            }

            #expect(print.lines.prefix(3) == ["unsigned(800)", "unsigned(640)", "unsigned(320)"])
            #expect(print.lines.last?.contains("width") == true)
        }
    }

    @Test func functionsOfC() throws {
        try onThread {
            let print = Printer()

            let divide = try Target.register(
                "div_t div(int numerator, int denominator)", dlsym(nil, "div"), as: ((Int32, Int32) throws -> div_t).self)
            print(try divide(17, 5).quot)

            let named = try Target.named("div", as: ((Int32, Int32) throws -> div_t).self)
            print(try named(17, 5).rem)
            do {
                _ = try Target.named("div", as: ((Int64, Int64) throws -> div_t).self)
            } catch {
                print(error)
            }

            try divide.target.unregister()
            let message =
                "Swift's (Int64, Int64) -> div_t is not div_t div(int numerator, int denominator): parameter 1 is int64_t"
            #expect(print.lines == ["3", "2", message])
        }
    }

    @Test func functionPointers() throws {
        try onThread {
            var numbers: [Int32] = [30, 4, 200]
            func rank(_ number: Int32) throws -> Int32 {
                try Coroutine.sleep(for: .milliseconds(1))
                return -number
            }

            let compare = try CFunctionPointer(.call) { (a: UnsafePointer<Int32>, b: UnsafePointer<Int32>) throws -> Int32 in
                try rank(a.pointee) - rank(b.pointee)  // may suspend
            }
            typealias Compare = @convention(c) (UnsafeRawPointer?, UnsafeRawPointer?) -> Int32
            compare.withPointer(as: Compare.self) { qsort(&numbers, numbers.count, MemoryLayout<Int32>.stride, $0) }
            if let error = compare.error { throw error }

            #expect(numbers == [200, 30, 4])
        }
    }
}
