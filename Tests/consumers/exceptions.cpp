// Every coroutine has its own C++ exceptions in flight: suspending while one is handled, or while one unwinds the stack,
// leaves std::uncaught_exceptions() and std::current_exception() of all others as they were.
#include <coro.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

namespace {

enum { COROUTINES = 100, ROUNDS = 5 };

void check(bool condition, const char *what) {
    if (condition) return;
    std::fprintf(stderr, "coroutine %lld: %s\n", static_cast<long long>(coro_current()), what);
    std::exit(1);
}

void check_current(const std::string &text) {
    try {
        std::rethrow_exception(std::current_exception());
    } catch (const std::runtime_error &error) {
        check(error.what() == text, "another coroutine's exception is current");
    }
}

// Suspends in its destructor, which runs while an exception unwinds the stack.
struct YieldsWhileUnwinding {
    int expected;
    ~YieldsWhileUnwinding() {
        for (int i = 0; i < ROUNDS; i++) {
            check(std::uncaught_exceptions() == expected, "uncaught_exceptions() is wrong while unwinding");
            coro_yield();
        }
        try { // one more, thrown and caught below the one in flight
            YieldsAtEnd inner{expected + 1};
            throw std::runtime_error("inner");
        } catch (const std::runtime_error &error) {
            check(std::string(error.what()) == "inner", "the inner exception is not caught");
            check(std::uncaught_exceptions() == expected, "uncaught_exceptions() is wrong after the inner one");
            coro_yield();
        }
    }

    struct YieldsAtEnd {
        int expected;
        ~YieldsAtEnd() {
            coro_yield();
            check(std::uncaught_exceptions() == expected, "uncaught_exceptions() is wrong two deep");
        }
    };
};

void throw_and_catch(const std::string &name) {
    check(std::uncaught_exceptions() == 0 && !std::current_exception(), "born with another's exception");
    try {
        YieldsWhileUnwinding guard{1};
        throw std::runtime_error(name);
    } catch (const std::runtime_error &error) {
        check(error.what() == name, "caught another coroutine's exception");
        for (int i = 0; i < ROUNDS; i++) {
            coro_yield();
            check_current(name);
        }
        try {
            throw std::runtime_error(name + " nested");
        } catch (const std::runtime_error &) {
            coro_yield();
            check_current(name + " nested");
        }
        coro_sleep(CORO_MS(1));
        check_current(name);
        check(std::uncaught_exceptions() == 0, "uncaught_exceptions() is wrong in a catch block");
        try {
            throw; // the one that is handled, across all those suspensions
        } catch (const std::runtime_error &again) {
            check(again.what() == name, "rethrew another coroutine's exception");
        }
    }
    check(std::uncaught_exceptions() == 0 && !std::current_exception(), "an exception is left over");
}

// Suspends in a destructor that runs while an exception unwinds the stack.
struct ParksWhileUnwinding {
    ~ParksWhileUnwinding() { coro_park(nullptr); }
};

__attribute__((noinline)) void park_while_unwinding() {
    ParksWhileUnwinding guard;
    throw std::runtime_error("walked through");
}

void *park(void *argument) {
    try {
        park_while_unwinding();
    } catch (const std::runtime_error &) {
    }
    return argument;
}

// The stack of one suspended there can be walked, and nothing comes of that: it goes on unwinding.
void check_walk_through_unwinding() {
    void *frames[20];
    coro_t co = coro_spawn(park, nullptr);
    coro_yield();
    check(coro_where(co, frames, 20) >= 3, "the stack of one that unwinds can't be walked");
    check(std::uncaught_exceptions() == 0, "uncaught_exceptions() is wrong after a walk");
    coro_schedule(co, nullptr);
    check(coro_join(co, nullptr, CORO_FOREVER) == 0, "it did not go on after a walk");
}

int ended;

void *run(void *argument) {
    throw_and_catch("exception " + std::to_string(*static_cast<int *>(argument)));
    ended++;
    return nullptr;
}

} // namespace

int main() {
    check_walk_through_unwinding();
    static int numbers[COROUTINES];
    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.flags = CORO_LOOP_UNTIL_IDLE;
    for (int i = 0; i < COROUTINES; i++) {
        numbers[i] = i;
        check(coro_detach(coro_spawn(run, &numbers[i])) > 0, "not spawned");
    }
    try { // the thread's own stack is one more
        throw std::runtime_error("main");
    } catch (const std::runtime_error &) {
        check(coro_event_loop_with(&options) == 0, "the loop failed");
        check_current("main");
    }
    check(ended == COROUTINES, "not all have ended");
    std::puts("Hello world!");
}
