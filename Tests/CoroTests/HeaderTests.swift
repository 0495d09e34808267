import CCoro
import Testing

/// What Swift sees of coro.h: constants, structs and functions, without the Swift API around them.
@Suite struct HeaderTests {
    @Test func constantsAreImported() {
        #expect(coro_forever == .max)
        #expect(coro_nanoseconds_per_second == 1_000_000_000)
        #expect(CORO_EDEAD == -5002)
        #expect(coro_version_number() == CORO_VERSION_NUMBER)
        #expect(String(cString: coro_version()) == "0.1.0")
    }

    @Test func allZeroesAreTheDefaultOptions() {
        var options = coro_options()
        coro_options_init(&options)
        #expect(options.struct_size == MemoryLayout<coro_options>.size)
        #expect(options.name == nil && options.stack_size == 0 && options.flags == 0 && options.release == nil)
    }

    @Test func aClosureRunsAsACoroutine() throws {
        try onThread {
            var result: UnsafeMutableRawPointer?
            let co = coro_spawn({ argument in
                coro_sleep(1_000_000) == 0 ? argument : nil
            }, UnsafeMutableRawPointer(bitPattern: 42))
            #expect(co > 0)
            #expect(coro_join(co, &result, coro_forever) == 0)
            #expect(result == UnsafeMutableRawPointer(bitPattern: 42))
            #expect(coro_join(co, nil, 0) == CORO_EDEAD)
        }
    }
}
