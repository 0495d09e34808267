// Channels and select.
#include "harness.hpp"

TEST(L5_cpp_channel_hands_over_in_order) {
    coro::channel<int> numbers(2);
    auto sender = coro::spawn([&] {
        for (int i = 0; i < 5; i++) numbers.send(i);
        numbers.close();
    });
    for (int i : numbers) trace(std::to_string(i));
    CHECK_EQ(traced, "0 1 2 3 4 ");
    CHECK(!numbers.receive());
    sender.join();
}

TEST(L5_cpp_channel_moves_what_can_only_be_moved) {
    coro::channel<counted> things; // without room: from hand to hand
    auto sender = coro::spawn([&] {
        for (int i = 1; i <= 3; i++) things.send(counted(i));
        things.close();
    });
    int sum = 0;
    for (counted &one : things) {
        sum += one.value;
        CHECK(counted::alive <= 4);
    }
    CHECK_EQ(sum, 6);
    sender.join();
}

TEST(L5_cpp_channel_copies_what_can_be_copied) {
    coro::channel<std::string> texts(1);
    const std::string text = "stays";
    texts.send(text);
    CHECK_EQ(*texts.receive(), "stays");
    CHECK_EQ(text, "stays");
}

TEST(L5_cpp_channel_destroys_what_nobody_received) {
    {
        coro::channel<counted> things(3);
        things.send(counted(1));
        things.send(counted(2));
        CHECK_EQ(counted::alive, 2);
    }
    CHECK_EQ(counted::alive, 0);
    {
        coro::channel<counted> things(3);
        things.send(counted(1));
        things.close();
    }
    CHECK_EQ(counted::alive, 0);
}

TEST(L5_cpp_channel_gives_back_what_was_not_sent) {
    coro::channel<counted> things(1);
    counted one(1), two(2);
    CHECK(things.try_send(std::move(one)));
    CHECK(!things.try_send(std::move(two)));
    CHECK_EQ(two.value, 2);
    CHECK_THROWS(coro::timeout_error, coro::with_timeout(1ms, [&] { things.send(std::move(two)); }));
    CHECK_EQ(two.value, 2);
    things.close();
    CHECK_THROWS(coro::closed_error, things.send(std::move(two)));
    CHECK_THROWS(coro::closed_error, things.try_send(std::move(two)));
    CHECK_EQ(two.value, 2);
    CHECK_EQ(things.receive()->value, 1);
    CHECK(!things.try_receive());
}

TEST(L5_cpp_channel_try_receive) {
    coro::channel<double> numbers(2);
    CHECK(!numbers.try_receive());
    numbers.send(1.5);
    CHECK_EQ(numbers.size(), std::size_t{1});
    CHECK_EQ(numbers.capacity(), std::size_t{2});
    CHECK_EQ(*numbers.try_receive(), 1.5);
    CHECK(!numbers.is_closed());
}

TEST(L5_cpp_channel_receive_is_interrupted) {
    coro::channel<counted> things;
    auto task = coro::spawn([&] { (void)things.receive(); });
    coro::yield();
    task.shutdown();
    CHECK_THROWS(coro::cancelled_error, task.join());
    auto sender = coro::spawn([&] { things.send(counted(1)); });
    coro::yield();
    sender.shutdown();
    CHECK_THROWS(coro::cancelled_error, sender.join());
}

TEST(L5_cpp_channel_is_moved) {
    coro::channel<int> first(1);
    first.send(3);
    coro::channel<int> second = std::move(first);
    CHECK_EQ(*second.receive(), 3);
}

TEST(L5_cpp_select_takes_the_first) {
    coro::channel<counted> things;
    coro::event stop;
    std::optional<counted> next;
    auto sender = coro::spawn([&] {
        things.send(counted(5));
        coro::sleep_for(1ms);
        stop.set();
    });
    CHECK_EQ(coro::select(coro::on_receive(things, next), coro::on_event(stop)), 0);
    CHECK_EQ(next->value, 5);
    CHECK_EQ(coro::select(coro::on_receive(things, next), coro::on_event(stop)), 1);
    CHECK_EQ(next->value, 5); // the other was not touched
    sender.join();
    next.reset();
}

TEST(L5_cpp_select_times_out) {
    coro::channel<int> numbers;
    std::optional<int> next;
    const auto began = coro::clock::now();
    CHECK_EQ(coro::select_for(5ms, coro::on_receive(numbers, next)), CORO_ETIMEOUT);
    CHECK((coro::clock::now() - began) == 5ms);
    CHECK_EQ(coro::select_for(0s, coro::on_receive(numbers, next)), CORO_ETIMEOUT);
}

TEST(L5_cpp_select_sends_or_gives_back) {
    coro::channel<counted> things(1);
    coro::event never;
    counted one(1), two(2);
    CHECK_EQ(coro::select(coro::on_event(never), coro::on_send(things, one)), 1);
    CHECK_EQ(one.value, -1);
    CHECK_EQ(coro::select_for(1ms, coro::on_send(things, two)), CORO_ETIMEOUT);
    CHECK_EQ(two.value, 2);
    things.close();
    CHECK_THROWS(coro::closed_error, coro::select(coro::on_send(things, two)));
    CHECK_EQ(two.value, 2);
    std::optional<counted> next;
    CHECK_EQ(coro::select(coro::on_receive(things, next)), 0);
    CHECK_EQ(next->value, 1);
    CHECK_EQ(coro::select(coro::on_receive(things, next)), 0);
    CHECK(!next); // closed, and empty
}

TEST(L5_cpp_select_waits_for_tasks_and_descriptors) {
    auto [out, in] = coro::pipe();
    auto task = coro::spawn([] { return 3; });
    CHECK_EQ(coro::select(coro::on_readable(out), coro::on_end(task)), 1);
    CHECK_EQ(task.join(), 3);
    CHECK_EQ(coro::select(coro::on_readable(out), coro::on_writable(in)), 1);
    in.write("x");
    CHECK_EQ(coro::select(coro::on_readable(out)), 0);
}

TEST(L5_cpp_channel_moves_bytes_that_can_only_be_moved) {
    struct handle {
        int value;
        explicit handle(int its) : value(its) {}
        handle(handle &&) = default;
        handle(const handle &) = delete;
    };
    static_assert(std::is_trivially_copyable_v<handle>);
    coro::channel<handle> handles(1);
    handles.send(handle(3));
    CHECK_EQ(handles.receive()->value, 3);
}

TEST(L5_cpp_channel_destroys_what_can_not_be_moved_without_throwing) {
    struct heavy {
        int moves = 0;
        counted it{1};
        heavy() = default;
        heavy(heavy &&other) : moves(other.moves + 1) {
            if (moves > 1) throw std::bad_alloc();
        }
    };
    {
        coro::channel<heavy> things(2);
        things.send(heavy());
        things.send(heavy());
    }
    CHECK_EQ(counted::alive, 0);
}
