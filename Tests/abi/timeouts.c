/* Rows D1-D4, D8-D10 and D12: timeout scopes in coroutines, in virtual time. */
#include "coroutines.h"
#include "net.h"

static int64_t began;

/* Virtual time, counted from here. */
static void start_clock(void) {
    coro_test_set_virtual_time(true);
    began = coro_get_now();
}

static int64_t elapsed(void) {
    return coro_get_now() - began;
}

/* -- D1 -- */

static void *sleep_ms(void *ms) {
    int code = coro_sleep(CORO_MS(AS_INT(ms)));
    return code < 0 ? coro_fail(code, "broken off") : "slept";
}

CORO_TEST(D1_a_function_in_time_returns_its_value_and_one_too_slow_times_out) {
    void *result = NULL;
    start_clock();
    CHECK_EQ(coro_with_timeout(CORO_MS(10), sleep_ms, AS_POINTER(5), &result), 0);
    CHECK_STR(result, "slept");
    CHECK_EQ(elapsed(), CORO_MS(5));
    CHECK_EQ(coro_with_timeout(CORO_MS(10), sleep_ms, AS_POINTER(5), NULL), 0);
    CHECK_EQ(coro_with_timeout(CORO_MS(10), sleep_ms, AS_POINTER(20), &result), CORO_ETIMEOUT);
    CHECK(result == NULL);
    CHECK_CONTAINS(coro_error_detail(), "ran out");
    CHECK_EQ(elapsed(), CORO_MS(20));
    CHECK_EQ(coro_with_timeout(CORO_MS(10), sleep_ms, AS_POINTER(20), NULL), CORO_ETIMEOUT);
    CHECK_EQ(coro_with_timeout(CORO_FOREVER, sleep_ms, AS_POINTER(1000), &result), 0);
    CHECK_EQ(coro_with_timeout(CORO_FOREVER - 1, sleep_ms, AS_POINTER(1000), &result), 0);
    result = "untouched";
    CHECK_EQ(coro_with_timeout(CORO_MS(10), NULL, NULL, &result), -EINVAL);
    CHECK(result == NULL);
    CHECK_CONTAINS(coro_error_detail(), "fn");
}

static void *fail_with(void *code) {
    char message[] = "what was wrong";
    coro_fail(AS_INT(code), message);
    message[0] = 0; /* it was copied */
    return "not seen";
}

static void *fail_around(void *argument) {
    void *result = "untouched";
    coro_fail(-EDOM, "the outer one");
    CHECK_EQ(coro_with_timeout(CORO_MS(1), fail_with, AS_POINTER(-EIO), &result), -EIO);
    CHECK_STR(coro_error_detail(), "what was wrong");
    CHECK(result == NULL);
    CHECK_EQ(coro_with_timeout(CORO_MS(1), do_nothing, "fine", &result), 0);
    CHECK_STR(result, "fine");
    return argument;
}

static int notifications;
static int count_failure(coro_t co, int code, const char *message) {
    (void)co, (void)code, (void)message;
    notifications++;
    return 0;
}

static void *fail_in_scope(void *argument) {
    CHECK_EQ(coro_with_timeout(CORO_MS(1), fail_with, AS_POINTER(-EIO), NULL), -EIO);
    return argument;
}

CORO_TEST(D1_a_failure_is_the_functions_and_not_the_coroutines) {
    void *result = NULL;
    coro_set_exception_notifier(count_failure);
    CHECK_EQ(coro_join(coro_spawn(fail_in_scope, "fine"), &result, CORO_FOREVER), 0);
    CHECK_STR(result, "fine");
    CHECK_EQ(notifications, 0);
    /* What was recorded before is so after. */
    CHECK_EQ(coro_join(coro_spawn(fail_around, NULL), &result, CORO_FOREVER), -EDOM);
    CHECK_STR(coro_error_detail(), "the outer one");
    CHECK_EQ(notifications, 1);
    /* And a scope in a scope. */
    CHECK_EQ(coro_with_timeout(CORO_MS(5), fail_around, NULL, &result), -EDOM);
    CHECK_STR(coro_error_detail(), "the outer one");
}

CORO_TEST(D1_a_scope_ends_with_the_result_or_with_a_timeout) {
    start_clock();
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(10));
    CHECK(scope > 0);
    CHECK_EQ(coro_timeout_expired(scope), 0);
    CHECK_EQ(coro_timeout_deadline(), began + CORO_MS(10));
    CHECK_EQ(coro_sleep(CORO_MS(9)), 0);
    CHECK_EQ(coro_timeout_end(scope, INT64_MIN), INT64_MIN);
    CHECK_EQ(coro_timeout_deadline(), CORO_FOREVER);

    coro_timeout_t second = coro_timeout_begin(CORO_MS(10));
    CHECK(second > scope);
    CHECK_EQ(coro_sleep(CORO_SECONDS(9)), CORO_EINTERRUPTED);
    CHECK(coro_interrupt_value() == NULL);
    CHECK_STR(coro_error_detail(), "");
    CHECK_EQ(elapsed(), CORO_MS(19));
    CHECK_EQ(coro_timeout_expired(second), 1);
    CHECK_EQ(coro_timeout_deadline(), CORO_FOREVER);
    CHECK_EQ(coro_timeout_end(second, CORO_EINTERRUPTED), CORO_ETIMEOUT);
    CHECK_EQ(coro_sleep(CORO_SECONDS(9)), 0);
}

/* Row D8: it fires once, and the end tells of it also when nobody else did. */
CORO_TEST(D8_a_swallowed_timeout_fires_no_second_time_and_the_end_reports_it) {
    void *result = NULL;
    start_clock();
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(10));
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), CORO_EINTERRUPTED);
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), 0);
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(coro_timeout_end(scope, 42), CORO_ETIMEOUT);
    CHECK_EQ(coro_with_timeout(CORO_MS(1), sleep_for_ever, NULL, &result), CORO_ETIMEOUT);
}

static void *swallow(void *argument) {
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), CORO_EINTERRUPTED);
    return argument;
}

CORO_TEST(D8_a_function_that_goes_on_regardless_has_its_result_too) {
    void *result = NULL;
    start_clock();
    CHECK_EQ(coro_with_timeout(CORO_MS(1), swallow, "went on", &result), CORO_ETIMEOUT);
    CHECK_STR(result, "went on");
}

/* -- D4: no time -- */

static int pair[2];
static char byte;

static int sleep_0(void) { return coro_sleep(0); }
static int sleep_long(void) { return coro_sleep(CORO_SECONDS(1)); }
static int sleep_past(void) { return coro_sleep_absolute(0); }
static int park_here(void) { return coro_park(NULL); }
static int read_unready(void) { return (int)coro_read(pair[0], &byte, 1); }
static int wait_unready(void) { return coro_wait_for(pair[0], CORO_READ); }
static int (*const suspending[])(void) = {
    sleep_0, sleep_long, sleep_past, coro_yield, coro_yield_slice, park_here, read_unready, wait_unready,
};
enum { SUSPENDING = sizeof suspending / sizeof *suspending };

CORO_TEST(D4_nothing_may_suspend_in_a_scope_of_no_time) {
    const int64_t durations[] = {0, -1, INT64_MIN};
    start_clock();
    unix_pair(pair);
    for (int i = 0; i < 3 * SUSPENDING; i++) {
        coro_timeout_t scope = coro_timeout_begin(durations[i % 3]);
        CHECK_EQ(coro_timeout_expired(scope), 0);
        /* What need not suspend is done. */
        CHECK_EQ(coro_write(pair[1], "x", 1), 1);
        CHECK_EQ(coro_read(pair[0], &byte, 1), 1);
        CHECK_EQ(coro_join(coro_current(), NULL, 0), -EDEADLK);
        coro_set_max_selfish_acts(coro_current(), 100);
        if (suspending[i / 3]() != CORO_EINTERRUPTED) test_fail(__FILE__, __LINE__, "call %d was not interrupted", i / 3);
        CHECK_EQ(coro_timeout_expired(scope), 1);
        CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
        CHECK_EQ(elapsed(), 0);
    }
    /* One that never suspends returns. */
    void *result = NULL;
    CHECK_EQ(coro_with_timeout(0, do_nothing, "fine", &result), 0);
    CHECK_STR(result, "fine");
    CHECK_EQ(coro_with_timeout(-1, do_nothing, "fine", &result), 0);
    CHECK_EQ(coro_with_timeout(0, sleep_ms, AS_POINTER(0), &result), CORO_ETIMEOUT);
}

/* -- D3: nesting -- */

static void expect_nested(int64_t outer_ms, int64_t inner_ms, int64_t inner_end, int64_t outer_end) {
    coro_timeout_t outer = coro_timeout_begin(CORO_MS(outer_ms)), inner = coro_timeout_begin(CORO_MS(inner_ms));
    int64_t code = coro_sleep(CORO_SECONDS(10));
    CHECK_EQ(code, CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_expired(inner), inner_end == CORO_ETIMEOUT);
    CHECK_EQ(coro_timeout_expired(outer), outer_end == CORO_ETIMEOUT);
    code = coro_timeout_end(inner, code);
    CHECK_EQ(code, inner_end);
    code = coro_timeout_end(outer, code == CORO_ETIMEOUT ? 7 : code);
    CHECK_EQ(code, outer_end);
}

CORO_TEST(D3_each_scope_knows_its_own_timeout) {
    start_clock();
    expect_nested(10, 20, CORO_EINTERRUPTED, CORO_ETIMEOUT);
    CHECK_EQ(elapsed(), CORO_MS(10));
    expect_nested(20, 10, CORO_ETIMEOUT, 7);
    CHECK_EQ(elapsed(), CORO_MS(20));
    expect_nested(10, 10, CORO_EINTERRUPTED, CORO_ETIMEOUT); /* of two that are equal the outer one */
    expect_nested(0, 0, CORO_EINTERRUPTED, CORO_ETIMEOUT);
    expect_nested(10, 0, CORO_ETIMEOUT, 7);
    expect_nested(0, 10, CORO_EINTERRUPTED, CORO_ETIMEOUT);
    CHECK_EQ(elapsed(), CORO_MS(30));
}

CORO_TEST(D3_the_outer_scope_stays_armed_when_the_inner_one_has_run_out) {
    start_clock();
    coro_timeout_t outer = coro_timeout_begin(CORO_MS(30)), inner = coro_timeout_begin(CORO_MS(10));
    CHECK_EQ(coro_timeout_deadline(), began + CORO_MS(10));
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_deadline(), began + CORO_MS(30));
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), CORO_EINTERRUPTED); /* inside the inner one, which swallowed its own */
    CHECK_EQ(elapsed(), CORO_MS(30));
    CHECK_EQ(coro_timeout_end(inner, 1), CORO_ETIMEOUT);
    CHECK_EQ(coro_timeout_end(outer, 1), CORO_ETIMEOUT);

    outer = coro_timeout_begin(CORO_MS(10)), inner = coro_timeout_begin(CORO_MS(30));
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), CORO_EINTERRUPTED); /* the outer one's, swallowed in the inner */
    CHECK_EQ(coro_sleep(CORO_MS(5)), 0);
    CHECK_EQ(coro_timeout_end(inner, 1), 1);
    CHECK_EQ(coro_timeout_end(outer, 1), CORO_ETIMEOUT);
}

static void *nest(void *depth) {
    int left = AS_INT(depth);
    if (left == 0) return sleep_for_ever(NULL);
    int code = coro_with_timeout(CORO_MS(20 - left + 1), nest, AS_POINTER(left - 1), NULL);
    trace("%d:%d", left, code);
    return code < 0 ? coro_fail(code, NULL) : NULL;
}

static void *nest_the_other_way(void *depth) {
    int left = AS_INT(depth);
    if (left == 0) return sleep_for_ever(NULL);
    int code = coro_with_timeout(CORO_MS(left), nest_the_other_way, AS_POINTER(left - 1), NULL);
    trace("%d:%d", left, code);
    return NULL;
}

CORO_TEST(D3_twenty_levels) {
    char expected[400] = "";
    start_clock();
    /* The outermost has the least time: all the others let the interruption pass. */
    CHECK_EQ(coro_with_timeout(CORO_MS(1), nest, AS_POINTER(20), NULL), CORO_ETIMEOUT);
    for (int i = 1; i <= 20; i++) sprintf(expected + strlen(expected), "%d:%d ", i, CORO_EINTERRUPTED);
    CHECK_STR(traced(), expected);
    CHECK_EQ(elapsed(), CORO_MS(1));
    /* The innermost has: it takes it, and nobody else sees anything. */
    coro_with_timeout(CORO_MS(21), nest_the_other_way, AS_POINTER(20), NULL);
    sprintf(expected + strlen(expected), "1:%d ", CORO_ETIMEOUT);
    for (int i = 2; i <= 20; i++) sprintf(expected + strlen(expected), "%d:0 ", i);
    CHECK_STR(traced(), expected);
    CHECK_EQ(elapsed(), CORO_MS(2));
}

/* Shrapnel let a TimeoutError of the inner scope pass through the outer one as it was. */
CORO_TEST(D3_an_inner_timeout_handed_on_is_not_the_outer_ones) {
    start_clock();
    coro_timeout_t outer = coro_timeout_begin(CORO_SECONDS(1));
    int64_t code = coro_with_timeout(CORO_MS(1), sleep_for_ever, NULL, NULL);
    CHECK_EQ(code, CORO_ETIMEOUT);
    CHECK_EQ(coro_timeout_expired(outer), 0);
    CHECK_EQ(coro_timeout_end(outer, code), CORO_ETIMEOUT); /* which is the result that it was given */
    CHECK_EQ(elapsed(), CORO_MS(1));
}

/* -- times without end -- */

CORO_TEST(D1_no_limit_and_very_long_ones_never_run_out) {
    const int64_t durations[] = {CORO_FOREVER, INT64_MAX - 1, INT64_MAX / 2};
    start_clock();
    for (int i = 0; i < 3; i++) {
        coro_timeout_t scope = coro_timeout_begin(durations[i]);
        CHECK_EQ(coro_timeout_deadline(), i < 2 ? CORO_FOREVER : began + CORO_SECONDS(2) * 1000000 + INT64_MAX / 2);
        CHECK_EQ(coro_sleep(CORO_SECONDS(1000000)), 0);
        CHECK_EQ(coro_timeout_end(scope, 5), 5);
    }
}

/* -- whose scope it is -- */

static coro_timeout_t of_another;

static void *end_the_others(void *argument) {
    CHECK_EQ(coro_timeout_end(of_another, 0), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "another coroutine");
    CHECK_EQ(coro_timeout_expired(of_another), -EINVAL);
    CHECK_EQ(coro_timeout_deadline(), CORO_FOREVER);
    return argument;
}

CORO_TEST(D1_a_scope_is_ended_once_by_who_began_it) {
    start_clock();
    of_another = coro_timeout_begin(CORO_MS(10));
    CHECK_EQ(coro_join(coro_spawn(end_the_others, NULL), NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_timeout_end(of_another, 3), 3);
    CHECK_EQ(coro_timeout_end(of_another, 3), -EINVAL);
    CHECK_EQ(coro_timeout_expired(of_another), -EINVAL);
    const coro_timeout_t none[] = {0, of_another + 1, INT64_MAX};
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_timeout_end(none[i], 3), -EINVAL);
    CHECK_EQ(coro_timeout_end(-ENOMEM, 3), -ENOMEM);
    CHECK_EQ(coro_timeout_expired(-ENOMEM), -EINVAL);

    /* An outer one takes along those in it. */
    coro_timeout_t outer = coro_timeout_begin(CORO_MS(50)), middle = coro_timeout_begin(CORO_MS(5));
    coro_timeout_t inner = coro_timeout_begin(CORO_MS(1));
    CHECK_EQ(coro_timeout_end(middle, 3), 3);
    CHECK_EQ(coro_timeout_end(inner, 3), -EINVAL);
    CHECK_EQ(coro_timeout_deadline(), began + CORO_MS(50));
    CHECK_EQ(coro_timeout_end(outer, 3), 3);
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), 0);
}

/* How far the call got that the timeout has interrupted is known after the end of the scope, too. */
CORO_TEST(D1_the_progress_of_what_was_interrupted_outlives_the_scope) {
    char buffer[8];
    int ends[2];
    start_clock();
    CHECK_EQ(coro_pipe(ends, 0), 0);
    CHECK_EQ(coro_write(ends[1], "abc", 3), 3);
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(10));
    int64_t got = coro_recv_exact(ends[0], buffer, sizeof buffer);
    CHECK_EQ(got, CORO_EINTERRUPTED);
    CHECK_EQ(coro_error_progress(), 3);
    CHECK_EQ(coro_timeout_end(scope, got), CORO_ETIMEOUT);
    CHECK_EQ(coro_error_progress(), 3);
    CHECK_CONTAINS(coro_error_detail(), "ran out");

    /* Without an error it would be that of an earlier one. */
    scope = coro_timeout_begin(0);
    CHECK_EQ(coro_sleep(CORO_MS(1)), CORO_EINTERRUPTED);
    CHECK_EQ(coro_write(ends[1], "abc", 3), 3);
    CHECK_EQ(coro_recv_exact(ends[0], buffer, 3), 3);
    CHECK_EQ(coro_timeout_end(scope, 3), CORO_ETIMEOUT);
    CHECK_EQ(coro_error_progress(), 0);
    coro_close(ends[0]), coro_close(ends[1]);
}

static void *forget_to_end(void *argument) {
    CHECK(coro_timeout_begin(CORO_MS(10)) > 0);
    return coro_sleep(CORO_MS(1)) < 0 ? NULL : argument;
}

CORO_TEST(D9_a_scope_that_is_not_ended_ends_with_its_coroutine) {
    void *result = NULL;
    start_clock();
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(coro_join(coro_spawn(forget_to_end, "fine"), &result, CORO_FOREVER), 0);
        CHECK_STR(result, "fine");
    }
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), 0);
    CHECK_EQ(elapsed(), CORO_SECONDS(1) + 100 * CORO_MS(1));
    CHECK_EQ(coro_get_live_coros(), 1);
}

static void *end_the_one_around(void *result) {
    CHECK_EQ(coro_timeout_end(of_another, 0), 0);
    return result;
}

/* What a function returned is not lost because it ended its own scope with one around it. */
CORO_TEST(D1_a_function_may_end_the_scope_around_its_own) {
    void *result = NULL;
    of_another = coro_timeout_begin(CORO_SECONDS(1));
    CHECK_EQ(coro_with_timeout(CORO_SECONDS(1), end_the_one_around, "fine", &result), 0);
    CHECK_STR(result, "fine");
}
