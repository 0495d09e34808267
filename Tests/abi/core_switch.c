/* Switches: what a coroutine keeps for itself, and what unwinders and profilers see of it (known bugs 80, 82). */
#define _GNU_SOURCE
#include "net.h"

#include <dlfcn.h>
#include <fenv.h>
#include <sys/time.h>
#include <time.h>
#include <unwind.h>

/* -- errno -- */

static void *keep_errno(void *number) {
    CHECK_EQ(errno, 0); /* not the spawner's */
    for (int i = 0; i < 20; i++) {
        errno = AS_INT(number);
        CHECK_EQ(i % 2 ? coro_yield() : coro_sleep(CORO_US(10)), 0);
        CHECK_EQ(errno, AS_INT(number));
    }
    return NULL;
}

TEST(core_errno_is_each_coroutines_own) {
    coro_t all[3];
    errno = 77;
    for (int i = 0; i < 3; i++) all[i] = spawn_one(keep_errno, AS_POINTER(1000 + i));
    for (int i = 0; i < 3; i++) join_soon(all[i]);
    CHECK_EQ(errno, 77);
    CHECK_EQ(coro_read(-1, NULL, 1), -EBADF); /* errors are returned */
    CHECK_EQ(coro_wait_for(-1, CORO_READ), -EBADF);
}

/* -- C++ exceptions in flight (C++ tests are elsewhere; here by the C++ runtime's own variables) -- */

typedef struct exception_globals {
    void *caught;
    unsigned int uncaught;
} exception_globals;

static exception_globals *(*globals_of_thread)(void);

static void *keep_exceptions(void *number) {
    exception_globals *globals = globals_of_thread();
    CHECK(globals->caught == NULL && globals->uncaught == 0);
    for (int i = 0; i < 10; i++) {
        globals->caught = number;
        globals->uncaught = (unsigned int)AS_INT(number);
        CHECK_EQ(coro_yield(), 0);
        CHECK(globals->caught == number);
        CHECK_EQ(globals->uncaught, AS_INT(number));
    }
    globals->caught = NULL;
    globals->uncaught = 0;
    return NULL;
}

TEST(core_exceptions_in_flight_are_each_coroutines_own) {
    globals_of_thread = (exception_globals * (*)(void)) dlsym(RTLD_DEFAULT, "__cxa_get_globals");
    if (globals_of_thread == NULL) test_skip("this process has no C++ runtime");
    coro_t all[3];
    for (int i = 0; i < 3; i++) all[i] = spawn_one(keep_exceptions, AS_POINTER(i + 1));
    for (int i = 0; i < 3; i++) join_soon(all[i]);
    CHECK_EQ(globals_of_thread()->uncaught, 0);
}

/* -- floating point -- */

static volatile double one = 1, three = 3;

static void *round_its_own_way(void *mode) {
    CHECK_EQ(fegetround(), FE_TONEAREST); /* that of who created it */
    CHECK_EQ(fesetround(AS_INT(mode)), 0);
    double first = one / three;
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(i % 2 ? coro_yield() : coro_yield_slice(), 0);
        CHECK_EQ(fegetround(), AS_INT(mode));
        CHECK(one / three == first);
    }
    return NULL; /* and does not put it back */
}

static void *round_to_nearest(void *unused) {
    for (int i = 0; i < 40; i++) {
        CHECK_EQ(fegetround(), FE_TONEAREST);
        CHECK_EQ(i % 2 ? coro_yield() : coro_yield_slice(), 0);
    }
    return unused;
}

TEST(core_floating_point_control_is_kept_on_request) {
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    coro_options options = CORO_OPTIONS_INIT;
    coro_t all[5];
    options.flags = CORO_SAVE_FP;
    all[0] = spawn_one(round_to_nearest, NULL);
    for (int i = 0; i < 3; i++) all[i + 1] = coro_spawn_with(round_its_own_way, AS_POINTER(modes[i]), &options);
    all[4] = spawn_one(round_to_nearest, NULL); /* one that does not ask has the thread's */
    for (int i = 0; i < 5; i++) {
        join_soon(all[i]);
        CHECK_EQ(fegetround(), FE_TONEAREST);
    }
}

static void *look_at_rounding(void *unused) {
    (void)unused;
    return AS_POINTER(fegetround());
}

/* The control words of a coroutine that has its own are those of the moment it was created. */
TEST(core_floating_point_control_is_inherited_from_the_creator) {
    coro_options options = CORO_OPTIONS_INIT;
    options.flags = CORO_SAVE_FP;
    CHECK_EQ(fesetround(FE_UPWARD), 0);
    coro_t own = coro_spawn_with(look_at_rounding, NULL, &options);
    CHECK_EQ(fesetround(FE_DOWNWARD), 0);
    coro_t shared = spawn_one(look_at_rounding, NULL);
    CHECK_EQ(join_soon(own), FE_UPWARD);
    CHECK_EQ(join_soon(shared), FE_DOWNWARD);
    CHECK_EQ(fegetround(), FE_DOWNWARD);
    fesetround(FE_TONEAREST);
}

/* -- registers -- */

/* Many values that live across each switch, in registers and in memory, and are checked by a sum that needs all of them. */
__attribute__((noinline)) static uint64_t mix(uint64_t seed, int rounds, bool yields) {
    uint64_t a = seed, b = seed * 3, c = seed * 5, d = seed * 7, e = seed * 11, f = seed * 13, g = seed * 17, h = seed * 19;
    double x = (double)seed, y = x / 3, z = y / 7;
    for (int i = 0; i < rounds; i++) {
        a += b ^ (uint64_t)i, b += c * 31, c ^= d >> 3, d += e, e ^= f << 5, f += g, g ^= h, h += a;
        x += y * 0.25, y -= z * 0.125, z += 1.0;
        if (yields && coro_yield() != 0) return 0;
    }
    return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h ^ (uint64_t)(x + y + z);
}

static void *mix_with_yields(void *seed) {
    CHECK(mix((uint64_t)(uintptr_t)seed, 3000, true) == mix((uint64_t)(uintptr_t)seed, 3000, false));
    return NULL;
}

TEST(core_registers_survive_switches) {
    coro_t all[7];
    coro_options options = CORO_OPTIONS_INIT;
    options.flags = CORO_SAVE_FP;
    for (int i = 0; i < 7; i++)
        all[i] = i % 3 == 2 ? coro_spawn_with(mix_with_yields, AS_POINTER(1000003 * (i + 1)), &options)
                            : spawn_one(mix_with_yields, AS_POINTER(1000003 * (i + 1)));
    mix_with_yields(AS_POINTER(99991)); /* on the thread's own stack, too */
    for (int i = 0; i < 7; i++) join_soon(all[i]);
}

/* -- unwinding -- */

enum { MOST_FRAMES = 100 };

typedef struct walk {
    int frames;
    uintptr_t last;
} walk;

static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *of_walk) {
    walk *here = of_walk;
    uintptr_t place = _Unwind_GetIP(context);
    if (place == 0) return _URC_END_OF_STACK;
    here->last = place;
    return ++here->frames == MOST_FRAMES ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static bool is_in_same_object(const void *address, const void *other) {
    Dl_info a, b;
    return dladdr(address, &a) != 0 && dladdr(other, &b) != 0 && a.dli_fbase == b.dli_fbase;
}

__attribute__((noinline)) static int walk_at_depth(int depth, walk *here) {
    if (depth == 0) return (int)_Unwind_Backtrace(note_frame, here);
    int result = walk_at_depth(depth - 1, here);
    __asm__ volatile("" : "+r"(result)); /* no tail call */
    return result;
}

static void *walk_own_stack(void *unused) {
    walk here = {0, 0}, deeper = {0, 0};
    walk_at_depth(0, &here);
    walk_at_depth(10, &deeper);
    CHECK(here.frames >= 3 && here.frames < 20);
    CHECK_EQ(deeper.frames, here.frames + 10);
    /* It ends where the coroutine began: in libcoro, and not with what happened to be above the stack. */
    CHECK(is_in_same_object((void *)here.last, (void *)coro_version));
    CHECK(here.last == deeper.last);
    return unused;
}

TEST(core_backtraces_end_where_the_coroutine_begins) {
    for (int i = 0; i < 3; i++) {
        coro_t first = spawn_one(walk_own_stack, NULL), second = coro_new(walk_own_stack, NULL, NULL);
        CHECK_EQ(coro_start_now(second), 0);
        join_soon(first);
        join_soon(second);
    }
}

static volatile int profiles, longest;

static void profile(int number) {
    (void)number;
    walk here = {0, 0};
    int before = errno;
    _Unwind_Backtrace(note_frame, &here);
    if (here.frames > longest) longest = here.frames;
    profiles++;
    errno = before;
}

static volatile bool stop_switching;

static void *switch_all_the_time(void *unused) {
    while (!stop_switching) CHECK_EQ(coro_yield(), 0);
    return unused;
}

static void *start_all_the_time(void *unused) {
    while (!stop_switching) CHECK_EQ(coro_join(coro_spawn(keep_errno, AS_POINTER(5)), NULL, CORO_FOREVER), 0);
    return unused;
}

/* 5000 samples a second of processor time, of which most fall into switches: whatever instruction they meet, the walk ends. */
TEST(core_a_profiler_may_look_at_any_instruction) {
    walk warm = {0, 0};
    _Unwind_Backtrace(note_frame, &warm); /* what it allocates, it allocates now */
    struct sigaction action = {.sa_handler = profile, .sa_flags = SA_RESTART | SA_ONSTACK};
    CHECK_EQ(sigaction(SIGPROF, &action, NULL), 0);
    struct itimerval timer = {{0, 200}, {0, 200}}, off = {{0, 0}, {0, 0}};
    CHECK_EQ(setitimer(ITIMER_PROF, &timer, NULL), 0);
    coro_t all[4];
    for (int i = 0; i < 4; i++) all[i] = spawn_one(i < 3 ? switch_all_the_time : start_all_the_time, NULL);
    for (struct timespec used = {0, 0}; used.tv_sec * 1000 + used.tv_nsec / 1000000 < 500;) {
        CHECK_EQ(coro_yield_slice(), 0);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    }
    setitimer(ITIMER_PROF, &off, NULL);
    stop_switching = true;
    for (int i = 0; i < 4; i++) join_soon(all[i]);
    CHECK(profiles > 50); /* the kernel's tick limits it */
    CHECK(longest < MOST_FRAMES);
}

/* Known bug 41: a handler without a stack of its own runs on a coroutine's, which has room for it. */
TEST(core_a_handler_may_run_on_a_coroutines_stack) {
    walk warm = {0, 0};
    _Unwind_Backtrace(note_frame, &warm);
    struct sigaction action = {.sa_handler = profile, .sa_flags = SA_RESTART};
    CHECK_EQ(sigaction(SIGPROF, &action, NULL), 0);
    coro_t co = spawn_one(switch_all_the_time, NULL);
    for (int i = 0; i < 500; i++) {
        raise(SIGPROF);
        CHECK_EQ(coro_yield(), 0);
    }
    stop_switching = true;
    join_soon(co);
    CHECK_EQ(profiles, 500);
    CHECK(longest < MOST_FRAMES);
}

/* -- the order of running -- */

static void *trace_three_times(void *number) {
    for (int i = 0; i < 3; i++) {
        trace("%d", AS_INT(number));
        CHECK_EQ(coro_yield(), 0);
    }
    return NULL;
}

static void run_in_order_of(uint64_t seed, char *result, size_t size) {
    size_t before = strlen(traced());
    CHECK_EQ(coro_test_set_order_seed(seed), 0);
    for (int i = 0; i < 12; i++) CHECK(coro_detach(spawn_one(trace_three_times, AS_POINTER(i))) > 0);
    run_until_idle();
    CHECK_EQ(coro_test_set_order_seed(0), 0);
    snprintf(result, size, "%s", traced() + before);
}

TEST(core_the_same_seed_gives_the_same_order) {
    char first[200], again[200], other[200], plain[200], sorted[200] = "";
    run_in_order_of(12345, first, sizeof first);
    run_in_order_of(12345, again, sizeof again);
    run_in_order_of(54321, other, sizeof other);
    run_in_order_of(0, plain, sizeof plain);
    for (int i = 0; i < 36; i++) snprintf(sorted + strlen(sorted), sizeof sorted - strlen(sorted), "%d ", i % 12);
    CHECK_STR(again, first);
    CHECK(strcmp(other, first) != 0);
    CHECK(strcmp(plain, first) != 0);
    CHECK_STR(plain, sorted); /* 0: first in, first out */
    CHECK_EQ(strlen(first), strlen(plain)); /* everybody ran as often */
}
