import CCoro
import Coro
import Glibc
import Testing

/// Calls that would suspend a task of Swift's, whose thread is not ours to hold up, are refused with a text that says so. The
/// bodies of these tests run in tasks.
@Suite struct SwiftTaskTests {
    @Test func L3_a_call_on_a_tasks_own_stack_is_refused() throws {
        let coroutine = try Coroutine.spawn { 42 }
        #expect(throws: CoroError.yieldFromMain) { try coroutine.join() }
        #expect(String(cString: coro_error_detail()).contains("this is a Swift task"))
        #expect(coro_sleep(1) == CORO_EYIELDFROMMAIN)
        #expect(coro_yield() == CORO_EYIELDFROMMAIN)
        #expect(coro_blocking({ $0 }, nil, nil) == CORO_EYIELDFROMMAIN)
        #expect(throws: CoroError.yieldFromMain) { try Coroutine.inParallel([{ 1 }]) }
        try EventLoop.runUntilIdle() // which holds the thread, as it says
        #expect(try coroutine.join() == 42) // which need not wait any more
    }

    @Test func L3_also_in_a_detached_task_and_after_an_await() async {
        let codes = await Task.detached {
            let first = sleepHere()
            await Task.yield()
            return [first, sleepHere()]
        }.value
        #expect(codes == [CORO_EYIELDFROMMAIN, CORO_EYIELDFROMMAIN])
    }

    @Test func L3_coroutines_of_a_loop_in_a_task_may_suspend() throws {
        try inCoroutine {
            try Coroutine.sleep(for: .seconds(1))
            let inner = try Coroutine.spawn(start: .now) {
                try Coroutine.yield()
                return 1
            }
            #expect(try inner.join() == 1)
        }
    }

    @Test func L3_one_started_at_once_by_a_task_may_suspend() throws {
        let coroutine = try Coroutine.spawn(start: .now) {
            try Coroutine.yield()
            return 1
        }
        #expect(throws: CoroError.yieldFromMain) { try coroutine.join() } // but not the task itself
        try EventLoop.runUntilIdle()
        #expect(try coroutine.join() == 1)
    }

    @Test func L3_a_thread_without_a_task_waits_as_ever() throws {
        let code = try onThread { try Coroutine.spawn { 42 }.join() + Int(sleepHere()) }
        #expect(code == 42)
    }
}

private func sleepHere() -> Int32 { coro_sleep(1000) }
