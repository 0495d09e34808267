// A thread's loop, and how threads hand each other work.
#ifndef CORO_LOOP_HPP
#define CORO_LOOP_HPP

#include "outcome.hpp"

namespace coro {

// Runs this thread's loop until coro_set_exit(), and returns the code given there: `return coro::event_loop();` ends main.
// Throws if the loop runs already, or can't be set up. (Nothing needs it where main joins a task: a suspending call runs the
// loop itself.)
inline int event_loop() { return static_cast<int>(check(coro_event_loop())); }

// A thread's loop, as other threads name it. Copied freely.
class loop {
public:
    // This thread's, which is made if there is none.
    static loop current() { return loop(check(coro_loop_current())); }

    // Runs f(args...) in a coroutine of its own on the loop's thread. They are copied or moved now; what f throws is told to
    // the notifier there. Throws -ESRCH if its thread has ended. (If that ends before they have run, they are never freed.)
    // Does not suspend. Call from: any thread.
    template <class F, class... Args> void post(F &&f, Args &&...args) const {
        using call_type = detail::call_of<F, Args...>;
        auto call = std::make_unique<call_type>(std::in_place, std::forward<F>(f), std::forward<Args>(args)...);
        check(coro_post(id, &run<call_type>, call.get()));
        (void)call.release();
    }

    coro_loop_t native_handle() const noexcept { return id; }

private:
    explicit loop(coro_loop_t native) noexcept : id(native) {}

    template <class Call> static void *run(void *argument) noexcept {
        const std::unique_ptr<Call> call(static_cast<Call *>(argument));
        detail::run_body(*call, [] {});
        return nullptr;
    }

    coro_loop_t id;
};

// Calls f(args...) on a thread of the pool, and returns what it returns or throws what it throws: for what blocks its thread.
// Nothing in it may suspend. Suspends; interrupted before f has begun, it throws that, and f never runs; later it waits for f,
// and the next suspending call is interrupted.
template <class F, class... Args> std::invoke_result_t<F, Args...> blocking(F &&f, Args &&...args) {
    using result_type = std::invoke_result_t<F, Args...>;
    detail::outcome<result_type> result;
    auto call = [&]() -> result_type { return std::invoke(std::forward<F>(f), std::forward<Args>(args)...); };
    auto all = std::tie(result, call);
    check(coro_blocking(
        [](void *argument) -> void * {
            auto &[its, body] = *static_cast<decltype(all) *>(argument);
            try {
                its.run(body);
            } catch (...) {
                its.fail();
            }
            return nullptr;
        },
        &all, nullptr));
    return result.take();
}

} // namespace coro

#endif
