// Row L6: exceptions of C++ that are in flight while coroutines switch, in every way in which they do. Run with a test's name.
#include <coro.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace {

enum { COROUTINES = 100 };

struct Test {
    const char *name;
    void (*run)();
    Test *next;
    static Test *first;
    Test(const char *name, void (*run)()) : name(name), run(run), next(first) { first = this; }
};
Test *Test::first;

#define TEST(name) \
    void name(); \
    Test register_##name(#name, name); \
    void name()

#define CHECK(condition) \
    do { \
        if (condition) break; \
        std::fprintf(stderr, "%s:%d: coroutine %lld: %s\n", __FILE__, __LINE__, (long long)coro_current(), #condition); \
        std::_Exit(1); \
    } while (0)

void *as_pointer(long number) { return reinterpret_cast<void *>(number); }
long as_number(void *pointer) { return reinterpret_cast<long>(pointer); }

struct Numbered : std::runtime_error {
    long number;
    explicit Numbered(long number) : std::runtime_error("number " + std::to_string(number)), number(number) {}
};

long number_of(const std::exception_ptr &exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const Numbered &numbered) {
        return numbered.number;
    }
}

// Suspends in each of the ways in which a coroutine can be suspended, and come back.
void suspend(long way) {
    switch (way % 4) {
    case 0: CHECK(coro_yield() == 0); break;
    case 1: CHECK(coro_yield_slice() == 0); break;
    case 2: CHECK(coro_sleep(CORO_MS(1)) == 0); break;
    default: CHECK(coro_blocking([](void *) -> void * { return nullptr; }, nullptr, nullptr) == 0); break;
    }
}

void spawn_all(coro_fn function, int count = COROUTINES) {
    for (long i = 1; i <= count; i++) CHECK(coro_detach(coro_spawn(function, as_pointer(i))) > 0);
}

void run_until_idle() {
    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.flags = CORO_LOOP_UNTIL_IDLE;
    CHECK(coro_event_loop_with(&options) == 0);
    CHECK(coro_get_live_coros() == 0);
}

// -- in flight across suspensions --

struct SuspendsWhenDestroyed {
    long way;
    int in_flight;
    ~SuspendsWhenDestroyed() {
        for (int i = 0; i < 3; i++) {
            CHECK(std::uncaught_exceptions() == in_flight);
            suspend(way + i);
        }
        CHECK(std::uncaught_exceptions() == in_flight);
    }
};

void *unwind_slowly(void *number) {
    long own = as_number(number);
    CHECK(std::uncaught_exceptions() == 0 && !std::current_exception());
    try {
        SuspendsWhenDestroyed outer{own, 1}, inner{own + 1, 1};
        throw Numbered(own);
    } catch (const Numbered &caught) {
        CHECK(caught.number == own);
        SuspendsWhenDestroyed at_the_end{own, 0};
    }
    CHECK(std::uncaught_exceptions() == 0 && !std::current_exception());
    return nullptr;
}

TEST(L6_destructors_may_suspend_while_an_exception_unwinds) {
    spawn_all(unwind_slowly);
    run_until_idle();
}

// throw; in a catch block is the exception of this coroutine, whatever the others have thrown meanwhile.
void *rethrow_later(void *number) {
    long own = as_number(number);
    try {
        try {
            throw Numbered(own);
        } catch (...) {
            for (int i = 0; i < 5; i++) suspend(own + i);
            CHECK(number_of(std::current_exception()) == own);
            throw;
        }
    } catch (const Numbered &caught) {
        CHECK(caught.number == own);
    }
    return nullptr;
}

TEST(L6_what_is_rethrown_is_the_coroutines_own) {
    spawn_all(rethrow_later);
    run_until_idle();
}

// Exceptions that are handled within each other, each across suspensions.
void nest(long own, int depth) {
    try {
        throw Numbered(own * 100 + depth);
    } catch (const Numbered &caught) {
        suspend(own + depth);
        if (depth < 5) nest(own, depth + 1);
        suspend(own);
        CHECK(caught.number == own * 100 + depth);
        CHECK(number_of(std::current_exception()) == caught.number);
        try {
            std::throw_with_nested(std::logic_error("around it"));
        } catch (const std::nested_exception &around) {
            suspend(own + 1);
            CHECK(number_of(around.nested_ptr()) == caught.number);
        }
    }
}

void *nest_deeply(void *number) {
    nest(as_number(number), 0);
    CHECK(!std::current_exception());
    return nullptr;
}

TEST(L6_nested_exceptions_stay_apart) {
    spawn_all(nest_deeply);
    run_until_idle();
}

// -- the other ways of switching --

void *throw_and_catch(void *number) {
    CHECK(!std::current_exception() && std::uncaught_exceptions() == 0);
    try {
        throw Numbered(as_number(number));
    } catch (const Numbered &) {
        CHECK(coro_yield() == 0);
        CHECK(number_of(std::current_exception()) == as_number(number));
    }
    return number;
}

struct StartsAnother {
    long number;
    ~StartsAnother() {
        coro_options options = CORO_OPTIONS_INIT;
        options.flags = CORO_START_NOW | CORO_DETACHED;
        CHECK(std::uncaught_exceptions() == 1);
        CHECK(coro_spawn_with(throw_and_catch, as_pointer(number), &options) > 0);
        CHECK(std::uncaught_exceptions() == 1);
        CHECK(coro_sleep(CORO_MS(1)) == 0);
    }
};

void *start_while_unwinding(void *number) {
    try {
        StartsAnother starts{as_number(number) + 1000};
        throw Numbered(as_number(number));
    } catch (const Numbered &caught) {
        CHECK(caught.number == as_number(number));
    }
    return nullptr;
}

TEST(L6_coroutines_may_be_started_while_an_exception_unwinds) {
    spawn_all(start_while_unwinding);
    try { // the thread's own stack is one more
        StartsAnother starts{5000};
        throw Numbered(0);
    } catch (const Numbered &caught) {
        run_until_idle();
        CHECK(caught.number == 0 && number_of(std::current_exception()) == 0);
    }
}

// A coroutine that ends has none of its own left; one that comes after it in its place is born with none.
TEST(L6_what_is_caught_is_carried_to_the_join) {
    static std::exception_ptr carried[COROUTINES];
    coro_t all[COROUTINES];
    for (long i = 0; i < COROUTINES; i++)
        all[i] = coro_spawn(
            [](void *number) -> void * {
                try {
                    SuspendsWhenDestroyed suspends{as_number(number), 1};
                    throw Numbered(as_number(number));
                } catch (...) {
                    carried[as_number(number)] = std::current_exception();
                    return coro_fail(-EIO, "an exception");
                }
            },
            as_pointer(i));
    for (long i = 0; i < COROUTINES; i++) {
        CHECK(coro_join(all[i], nullptr, CORO_FOREVER) == -EIO);
        CHECK(number_of(carried[i]) == i);
        CHECK(!std::current_exception());
    }
}

// Who is shut down, or whose time is up, while it handles an exception finds that again.
TEST(L6_interrupted_waits_do_not_lose_the_exception) {
    coro_t co = coro_spawn(
        [](void *number) -> void * {
            try {
                throw Numbered(as_number(number));
            } catch (const Numbered &caught) {
                CHECK(coro_sleep(CORO_FOREVER) == CORO_ESHUTDOWN);
                CHECK(caught.number == 7 && number_of(std::current_exception()) == 7);
            }
            return number;
        },
        as_pointer(7));
    spawn_all(throw_and_catch, 10);
    CHECK(coro_yield() == 0);
    CHECK(coro_shutdown(co) == 0);
    void *result = nullptr;
    CHECK(coro_join(co, &result, CORO_FOREVER) == 0 && as_number(result) == 7);
    run_until_idle();
}

// -- code that is called at a switch, or at the end --

int hook_calls, in_flight_seen;

// What a hook throws and catches itself is nobody else's, and it sees the exceptions of whom it is called for.
void throw_in_hook(void *, coro_t, void **) {
    int in_flight = std::uncaught_exceptions();
    if (in_flight > in_flight_seen) in_flight_seen = in_flight;
    try {
        throw Numbered(-1);
    } catch (const Numbered &caught) {
        CHECK(caught.number == -1 && std::uncaught_exceptions() == in_flight);
    }
    hook_calls++;
}

TEST(L6_hooks_may_throw_and_catch) {
    coro_switch_hooks hooks = CORO_SWITCH_HOOKS_INIT;
    hooks.leave = hooks.enter = hooks.end = throw_in_hook;
    CHECK(coro_set_switch_hooks(&hooks) == 0);
    spawn_all(unwind_slowly);
    spawn_all(rethrow_later);
    run_until_idle();
    CHECK(in_flight_seen == 1 && hook_calls > COROUTINES * 10);
}

int destroyed;

TEST(L6_destructors_of_locals_may_throw_and_catch) {
    static coro_local_t local = coro_local_new([](void *) {
        throw_in_hook(nullptr, 0, nullptr);
        destroyed++;
    });
    spawn_all([](void *number) -> void * {
        CHECK(coro_local_set(local, number) == 0);
        return unwind_slowly(number);
    });
    run_until_idle();
    CHECK(destroyed == COROUTINES);
}

// -- what nobody catches --

// A coroutine's function is called by C: what it does not catch ends the program, before anything is unwound.
struct SaysSo {
    ~SaysSo() { static_cast<void>(!write(2, "unwound\n", 8)); }
};

std::string end_by_uncaught_exception(bool resumed) {
    int ends[2], status;
    char output[4096];
    size_t length = 0;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        dup2(ends[1], 2);
        coro_spawn(
            [](void *resumed) -> void * {
                SaysSo says;
                if (resumed) CHECK(coro_yield_slice() == 0);
                throw Numbered(5);
            },
            resumed ? &status : nullptr);
        coro_yield_slice();
        coro_yield_slice();
        std::_Exit(0);
    }
    close(ends[1]);
    for (ssize_t got; (got = read(ends[0], output + length, sizeof output - length)) > 0;) length += static_cast<size_t>(got);
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    return std::string(output, length);
}

TEST(L6_an_exception_that_nobody_catches_terminates) {
    for (bool resumed : {false, true}) {
        std::string said = end_by_uncaught_exception(resumed);
        CHECK(said.find("terminate called") != std::string::npos);
        CHECK(said.find("number 5") != std::string::npos);
        CHECK(said.find("unwound") == std::string::npos);
    }
}

} // namespace

int main(int count, char **arguments) {
    for (Test *test = Test::first; test != nullptr; test = test->next) {
        if (count != 2 || std::strcmp(test->name, arguments[1]) != 0) continue;
        test->run();
        return 0;
    }
    return std::fprintf(stderr, "usage: %s TEST\n", arguments[0]), 2;
}
