// Coroutines that end together.
#ifndef CORO_GROUP_HPP
#define CORO_GROUP_HPP

#include "task.hpp"

namespace coro {

// A scope for coroutines: when it has been left, none of its members is left.
//
//     coro::group requests;
//     for (const auto &url : urls) requests.spawn(fetch, url);
//     requests.wait();
//
// Its destructor tells the members that have not ended to end, and waits for that, whatever interrupts it, as a task's does.
// Belongs to the thread that made it; it must not be destroyed by a member.
class group {
public:
    // limit: how many members run at once at most; 0: all. cancel_on_failure: the first that fails has the others told to end.
    // Throws without memory.
    explicit group(std::size_t limit = 0, bool cancel_on_failure = false) {
        coro_group_options how = CORO_GROUP_OPTIONS_INIT;
        how.limit = limit;
        how.flags = cancel_on_failure ? CORO_GROUP_CANCEL_ON_FAILURE : 0;
        native = detail::check_new(coro_group_new(&how));
    }
    group(const group &) = delete;
    group &operator=(const group &) = delete;
    ~group() {
        (void)coro_group_cancel(native);
        detail::keep_interruption(coro_group_leave(native));
    }

    // Makes a member that runs f(args...), and queues it, or, beyond the limit, has it wait until others have ended. Returns
    // its id. Throws as coro::spawn(), and shutdown_requested if the group was cancelled. Does not suspend, but by start_now().
    template <class F, class... Args> coro_t spawn(const options &how, F &&f, Args &&...args) {
        using member_type = member<detail::call_of<F, Args...>>;
        auto its = std::make_unique<member_type>(failure, std::forward<F>(f), std::forward<Args>(args)...);
        const coro_options all = how.with(&member_type::release);
        const coro_t co = coro_group_spawn_with(native, &member_type::run, its.get(), &all);
        if (co > 0) (void)its.release();
        return check(co);
    }
    template <class F, class... Args, std::enable_if_t<!detail::begins_with_options<F>, int> = 0>
    coro_t spawn(F &&f, Args &&...args) {
        return spawn(options(), std::forward<F>(f), std::forward<Args>(args)...);
    }

    // Waits until all members have ended, and throws the exception of the first that failed, if any has. Suspends. Throws what
    // the caller was interrupted with, too: the members go on, and can be waited for again.
    void wait() {
        const int code = coro_group_wait(native);
        if (code == CORO_EINPARALLEL && *failure) std::rethrow_exception(*failure);
        check(code);
    }

    // Tells all members to end: what they wait in throws shutdown_requested. No more can be made. Does not suspend.
    void cancel() { check(coro_group_cancel(native)); }

    // How many members have not ended.
    std::size_t size() const noexcept { return coro_group_unfinished(native); }
    coro_group *native_handle() const noexcept { return native; }

private:
    using first_failure = std::shared_ptr<std::exception_ptr>;

    template <class Call> struct member {
        first_failure failure;
        std::optional<Call> call;

        template <class... Parts>
        explicit member(first_failure first, Parts &&...parts)
            : failure(std::move(first)), call(std::in_place, std::in_place, std::forward<Parts>(parts)...) {}

        static void *run(void *argument) noexcept {
            auto *its = static_cast<member *>(argument);
            detail::run_body(*its->call, [its] {
                if (!*its->failure) *its->failure = std::current_exception();
            });
            its->call.reset(); // here, where destructors may suspend
            return nullptr;
        }
        static void release(void *argument) noexcept { delete static_cast<member *>(argument); }
    };

    coro_group *native = nullptr;
    first_failure failure = std::make_shared<std::exception_ptr>();
};

} // namespace coro

#endif
