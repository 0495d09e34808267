// hello.c by coro.hpp: every part of it in a program that is compiled with all warnings, and perhaps without RTTI.
#include <coro.hpp>

#include <iostream>
#include <memory>
#include <string>

using namespace std::chrono_literals;

struct pair_of_ints {
    int first, second;
};
template <> struct coro::layout<pair_of_ints> {
    static constexpr const char *name = "pair_of_ints", *fields = "int first; int second;";
};

static std::string greeting() {
    coro::channel<std::unique_ptr<std::string>> words(1);
    coro::channel<int> numbers;
    coro::event ready;
    coro::mutex mutex;
    coro::local<int> own;
    coro::group all(2, true);
    all.spawn([&] {
        std::lock_guard lock(mutex);
        words.send(std::make_unique<std::string>("Hello"));
        coro::sleep_for(1ms);
        words.send(std::make_unique<std::string>(" world"));
        ready.set();
        *own += 1;
    });
    std::optional<std::unique_ptr<std::string>> word;
    std::optional<int> number;
    std::string text = *coro::with_timeout(1min, [&] { return *words.receive(); });
    int first = 0;
    while (first != 1)
        first = coro::select_for(1min, coro::on_event(ready), coro::on_receive(words, word), coro::on_receive(numbers, number));
    all.wait();
    return text + **word;
}

int main() {
    coro::target swap("swap_pair(its)", [](pair_of_ints its) { return pair_of_ints{its.second, its.first}; });
    if (swap.spawn(pair_of_ints{1, 2}).join().first != 2) return 1;
    if (coro::spawn_named<pair_of_ints>("swap_pair", coro::arg("its", pair_of_ints{3, 4})).join().first != 4) return 2;
    coro::callback<int(int)> twice([](int n) { return 2 * n; });
    if (twice(4) != 8 || coro::blocking([] { return 3; }) != 3) return 3;
    try {
        coro::spawn([]() -> int { throw coro::error(-EPIPE, "nobody reads"); }).join();
        return 4;
    } catch (const std::system_error &error) {
        if (error.code() != std::errc::broken_pipe) return 5;
    }
    auto [out, in] = coro::pipe();
    in.write(coro::spawn(greeting).join() + "!\n");
    in.close();
    char text[20];
    std::cout.write(text, static_cast<std::streamsize>(out.read(text, sizeof text)));
}
