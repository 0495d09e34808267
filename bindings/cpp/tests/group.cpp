// Groups.
#include "harness.hpp"

TEST(L5_cpp_group_waits_for_all) {
    coro::group all;
    int sum = 0;
    for (int i = 1; i <= 4; i++)
        all.spawn([&sum](int n) {
            coro::sleep_for(n * 1ms);
            sum += n;
        }, i);
    CHECK_EQ(all.size(), std::size_t{4});
    all.wait();
    CHECK_EQ(sum, 10);
    CHECK_EQ(all.size(), std::size_t{0});
}

TEST(L5_cpp_group_destructor_ends_its_members) {
    {
        std::string local = "unwound";
        coro::group all;
        for (int i = 0; i < 3; i++)
            all.spawn([&local, it = counted(1)] {
                struct guard {
                    std::string &text;
                    ~guard() {
                        coro::yield();
                        trace(text);
                    }
                } at_end{local};
                coro::sleep_for(coro::forever);
            });
        coro::yield();
        all.spawn([it = counted(1)] { trace("not reached"); });
    }
    CHECK_EQ(traced, "unwound unwound unwound ");
}

TEST(L5_cpp_group_throws_the_first_failure) {
    coro::group all;
    all.spawn([] { coro::sleep_for(2ms); throw std::runtime_error("later"); });
    all.spawn([] { coro::sleep_for(1ms); throw std::out_of_range("first"); });
    all.spawn([] { coro::sleep_for(3ms); trace("goes on"); });
    CHECK_EQ(CHECK_THROWS(std::out_of_range, all.wait()), "first");
    CHECK_EQ(traced, "goes on ");
    CHECK_THROWS(std::out_of_range, all.wait()); // again
}

TEST(L5_cpp_group_cancels_on_failure) {
    coro::group all(0, true);
    all.spawn([] { coro::sleep_for(1ms); throw std::out_of_range("first"); });
    all.spawn([] { coro::sleep_for(1h); trace("not reached"); });
    CHECK_THROWS(std::out_of_range, all.wait());
    CHECK_THROWS(coro::shutdown_requested, all.spawn([it = counted(1)] {}));
    CHECK_EQ(traced, "");
}

TEST(L5_cpp_group_has_a_limit) {
    coro::group all(2);
    int most = 0, now = 0;
    for (int i = 0; i < 6; i++)
        all.spawn([&] {
            most = std::max(most, ++now);
            coro::sleep_for(1ms);
            now--;
        });
    all.wait();
    CHECK_EQ(most, 2);
}

TEST(L5_cpp_group_is_left_when_its_owner_is_told_to_end) {
    auto owner = coro::spawn([] {
        coro::group all;
        all.spawn([] {
            try {
                coro::sleep_for(coro::forever);
            } catch (const coro::shutdown_requested &) {
                coro::sleep_for(1s);
                trace("member");
                throw;
            }
        });
        all.wait();
        trace("not reached");
    });
    coro::yield();
    coro::yield();
    owner.shutdown();
    CHECK_THROWS(coro::cancelled_error, owner.join());
    CHECK_EQ(traced, "member ");
}

TEST(L5_cpp_group_destructor_keeps_a_shutdown_for_the_next_wait) {
    auto owner = coro::spawn([] {
        {
            coro::group all;
            all.spawn([] {
                try {
                    coro::sleep_for(coro::forever);
                } catch (const coro::shutdown_requested &) {
                    coro::sleep_for(1s);
                }
            });
            coro::yield();
        }
        trace("left");
        coro::yield();
        trace("not reached");
    });
    coro::sleep_for(1ms);
    owner.shutdown();
    CHECK_THROWS(coro::cancelled_error, owner.join());
    CHECK_EQ(traced, "left ");
}
