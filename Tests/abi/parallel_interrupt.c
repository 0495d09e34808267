/* Row E5: whoever waits in coro_in_parallel may be interrupted. What runs runs on, and nobody writes into a frame that is
   gone. And its time limit, which is no interruption. */
#include "jobs.h"

enum { COUNT = 6 };
static job jobs[COUNT];
static coro_parallel_options options;

/* -- the ways to interrupt -- */

static int interrupt_by_raise(coro_t co) { return coro_raise(co, -ENOLINK, 0); }
static int interrupt_by_timeout_code(coro_t co) { return coro_raise(co, CORO_ETIMEOUT, 0); }
static int interrupt_by_closed_code(coro_t co) { return coro_raise(co, CORO_ECLOSED, 0); }
static int interrupt_by_interrupt(coro_t co) { return coro_interrupt(co, NULL); }
static int interrupt_by_shutdown(coro_t co) { return coro_shutdown(co); }

static const struct way {
    int (*interrupt)(coro_t);
    int code;
} ways[] = {
    {interrupt_by_raise, -ENOLINK},           {interrupt_by_timeout_code, CORO_ETIMEOUT},
    {interrupt_by_closed_code, CORO_ECLOSED}, {interrupt_by_interrupt, CORO_EINTERRUPTED},
    {interrupt_by_shutdown, CORO_ESHUTDOWN},
};
enum { WAYS = sizeof ways / sizeof *ways };

/* The calls are on this stack, which is gone when it returns. */
static void *call_them(void *expected) {
    coro_call calls[COUNT];
    for (int i = 0; i < COUNT; i++) {
        memset(&calls[i], 0x5a, sizeof calls[i]);
        calls[i].fn = do_job;
        calls[i].arg = &jobs[i];
    }
    CHECK_EQ(coro_in_parallel_with(calls, COUNT, &options), AS_INT(expected));
    CHECK_STR(coro_error_detail(), "");
    check_untouched(calls, COUNT);
    return expected;
}

static void prepare(int64_t takes, size_t limit) {
    coro_call unused[COUNT];
    make_jobs(jobs, unused, COUNT, takes);
    coro_parallel_options_init(&options);
    options.limit = limit;
}

static void schedule_jobs(void) {
    for (int i = 0; i < COUNT; i++)
        if (jobs[i].start > 0 && jobs[i].end == 0) CHECK_EQ(coro_schedule(jobs[i].co, NULL), 0);
}

CORO_TEST(E5_the_interruption_is_passed_on_and_the_workers_run_on) {
    coro_set_exception_notifier(count_failure);
    for (int i = 0; i < WAYS; i++) {
        for (size_t limit = 0; limit < 3; limit++) {
            prepare(PARKS, limit);
            coro_t caller = start_now(call_them, AS_POINTER(ways[i].code));
            coro_yield();
            CHECK_EQ(ways[i].interrupt(caller), 0);
            CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0); /* at once, without their ends */
            CHECK_EQ(jobs_started(), limit == 0 ? COUNT : limit);
            while (jobs_ended() < COUNT) {
                schedule_jobs(); /* the rest too is started, in its turn, and run to its end */
                CHECK_EQ(coro_yield(), 0);
            }
            for (int k = 0; k < COUNT; k++) CHECK_EQ(jobs[k].start, k + 1);
            CHECK_EQ(coro_get_live_coros(), 1);
        }
    }
    CHECK_EQ(failures_told(), 0);
}

CORO_TEST(E5_failures_that_nobody_waits_for_any_more_are_told_to_the_notifier) {
    coro_set_exception_notifier(count_failure);
    prepare(PARKS, 0);
    coro_t caller = start_now(call_them, AS_POINTER(CORO_ESHUTDOWN));
    coro_yield();
    CHECK_EQ(coro_shutdown(caller), 0);
    CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0);
    for (int i = 0; i < COUNT; i++) jobs[i].fails = i % 2 ? -EIO : 0;
    CHECK_EQ(coro_shutdown(jobs[2].co), 0); /* which is silent */
    coro_yield();
    schedule_jobs();
    coro_yield();
    CHECK_EQ(jobs_ended(), COUNT);
    CHECK_EQ(failures_told(), 3);
    CHECK_EQ(last_failure_told(), -EIO);
}

/* -- both in one pass, in both orders -- */

CORO_TEST(E5_woken_by_the_last_end_and_then_interrupted_it_is_interrupted) {
    for (int i = 0; i < WAYS; i++) {
        if (ways[i].interrupt == interrupt_by_interrupt) continue; /* which leaves alone who is runnable */
        prepare(PARKS, 0);
        coro_t caller = start_now(call_them, AS_POINTER(ways[i].code));
        coro_yield();
        schedule_jobs();
        coro_yield();
        CHECK_EQ(jobs_ended(), COUNT);
        CHECK(info_of(caller).scheduled);
        CHECK_EQ(ways[i].interrupt(caller), 0);
        CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0);
        CHECK_EQ(coro_get_live_coros(), 1);
    }
}

CORO_TEST(E5_interrupted_just_before_the_last_end_it_is_interrupted) {
    for (int i = 0; i < WAYS; i++) {
        prepare(PARKS, 0);
        coro_t caller = start_now(call_them, AS_POINTER(ways[i].code));
        coro_yield();
        schedule_jobs(); /* they run ahead of the caller, */
        CHECK_EQ(ways[i].interrupt(caller), 0);
        coro_yield();
        CHECK_EQ(jobs_ended(), COUNT);
        CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0); /* and that is not an outcome for it */
        CHECK_EQ(coro_get_live_coros(), 1);
    }
}

/* Those that are told to end before they run are no different. */
CORO_TEST(E5_interrupted_and_all_cancelled_leaves_nothing) {
    coro_t ids[COUNT + 2];
    prepare(PARKS, 2);
    coro_t caller = start_now(call_them, AS_POINTER(CORO_ESHUTDOWN));
    CHECK_EQ(coro_shutdown(caller), 0);
    CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0);
    for (int n; (n = coro_all(ids, COUNT + 2)) > 1; coro_yield())
        for (int i = 0; i < n; i++)
            if (ids[i] != coro_current()) CHECK_EQ(coro_shutdown(ids[i]), 0);
    CHECK_EQ(coro_get_live_coros(), 1);
}

/* -- interrupted before it began -- */

static coro_t starter;

static void *raise_in_starter(void *code) {
    CHECK_EQ(coro_raise(starter, AS_INT(code), 0), 0);
    return code;
}

/* Told beforehand, it does not even begin: nothing is run. */
CORO_TEST(E5_told_before_the_call_nothing_is_run) {
    prepare(0, 0);
    coro_shutdown(coro_current());
    call_them(AS_POINTER(CORO_ESHUTDOWN));
    const int codes[] = {-ENOLINK, CORO_ETIMEOUT, CORO_ECLOSED, CORO_EINPARALLEL};
    starter = coro_current();
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        coro_detach(start_now(raise_in_starter, AS_POINTER(codes[i])));
        call_them(AS_POINTER(codes[i]));
    }
    for (int i = 0; i < 3; i++) coro_yield();
    CHECK_EQ(jobs_started(), 0);
    CHECK_EQ(coro_get_live_coros(), 1);
}

/* -- timeout scopes around it -- */

static void *run_three_sleepers(void *unused) {
    coro_call calls[3];
    job three[3];
    (void)unused;
    make_jobs(three, calls, 3, CORO_SECONDS(5));
    int code = coro_in_parallel(calls, 3);
    if (code < 0) {
        check_untouched(calls, 3);
        coro_sleep(CORO_SECONDS(5)); /* the jobs, which are on this stack, end */
        return coro_fail(code, NULL);
    }
    for (int i = 0; i < 3; i++) check_outcome(&calls[i], 0, NULL);
    return &starter;
}

/* The original's own test: three sleep for 5 s, in a limit of 2 s, and of 7 s. */
CORO_TEST(E5_a_timeout_scope_bounds_it) {
    void *result = NULL;
    coro_test_set_virtual_time(true);
    int64_t start = coro_get_now();
    CHECK_EQ(coro_with_timeout(CORO_SECONDS(2), run_three_sleepers, NULL, &result), CORO_ETIMEOUT);
    CHECK_EQ(coro_get_now() - start, CORO_SECONDS(7));
    CHECK_EQ(jobs_ended(), 3);
    CHECK_EQ(coro_with_timeout(CORO_SECONDS(7), run_three_sleepers, NULL, &result), 0);
    CHECK(result == &starter);
    CHECK_EQ(coro_get_live_coros(), 1);
}

CORO_TEST(E5_in_a_scope_whose_time_is_up_they_run_without_it) {
    prepare(0, 0);
    coro_timeout_t none = coro_timeout_begin(0);
    call_them(AS_POINTER(CORO_EINTERRUPTED));
    CHECK_EQ(coro_timeout_end(none, CORO_EINTERRUPTED), CORO_ETIMEOUT);
    while (jobs_ended() < COUNT) CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(coro_get_live_coros(), 1);
}

/* -- options.timeout -- */

static void check_timed_out(const coro_call *calls, int done) {
    for (int i = 0; i < COUNT; i++) check_outcome(&calls[i], i < done ? 0 : CORO_ETIMEOUT, NULL);
}

CORO_TEST(parallel_timeout_keeps_what_has_ended_and_starts_no_more) {
    coro_call calls[COUNT];
    coro_test_set_virtual_time(true);
    coro_set_exception_notifier(count_failure);
    coro_parallel_options_init(&options);
    options.limit = 2;
    options.timeout = CORO_MS(25);
    make_jobs(jobs, calls, COUNT, CORO_MS(10));
    int64_t start = coro_get_now();
    CHECK_EQ(coro_in_parallel_with(calls, COUNT, &options), CORO_ETIMEOUT);
    CHECK_EQ(coro_get_now() - start, CORO_MS(25));
    check_timed_out(calls, 4);
    CHECK_EQ(jobs_started(), COUNT); /* the last two run on, */
    jobs[5].fails = -EIO;            /* and what they fail with is told */
    CHECK_EQ(coro_sleep(CORO_MS(10)), 0);
    CHECK_EQ(jobs_ended(), COUNT);
    check_timed_out(calls, 4);
    CHECK_EQ(failures_told(), 1);

    options.timeout = CORO_MS(15);
    make_jobs(jobs, calls, COUNT, CORO_MS(10));
    CHECK_EQ(coro_in_parallel_with(calls, COUNT, &options), CORO_ETIMEOUT);
    check_timed_out(calls, 2);
    CHECK_EQ(coro_sleep(CORO_SECONDS(10)), 0);
    CHECK_EQ(jobs_started(), 4); /* what had not been started never is */
    CHECK_EQ(jobs_ended(), 4);
    CHECK_EQ(coro_get_live_coros(), 1);
}

CORO_TEST(parallel_timeout_that_is_long_enough_is_not_noticed) {
    const int64_t times[] = {CORO_MS(11), CORO_SECONDS(86400), CORO_FOREVER - 1, CORO_FOREVER};
    coro_call calls[COUNT];
    coro_test_set_virtual_time(true);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        coro_parallel_options_init(&options);
        options.timeout = times[i];
        make_jobs(jobs, calls, COUNT, CORO_MS(10));
        CHECK_EQ(coro_in_parallel_with(calls, COUNT, &options), 0);
        for (int k = 0; k < COUNT; k++) check_outcome(&calls[k], 0, NULL);
    }
    int64_t start = coro_get_now();
    CHECK_EQ(coro_sleep(CORO_SECONDS(100000)), 0); /* no timer is left that would come first */
    CHECK_EQ(coro_get_now() - start, CORO_SECONDS(100000));
}

static void *step_time(void *ns) {
    CHECK_EQ(coro_test_step_time((intptr_t)ns), 0);
    return ns;
}

/* Its time and theirs are up in the same pass, theirs first: when it goes on all have ended, so it has them all. */
CORO_TEST(parallel_timeout_in_the_pass_in_which_the_last_ends_is_none) {
    coro_call calls[COUNT];
    coro_test_set_virtual_time(true);
    coro_parallel_options_init(&options);
    options.timeout = CORO_MS(20);
    make_jobs(jobs, calls, COUNT, CORO_MS(10));
    calls[COUNT - 1] = (coro_call){.fn = step_time, .arg = (void *)(intptr_t)CORO_SECONDS(1)};
    CHECK_EQ(coro_in_parallel_with(calls, COUNT, &options), 0);
    for (int i = 0; i < COUNT; i++) check_outcome(&calls[i], 0, NULL);
    CHECK_EQ(coro_get_live_coros(), 1);
}

static coro_t timed_caller;

static void *shut_it_down_after_5_ms(void *unused) {
    CHECK_EQ(coro_sleep(CORO_MS(5)), 0);
    CHECK(info_of(timed_caller).scheduled);
    CHECK_EQ(coro_shutdown(timed_caller), 0);
    return unused;
}

CORO_TEST(parallel_timeout_and_then_an_interruption_gives_the_interruption) {
    coro_test_set_virtual_time(true);
    prepare(PARKS, 2);
    options.timeout = CORO_MS(5);
    coro_t helper = start_now(shut_it_down_after_5_ms, NULL);
    timed_caller = start_now(call_them, AS_POINTER(CORO_ESHUTDOWN));
    CHECK_EQ(coro_join(timed_caller, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_join(helper, NULL, CORO_FOREVER), 0);
    while (jobs_ended() < COUNT) schedule_jobs(), coro_yield();
    CHECK_EQ(coro_get_live_coros(), 1);
}
