/*
 * libcoro from C++: targets and their results, limits of time, channels, errors.
 *
 *     $ ./example
 *     int resize(const char *path, int width = 800)
 *     a.png: 640 wide, b.png: 800 wide
 *     refused: parameter 'width' of resize
 *     failed: ERANGE: c.png is too wide
 *     too slow: given up after 20 ms
 *     squares: 1 4 9
 *     exception: no more squares
 *     the worker has cleaned up
 *     1 2 3: sorted by a closure that qsort() called
 */
#include <coro.hpp>

#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

// A function as a C library has it: it suspends, and fails by a code. Its prototype is written once.
CORO_TARGET(int, resize, (const char *path, int width CORO_DEFAULT(800))) {
    coro_sleep(CORO_MS(10));
    if (width > 10000) coro_fail(-ERANGE, (std::string(path) + " is too wide").c_str());
    return width;
}

// C functions by their prototypes: any number at once, with results of their own types.
static void targets() {
    const coro_target_t id = coro::check(coro_target_register(CORO_TARGET_OF(resize)));
    char prototype[80];
    coro_target_describe(id, prototype, sizeof prototype);
    std::cout << prototype << "\n";

    auto a = coro::spawn_named<int>("resize", "a.png", 640);
    auto b = coro::spawn_target<int>(id, coro::arg("path", "b.png")); // with the default width
    std::cout << "a.png: " << a.join() << " wide, b.png: " << b.join() << " wide\n";

    try {
        coro::spawn_named<int>("resize", "c.png", "wide").join();
    } catch (const coro::error &error) {
        std::cout << "refused: " << error.detail().substr(0, error.detail().find(':')) << "\n";
    }
    try {
        coro::spawn_named<int>("resize", "c.png", 20000).join();
    } catch (const coro::error &error) {
        std::cout << "failed: " << coro_error_name(error.code().value()) << ": " << error.detail() << "\n";
    }
}

static void limits() {
    const auto began = coro::clock::now();
    try {
        coro::with_timeout(20ms, [] {
            for (;;) coro::spawn_named<int>("resize", "d.png").join();
        });
    } catch (const coro::timeout_error &) {
        const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(coro::clock::now() - began);
        std::cout << "too slow: given up after " << time.count() << " ms\n";
    }
}

// A lambda sends what another receives; what it throws is thrown where it is joined.
static void channels() {
    coro::channel<int> squares;
    auto producer = coro::spawn([&] {
        for (int i = 1; i <= 3; i++) squares.send(i * i);
        squares.close();
        throw std::runtime_error("no more squares");
    });
    std::cout << "squares:";
    for (int square : squares) std::cout << " " << square;
    std::cout << "\n";
    try {
        producer.join();
    } catch (const std::runtime_error &error) {
        std::cout << "exception: " << error.what() << "\n";
    }
}

struct cleanup {
    ~cleanup() { std::cout << "the worker has cleaned up\n"; }
};

int main() {
    coro_test_set_virtual_time(true);                                      // so that the time above is exact
    coro_set_exception_notifier([](coro_t, int, const char *) { return 0; }); // all failures are dealt with here
    targets();
    limits();
    channels();
    {
        auto worker = coro::spawn([] {
            cleanup at_end;
            coro::sleep_for(coro::forever);
        });
        coro::yield();
    } // the task ends here, and so does its coroutine: its stack is unwound

    int numbers[] = {3, 1, 2};
    const coro::callback<int(const void *, const void *)> order([](const void *a, const void *b) {
        return *static_cast<const int *>(a) - *static_cast<const int *>(b);
    });
    std::qsort(numbers, 3, sizeof numbers[0], order);
    for (const int number : numbers) std::cout << number << (number < 3 ? " " : ": ");
    std::cout << "sorted by a closure that qsort() called\n";
}
