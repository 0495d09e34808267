/* Rows C1-C5, C9, C12 in small, and known bugs 43-46: sleeping. Where it can be, in virtual time. */
#include "coroutines.h"

#include <sys/time.h>
#include <time.h>

struct sleeper {
    const char *name;
    int64_t time;
    int (*sleep)(int64_t);
};

static void *sleep_and_note(void *argument) {
    struct sleeper *it = argument;
    CHECK_EQ(it->sleep(it->time), 0);
    trace("%s", it->name);
    return NULL;
}

/* -- C1, C3: coro_sleep -- */

CORO_TEST(C1_sleep_takes_as_long_as_it_says_and_runs_others) {
    coro_test_set_virtual_time(true);
    const int64_t times[] = {1, 999, 1000, 65535, 65536, 65537, 999999, 1500000, CORO_MS(1), CORO_SECONDS(1.5),
                             CORO_SECONDS(86400), CORO_SECONDS(86400 * INT64_C(365) * 100)};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        int64_t start = coro_get_now();
        go(note, "ran");
        CHECK_EQ(i % 2 ? coro_sleep(times[i]) : coro_sleep_relative(times[i]), 0);
        CHECK_EQ(coro_get_now() - start, times[i]);
        CHECK_EQ(strlen(traced()), 4 * (i + 1));
    }
}

TEST(C1_sleep_is_never_early_on_the_real_clock) {
    const int64_t times[] = {1, 100, 1000, 999999, 1000001, 1500000, CORO_MS(3)};
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
            struct timespec before, after;
            clock_gettime(CLOCK_MONOTONIC, &before);
            CHECK_EQ(coro_sleep(times[i]), 0);
            clock_gettime(CLOCK_MONOTONIC, &after);
            CHECK((after.tv_sec - before.tv_sec) * INT64_C(1000000000) + after.tv_nsec - before.tv_nsec >= times[i]);
        }
    }
}

CORO_TEST(C1_sleep_0_is_one_pass) {
    coro_test_set_virtual_time(true);
    int64_t start = coro_get_now();
    go(note, "a");
    CHECK_EQ(coro_sleep(0), 0);
    CHECK_STR(traced(), "a ");
    CHECK_EQ(coro_sleep_relative(0), 0);
    CHECK_EQ(coro_get_now(), start);
}

CORO_TEST(C3_a_negative_time_is_refused) {
    const int64_t times[] = {-1, -CORO_MS(1), INT64_MIN, INT64_MIN + 1};
    go(note, "ran");
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        CHECK_EQ(coro_sleep(times[i]), -EINVAL);
        CHECK_EQ(coro_sleep_relative(times[i]), -EINVAL);
        CHECK(strlen(coro_error_detail()) > 0);
    }
    CHECK_STR(traced(), "");
}

/* Each allocation of the first sleep fails in turn: that is said, and what was had by then is no hindrance later. */
TEST(C1_a_sleep_without_memory_fails_and_a_later_one_does_not) {
    const int failing[] = {1, 2, 2};
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(coro_test_fail_call("calloc", failing[i], ENOMEM), 0);
        CHECK_EQ(coro_sleep(1), -ENOMEM);
    }
    CHECK_EQ(coro_sleep(1), 0);
}

/* -- C2: coro_sleep_absolute -- */

CORO_TEST(C2_sleep_absolute_waits_for_that_time) {
    coro_test_set_virtual_time(true);
    int64_t when = coro_get_now() + CORO_SECONDS(3);
    CHECK_EQ(coro_sleep_absolute(when), 0);
    CHECK_EQ(coro_get_now(), when);
    CHECK_EQ(coro_now(), when);
    /* A time gone by, or that is now, is one pass. */
    const int64_t past[] = {when, when - 1, 0, -1, INT64_MIN};
    for (size_t i = 0; i < sizeof past / sizeof *past; i++) {
        go(note, "x");
        CHECK_EQ(coro_sleep_absolute(past[i]), 0);
        CHECK_EQ(strlen(traced()), 2 * (i + 1));
        CHECK_EQ(coro_get_now(), when);
    }
}

TEST(C2_sleep_absolute_on_main) {
    coro_test_set_virtual_time(true);
    int64_t when = coro_get_now() + CORO_SECONDS(3);
    CHECK_EQ(coro_sleep_absolute(when), 0);
    CHECK_EQ(coro_get_now(), when);
    coro_set_strict_main(true);
    CHECK_EQ(coro_sleep_absolute(when + 1), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_sleep_absolute(0), CORO_EYIELDFROMMAIN);
}

/* In strict mode coro_sleep on main blocks the thread; on virtual time that too is virtual. */
TEST(C2_a_strict_sleep_on_main_in_virtual_time_takes_no_real_time) {
    coro_test_set_virtual_time(true);
    coro_set_strict_main(true);
    int64_t start = coro_get_now();
    CHECK_EQ(coro_sleep(CORO_SECONDS(100000)), 0);
    CHECK_EQ(coro_get_now() - start, CORO_SECONDS(100000));
}

/* -- C4: order -- */

CORO_TEST(C4_deadlines_in_order_and_equal_ones_in_the_order_of_the_calls) {
    coro_test_set_virtual_time(true);
    int64_t now = coro_get_now();
    struct sleeper sleepers[] = {
        {"c1", CORO_MS(30), coro_sleep}, {"a1", CORO_MS(10), coro_sleep}, {"b1", CORO_MS(20), coro_sleep},
        {"b2", CORO_MS(20), coro_sleep}, {"a2", now + CORO_MS(10), coro_sleep_absolute}, {"c2", CORO_MS(30), coro_sleep},
        {"b3", now + CORO_MS(20), coro_sleep_absolute}, {"a3", CORO_MS(10), coro_sleep_relative},
        {"c0", CORO_MS(30) - 1, coro_sleep}, {"a4", CORO_MS(10) + 1, coro_sleep}};
    for (size_t i = 0; i < sizeof sleepers / sizeof *sleepers; i++) go(sleep_and_note, &sleepers[i]);
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), 0);
    CHECK_STR(traced(), "a1 a2 a3 a4 b1 b2 b3 c0 c1 c2 ");
}

/* -- C5: woken early -- */

static void *sleep_long(void *argument) {
    struct sleeper *it = argument;
    trace("%s:%d", it->name, it->sleep(it->time));
    return NULL;
}

CORO_TEST(C5_an_interrupted_or_scheduled_sleep_leaves_no_timer) {
    coro_test_set_virtual_time(true);
    int64_t start = coro_get_now();
    struct sleeper a = {"a", CORO_SECONDS(50), coro_sleep}, b = {"b", start + CORO_SECONDS(50), coro_sleep_absolute};
    coro_t sleepers[] = {start_now(sleep_long, &a), start_now(sleep_long, &b)};
    CHECK_EQ(coro_schedule(sleepers[0], "unused"), 0);
    CHECK_EQ(coro_shutdown(sleepers[1]), 0);
    CHECK_EQ(coro_join(sleepers[0], NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_join(sleepers[1], NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "a:0 b:-5007 ");
    CHECK_EQ(coro_get_now(), start);
    CHECK_EQ(coro_sleep(CORO_SECONDS(200)), 0);
    CHECK_EQ(coro_get_now() - start, CORO_SECONDS(200));
}

static coro_t victim;
static void *interrupt_at(void *argument) {
    CHECK_EQ(coro_sleep_absolute(*(int64_t *)argument), 0);
    CHECK_EQ(coro_shutdown(victim), 0);
    return NULL;
}

static void *sleep_until_then_again(void *argument) {
    int first = coro_sleep_absolute(*(int64_t *)argument), second = coro_sleep(CORO_MS(1));
    trace("%d:%d", first, second);
    return NULL;
}

/* Row C6: at the very time at which the sleep ends. Interrupted once, then or in the next wait; never twice, never not. */
CORO_TEST(C6_an_interrupt_at_the_deadline_is_delivered_exactly_once) {
    coro_test_set_virtual_time(true);
    for (int order = 0; order < 2; order++) {
        int64_t when = coro_get_now() + CORO_SECONDS(1);
        coro_t interrupter = 0;
        if (order == 0) interrupter = start_now(interrupt_at, &when);
        victim = start_now(sleep_until_then_again, &when);
        if (order == 1) interrupter = start_now(interrupt_at, &when);
        CHECK_EQ(coro_join(victim, NULL, CORO_FOREVER), 0);
        CHECK_EQ(coro_join(interrupter, NULL, CORO_FOREVER), 0);
    }
    /* Both were woken in the same pass. First the interrupter: the sleep is broken off. Else it is the next wait. */
    CHECK_STR(traced(), "-5007:0 0:-5007 ");
}

/* -- C7, C9: the clock -- */

TEST(C9_the_clock_is_the_monotonic_one) {
    for (int i = 0; i < 1000; i++) {
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        int64_t now = i % 2 ? coro_get_now() : coro_now();
        clock_gettime(CLOCK_MONOTONIC, &after);
        CHECK(before.tv_sec * INT64_C(1000000000) + before.tv_nsec <= now);
        CHECK(now <= after.tv_sec * INT64_C(1000000000) + after.tv_nsec);
    }
}

static void *set_flag(void *argument) {
    *(bool *)argument = true;
    return NULL;
}

CORO_TEST(C7_now_is_read_once_per_pass) {
    bool ran = false;
    int64_t now = coro_now(), real = coro_get_now();
    CHECK(real >= now);
    while (coro_get_now() - real < CORO_MS(1)) {}
    CHECK_EQ(coro_now(), now);
    go(set_flag, &ran);
    coro_yield_slice();
    CHECK(ran);
    CHECK(coro_now() >= now + CORO_MS(1));
    CHECK(coro_now() <= coro_get_now());
    CHECK_EQ(coro_forever, INT64_MAX);
    CHECK_EQ(coro_forever, CORO_FOREVER);
    CHECK_EQ(coro_nanoseconds_per_second, CORO_SECONDS(1));
}

/* -- C10 in small: virtual time and steps -- */

CORO_TEST(C10_time_never_goes_back) {
    int64_t last = coro_get_now();
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(coro_test_set_virtual_time(i % 2 == 0), 0);
        CHECK(coro_get_now() >= last);
        last = coro_get_now();
        CHECK_EQ(coro_test_step_time(CORO_SECONDS(3600)), 0);
        CHECK(coro_get_now() >= last + CORO_SECONDS(3600));
        last = coro_get_now();
        CHECK_EQ(coro_sleep(CORO_US(10)), 0);
        CHECK(coro_get_now() >= last + CORO_US(10));
        last = coro_get_now();
    }
    CHECK_EQ(coro_test_step_time(-1), -EINVAL);
    CHECK_EQ(coro_test_step_time(0), 0);
}

/* Known bug 51: a jump of 24 hours fires every timer once, in the order of the deadlines. */
CORO_TEST(C10_a_jump_of_the_clock_fires_all_once_in_order) {
    static char names[40][4];
    static struct sleeper sleepers[40];
    char expected[400] = "";
    for (int i = 39; i >= 0; i--) {
        snprintf(names[i], sizeof names[i], "%d", i);
        sleepers[i] = (struct sleeper){names[i], CORO_SECONDS(60 + i * 2000), coro_sleep};
        go(sleep_and_note, &sleepers[i]);
    }
    for (int i = 0; i < 40; i++) sprintf(expected + strlen(expected), "%d ", i);
    coro_yield();
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_test_step_time(CORO_SECONDS(86400)), 0);
    coro_yield_slice();
    coro_yield_slice();
    CHECK_STR(traced(), expected);
}

/* -- known bug 43: times that do not fit -- */

static bool fired;
static void *sleep_huge(void *argument) {
    int64_t time = *(int64_t *)argument;
    int code = coro_sleep(time);
    if (code == 0) fired = true;
    return NULL;
}

static const int64_t huge_times[] = {
    INT64_MAX, INT64_MAX - 1, INT64_MAX / 2, CORO_SECONDS(INT64_C(292) * 365 * 86400), CORO_SECONDS(INT64_C(25) * 86400),
    CORO_MS(INT64_C(1) << 31), CORO_MS((INT64_C(1) << 31) - 1), CORO_MS(INT64_C(1) << 32), CORO_MS((INT64_C(1) << 32) + 1),
    CORO_NS(INT64_C(1) << 48), CORO_NS(INT64_C(1) << 56), CORO_NS(INT64_C(1) << 62)};
enum { HUGE_TIMES = sizeof huge_times / sizeof *huge_times };

CORO_TEST(C1_huge_times_never_end_early_in_virtual_time) {
    coro_test_set_virtual_time(true);
    for (int i = 0; i < HUGE_TIMES; i++) {
        int64_t time = huge_times[i], start = coro_get_now();
        if (start > INT64_MAX / 2) break;
        coro_t co = start_now(sleep_huge, &time);
        fired = false;
        /* Up to a tenth of a second before: in one sleep and in many. */
        int64_t nearly = time > INT64_MAX / 4 ? INT64_MAX / 8 : time - CORO_MS(100);
        CHECK_EQ(coro_sleep(nearly), 0);
        CHECK(!fired);
        for (int k = 0; k < 99; k++) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
        CHECK(!fired);
        coro_shutdown(co);
        coro_join(co, NULL, CORO_FOREVER);
        coro_test_set_virtual_time(false);
        coro_test_set_virtual_time(true);
    }
}

/* On the real clock: the wait for descriptors gets these times. `polls` bounds how often the loop looks while 30 ms go by. */
static void wait_beside_huge_times(int polls) {
    for (int i = 0; i < HUGE_TIMES; i++) {
        int64_t time = huge_times[i];
        coro_t co = start_now(sleep_huge, &time);
        fired = false;
        CHECK_EQ(coro_test_fail_call(call_that_waits(), polls, EIO), 0);
        CHECK_EQ(coro_sleep(CORO_MS(2)), 0);
        CHECK_EQ(coro_test_fail_call(call_that_waits(), 0, 0), 0);
        CHECK(!fired);
        coro_shutdown(co);
        coro_join(co, NULL, CORO_FOREVER);
    }
}

TEST(C1_huge_times_never_end_early_and_never_spin) { wait_beside_huge_times(30); }

/* Known bug 44: on a kernel whose wait has milliseconds only. */
TEST(C1_kernels_that_wait_in_milliseconds_are_not_early_and_never_spin) {
    CHECK_EQ(coro_test_fail_call("epoll_pwait2", 1, ENOSYS), 0);
    CHECK_EQ(coro_sleep(CORO_MS(5)), 0);
    wait_beside_huge_times(30);
    const int64_t times[] = {1, CORO_US(1), CORO_US(999), CORO_US(1001), CORO_US(1500), CORO_MS(2), CORO_MS(2) + 1};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        int64_t start = coro_get_now();
        CHECK_EQ(coro_test_fail_call(call_that_waits(), 30, EIO), 0);
        CHECK_EQ(coro_sleep(times[i]), 0);
        CHECK(coro_get_now() - start >= times[i]);
    }
}

/* With a huge time alone, for the wait itself: what the kernel gets must not be "at once". */
TEST(C1_a_huge_time_alone_is_waited_for) {
    for (int i = 1; i < HUGE_TIMES; i++) {
        if (huge_times[i] > CORO_SECONDS(INT64_C(291) * 365 * 86400)) continue; /* with the clock's own time, that is "forever" */
        int64_t time = huge_times[i];
        coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
        options.poll_timeout = CORO_MS(1);
        coro_t co = start_now(sleep_huge, &time);
        fired = false;
        int64_t start = coro_get_now();
        CHECK_EQ(coro_test_fail_call(call_that_waits(), 11, EIO), 0);
        CHECK_EQ(coro_event_loop_with(&options), -EIO);
        /* Ten waits of 1 ms, or a little fewer, should the loop look once without waiting. */
        CHECK(coro_get_now() - start >= CORO_MS(5));
        CHECK(!fired);
        coro_shutdown(co);
        coro_join(co, NULL, CORO_FOREVER);
    }
}

/* Known bug 45: the wait comes back before its time, with nothing. */
TEST(C1_a_wait_that_ends_early_does_not_end_the_sleep) {
    for (int errors = 0; errors < 20; errors++) {
        int64_t start = coro_get_now();
        CHECK_EQ(coro_test_fail_call(call_that_waits(), 1, EINTR), 0);
        CHECK_EQ(coro_sleep(CORO_MS(2)), 0);
        CHECK(coro_get_now() - start >= CORO_MS(2));
    }
}

static void ignore_signal(int number) { (void)number; }

/* Known bug 40: signals all the time neither shorten a sleep nor start it again. */
TEST(C1_signals_neither_shorten_nor_restart_a_sleep) {
    struct sigaction action = {.sa_handler = ignore_signal};
    struct itimerval each_ms = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &each_ms, NULL);
    int64_t start = coro_get_now();
    CHECK_EQ(coro_sleep(CORO_MS(50)), 0);
    int64_t took = coro_get_now() - start;
    setitimer(ITIMER_REAL, &off, NULL);
    CHECK(took >= CORO_MS(50));
    CHECK(took < CORO_SECONDS(1));
}
