import CCoro
import Coro
import Testing

@Suite struct StatsTests {
    @Test func J10_what_there_is_and_what_has_happened() throws {
        try inCoroutine { () throws in
            let before = try EventLoop.stats
            let sleeper = try start { try sleepLong() }
            let runnable = try Coroutine.spawn {}
            var ends: [Int32] = [0, 0]
            try checked(coro_pipe(&ends, 0))
            let reader = try start {
                var byte: UInt8 = 0
                try checked(coro_read(ends[0], &byte, 1))
            }
            let stats = try EventLoop.stats
            #expect(stats.coroutines == before.coroutines + 3)
            #expect(stats.created == before.created + 3)
            #expect(stats.runnable == before.runnable + 1)
            #expect(stats.timers == before.timers + 1)
            #expect(stats.descriptors == before.descriptors + 2)
            #expect(stats.descriptorWaiters == before.descriptorWaiters + 1)
            #expect(stats.switches > before.switches)
            #expect(stats.stacksInUse >= 2 && stats.stackBytes > 0)

            try runnable.join()
            try sleeper.shutdown()
            try reader.shutdown()
            #expect(throws: CoroError.shutdown) { try sleeper.join() }
            #expect(throws: CoroError.shutdown) { try reader.join() }
            for end in ends { try checked(coro_close(end)) }
            let after = try EventLoop.stats
            #expect(after.stacksInUse == before.stacksInUse)
            #expect(after.descriptors == before.descriptors && after.timers == before.timers)
            #expect(after.created == stats.created)
            #expect(after.passes >= stats.passes && after.polls >= stats.polls && after.batches >= stats.batches)
        }
    }
}
