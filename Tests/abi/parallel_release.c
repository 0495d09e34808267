/* coro_parallel_options.release: every argument is given back once, whatever becomes of its function and of the caller. */
#include "coroutines.h"

enum { CALLS = 5 };

static int run[CALLS], released[CALLS];

static void release(void *arg) {
    released[AS_INT(arg)]++;
    CHECK_EQ(coro_sleep(0), CORO_EYIELDFROMMAIN);
}

static void *sleep_a_second(void *arg) {
    run[AS_INT(arg)]++;
    CHECK_EQ(released[AS_INT(arg)], 0);
    coro_sleep(CORO_SECONDS(1));
    return arg;
}

static coro_call *calls(void) {
    static coro_call calls[CALLS];
    for (int i = 0; i < CALLS; i++) {
        calls[i] = (coro_call){.fn = sleep_a_second, .arg = AS_POINTER(i)};
        run[i] = released[i] = 0;
    }
    coro_test_set_virtual_time(true);
    return calls;
}

static coro_parallel_options options(size_t limit, int64_t timeout) {
    coro_parallel_options options = CORO_PARALLEL_OPTIONS_INIT;
    options.limit = limit;
    options.timeout = timeout;
    options.release = release;
    return options;
}

/* That the first `ran` were run, and that all were released. */
static void check_released(int ran) {
    for (int i = 0; i < CALLS; i++) {
        CHECK_EQ(run[i], i < ran);
        CHECK_EQ(released[i], 1);
    }
}

CORO_TEST(E1_arguments_are_given_back_when_their_functions_have_returned) {
    coro_parallel_options two = options(2, 0), all = options(SIZE_MAX, 0);
    CHECK_EQ(coro_in_parallel_with(calls(), CALLS, &two), 0);
    check_released(CALLS);
    CHECK_EQ(coro_in_parallel_with(calls(), CALLS, &all), 0);
    check_released(CALLS);
}

CORO_TEST(E6_arguments_are_given_back_when_nothing_is_run) {
    coro_parallel_options all = options(0, 0);
    coro_call *malformed = calls();
    malformed[3].fn = NULL;
    CHECK_EQ(coro_in_parallel_with(malformed, CALLS, &all), -EINVAL);
    check_released(0);
    coro_parallel_options negative = options(0, -1);
    CHECK_EQ(coro_in_parallel_with(calls(), CALLS, &negative), -EINVAL);
    check_released(0);
    coro_call *good = calls();
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    CHECK_EQ(coro_in_parallel_with(good, CALLS, &all), -ENOMEM);
    check_released(0);
}

CORO_TEST(E1_arguments_are_given_back_when_a_coroutine_could_not_be_made) {
    coro_parallel_options all = options(0, 0);
    coro_call *good = calls();
    CHECK_EQ(coro_test_fail_call("calloc", 3, ENOMEM), 0); /* after the two of the run itself */
    int result = coro_in_parallel_with(good, CALLS, &all);
    coro_test_fail_call("calloc", 0, 0);
    int failures = 0;
    for (int i = 0; i < CALLS; i++) {
        failures += good[i].error != 0;
        CHECK_EQ(run[i], good[i].error == 0);
        CHECK_EQ(released[i], 1);
    }
    CHECK_EQ(result, failures == 0 ? 0 : CORO_EINPARALLEL);
}

CORO_TEST(E4_arguments_are_given_back_after_a_timeout) {
    coro_parallel_options two = options(2, CORO_MS(1500));
    CHECK_EQ(coro_in_parallel_with(calls(), CALLS, &two), CORO_ETIMEOUT);
    const int given_back[CALLS] = {1, 1, 0, 0, 1}; /* ended, ended, running, running, never started */
    for (int i = 0; i < CALLS; i++) CHECK_EQ(released[i], given_back[i]);
    coro_sleep(CORO_SECONDS(1));
    check_released(4);
    CHECK_EQ(coro_get_live_coros(), 1);
}

static int outcome;

static void *run_in_parallel(void *limit) {
    coro_parallel_options some = options((size_t)AS_INT(limit), 0);
    outcome = coro_in_parallel_with(calls(), CALLS, &some);
    return NULL;
}

CORO_TEST(E5_arguments_are_given_back_after_the_caller_was_interrupted) {
    coro_t caller = start_now(run_in_parallel, AS_POINTER(2));
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(coro_shutdown(caller), 0);
    CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0);
    CHECK_EQ(outcome, CORO_ESHUTDOWN);
    for (int i = 0; i < CALLS; i++) CHECK_EQ(released[i], 0);
    coro_sleep(CORO_SECONDS(4));
    check_released(CALLS);
    CHECK_EQ(coro_get_live_coros(), 1);
}

/* The way a program ends: everybody is told to, also those that have not run yet. */
CORO_TEST(E5_arguments_are_given_back_when_all_are_told_to_end_before_they_run) {
    coro_t self = coro_current(), ids[CALLS + 2];
    coro_t caller = start_now(run_in_parallel, AS_POINTER(CALLS));
    CHECK_EQ(coro_all(ids, CALLS + 2), CALLS + 2);
    for (int i = 0; i < CALLS + 2; i++) {
        if (ids[i] != self) CHECK_EQ(coro_shutdown(ids[i]), 0);
    }
    check_released(0);
    CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0);
    CHECK_EQ(outcome, CORO_ESHUTDOWN);
    CHECK_EQ(coro_get_live_coros(), 1);
}

static void *raise_timeout(void *starter) {
    CHECK_EQ(coro_raise(*(coro_t *)starter, CORO_ETIMEOUT, 0), 0);
    return NULL;
}

/* Interrupted before the call: with the very code that a timeout of the call's own has. */
CORO_TEST(E5_arguments_are_given_back_when_the_caller_was_interrupted_before) {
    coro_t self = coro_current();
    coro_parallel_options all = options(0, 0);
    coro_t raiser = start_now(raise_timeout, &self);
    CHECK_EQ(coro_in_parallel_with(calls(), CALLS, &all), CORO_ETIMEOUT);
    check_released(0);
    CHECK_EQ(coro_join(raiser, NULL, 0), 0);
}

static coro_t tester;

/* Ends those that have run, and cancels those that have not. */
static void end_others(void *arg) {
    released[AS_INT(arg)]++;
    coro_t ids[CALLS + 2];
    int n = coro_all(ids, CALLS + 2);
    for (int i = 0; i < n; i++) {
        if (ids[i] != tester) coro_raise(ids[i], CORO_ESHUTDOWN, CORO_CANCEL_START);
    }
}

static void *run_with_a_release_that_ends_the_others(void *arg) {
    coro_parallel_options two = options(2, 0);
    two.release = end_others;
    outcome = coro_in_parallel_with(calls(), CALLS, &two);
    return arg;
}

/* A release function that ends other tasks, and so, with the last one, the run. */
CORO_TEST(E5_a_release_function_may_end_the_other_functions) {
    tester = coro_current();
    coro_t caller = start_now(run_with_a_release_that_ends_the_others, NULL);
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(coro_shutdown(caller), 0);
    CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0);
    CHECK_EQ(outcome, CORO_ESHUTDOWN);
    coro_sleep(CORO_SECONDS(5));
    for (int i = 0; i < CALLS; i++) CHECK_EQ(released[i], 1);
    CHECK_EQ(coro_get_live_coros(), 1);
}

static void *step_time(void *arg) {
    CHECK_EQ(coro_yield(), 0); /* when the first one sleeps */
    coro_test_step_time(CORO_SECONDS(2));
    return arg;
}

/* One ends and the time is up in the same pass: the next is queued, and is cancelled when the others are given up. None of
   those may take its place. */
CORO_TEST(E5_what_is_given_up_is_not_started_meanwhile) {
    tester = coro_current();
    coro_parallel_options one = options(1, CORO_SECONDS(1) + 1);
    one.release = end_others;
    coro_call *some = calls();
    go(step_time, NULL);
    CHECK_EQ(coro_in_parallel_with(some, CALLS, &one), CORO_ETIMEOUT);
    CHECK_EQ(coro_sleep(CORO_SECONDS(5)), 0);
    for (int i = 0; i < CALLS; i++) {
        CHECK_EQ(run[i], i == 0);
        CHECK_EQ(released[i], 1);
    }
}
