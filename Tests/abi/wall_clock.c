/* Rows C7, C8 and C10: the wall clock, its relation to the loop's time, and tests that set that time. */
#include "coroutines.h"

#include <math.h>
#include <pthread.h>
#include <sys/time.h>

static int64_t wall_usec(void) {
    struct timeval now;
    gettimeofday(&now, NULL);
    return (int64_t)now.tv_sec * 1000000 + now.tv_usec;
}

/* Close enough for a machine that is slow or has its clock set: what is checked is the order of magnitude. */
static void check_near(int64_t usec, int64_t expected) {
    CHECK(usec - expected < INT64_C(600) * 1000000 && expected - usec < INT64_C(600) * 1000000);
}

/* -- C7 -- */

CORO_TEST(C7_now_usec_stands_still_for_a_pass_and_get_usec_does_not) {
    int64_t pass = coro_now_usec(), right_now = coro_get_usec();
    check_near(right_now, wall_usec());
    check_near(pass, wall_usec());
    while (coro_get_usec() == right_now) {}
    CHECK_EQ(coro_now_usec(), pass);
    CHECK_EQ(coro_now_usec(), coro_ticks_to_absolute_time(coro_now()));
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK(coro_now_usec() >= pass + 1000);
}

CORO_TEST(C7_on_virtual_time_now_usec_goes_with_the_loop) {
    coro_test_set_virtual_time(true);
    CHECK_EQ(coro_yield_slice(), 0);
    int64_t start = coro_now_usec();
    CHECK_EQ(coro_sleep(CORO_SECONDS(86400)), 0);
    CHECK_EQ(coro_now_usec() - start, INT64_C(86400) * 1000000);
    check_near(coro_get_usec(), wall_usec()); /* which is nobody's but the system's */
}

TEST(C7_outside_a_loop_now_usec_is_right_now_too) {
    check_near(coro_now_usec(), wall_usec());
    check_near(coro_get_usec(), wall_usec());
    int64_t before = coro_now_usec();
    while (coro_now_usec() == before) {}
}

/* -- C8: conversions -- */

typedef __int128 wide;

/* How many ns the wall clock is ahead of the loop's time. */
static int64_t offset(void) {
    return -coro_absolute_time_to_ticks(0);
}

static int64_t clamp(wide time) {
    return time > INT64_MAX ? INT64_MAX : time < INT64_MIN ? INT64_MIN : (int64_t)time;
}

static int64_t divide_down(wide time, int64_t unit) {
    wide quotient = time / unit;
    return clamp(time % unit < 0 ? quotient - 1 : quotient);
}

static const int64_t times[] = {0,
                                1,
                                -1,
                                999,
                                1000,
                                -1000,
                                -1001,
                                INT64_C(1700000000),
                                INT64_C(1700000000123456),
                                INT64_C(1700000000123456789),
                                -INT64_C(1700000000123456789),
                                INT64_MAX / 1000,
                                INT64_MAX / 1000 + 1,
                                INT64_MIN / 1000,
                                INT64_MIN / 1000 - 1,
                                INT64_MAX - 1,
                                INT64_MAX,
                                INT64_MIN + 1,
                                INT64_MIN};
enum { TIMES = sizeof times / sizeof *times };

static void check_time(int64_t time) {
    /* Within a unit of the end of all time, the end may be said for it. */
    int64_t usec = coro_absolute_time_to_ticks(time), exact = clamp((wide)time * 1000 - offset());
    CHECK(usec == exact || (exact > INT64_MAX - 1000 && usec == INT64_MAX));
    int64_t seconds = coro_absolute_secs_to_ticks(time);
    exact = clamp((wide)time * 1000000000 - offset());
    CHECK(seconds == exact || (exact > INT64_MAX - 1000000000 && seconds == INT64_MAX));
    CHECK_EQ(coro_ticks_to_absolute_time(time), divide_down((wide)time + offset(), 1000));
    CHECK_EQ(coro_ticks_to_absolute_secs(time), divide_down((wide)time + offset(), 1000000000));
    CHECK_EQ(coro_absolute_time_to_ticks_safe(time), time == 0 ? 0 : coro_absolute_time_to_ticks(time));
    CHECK_EQ(coro_ticks_to_absolute_time_safe(time), time == 0 ? 0 : coro_ticks_to_absolute_time(time));
}

static void check_all_times(void) {
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < TIMES; i++) check_time(times[i]);
    for (int i = 0; i < 20000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        check_time((int64_t)random >> (i % 60));
    }
}

TEST(C8_conversions_are_exact_rounded_down_and_clamped) {
    CHECK(offset() > INT64_C(1000000000) * 1000000000); /* 2001 */
    check_all_times();
}

/* In a loop whose time is far ahead, as virtual time may be, the difference has the other sign. */
TEST(C8_conversions_are_right_for_any_relation) {
    const int64_t steps[] = {CORO_SECONDS(INT64_C(3000000000)), CORO_SECONDS(INT64_C(3000000000)), CORO_FOREVER};
    coro_test_set_virtual_time(true);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(coro_test_step_time(steps[i]), 0);
        coro_update_time_relation();
        CHECK(offset() < 0);
        check_near(coro_now_usec(), wall_usec());
        check_all_times();
    }
}

TEST(C8_there_and_back_is_the_same_time) {
    for (int64_t usec = -3000000; usec < INT64_C(9000000000000000); usec = usec * 3 / 2 + 777) {
        CHECK_EQ(coro_ticks_to_absolute_time(coro_absolute_time_to_ticks(usec)), usec);
        CHECK_EQ(coro_ticks_to_absolute_time(coro_absolute_time_to_ticks(usec) - 1), usec - 1);
        CHECK_EQ(coro_ticks_to_absolute_time(coro_absolute_time_to_ticks(usec) + 999), usec);
        if (usec < 0) usec /= 2;
    }
    for (int64_t seconds = -100; seconds < INT64_C(9000000000); seconds = seconds * 3 / 2 + 777)
        CHECK_EQ(coro_ticks_to_absolute_secs(coro_absolute_secs_to_ticks(seconds)), seconds);
    CHECK_EQ(coro_ticks_to_absolute_secs(coro_absolute_secs_to_ticks(-1)), -1);
    CHECK_EQ(coro_ticks_to_absolute_secs(coro_absolute_secs_to_ticks(0) - 1), -1);
}

TEST(C8_fractional_seconds) {
    const double exact[] = {0, 0.5, 1, -1, -0.5, -1.25, 1700000000, 1700000000.5, -1700000000.75, 9000000000.0};
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        int64_t ticks = clamp((wide)((long double)exact[i] * 1e9L) - offset());
        CHECK_EQ(coro_absolute_fsecs_to_ticks(exact[i]), ticks);
        CHECK(fabs(coro_ticks_to_absolute_fsecs(ticks) - exact[i]) < 1e-6);
    }
    /* Less than a nanosecond is rounded down. */
    CHECK_EQ(coro_absolute_fsecs_to_ticks(0.9e-9), -offset());
    CHECK_EQ(coro_absolute_fsecs_to_ticks(-0.1e-9), -offset() - 1);
    CHECK_EQ(coro_absolute_fsecs_to_ticks(-1.1e-9), -offset() - 2);
    CHECK(fabs(coro_ticks_to_absolute_fsecs(coro_get_now()) - (double)wall_usec() / 1e6) < 600);
}

TEST(C8_fractional_seconds_that_are_no_time) {
    const double late[] = {INFINITY, 1e300, 0x1p63, 1e19, 1e18, 1.2e10}, early[] = {-INFINITY, -1e300, -0x1p63, -1e18, -1e10, NAN};
    for (size_t i = 0; i < sizeof late / sizeof *late; i++) CHECK_EQ(coro_absolute_fsecs_to_ticks(late[i]), INT64_MAX);
    for (size_t i = 0; i < sizeof early / sizeof *early; i++) CHECK_EQ(coro_absolute_fsecs_to_ticks(early[i]), INT64_MIN);
    CHECK(coro_ticks_to_absolute_fsecs(INT64_MAX) > 9e9);
    CHECK(coro_ticks_to_absolute_fsecs(INT64_MIN) < -7e9);
}

/* -- C8: the relation -- */

static void *note_time(void *unused) {
    CHECK_EQ(coro_sleep(CORO_SECONDS(5000)), 0);
    trace("woken");
    return unused;
}

CORO_TEST(C8_the_relation_is_looked_at_again_on_request) {
    coro_test_set_virtual_time(true);
    CHECK_EQ(coro_yield_slice(), 0);
    int64_t before = offset();
    int64_t due = coro_get_now() + CORO_SECONDS(5000);
    coro_t sleeper = start_now(note_time, NULL);
    CHECK_EQ(coro_test_step_time(CORO_SECONDS(3600)), 0);
    CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(offset(), before); /* not by itself */
    check_near(coro_now_usec(), wall_usec() + INT64_C(3600) * 1000000);
    coro_update_time_relation();
    CHECK(before - offset() > CORO_SECONDS(1800)); /* an hour, and what has passed meanwhile */
    check_near(coro_now_usec(), wall_usec());
    /* Timers don't go by it. */
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_join(sleeper, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_get_now(), due);
}

static void *look_at_relation(void *before) {
    int64_t mine = offset();
    CHECK(mine - *(int64_t *)before < CORO_SECONDS(600) && *(int64_t *)before - mine < CORO_SECONDS(600));
    return NULL;
}

TEST(C8_the_relation_is_the_threads) {
    pthread_t thread;
    int64_t before = offset();
    CHECK_EQ(coro_test_step_time(CORO_SECONDS(7200)), 0);
    coro_update_time_relation();
    CHECK(before - offset() > CORO_SECONDS(3600));
    CHECK_EQ(pthread_create(&thread, NULL, look_at_relation, &before), 0);
    pthread_join(thread, NULL);
}

/* -- C10 -- */

static void check_set_time(void) {
    int64_t now = coro_get_now();
    CHECK_EQ(coro_test_set_time(now + CORO_SECONDS(100)), 0);
    CHECK(coro_get_now() >= now + CORO_SECONDS(100));
    CHECK(coro_get_now() < now + CORO_SECONDS(1000));
    const int64_t past[] = {now, 0, -1, INT64_MIN, INT64_MIN + 1};
    for (size_t i = 0; i < sizeof past / sizeof *past; i++) {
        now = coro_get_now();
        CHECK_EQ(coro_test_set_time(past[i]), 0);
        CHECK(coro_get_now() >= now && coro_get_now() < now + CORO_SECONDS(1000));
    }
}

TEST(C10_the_time_can_be_set_and_only_goes_on) {
    check_set_time();
    coro_test_set_virtual_time(true);
    check_set_time();
    int64_t now = coro_get_now();
    CHECK_EQ(coro_test_set_time(now + 1), 0);
    CHECK_EQ(coro_get_now(), now + 1);
    CHECK_EQ(coro_test_set_time(CORO_FOREVER), 0);
    CHECK_EQ(coro_get_now(), CORO_FOREVER);
    CHECK_EQ(coro_test_set_time(CORO_FOREVER), 0);
    CHECK_EQ(coro_test_step_time(1), 0);
    CHECK_EQ(coro_get_now(), CORO_FOREVER);
}

CORO_TEST(C10_setting_the_time_fires_what_is_due_then) {
    coro_test_set_virtual_time(true);
    int64_t start = coro_get_now();
    coro_t sleeper = start_now(note_time, NULL);
    CHECK_EQ(coro_test_set_time(start + CORO_SECONDS(5000) - 1), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_yield_slice(), 0);
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_test_set_time(start + CORO_SECONDS(5000)), 0);
    for (int i = 0; i < 2; i++) CHECK_EQ(coro_yield_slice(), 0);
    CHECK_STR(traced(), "woken ");
    CHECK_EQ(coro_join(sleeper, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_get_now(), start + CORO_SECONDS(5000));
}
