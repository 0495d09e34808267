import CCoro
import Coro
import Glibc
import Testing

extension div_t: CStruct {
    public static let cName = "div_t"
    public static let cFields = "int quot; int rem;"
}

/// A struct of Swift's own, laid out as C would: with padding inside, and at its end.
struct Reading: CStruct, Equatable {
    static let cName = "swift_reading"
    static let cFields = "char kind; double value; short unit;"
    var kind: CChar
    var value: Double
    var unit: Int16
}

/// Typed targets from Swift: closures, and functions of C. Targets belong to the process and tests run side by side, so each
/// test has names of its own.
@Suite struct TargetTests {
    @Test func K7_a_closure_is_a_target() throws {
        let resize = try Target.register("swift_resize", parameters: ["path", "width = 800"]) { (path: String, width: Int32) in
            try Coroutine.yield()
            return Int32(path.utf8.count) * width
        }
        defer { try? resize.target.unregister() }
        #expect(resize.target.prototype == "int swift_resize(const char *path, int width = 800)")
        try inCoroutine {
            // Typed, and by itself.
            #expect(try resize("a.png", 640) == 3200)
            let later = try resize.spawn("b", 7)
            #expect(later.any.name == "swift_resize")
            #expect(try later.join() == 7)
            // As every other language sees it.
            let found = try Target.named("swift_resize")
            #expect(found == resize.target)
            #expect(try found("a.png") == .signed(4000))
            #expect(try found("a.png", 2) == .signed(10))
            #expect(try found("a.png", width: 3) == .signed(15))
            #expect(try found.spawn([], ["width": 4, "path": "ab"]).join() == .signed(8))
            // And found with its types again: then it goes through C.
            let typed = try Target.named("swift_resize", as: ((String, Int32) throws -> Int32).self)
            #expect(try typed("grün.png", 1) == 9)
            let coroutine = try typed.spawn("a", 2)
            #expect(coroutine.any.name == "swift_resize")
            #expect(try coroutine.join() == 2)
            #expect(try coroutine.join() == 2, "a result can be taken again")
        }
    }

    /// Through C and back, as an argument and as the result.
    private func passThroughC<Value: CValue & Equatable>(_ values: Value...) throws {
        let name = "swift_same_\(Value.self)".filter { $0.isLetter || $0.isNumber || $0 == "_" }
        let target = try Target.register(name) { (value: Value) in value }
        defer { try? target.target.unregister() }
        let same = try Target.named(name, as: ((Value) throws -> Value).self)
        for value in values { #expect(try same(value) == value) }
    }

    @Test func K2_all_types_pass_through_C() throws {
        try onThread {
            try passThroughC(Int8.min, .max)
            try passThroughC(Int16.min, .max)
            try passThroughC(Int32.min, .max)
            try passThroughC(Int64.min, .max)
            try passThroughC(Int.min, .max)
            try passThroughC(UInt8.min, .max)
            try passThroughC(UInt16.min, .max)
            try passThroughC(UInt32.min, .max)
            try passThroughC(UInt64.min, .max)
            try passThroughC(UInt.min, .max)
            try passThroughC(true, false)
            try passThroughC(Float.pi, -.infinity, .leastNonzeroMagnitude)
            try passThroughC(Double.pi, -.infinity, .leastNonzeroMagnitude)
            #if arch(x86_64)
            try passThroughC(Float80.pi, -.infinity, .greatestFiniteMagnitude)
            #endif
            let memory = UnsafeMutablePointer<Int>.allocate(capacity: 1)
            defer { memory.deallocate() }
            try passThroughC(memory)
            try passThroughC(UnsafePointer(memory))
            try passThroughC(UnsafeRawPointer(memory))
            try passThroughC(UnsafeMutableRawPointer(memory))
            try passThroughC(OpaquePointer(memory))
            try passThroughC(memory, nil)
            try passThroughC(UnsafeRawPointer(memory), nil)
            try passThroughC(Reading(kind: -1, value: .pi, unit: .min))
        }
    }

    @Test func K2_texts_and_nothing() throws {
        try onThread {
            let length = try Target.register("swift_length") { (text: String?) in text.map(\.utf8.count) ?? -1 }
            let nothing = try Target.register("swift_nothing") {}
            defer { for target in [length.target, nothing.target] { try? target.unregister() } }
            #expect(nothing.target.prototype == "void swift_nothing(void)")
            let typed = try Target.named("swift_length", as: ((String?) throws -> Int).self)
            #expect(try typed("grün") == 5)
            #expect(try typed(nil) == -1)
            #expect(try Target.named("swift_nothing")() == .nothing)
            try Target.named("swift_nothing", as: (() throws -> Void).self)()
            let error = #expect(throws: TargetError.self) { try typed("a\0b") }
            #expect(error?.message == #"a text for C has a NUL in it: "a\0b""#)
        }
    }

    @Test func K3_more_arguments_than_registers() throws {
        try onThread {
            let target = try Target.register("swift_many") {
                (a: Int8, b: Double, c: UInt16, d: Float, e: Int32, f: Double, g: Int64, h: Bool, i: UInt8, j: Int, k: div_t) in
                #expect(b == 2 && d == 4 && f == 6 && h)
                let integers: [any BinaryInteger] = [a, c, e, g, i, j, k.quot, k.rem]
                return integers.map { Int($0) }.reduce(0, +)
            }
            defer { try? target.target.unregister() }
            let sum = try Target.named("swift_many")(
                1, 2.0, 3, 4.0, 5, 6.0, 7, true, 9, 10, .of(div_t(quot: 11, rem: 12)))
            #expect(sum == .signed(1 + 3 + 5 + 7 + 9 + 10 + 11 + 12))
        }
    }

    @Test func K3_wrong_arguments_are_errors_that_name_the_parameter() throws {
        let target = try Target.register("swift_narrow", parameters: ["path", "width"]) { (_: String, width: UInt8) in width }
        defer { try? target.target.unregister() }
        func detail(_ code: Int32, _ body: () throws -> Void) -> String {
            #expect(throws: CoroError.system(errno: code)) { try body() }
            return CoroError.detail
        }
        let any = target.target
        #expect(detail(EINVAL) { try any("a") }.contains("width"))
        #expect(detail(ERANGE) { try any("a", 256) }.contains("width"))
        #expect(detail(EINVAL) { try any("a", "b") }.contains("width"))
        #expect(detail(EINVAL) { try any("a", height: 2) }.contains("height"))
        #expect(detail(EINVAL) { try any(1, 2) }.contains("path"))
        #expect(detail(EINVAL) { try any("a", .nothing) }.contains("width"))
        #expect(detail(EINVAL) { try any("a", .bytes([])) }.contains("width"))
        #expect(detail(EINVAL) { try any("a", .omitted) }.contains("width"))
        #expect(detail(EINVAL) { try any("a", 1, 2) } != "")
        #expect(throws: CoroError.system(errno: ENOENT)) { try Target.named("swift_nobody") }
        #expect(coro_get_live_coros() == 0)
    }

    @Test func K4_errors_go_to_join() throws {
        let target = try Target.register("swift_failing") { (number: Int32) -> Int32 in
            if number < 0 { throw CoroError.closed }
            throw Odd(number: Int(number))
        }
        defer { try? target.target.unregister() }
        EventLoop.onFailure { _, _, _ in }
        defer { EventLoop.onFailure(nil) }
        try inCoroutine {
            let coroutine = try target.spawn(7)
            #expect(throws: Odd(number: 7)) { try coroutine.join() }
            #expect(throws: Odd(number: 7)) { try target(7) }
            let named = try Target.named("swift_failing", as: ((Int32) throws -> Int32).self)
            let failed = try named.spawn(7)
            #expect(throws: CoroError.failed) { try failed.join() }
            #expect(throws: CoroError.failed, "as often as one likes") { try failed.join() }
            #expect(throws: CoroError.closed) { try named(-1) }
            #expect(throws: CoroError.closed) { try Target.named("swift_failing")(-1) }
        }
    }

    @Test func K4_the_failure_is_told_with_the_error_itself() throws {
        try onThread {
            let target = try Target.register("swift_telling") { () -> Int32 in throw Odd(number: 3) }
            defer { try? target.target.unregister() }
            var told: [(any Error)?] = []
            EventLoop.onFailure { _, error, _ in told.append(error) }
            defer { EventLoop.onFailure(nil) }
            #expect(throws: CoroError.failed) { try Target.named("swift_telling")() }
            #expect(told.map { $0 as? Odd } == [Odd(number: 3)])
        }
    }

    @Test func K4_NULL_for_what_is_not_optional_fails() throws {
        try onThread {
            let target = try Target.register("swift_strict") { (path: String, _: UnsafeRawPointer) in path.utf8.count }
            defer { try? target.target.unregister() }
            var messages: [String] = []
            EventLoop.onFailure { _, _, message in messages.append(message) }
            defer { EventLoop.onFailure(nil) }
            #expect(throws: CoroError.system(errno: EINVAL)) { try target.target(nil, nil) }
            #expect(throws: CoroError.system(errno: EINVAL)) { try target.target("a", nil) }
            #expect(
                messages == [
                    "argument 1 is NULL, for which Swift's String has no value",
                    "argument 2 is NULL, for which Swift's UnsafeRawPointer has no value",
                ])
            let search = try Target.register(
                "char *(borrowed const char *, int)", dlsym(nil, "strchr"),
                as: ((UnsafePointer<CChar>, Int32) throws -> UnsafePointer<CChar>).self)
            defer { try? search.target.unregister() }
            try "abc".withCString { text throws in
                #expect(try search(text, Int32(UInt8(ascii: "c"))) == text + 2)
                let error = #expect(throws: TargetError.self) { try search(text, Int32(UInt8(ascii: "d"))) }
                #expect(error?.message.hasPrefix("the result is NULL") == true)
            }
        }
    }

    @Test func K5_the_closure_is_released_when_the_last_use_is_over() throws {
        let counter = Counter()
        func register() throws -> Target {
            nonisolated(unsafe) let token = counter.token()
            return try Target.register("swift_released") { (isParked: Bool) throws -> Bool in
                if isParked { try Coroutine.park() }
                return withExtendedLifetime(token) { isParked }
            }.target
        }
        try inCoroutine {
            let target = try register()
            #expect(Target.all.contains(target) && target.isRegistered)
            #expect(throws: CoroError.system(errno: EEXIST)) { try register() }
            #expect(counter.alive == 1, "the closure that was refused is released")
            #expect(try target(false) == .unsigned(0))
            let running = try target.spawn([true], start: .now)
            let queued = try target.spawn([false])
            let unstarted = try target.spawn([false], start: .later)
            try target.unregister()
            #expect(!Target.all.contains(target) && !target.isRegistered && target.prototype == nil)
            #expect(throws: CoroError.system(errno: ESRCH)) { try target.unregister() }
            #expect(throws: CoroError.system(errno: ESRCH)) { try target(false) }
            #expect(throws: CoroError.system(errno: ENOENT)) { try Target.named("swift_released") }
            #expect(counter.alive == 1)
            #expect(try queued.join() == .unsigned(0))
            try unstarted.shutdown()
            #expect(throws: CoroError.shutdown) { try unstarted.join() }
            #expect(counter.alive == 1)
            try running.any.schedule()
            #expect(try running.join() == .unsigned(1))
            #expect(counter.alive == 0)
        }
    }

    @Test func K5_nothing_is_made_of_a_function_that_was_unregistered() throws {
        try onThread {
            let counter = Counter()
            func use() throws {
                nonisolated(unsafe) let token = counter.token()
                let function = try Target.register("swift_gone") { withExtendedLifetime(token) { true } }
                let named = try Target.named("swift_gone", as: (() throws -> Bool).self)
                #expect(try function() && named())
                try function.target.unregister()
                #expect(throws: CoroError.system(errno: ESRCH)) { try function() }
                #expect(throws: CoroError.system(errno: ESRCH)) { try named.spawn() }
            }
            try use()
            #expect(counter.alive == 0)
            #expect(coro_get_live_coros() == 0)
        }
    }

    @Test func K5_any_thread_can_use_it() throws {
        let target = try Target.register("swift_anywhere") { (a: Int32, b: Int32) in
            try Coroutine.yield()
            return a + b
        }
        defer { try? target.target.unregister() }
        let sums = try onThread {
            let named = try Target.named("swift_anywhere", as: ((Int32, Int32) throws -> Int32).self)
            return [try target(1, 2), try named(3, 4)]
        }
        #expect(sums == [3, 7])
    }

    @Test func a_coroutine_of_a_target_is_made_as_others_are() throws {
        let target = try Target.register("swift_made") { (number: Int32) -> Int32 in
            try Coroutine.yield()
            return number
        }
        defer { try? target.target.unregister() }
        let functions = [target, try Target.named("swift_made", as: ((Int32) throws -> Int32).self)]
        try inCoroutine {
            for function in functions {
                let now = try function.spawn(1, name: "quick", start: .now)
                #expect(now.any.name == "quick" && now.any.switches == 1)
                #expect(throws: CoroError.timeout) { try now.join(timeout: .zero) }
                #expect(try now.join() == 1)
                let later = try function.spawn(2, start: .later)
                try Coroutine.sleep(for: .seconds(1))
                #expect(later.any.switches == 0)
                try later.start()
                #expect(try later.join() == 2)
                #expect(throws: CoroError.system(errno: EINVAL)) { try function.spawn(3, stackSize: 1) }
            }
        }
    }
}
