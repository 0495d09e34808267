import CCoro
import Glibc

/// A group of coro.h, until it is left.
final class GroupScope {
    /// nil once it was left.
    private var group: OpaquePointer?

    init(limit: Int, cancelsOnFailure: Bool) throws(CoroError) {
        if limit < 1 { throw .system(errno: EINVAL) }
        var options = coro_group_options()
        coro_group_options_init(&options)
        options.limit = limit
        options.flags = cancelsOnFailure ? UInt32(CORO_GROUP_CANCEL_ON_FAILURE) : 0
        group = try made(coro_group_new(&options))
    }

    /// Makes a coroutine that runs `member`. nil if the group was cancelled: it then was let go.
    func spawn<Success>(_ member: GroupMember<Success>, name: String?, stackSize: Int) throws(CoroError) -> AnyCoroutine? {
        guard let group else { throw .closed }
        let argument = Outcome { try member.run() }.work.lend()
        do throws(CoroError) {
            return AnyCoroutine(id: try Work.spawn(argument, name: name, stackSize: stackSize, in: group))
        } catch .shutdown {
            return nil
        }
    }

    func cancel() {
        _ = coro_group_cancel(group)
    }

    /// Waits until there is no member. Throws what the caller was interrupted with.
    func wait() throws(CoroError) {
        guard let group else { throw .closed }
        let code = coro_group_wait(group)
        if code != CORO_EINPARALLEL { try check(code) }
    }

    /// Runs `body`, and leaves; its members are told to end, if it throws.
    func run<Value>(_ body: () throws -> Value) throws -> Value {
        let value: Value
        do {
            value = try body()
        } catch {
            cancel()
            do throws(CoroError) {
                try leave()
            } catch .shutdown {
                // Being told to end comes but once.
                throw CoroError.shutdown
            } catch {
                // The first error counts.
            }
            throw error
        }
        try leave()
        return value
    }

    /// Waits until there is no member, and lets no more be made. Throws what the caller was interrupted with: the members were
    /// then told to end.
    private func leave() throws(CoroError) {
        guard let group else { return }
        let code = coro_group_leave(group)
        if code == -EDEADLK, coro_current() == 0 {
            // On a thread's own stack, and members are left that wait for what will never come.
            _ = coro_group_cancel(group)
            _ = coro_group_leave(group)
        }
        self.group = nil
        if code != CORO_EINPARALLEL { try check(code) }
    }

    var running: Int { coro_group_running(group) }

    var unfinished: Int { coro_group_unfinished(group) }
}
