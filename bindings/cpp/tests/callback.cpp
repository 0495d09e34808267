// Closures as C functions.
#include "harness.hpp"

#include <cstdlib>
#include <thread>

TEST(L5_cpp_callback_sorts) {
    int calls = 0;
    for (const auto mode : {coro::callback_mode::direct, coro::callback_mode::call}) {
        int numbers[] = {3, 1, 2};
        coro::callback compare(
            [&](const void *a, const void *b) {
                calls++;
                coro::yield(); // with qsort() on the stack
                return *static_cast<const int *>(a) - *static_cast<const int *>(b);
            },
            mode);
        std::qsort(numbers, 3, sizeof numbers[0], compare);
        compare.rethrow();
        CHECK(numbers[0] == 1 && numbers[1] == 2 && numbers[2] == 3);
    }
    CHECK(calls >= 4);
}

TEST(L5_cpp_callback_in_a_coroutine_suspends_only_its_caller) {
    coro::callback<int(int)> twice([](int n) {
        coro::sleep_for(1ms);
        return 2 * n;
    }, coro::callback_mode::call);
    auto one = coro::spawn([&] { return twice(1); });
    auto two = coro::spawn([&] { return twice(2); });
    const auto began = coro::clock::now();
    CHECK_EQ(one.join() + two.join(), 6);
    CHECK((coro::clock::now() - began) == 1ms);
}

TEST(L5_cpp_callback_keeps_what_its_closure_throws) {
    for (const auto mode : {coro::callback_mode::direct, coro::callback_mode::call}) {
        coro::callback<int(int)> picky([](int n) -> int {
            if (n < 0) throw std::out_of_range(std::to_string(n));
            return n;
        }, mode, -99);
        CHECK_EQ(picky(1), 1);
        picky.rethrow();
        CHECK_EQ(picky(-1), -99);
        CHECK_EQ(picky(-2), -99);
        CHECK_EQ(CHECK_THROWS(std::out_of_range, picky.rethrow()), "-1");
        picky.rethrow(); // once
    }
    CHECK_EQ(notified, "CORO_EFAILED: -1; CORO_EFAILED: -2; "); // of the coroutines; nothing of the others
}

TEST(L5_cpp_callback_spawns) {
    coro::callback<int(const char *)> prints([](const char *text) {
        coro::yield();
        trace(text);
        return 1;
    }, coro::callback_mode::spawn, 7);
    std::string text = "copied";
    CHECK_EQ(prints(text.c_str()), 7); // at once
    text = "changed";
    CHECK_EQ(traced, "");
    coro::sleep_for(1ms);
    CHECK_EQ(traced, "copied ");
}

REAL_TIME_TEST(L5_cpp_callback_is_posted_from_threads) {
    coro::channel<int> numbers(4);
    coro::callback<void(int)> send([&](int n) { numbers.send(n); }, coro::callback_mode::post);
    std::thread other([&] {
        send(1);
        send(2);
    });
    CHECK_EQ(*numbers.receive() + *numbers.receive(), 3);
    other.join();
}

TEST(L5_cpp_callback_passes_texts_as_they_are_when_its_caller_waits) {
    const char *text = "here";
    for (const auto mode : {coro::callback_mode::direct, coro::callback_mode::call}) {
        coro::callback<bool(int, const char *)> same([&](int, const char *its) { return its == text; }, mode);
        CHECK(same(1, text));
    }
}

TEST(L5_cpp_callback_frees_its_closure) {
    {
        coro::callback first([it = counted(1)](int) {});
        auto second = std::move(first);
        second(3);
        CHECK_EQ(counted::alive, 1);
    }
    CHECK_EQ(counted::alive, 0);
    std::optional<coro::callback<void()>> own;
    own.emplace([&, it = counted(2)] {
        own.reset(); // in its own call, which goes on
        trace(std::to_string(it.value));
    });
    (*own)();
    CHECK_EQ(traced, "2 ");
    CHECK_EQ(counted::alive, 0);
}

TEST(L5_cpp_callback_gives_its_caller_the_end_that_it_was_told_of) {
    for (const auto mode : {coro::callback_mode::direct, coro::callback_mode::call}) {
        int calls = 0;
        auto task = coro::spawn([&] {
            coro::callback<int()> wait([&] {
                if (calls++ == 0) throw std::out_of_range("first");
                coro::sleep_for(1s);
                return 1;
            }, mode);
            wait();
            wait();
            wait.rethrow();
            calls = -1;
        });
        coro::sleep_for(1ms);
        task.shutdown();
        CHECK_THROWS(coro::cancelled_error, task.join());
        CHECK_EQ(calls, 2);
    }
    // A coroutine that nobody waits for may end alone.
    coro::callback<void()> begin([] { coro::sleep_for(1s); }, coro::callback_mode::spawn);
    begin();
    coro::yield();
    coro_t ids[8];
    const int n = coro_all(ids, 8);
    for (int i = 0; i < n; i++) coro_shutdown(ids[i]);
    coro::sleep_for(1ms);
    begin.rethrow();
}
