import CCoro
import Coro
import Glibc
import Testing

/// Signals are the process's, and tests run beside each other: each has a signal of its own.
@Suite struct SignalTests {
    @Test func G6_handlers_are_coroutines_and_the_others_run_on() throws {
        try letting(40) {
            try inCoroutine { () throws in
                var order = [String]()
                try EventLoop.onSignal(40) { signum in
                    order.append("\(signum) in \(Coroutine.current?.name ?? "")")
                    try Coroutine.sleep(for: .seconds(5))
                    order.append("awake")
                }
                for number in 0..<3 {
                    order.append("\(number)")
                    if number < 2 { raise(40) }
                    try Coroutine.sleep(for: .seconds(2))
                }
                try Coroutine.sleep(for: .seconds(2))
                try EventLoop.removeSignalHandler(40)
                let name = "40 in signal SIGRTMIN+6"
                #expect(order == ["0", name, "1", name, "2", "awake", "awake"])
            }
        }
    }

    @Test func G5_serial_handlers_run_one_after_the_other() throws {
        try letting(41) {
            try inCoroutine { () throws in
                var running = 0, most = 0, ended = 0
                try EventLoop.onSignal(41, serial: true) { _ in
                    running += 1
                    most = max(most, running)
                    try Coroutine.sleep(for: .seconds(1))
                    running -= 1
                    ended += 1
                }
                for _ in 0..<3 { raise(41) }
                try Coroutine.sleep(for: .seconds(10))
                #expect(most == 1)
                #expect(ended == 3)
                try EventLoop.removeSignalHandler(41)
            }
        }
    }

    @Test func G5_once_is_once() throws {
        let counter = Counter()
        try letting(42) {
            try inCoroutine { () throws in
                func register() throws {
                    try EventLoop.onSignal(42, once: true) { [token = counter.token()] _ in
                        counter.calls += 1
                        try Coroutine.sleep(for: .seconds(5))
                        withExtendedLifetime(token) {}
                    }
                }
                try register()
                raise(42)
                try Coroutine.sleep(for: .seconds(1))
                #expect(counter.calls == 1)
                #expect(counter.alive == 1, "its only call runs")
                #expect(throws: CoroError.system(errno: ENOENT)) { try EventLoop.removeSignalHandler(42) }
                // The next, before the first has ended.
                try register()
                #expect(counter.alive == 2)
                raise(42)
                try Coroutine.sleep(for: .seconds(10))
                #expect(counter.calls == 2)
                #expect(counter.alive == 0)
            }
        }
    }

    /// Goes on when the loop has made a coroutine for a signal, before that runs.
    private func awaitDelivery() throws {
        func handler() -> AnyCoroutine? { AnyCoroutine.all.first { $0.name.hasPrefix("signal ") } }
        while handler() == nil { try Coroutine.yield() }
        try #require(handler()?.switches == 0)
    }

    @Test func G5_a_once_that_is_still_to_be_called_is_called_whatever_is_registered_meanwhile() throws {
        try letting(43) {
            try inCoroutine { () throws in
                var calls = [String]()
                try EventLoop.onSignal(43, once: true) { _ in calls.append("first") }
                raise(43)
                try awaitDelivery()
                try EventLoop.onSignal(43) { _ in calls.append("second") }
                #expect(calls == [])
                raise(43)
                try Coroutine.sleep(for: .seconds(1))
                #expect(calls == ["first", "second"])
                try EventLoop.removeSignalHandler(43)
            }
        }
    }

    @Test func G5_registering_twice_is_refused_and_releases_the_closure() throws {
        let counter = Counter()
        try EventLoop.onSignal(44) { [token = counter.token()] _ in withExtendedLifetime(token) {} }
        #expect(throws: CoroError.simultaneous) {
            try EventLoop.onSignal(44) { [token = counter.token()] _ in withExtendedLifetime(token) {} }
        }
        #expect(counter.alive == 1)
        try EventLoop.removeSignalHandler(44)
        #expect(counter.alive == 0)
        #expect(throws: CoroError.system(errno: ENOENT)) { try EventLoop.removeSignalHandler(44) }
        #expect(throws: CoroError.system(errno: EINVAL)) { try EventLoop.onSignal(SIGKILL) { _ in } }
        #expect(throws: CoroError.system(errno: EINVAL)) { try EventLoop.removeSignalHandler(1000) }
    }

    @Test func G5_handlers_that_run_go_on_when_it_is_removed() throws {
        let counter = Counter()
        try letting(45) {
            try inCoroutine { () throws in
                try EventLoop.onSignal(45) { [token = counter.token()] _ in
                    try Coroutine.sleep(for: .seconds(5))
                    withExtendedLifetime(token) { counter.calls += 1 }
                }
                raise(45)
                try Coroutine.sleep(for: .seconds(1))
                try EventLoop.removeSignalHandler(45)
                #expect(counter.alive == 1)
                #expect(counter.calls == 0)
                try Coroutine.sleep(for: .seconds(10))
                #expect(counter.calls == 1)
                #expect(counter.alive == 0)
            }
        }
    }

    @Test func G5_no_handler_begins_when_it_was_removed() throws {
        let counter = Counter()
        try letting(46) {
            try inCoroutine { () throws in
                try EventLoop.onSignal(46) { [token = counter.token()] _ in withExtendedLifetime(token) { counter.calls += 1 } }
                raise(46)
                try awaitDelivery()
                try EventLoop.removeSignalHandler(46)
                #expect(counter.alive == 0)
                try Coroutine.sleep(for: .seconds(1))
                #expect(counter.calls == 0)
            }
        }
    }

    @Test func G5_a_handler_that_throws_is_reported_and_the_next_is_called() throws {
        var failures = [String]()
        EventLoop.onFailure { coroutine, error, _ in failures.append("\(coroutine.name): \(error)") }
        defer { EventLoop.onFailure(nil) }
        try letting(47) {
            try inCoroutine { () throws in
                try EventLoop.onSignal(47) { _ in throw Odd(number: 5) }
                for _ in 0..<2 {
                    raise(47)
                    try Coroutine.sleep(for: .seconds(1))
                }
                try EventLoop.removeSignalHandler(47)
            }
        }
        let failure = "signal SIGRTMIN+13: Odd(number: 5)"
        #expect(failures == [failure, failure])
    }

    @Test func G5_registrations_end_with_their_thread() throws {
        let counter = Counter()
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { counter in
                let counter = Unmanaged<Counter>.fromOpaque(counter!).takeUnretainedValue()
                let failure = CoroTests.error {
                    try EventLoop.onSignal(48) { [token = counter.token()] _ in withExtendedLifetime(token) {} }
                }
                if failure == nil { counter.calls += 1 }
                return nil
            }, Unmanaged.passUnretained(counter).toOpaque())
        try #require(error == 0)
        pthread_join(thread, nil)
        #expect(counter.calls == 1)
        #expect(counter.alive == 0)
        try EventLoop.onSignal(48) { _ in }
        try EventLoop.removeSignalHandler(48)
    }
}
