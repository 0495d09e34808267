// Limits of time for any number of calls.
#ifndef CORO_TIMEOUT_HPP
#define CORO_TIMEOUT_HPP

#include "time.hpp"

#include <functional>
#include <utility>

namespace coro {

// A limit of time, from here to end() or to the end of its block: see "Timeouts" in coro.h. A destructor can't throw; so if the
// block is left without end(), the coro::interrupted that its time has raised passes on as it is. with_timeout() is for that.
class timeout_scope {
public:
    // time: how long all together may take; 0 or less: nothing may suspend. Throws without memory.
    template <class Rep, class Period>
    explicit timeout_scope(std::chrono::duration<Rep, Period> time)
        : scope(check(coro_timeout_begin(detail::nanoseconds(time)))) {}
    timeout_scope(const timeout_scope &) = delete;
    timeout_scope &operator=(const timeout_scope &) = delete;
    ~timeout_scope() {
        if (scope > 0) (void)coro_timeout_end(scope, 0);
    }

    // Whether its time ran out and something was interrupted for it.
    bool expired() const noexcept { return scope > 0 && coro_timeout_expired(scope) == 1; }

    // What its timeout_error says.
    static const char *text() noexcept { return "the limit of time around it ran out"; }

    // Ends it. Throws timeout_error if it has expired. Once: later calls do nothing.
    void end() {
        if (scope > 0 && coro_timeout_end(std::exchange(scope, 0), 0) == CORO_ETIMEOUT) throw timeout_error(text());
    }

private:
    coro_timeout_t scope;
};

// Calls f(args...), here and now, in a limit of time, and returns what it returns. When the time runs out, the call in which f
// waits throws coro::interrupted, and what comes of that, result or exception, becomes a timeout_error: with that exception
// nested in it (std::rethrow_if_nested). Only shutdown_requested passes as it is. Suspends if f does.
template <class Rep, class Period, class F, class... Args>
std::invoke_result_t<F, Args...> with_timeout(std::chrono::duration<Rep, Period> time, F &&f, Args &&...args) {
    using result_type = std::invoke_result_t<F, Args...>;
    timeout_scope scope(time);
    try {
        if constexpr (std::is_void_v<result_type>) {
            std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
            scope.end();
        } else {
            result_type result = std::invoke(std::forward<F>(f), std::forward<Args>(args)...);
            scope.end();
            return std::forward<result_type>(result);
        }
    } catch (const shutdown_requested &) {
        throw;
    } catch (...) {
        if (!scope.expired()) throw;
        std::throw_with_nested(timeout_error(timeout_scope::text()));
    }
}

} // namespace coro

#endif
