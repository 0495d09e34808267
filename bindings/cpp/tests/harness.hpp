// Tests of coro.hpp: TEST(name) { ... } runs on the thread's own stack, in a process of its own, and in virtual time unless it
// is a REAL_TIME_TEST. A failed CHECK ends the process. After each test no coroutine, no `counted` object and no descriptor may
// be left.
#ifndef HARNESS_HPP
#define HARNESS_HPP

#include <coro.hpp>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

struct test {
    test(const char *name, void (*body)(), bool virtual_time);
};

#define TEST_IN(name, virtual_time)                                      \
    static void name();                                                  \
    static const test registered_##name(#name, name, virtual_time);      \
    static void name()
#define TEST(name) TEST_IN(name, true)
#define REAL_TIME_TEST(name) TEST_IN(name, false)

[[noreturn]] void fail_test(const char *file, int line, const std::string &what);

#define CHECK(condition)                                               \
    do {                                                               \
        if (!(condition)) fail_test(__FILE__, __LINE__, #condition);   \
    } while (0)

template <class A, class B> void check_equal(const char *file, int line, const char *what, const A &actual, const B &expected) {
    if (actual == expected) return;
    std::ostringstream text;
    text << what << " is " << actual << ", not " << expected;
    fail_test(file, line, text.str());
}
#define CHECK_EQ(actual, expected) check_equal(__FILE__, __LINE__, #actual, (actual), (expected))

// That the statement throws an E. Its value is what() of a std::exception.
#define CHECK_THROWS(E, ...) check_throws<E>(__FILE__, __LINE__, #__VA_ARGS__, [&] { (void)(__VA_ARGS__); })
template <class E, class F> std::string check_throws(const char *file, int line, const char *what, F &&f) {
    try {
        f();
    } catch (const E &exception) {
        if constexpr (std::is_base_of_v<std::exception, E>) return exception.what();
        else return {};
    }
    fail_test(file, line, std::string(what) + " throws nothing");
}

// That it throws a coro::error of this code.
#define CHECK_CODE(expected, ...) check_code(__FILE__, __LINE__, #__VA_ARGS__, expected, [&] { (void)(__VA_ARGS__); })
template <class F> void check_code(const char *file, int line, const char *what, int expected, F &&f) {
    try {
        f();
    } catch (const coro::error &error) {
        return check_equal(file, line, what, error.code().value(), expected);
    }
    fail_test(file, line, std::string(what) + " throws nothing");
}

// An object that is counted while it lives; one that was moved from is empty.
struct counted {
    static inline int alive = 0;
    int value;
    explicit counted(int its = 0) : value(its) { alive++; }
    counted(counted &&other) noexcept : value(std::exchange(other.value, -1)) { alive++; }
    counted &operator=(counted &&other) noexcept {
        value = std::exchange(other.value, -1);
        return *this;
    }
    ~counted() { alive--; }
};

// What happened in which order: trace("a") appends "a ".
inline std::string traced;
inline void trace(const std::string &what) { traced += what + " "; }

// What the notifier was told in this test: "CORO_EFAILED: message; ".
extern std::string notified;

#endif
