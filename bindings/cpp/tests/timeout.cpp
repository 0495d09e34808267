// Time: sleeping, and limits of time.
#include "harness.hpp"

#include <limits>

TEST(L5_cpp_sleep_for_takes_durations) {
    const auto began = coro::clock::now();
    coro::sleep_for(250us);
    CHECK((coro::clock::now() - began) == 250us);
    coro::sleep_for(std::chrono::duration<double>(0.5));
    CHECK((coro::clock::now() - began) == 500ms + 250us);
    coro::sleep_for(std::chrono::duration<int, std::ratio<1, 3000000000>>(1)); // a third of a ns is rounded up
    CHECK((coro::clock::now() - began) == 500ms + 250us + 1ns);
    coro::sleep_for(-5s);
    CHECK((coro::clock::now() - began) == 500ms + 250us + 1ns);
}

TEST(L5_cpp_durations_out_of_range_are_no_limit) {
    CHECK_EQ(coro::detail::nanoseconds(std::chrono::hours::max()), CORO_FOREVER);
    CHECK_EQ(coro::detail::nanoseconds(std::chrono::hours::min()), 0);
    CHECK_EQ(coro::detail::nanoseconds(std::chrono::duration<double>(1e300)), CORO_FOREVER);
    CHECK_EQ(coro::detail::nanoseconds(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())), 0);
    CHECK_EQ(coro::detail::nanoseconds(coro::forever), CORO_FOREVER);
    CHECK_EQ(coro::detail::nanoseconds(24h * 365), std::int64_t{31536000} * 1000000000);
}

TEST(L5_cpp_sleep_until) {
    const auto when = coro::clock::now() + 3s;
    coro::sleep_until(when);
    CHECK(coro::clock::now() == when);
    coro::sleep_until(when - 1s);
    CHECK(coro::clock::now() == when);
}

REAL_TIME_TEST(L5_cpp_sleep_until_goes_by_the_steady_clock) {
    const auto real = std::chrono::steady_clock::now() + 2ms;
    coro::sleep_until(real);
    CHECK(std::chrono::steady_clock::now() >= real);
}

TEST(L5_cpp_with_timeout_returns_what_is_done_in_time) {
    CHECK_EQ(coro::with_timeout(1s, [](int a) { return a + 1; }, 1), 2);
    CHECK_EQ(*coro::with_timeout(1s, [] { return std::make_unique<int>(3); }), 3);
    int number = 0;
    int &same = coro::with_timeout(1s, [&]() -> int & { return number; });
    CHECK(&same == &number);
    coro::with_timeout(1s, [] { coro::sleep_for(999ms); });
}

TEST(L5_cpp_with_timeout_throws_timeout_error) {
    const auto began = coro::clock::now();
    CHECK_THROWS(coro::timeout_error, coro::with_timeout(20ms, [] { coro::sleep_for(1h); }));
    CHECK((coro::clock::now() - began) == 20ms);
    try {
        coro::with_timeout(20ms, [] {
            try {
                coro::sleep_for(1h);
            } catch (const coro::interrupted &) {
                throw std::runtime_error("half a message");
            }
        });
        CHECK(false);
    } catch (const coro::timeout_error &error) {
        CHECK(error.code() == std::errc::timed_out);
        CHECK_EQ(CHECK_THROWS(std::runtime_error, std::rethrow_if_nested(error)), "half a message");
    }
}

TEST(L5_cpp_a_result_that_comes_too_late_is_a_timeout) {
    CHECK_THROWS(coro::timeout_error, coro::with_timeout(20ms, [] {
        try {
            coro::sleep_for(1h);
        } catch (const coro::interrupted &) {
        }
        return counted(1);
    }));
}

TEST(L5_cpp_limits_nest_and_each_knows_its_own) {
    try {
        coro::with_timeout(20ms, [] {
            try {
                coro::with_timeout(1h, [] { coro::sleep_for(2h); });
            } catch (const coro::timeout_error &) {
                trace("the inner one's");
            } catch (const coro::interrupted &) {
                trace("not the inner one's");
                throw;
            }
        });
    } catch (const coro::timeout_error &) {
        trace("the outer one's");
    }
    CHECK_EQ(traced, "not the inner one's the outer one's ");
    coro::with_timeout(1h, [] { CHECK_THROWS(coro::timeout_error, coro::with_timeout(1ms, [] { coro::sleep_for(1s); })); });
}

TEST(L5_cpp_exceptions_of_its_own_pass_a_limit) {
    CHECK_THROWS(std::out_of_range, coro::with_timeout(1s, [] { throw std::out_of_range("x"); }));
    CHECK_EQ(coro_timeout_deadline(), CORO_FOREVER); // no scope is left
}

TEST(L5_cpp_shutdown_passes_a_limit) {
    auto task = coro::spawn([] {
        CHECK_THROWS(coro::shutdown_requested, coro::with_timeout(1s, [] { coro::sleep_for(coro::forever); }));
        return true;
    });
    coro::yield();
    task.shutdown();
    CHECK(task.join());
}

TEST(L5_cpp_timeout_scope) {
    coro::timeout_scope limit(10ms);
    CHECK(!limit.expired());
    CHECK_THROWS(coro::interrupted, coro::sleep_for(1s));
    CHECK(limit.expired());
    CHECK_THROWS(coro::timeout_error, limit.end());
    limit.end(); // is over
    { coro::timeout_scope unused(10ms); }
    CHECK_EQ(coro_timeout_deadline(), CORO_FOREVER);
    coro::sleep_for(1s);
}

TEST(L5_cpp_a_scope_of_no_time_lets_nothing_suspend) {
    CHECK_THROWS(coro::timeout_error, coro::with_timeout(0s, [] { coro::yield(); }));
    coro::with_timeout(0s, [] {});
}
