// Time: the loop's clock and durations of <chrono>.
#ifndef CORO_TIME_HPP
#define CORO_TIME_HPP

#include "error.hpp"

#include <chrono>
#include <type_traits>

namespace coro {

// The clock of all waits, CLOCK_MONOTONIC, as std::chrono::steady_clock; but under coro_test_set_virtual_time() it shows the
// virtual time.
struct clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<clock>;
    static constexpr bool is_steady = true;
    static time_point now() noexcept { return time_point(duration(coro_get_now())); }
};

// No limit, where a duration is wanted: CORO_FOREVER.
inline constexpr std::chrono::nanoseconds forever{CORO_FOREVER};

namespace detail {

// Nanoseconds as coro.h wants them, rounded up. What is less than nothing is 0, what is too much CORO_FOREVER.
template <class Rep, class Period> std::int64_t nanoseconds(std::chrono::duration<Rep, Period> time) {
    using exact = std::chrono::duration<Rep, Period>;
    if (!(time > exact::zero())) return 0;
    if constexpr (!std::is_same_v<exact, std::chrono::nanoseconds>) {
        const long double wide = std::chrono::duration<long double, std::nano>(time).count();
        if (wide >= static_cast<long double>(CORO_FOREVER)) return CORO_FOREVER;
    }
    return std::chrono::ceil<std::chrono::nanoseconds>(time).count();
}

} // namespace detail

// Sleeps for at least `time`; 0 or less is one pass of the loop. Suspends. Throws what the caller was interrupted with.
template <class Rep, class Period> void sleep_for(std::chrono::duration<Rep, Period> time) {
    check(coro_sleep(detail::nanoseconds(time)));
}

// Sleeps until the clock shows at least `when`; a time gone by is one pass of the loop. Suspends. Throws as sleep_for.
template <class Duration> void sleep_until(std::chrono::time_point<clock, Duration> when) {
    check(coro_sleep_absolute(detail::nanoseconds(when.time_since_epoch())));
}
template <class Duration> void sleep_until(std::chrono::time_point<std::chrono::steady_clock, Duration> when) {
    check(coro_sleep_absolute(detail::nanoseconds(when.time_since_epoch())));
}

} // namespace coro

#endif
