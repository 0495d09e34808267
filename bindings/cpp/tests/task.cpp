// Tasks: results, exceptions, shutting down, what destructors do.
#include "harness.hpp"

TEST(L5_cpp_join_returns_the_result) {
    CHECK_EQ(coro::spawn([] { return 42; }).join(), 42);
    CHECK_EQ(coro::spawn([](int a, std::string b) { return std::to_string(a) + b; }, 1, "x").join(), "1x");
    coro::spawn([] { coro::yield(); }).join();
    CHECK_EQ(*coro::spawn([](std::unique_ptr<int> owned) { return owned; }, std::make_unique<int>(7)).join(), 7);
}

TEST(L5_cpp_join_returns_references) {
    int number = 1;
    int &same = coro::spawn([&]() -> int & { return number; }).join();
    CHECK(&same == &number);
    coro::spawn([](int &to) { to = 5; }, std::ref(number)).join();
    CHECK_EQ(number, 5);
    std::string text = "moved";
    CHECK_EQ(std::string(coro::spawn([&]() -> std::string && { return std::move(text); }).join()), "moved");
}

TEST(L5_cpp_functions_and_members_are_spawned) {
    struct counter {
        int n = 0;
        int add(int k) { return n += k; }
    } it;
    CHECK_EQ(coro::spawn(&counter::add, &it, 3).join(), 3);
    CHECK_EQ(it.n, 3);
    CHECK_EQ(coro::spawn(static_cast<int (*)(int)>(std::abs), -3).join(), 3);
}

TEST(L5_cpp_join_throws_what_the_function_threw) {
    auto task = coro::spawn([]() -> int {
        coro::sleep_for(1ms);
        throw std::out_of_range("seven");
    });
    CHECK_EQ(CHECK_THROWS(std::out_of_range, task.join()), "seven");
    CHECK(!task.joinable());
    CHECK_EQ(notified, "CORO_EFAILED: seven; ");
    auto odd = coro::spawn([] { throw 3; });
    CHECK_THROWS(int, odd.join());
    CHECK_CODE(-EINVAL, odd.join()); // once
}

TEST(L5_cpp_errors_keep_their_code_for_other_languages) {
    coro::task<> task = coro::spawn([] { throw coro::error(-EPIPE, "nobody reads"); });
    const coro_t id = task.detach();
    coro::yield();
    CHECK_EQ(coro_join(id, nullptr, CORO_FOREVER), CORO_EDEAD); // detached: nobody's result
    task = coro::spawn([] { throw coro::error(-EPIPE, "nobody reads"); });
    CHECK_EQ(coro_join(task.id(), nullptr, CORO_FOREVER), -EPIPE);
    CHECK_EQ(std::string(coro_error_detail()), "nobody reads");
    try {
        task.join(); // C has taken the record; the exception is here all the same
        CHECK(false);
    } catch (const coro::error &error) {
        CHECK(error.code() == std::errc::broken_pipe);
    }
}

TEST(L5_cpp_shutdown_unwinds) {
    auto task = coro::spawn([] {
        struct guard {
            ~guard() {
                coro::yield(); // suspends while the stack is unwound
                trace("unwound");
            }
        } at_end;
        trace("waits");
        coro::sleep_for(coro::forever);
        trace("not reached");
    });
    coro::yield();
    task.shutdown();
    CHECK(task.is_alive());
    CHECK_THROWS(coro::cancelled_error, task.join());
    CHECK_EQ(traced, "waits unwound ");
    CHECK_EQ(notified, ""); // the silent way out
}

TEST(L5_cpp_shutdown_is_not_the_end_of_who_catches_it) {
    auto task = coro::spawn([] {
        try {
            coro::sleep_for(coro::forever);
        } catch (const coro::shutdown_requested &) {
            return 1;
        }
        return 2;
    });
    coro::yield();
    task.shutdown();
    CHECK_EQ(task.join(), 1);
}

TEST(L5_cpp_cancelled_before_it_ran_frees_its_closure) {
    auto task = coro::spawn([it = counted(1)] { return it.value; });
    CHECK_EQ(counted::alive, 1);
    task.shutdown();
    CHECK_EQ(counted::alive, 0);
    CHECK_THROWS(coro::cancelled_error, task.join());
}

TEST(L5_cpp_a_joined_task_that_was_shut_down_does_not_end_who_joins) {
    auto outer = coro::spawn([] {
        auto inner = coro::spawn([] { coro::sleep_for(coro::forever); });
        inner.shutdown();
        inner.join(); // throws, and nobody catches it: that is a failure, and no silent end
    });
    CHECK_THROWS(coro::cancelled_error, outer.join());
    CHECK_EQ(notified, "CORO_EFAILED: the coroutine that was joined was shut down; ");
}

TEST(L5_cpp_the_closure_ends_with_its_function) {
    auto task = coro::spawn([it = counted(1)] {});
    coro::yield();
    CHECK_EQ(counted::alive, 0); // while the task is still there
    task.join();
}

TEST(L5_cpp_an_unwanted_result_is_freed) {
    {
        auto task = coro::spawn([] { return counted(1); });
        coro::yield();
        CHECK_EQ(counted::alive, 1);
    }
    CHECK_EQ(counted::alive, 0);
    coro::spawn([] { return counted(2); }).detach();
    coro::yield();
    coro::spawn([]() -> counted { throw counted(3); }).detach();
    coro::yield();
    CHECK_EQ(counted::alive, 0);
}

TEST(L5_cpp_destructor_shuts_down_and_waits) {
    {
        std::string local = "captured by reference";
        auto task = coro::spawn([&] {
            struct guard {
                std::string &text;
                ~guard() {
                    coro::sleep_for(5ms);
                    trace(text);
                }
            } at_end{local};
            coro::sleep_for(coro::forever);
        });
        coro::yield();
    }
    CHECK_EQ(traced, "captured by reference ");
}

TEST(L5_cpp_destructor_waits_while_an_exception_is_in_flight) {
    CHECK_THROWS(std::runtime_error, [] {
        auto task = coro::spawn([] { coro::sleep_for(coro::forever); });
        coro::yield();
        throw std::runtime_error("passes");
    }());
    CHECK_EQ(coro_get_live_coros(), 0);
}

TEST(L5_cpp_destructor_waits_although_its_owner_is_told_to_end) {
    auto owner = coro::spawn([] {
        {
            auto stubborn = coro::spawn([] {
                try {
                    coro::sleep_for(coro::forever);
                } catch (const coro::shutdown_requested &) {
                    coro::sleep_for(1s);
                    trace("stubborn");
                }
            });
            coro::yield();
        }
        trace("destroyed");
        coro::yield(); // here the owner's own shutdown arrives
        trace("not reached");
    });
    coro::sleep_for(100ms); // the owner waits in the destructor
    owner.shutdown();
    CHECK_THROWS(coro::cancelled_error, owner.join());
    CHECK_EQ(traced, "stubborn destroyed ");
}

TEST(L5_cpp_tasks_are_moved) {
    auto first = coro::spawn([] { coro::sleep_for(coro::forever); });
    coro::task<> second = std::move(first);
    CHECK(!first.joinable());
    CHECK(second.joinable());
    second = coro::spawn([] { trace("second"); }); // ends the first
    second.join();
    std::vector<coro::task<int>> many;
    for (int i = 0; i < 100; i++) many.push_back(coro::spawn([i] { return i; }));
    int sum = 0;
    for (auto &one : many) sum += one.join();
    CHECK_EQ(sum, 4950);
}

TEST(L5_cpp_join_for_gives_up_and_may_try_again) {
    auto task = coro::spawn([] {
        coro::sleep_for(1h);
        return 1;
    });
    CHECK_THROWS(coro::timeout_error, task.join_for(59min));
    CHECK(task.joinable());
    CHECK_EQ(task.join_for(2min), 1);
}

TEST(L5_cpp_an_interrupted_join_can_be_repeated) {
    auto slow = coro::spawn([] {
        coro::sleep_for(1s);
        return 1;
    });
    auto waiter = coro::spawn([&] {
        CHECK_THROWS(coro::interrupted, slow.join());
        return slow.join();
    });
    coro::yield();
    coro::yield();
    CHECK_EQ(coro_interrupt(waiter.id(), nullptr), 0);
    CHECK_EQ(waiter.join(), 1);
}

TEST(L5_cpp_who_is_told_to_end_while_the_other_has_just_been_gets_its_own_end) {
    auto other = coro::spawn([] { coro::sleep_for(coro::forever); });
    auto waiter = coro::spawn([&] { CHECK_THROWS(coro::shutdown_requested, other.join()); });
    coro::yield();
    coro::yield();
    other.shutdown();
    waiter.shutdown();
    waiter.join();
    CHECK(other.joinable());
    CHECK_THROWS(coro::cancelled_error, other.join());
}

TEST(L5_cpp_a_circle_of_joins_is_an_error) {
    coro::task<> self;
    self = coro::spawn([&] { CHECK_CODE(-EDEADLK, self.join()); });
    coro_t id = self.id();
    CHECK_EQ(coro_join(id, nullptr, CORO_FOREVER), 0);
}

TEST(L5_cpp_options) {
    auto task = coro::spawn(coro::options().name("reader").stack_size(64 << 10).start_now(), [] { trace("now"); });
    CHECK_EQ(traced, "now ");
    task.join();
    auto later = coro::spawn(coro::options().name("reader").save_fp(), [] { coro::yield(); });
    char name[20];
    CHECK_EQ(coro_get_name(later.id(), name, sizeof name), 6);
    CHECK_EQ(std::string(name), "reader");
    later.join();
    CHECK_CODE(-EINVAL, coro::spawn(coro::options().stack_size(1), [it = counted()] {}));
    CHECK_EQ(counted::alive, 0);
}

TEST(L5_cpp_without_memory_nothing_is_left) {
    coro_test_fail_call("mmap", 1, ENOMEM);
    CHECK_CODE(-ENOMEM, coro::spawn(coro::options().stack_size(32 << 20), [it = counted()] {}));
    CHECK_EQ(counted::alive, 0);
}

TEST(L5_cpp_a_task_that_two_join_is_joined_by_one) {
    auto task = coro::spawn([] {
        coro::sleep_for(1ms);
        return counted(42);
    });
    auto one = coro::spawn([&] { return task.join().value; });
    auto two = coro::spawn([&] { return task.join().value; });
    CHECK_EQ(one.join(), 42);
    CHECK_CODE(-EINVAL, two.join());
    auto failing = coro::spawn([] {
        coro::sleep_for(1ms);
        throw std::out_of_range("seven");
    });
    one = coro::spawn([&] { return failing.join(), 1; });
    two = coro::spawn([&] { return failing.join(), 2; });
    CHECK_THROWS(std::out_of_range, one.join());
    CHECK_CODE(-EINVAL, two.join());
}

TEST(L5_cpp_destructor_waits_whatever_is_raised_in_its_owner) {
    bool has_ended = false;
    auto owner = coro::spawn([&] {
        int local = 0;
        auto task = coro::spawn([&] {
            while (local < 3) {
                local++;
                try {
                    coro::sleep_for(10ms);
                } catch (const coro::shutdown_requested &) { // takes its time
                }
            }
            has_ended = true;
        });
        coro::yield();
    });
    coro::sleep_for(1ms);
    CHECK_EQ(coro_raise(owner.id(), -EINVAL, 0), 0);
    coro::sleep_for(1ms);
    owner.shutdown();
    coro::sleep_for(1ms);
    CHECK_EQ(coro_raise(owner.id(), -ENOMEM, 0), 0);
    owner.join();
    CHECK(has_ended);
}
