import CCoro
import Coro
import Glibc
import Testing

/// Functions of C, called from Swift as coroutines.
@Suite struct CTargetTests {
    @Test func K1_a_function_of_C_is_a_function_of_Swift() throws {
        let divide = try Target.register(
            "div_t swift_div(int numerator, int denominator = 2)", div as @convention(c) (Int32, Int32) -> div_t,
            as: ((Int32, Int32) throws -> div_t).self)
        let length = try Target.register(
            "size_t (const char *)", dlsym(nil, "strlen"), as: ((String) throws -> UInt).self)
        let free = try Target.register(
            "void (void *)", dlsym(nil, "free"), as: ((UnsafeMutableRawPointer?) throws -> Void).self)
        defer { for target in [divide.target, length.target, free.target] { try? target.unregister() } }
        try inCoroutine {
            let quotient = try divide(17, 5)
            #expect(quotient.quot == 3 && quotient.rem == 2)
            let half = try Target.named("swift_div")(numerator: 9)
            #expect(half.load(as: div_t.self)?.quot == 4)
            #expect(half.load(as: Reading.self) == nil)
            #expect(try length("grün") == 5)
            try free(nil)
            #expect(try free.target(nil) == .nothing)
        }
    }

    @Test func K1_other_types_than_the_prototypes_are_refused() throws {
        let address = dlsym(nil, "abs")
        func message<each Argument: CArgument, Result: CValue>(
            _ prototype: String, _ type: ((repeat each Argument) throws -> Result).Type
        ) throws -> String? {
            let count = Target.all.filter { $0.prototype?.contains("swift_refused") == true }.count
            defer { #expect(Target.all.filter { $0.prototype?.contains("swift_refused") == true }.count == count) }
            return #expect(throws: TargetError.self) { try Target.register(prototype, address, as: type) }?.message
        }
        #expect(
            try message("int swift_refused(int)", ((Int64) throws -> Int32).self)
                == "Swift's (Int64) -> Int32 is not int swift_refused(int): parameter 1 is int64_t")
        #expect(try message("int swift_refused(int)", ((UInt32) throws -> Int32).self)?.hasSuffix("is unsigned int") == true)
        #expect(
            try message("int swift_refused(int)", ((Int32) throws -> Int64).self)?.hasSuffix("the result is int64_t") == true)
        #expect(try message("void swift_refused(int)", ((Int32) throws -> Int32).self)?.hasSuffix("the result is int") == true)
        #expect(
            try message("int swift_refused(int, int)", ((Int32) throws -> Int32).self)?
                .hasSuffix("1 parameters, and 2 in C") == true)
        #expect(try message("int swift_refused(double)", ((Float) throws -> Int32).self)?.hasSuffix("is float") == true)
        #expect(try message("int swift_refused(bool)", ((UInt8) throws -> Int32).self)?.hasSuffix("is uint8_t") == true)
        #expect(try message("int swift_refused(long)", ((OpaquePointer) throws -> Int32).self)?.hasSuffix("is void *") == true)
        // A String's copy must be the coroutine's.
        let pointers = ["char *", "void *", "borrowed const char *", "owned const char *", "const char **", "const char *[]"]
        for parameter in pointers {
            let text = try message("int swift_refused(\(parameter))", ((String) throws -> Int32).self)
            #expect(text?.hasSuffix("parameter 1 is const char *") == true, "\(parameter): \(text ?? "")")
        }
        #expect(throws: TargetError.self) { try Target.register("int (int)", abs, as: ((Int32) throws -> Int32).self) }
        #expect(throws: CoroError.system(errno: EINVAL)) {
            try Target.register("int swift_refused(", address, as: ((Int32) throws -> Int32).self)
        }
        #expect(CoroError.detail.hasPrefix("line 1, column "))
    }

    /// Prototypes whose parameters and results are those of a Swift function, however they are written.
    @Test func K1_prototypes_are_understood_however_they_are_written() throws {
        func accept<each Argument: CArgument, Result: CValue>(
            _ prototypes: [String], _ type: ((repeat each Argument) throws -> Result).Type
        ) throws {
            for prototype in prototypes {
                let failure = error { try Target.register(prototype, dlsym(nil, "abs"), as: type).target.unregister() }
                #expect(failure == nil, "\(prototype)")
            }
        }
        try accept(
            [
                "int (void)", "int()", "signed ()", "signed int (void);", "enum color (void)", "static inline int ()",
                "pid_t (void)",
            ],
            (() throws -> Int32).self)
        try accept(
            [
                "unsigned long (long unsigned int)", "size_t (size_t size)", "uintptr_t (uintmax_t)", "ino_t (dev_t)",
                "unsigned long (unsigned long = 18446744073709551615u)",
            ],
            ((UInt) throws -> UInt).self)
        #if arch(x86_64)
        try accept(
            [
                "double (float, long double)", "double (float a = 1.5f, long double b = 2)",
                "const double (volatile float, double long)",
            ],
            ((Float, Float80) throws -> Double).self)
        #endif
        try accept(
            [
                "char (const char *path, signed char, unsigned char, bool)", "char (char const *, int8_t, uint8_t, _Bool)",
                #"char (const char *a = ",)\"(", char signed b = ')', uint8_t c = '\'', bool d = true)"#,
                "char (const char text[], int8_t, uint8_t, bool)", "char (const char [4], int8_t, uint8_t, bool)",
            ],
            ((String, Int8, UInt8, Bool) throws -> CChar).self)
        try accept(
            [
                "void *(int (*compare)(const void *, const void *), char **)",
                "FILE *(const char *const names[], borrowed const char *)",
                "void (*swift_handler(int *, void (*)(int)))(int)", "void (*(int *, void (*handler)(int)))(int)",
                "int *(int grid[][4], const char *(*)(void))", "coro_fn (coro_fn fn, struct unknown *)",
            ],
            ((OpaquePointer?, UnsafeRawPointer?) throws -> UnsafeMutablePointer<CChar>?).self)
        // What a struct is called is known once Swift has told of it.
        try accept(["div_t (struct div_t, div_t pair)"], ((div_t, div_t) throws -> div_t).self)
    }

    @Test func K3_texts_are_passed_where_somebody_keeps_a_copy_alone() throws {
        let target = try Target.register(
            """
            size_t swift_texts(const char *path, owned char *owned, borrowed const char *borrowed = NULL,
                               void *(*call)(char *path) = NULL)
            """,
            dlsym(nil, "strlen"),
            as: ((String, OpaquePointer?, OpaquePointer?, OpaquePointer?) throws -> UInt).self
        ).target
        defer { try? target.unregister() }
        func message(_ body: () throws -> Void) -> String? { #expect(throws: TargetError.self) { try body() }?.message }
        try inCoroutine { () throws in
            #expect(try target("abc", nil) == .unsigned(3))
            #expect(try target(path: "abcd", owned: nil, thread_name: "counts") == .unsigned(4))
            #expect(message { try target("a", "b") }?.contains("'owned char *owned'") == true)
            #expect(message { try target("a", owned: "b") }?.contains("'owned char *owned'") == true)
            #expect(message { try target("a", nil, "b") }?.contains("'borrowed const char *borrowed") == true)
            #expect(message { try target("a", nil, call: "b") }?.contains("(*call)") == true)
            #expect(message { _ = try target.spawn(["a"], ["owned": "b"]) }?.contains("'owned char *owned'") == true)
        }
    }

    @Test func K4_what_a_target_returned_is_kept_whoever_joins() throws {
        let absolute = try Target.register("int (int)", dlsym(nil, "abs"), as: ((Int32) throws -> Int32).self)
        defer { try? absolute.target.unregister() }
        EventLoop.onFailure { _, _, _ in }
        defer { EventLoop.onFailure(nil) }
        try inCoroutine {
            let coroutine = try absolute.spawn(-3, start: .later)
            try coroutine.start()
            var second: Coroutine<Int32, any Error>?
            let first = try start {
                let result = try coroutine.join()
                // It was to return the same.
                try #require(coro_raise(try #require(second).id, CORO_EINTERRUPTED, 0) == 0)
                return result
            }
            second = try start { try coroutine.join() }
            #expect(try first.join() == 3)
            #expect(throws: CoroError.interrupted) { try second?.join() }
            #expect(try coroutine.join() == 3)
        }
    }

    @Test func D_a_call_is_interrupted_as_if_it_were_the_callers_own() throws {
        let sleep = try Target.register(
            "int (int64_t)", coro_sleep as @convention(c) (Int64) -> Int32, as: ((Int64) throws -> Int32).self)
        let long: Int64 = 1_000_000_000_000
        let closure = try Target.register("swift_sleeping") { (isKept: Bool) throws -> Bool in
            do { try sleepLong() } catch CoroError.interrupted where isKept { return true }
            return false
        }
        defer { for target in [sleep.target, closure.target] { try? target.unregister() } }
        EventLoop.onFailure { _, _, _ in }
        defer { EventLoop.onFailure(nil) }
        try inCoroutine {
            let start = EventLoop.now
            #expect(try sleep(1_000_000_000) == 0)
            #expect(EventLoop.now - start == .seconds(1))
            // C's function returns what it was interrupted with; the time has run out all the same.
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try sleep(long) } }
            #expect(throws: CoroError.timeout) { try Coroutine.withTimeout(.seconds(1)) { try closure(false) } }
            // What a call makes of it is its own.
            let interrupted = try CoroTests.start { try closure(true) }
            try Coroutine.sleep(for: .seconds(1))
            try interrupted.any.interrupt()
            #expect(try interrupted.join())
            let ended = try CoroTests.start { try closure(true) }
            try Coroutine.sleep(for: .seconds(1))
            try ended.shutdown()
            #expect(throws: CoroError.shutdown) { try ended.join() }
            // One that never ran is cancelled.
            let cancelled = try CoroTests.start {
                try Coroutine.current?.shutdown()
                return try closure(true)
            }
            #expect(throws: CoroError.shutdown) { try cancelled.join() }
            #expect(EventLoop.now - start == .seconds(5))
        }
    }

    /// On a thread of its own: to this one, others may have been given the means to post.
    @Test func D_a_call_that_can_never_end_is_a_deadlock() throws {
        let park = try Target.register("swift_parking") { while error(of: { try Coroutine.park() }) != nil {} }
        defer { try? park.target.unregister() }
        let (failure, left) = try onThread {
            let failure = error { try park() } as? CoroError
            try AnyCoroutine.all.first?.schedule()
            try EventLoop.runUntilIdle()
            return (failure, coro_get_live_coros())
        }
        #expect(failure == .system(errno: EDEADLK) && left == 0)
    }

    @Test func K3_what_is_in_the_names_of_parameters_is_no_more_than_names() throws {
        func register(_ parameters: [String], name: String = "swift_named") throws {
            try Target.register(name, parameters: parameters) { (a: Int32, b: String) in a }.target.unregister()
        }
        try register(["a", "b"])
        try register(["a = 1", #"b = ",)(""#])
        #expect(throws: TargetError.self) { try register(["a"]) }
        #expect(throws: TargetError.self) { try register(["a", "b, int c"]) }
        #expect(throws: TargetError.self) { try register(["a", "b"], name: "not a name") }
        #expect(throws: CoroError.system(errno: EINVAL)) { try register(["a", "a"]) }
        #expect(throws: CoroError.system(errno: EINVAL)) { try register(["a", "b)(int"]) }
        #expect(throws: CoroError.system(errno: EINVAL)) { try register(["a", "b); int other(int c, const char *d"]) }
    }
}

/// Row A6: an object that runs.
@Suite struct RunnableTests {
    class Worker: Runnable {
        let token: Counter.Token
        init(_ counter: Counter) { token = counter.token() }
        func run() throws -> String { "nothing to do" }
    }

    final class Sleeper: Worker {
        override func run() throws -> String {
            try Coroutine.sleep(for: .seconds(1))
            return Coroutine.current?.name ?? ""
        }
    }

    @Test func A6_a_subclass_says_what_is_run() throws {
        let counter = Counter()
        try inCoroutine {
            let objects = [Worker(counter), Sleeper(counter)]
            let coroutines = try objects.map { try $0.spawn() }
            #expect(try coroutines.map { try $0.join() } == ["nothing to do", "Sleeper"])
            #expect(try Sleeper(counter).spawn(name: "other").join() == "other")
        }
        #expect(counter.alive == 0)
    }
}
