// The loop, threads, locals, descriptors, errors.
#include "harness.hpp"

#include <atomic>
#include <thread>

TEST(L5_cpp_event_loop_returns_the_exit_code) {
    coro_set_print_exit_string(false);
    coro::spawn([] { coro_set_exit(3); }).detach();
    CHECK_EQ(coro::event_loop(), 3);
    auto inside = coro::spawn([] { CHECK_CODE(CORO_ELOOPRUNNING, coro::event_loop()); });
    inside.join();
}

REAL_TIME_TEST(L5_cpp_threads_post_closures) {
    coro::channel<int> numbers(10);
    const coro::loop mine = coro::loop::current();
    std::thread other([&] {
        for (int i = 0; i < 3; i++)
            mine.post([&](std::unique_ptr<int> owned) { numbers.send(*owned); }, std::make_unique<int>(i));
        mine.post([&numbers, it = counted(1)] { numbers.close(); });
    });
    auto receiver = coro::spawn([&] {
        for (int i : numbers) trace(std::to_string(i));
    });
    other.join();
    receiver.join();
    CHECK_EQ(traced, "0 1 2 ");
}

TEST(L5_cpp_what_a_post_throws_is_told_to_the_notifier) {
    coro::loop::current().post([] { throw std::runtime_error("posted"); });
    coro::sleep_for(1ms);
    CHECK_EQ(notified, "CORO_EFAILED: posted; ");
}

TEST(L5_cpp_posting_to_a_loop_that_has_ended_frees_the_closure) {
    coro_loop_t native = 0;
    std::optional<coro::loop> its;
    std::thread([&] { its = coro::loop::current(); native = its->native_handle(); }).join();
    CHECK(native > 0);
    CHECK_CODE(-ESRCH, its->post([it = counted(1)] {}));
    CHECK_EQ(counted::alive, 0);
}

TEST(L5_cpp_blocking_returns_and_throws) {
    const auto here = std::this_thread::get_id();
    CHECK(coro::blocking([] { return std::this_thread::get_id(); }) != here);
    CHECK_EQ(*coro::blocking([](int n) { return std::make_unique<int>(n); }, 4), 4);
    CHECK_EQ(CHECK_THROWS(std::out_of_range, coro::blocking([] { throw std::out_of_range("there"); })), "there");
    CHECK_CODE(CORO_EYIELDFROMMAIN, coro::blocking([] { coro::yield(); }));
    std::atomic<bool> done{false};
    coro::blocking([&] { done = true; });
    CHECK(done.load());
}

TEST(L5_cpp_local_is_each_coroutines_own) {
    coro::local<std::vector<int>> numbers;
    numbers->push_back(1);
    auto other = coro::spawn([&] {
        CHECK(!numbers.has_value());
        numbers->push_back(2);
        numbers->push_back(3);
        coro::yield();
        return numbers->size();
    });
    CHECK_EQ(other.join(), std::size_t{2});
    CHECK_EQ(numbers->size(), std::size_t{1});
    numbers.reset();
    CHECK(!numbers.has_value());
    CHECK((*numbers).empty());
}

TEST(L5_cpp_local_is_destroyed_with_its_coroutine) {
    coro::local<counted> own;
    auto other = coro::spawn([&] {
        own->value = 1;
        CHECK_EQ(counted::alive, 1);
    });
    other.join();
    CHECK_EQ(counted::alive, 0);
    own.get();
}

TEST(L5_cpp_descriptors_are_closed_with_their_owner) {
    auto [out, in] = coro::pipe();
    auto reader = coro::spawn([&out = out] {
        char text[6] = {};
        out.read_exact(text, 5);
        CHECK_EQ(out.read(text + 5, 1), std::size_t{0}); // the end
        return std::string(text);
    });
    in.write("hello");
    in.close();
    CHECK(!in);
    CHECK_EQ(reader.join(), "hello");
    CHECK_CODE(CORO_EEOF, [&out = out] {
        char byte;
        out.read_exact(&byte, 1);
    }());
    coro::fd moved = std::move(out);
    CHECK(!out);
    CHECK(moved.get() >= 0);
    auto waiting = coro::spawn([&] {
        char byte;
        auto [other_out, other_in] = coro::pipe();
        moved = std::move(other_out);
        CHECK_THROWS(coro::closed_error, moved.read(&byte, 1));
    });
    coro::yield();
    moved.close();
    waiting.join();
}

TEST(L5_cpp_tcp) {
    const coro::fd listener = coro::tcp_listen("127.0.0.1", 0);
    auto server = coro::spawn([&] {
        const coro::fd client = listener.accept();
        char byte;
        client.read_exact(&byte, 1);
        client.write(std::string(3, byte));
    });
    const coro::fd connection = coro::tcp_connect("127.0.0.1", listener.port());
    connection.write("x");
    char answer[3];
    connection.read_exact(answer, sizeof answer);
    CHECK_EQ(std::string(answer, 3), "xxx");
    server.join();
}

TEST(L5_cpp_errors_are_system_errors) {
    try {
        coro::tcp_connect("127.0.0.1", 0);
        CHECK(false);
    } catch (const std::system_error &error) {
        CHECK(error.code() == std::errc::invalid_argument);
        CHECK_EQ(error.code().value(), -EINVAL);
        CHECK_EQ(std::string(error.code().category().name()), "coro");
        CHECK(std::string(error.what()).find("port") != std::string::npos); // the detail
    }
    CHECK_THROWS(coro::closed_error, coro::throw_error(CORO_ECLOSED));
    CHECK_EQ(coro::category().message(CORO_EDEAD), coro_strerror(CORO_EDEAD));
    CHECK(std::error_code(CORO_EDEAD, coro::category()) != std::errc::no_such_process);
}

TEST(L5_cpp_exceptions_in_flight_are_each_coroutines_own) {
    std::vector<coro::task<>> all;
    for (int i = 0; i < 10; i++)
        all.push_back(coro::spawn([i] {
            try {
                throw std::runtime_error(std::to_string(i));
            } catch (const std::exception &) {
                coro::sleep_for(1ms * (10 - i));
                CHECK_EQ(CHECK_THROWS(std::runtime_error, std::rethrow_exception(std::current_exception())), std::to_string(i));
            }
            CHECK_EQ(std::uncaught_exceptions(), 0);
        }));
    for (auto &one : all) one.join();
}
