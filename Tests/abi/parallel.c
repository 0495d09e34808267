/* Rows E1 to E4 and E6: coro_in_parallel runs all, waits for all, and loses no outcome. */
#include "jobs.h"

/* -- E1: results -- */

enum { FIVE = 5 };

/* The jobs' times are the n-th permutation of 1 to 5 ms. */
static void permute(job *jobs, int n) {
    int left[FIVE] = {1, 2, 3, 4, 5};
    for (int i = 0; i < FIVE; i++) {
        int choice = n % (FIVE - i);
        n /= FIVE - i;
        jobs[i].takes = CORO_MS(left[choice]);
        left[choice] = left[FIVE - i - 1];
    }
}

static void *run_all_permutations(void *unused) {
    job jobs[FIVE];
    coro_call calls[FIVE];
    for (int n = 0; n < 120; n++) {
        make_jobs(jobs, calls, FIVE, 0);
        permute(jobs, n);
        int64_t start = coro_get_now();
        CHECK_EQ(coro_in_parallel(calls, FIVE), 0);
        CHECK_EQ(coro_get_now() - start, CORO_MS(5)); /* side by side, and to the end of the last */
        CHECK_EQ(jobs_at_once(), FIVE);
        for (int i = 0; i < FIVE; i++) {
            check_outcome(&calls[i], 0, NULL);
            CHECK_EQ(jobs[i].start, i + 1);
            CHECK_EQ(jobs[i].end, jobs[i].takes / CORO_MS(1));
        }
    }
    return unused;
}

TEST(E1_results_stand_with_their_calls_whatever_order_they_end_in) {
    coro_test_set_virtual_time(true);
    go(run_all_permutations, NULL);
    run_until_idle();
    run_all_permutations(NULL); /* and on the thread's own stack, without a loop */
    CHECK_EQ(coro_get_live_coros(), 0);
}

CORO_TEST(E1_each_runs_in_a_coroutine_of_its_own) {
    job jobs[3];
    coro_call calls[3];
    make_jobs(jobs, calls, 3, 0);
    int64_t before = coro_get_live_coros();
    CHECK_EQ(coro_in_parallel(calls, 3), 0);
    CHECK(jobs[0].co > 0 && jobs[1].co > jobs[0].co && jobs[2].co > jobs[1].co);
    CHECK(jobs[0].co != coro_current());
    CHECK_EQ(coro_get_live_coros(), before);
}

CORO_TEST(E1_the_same_calls_may_be_run_again) {
    job jobs[2];
    coro_call calls[2];
    make_jobs(jobs, calls, 2, 0);
    jobs[1].fails = -EIO;
    jobs[1].message = "the first time";
    CHECK_EQ(coro_in_parallel(calls, 2), CORO_EINPARALLEL);
    jobs[1].fails = 0;
    CHECK_EQ(coro_in_parallel(calls, 2), 0);
    for (int i = 0; i < 2; i++) check_outcome(&calls[i], 0, NULL);
}

static void *add_up(void *depth) {
    coro_call calls[4];
    int sum = 0;
    if (AS_INT(depth) == 0) {
        CHECK_EQ(coro_yield_slice(), 0);
        return AS_POINTER(1);
    }
    for (int i = 0; i < 4; i++) calls[i] = (coro_call){.fn = add_up, .arg = AS_POINTER(AS_INT(depth) - 1)};
    CHECK_EQ(coro_in_parallel(calls, 4), 0);
    for (int i = 0; i < 4; i++) sum += AS_INT(calls[i].result);
    return AS_POINTER(sum);
}

TEST(E1_what_runs_in_parallel_may_run_others_in_parallel) {
    CHECK_EQ(AS_INT(add_up(AS_POINTER(4))), 256);
    CHECK_EQ(coro_get_live_coros(), 0);
}

static coro_t caller;

static void *look_at_caller(void *left) {
    coro_info info = info_of(caller);
    char expected[40];
    snprintf(expected, sizeof expected, "in parallel, %d to end", AS_INT(left));
    CHECK_EQ(info.wait_kind, CORO_WAIT_PARALLEL);
    CHECK_EQ(info.wait_object, AS_INT(left));
    CHECK_STR(info.waiting, expected);
    CHECK_EQ(coro_schedule(caller, NULL), CORO_ESCHEDULE); /* only their ends wake it */
    return left;
}

CORO_TEST(E1_who_waits_says_so) {
    coro_call calls[3];
    caller = coro_current();
    for (int i = 0; i < 3; i++) calls[i] = (coro_call){.fn = look_at_caller, .arg = AS_POINTER(3 - i)};
    CHECK_EQ(coro_in_parallel(calls, 3), 0);
}

/* -- E2: nothing to run -- */

static void run_nothing(void *unused) {
    coro_parallel_options options = CORO_PARALLEL_OPTIONS_INIT;
    coro_call call;
    (void)unused;
    options.limit = 1;
    options.timeout = 1;
    CHECK_EQ(coro_in_parallel(NULL, 0), 0);
    CHECK_EQ(coro_in_parallel(&call, 0), 0);
    CHECK_EQ(coro_in_parallel_with(NULL, 0, &options), 0);
}

CORO_TEST(E2_an_empty_list_is_done_at_once) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = run_nothing;
    go(note, "ran");
    CHECK_EQ(coro_shutdown(coro_current()), 0);
    run_nothing(NULL);
    CHECK_STR(traced(), ""); /* nobody else has run, and nothing was interrupted */
    CHECK_EQ(coro_yield(), CORO_ESHUTDOWN);
    CHECK_EQ(coro_join(coro_spawn_with(do_nothing, NULL, &options), NULL, CORO_FOREVER), 0); /* where none may suspend */
}

TEST(E2_an_empty_list_needs_no_loop) {
    coro_set_strict_main(true);
    run_nothing(NULL);
}

/* -- E3: failures -- */

TEST(E3_one_of_eleven_fails_and_the_others_results_are_there) {
    job jobs[11];
    coro_call calls[11];
    coro_test_set_virtual_time(true);
    coro_set_exception_notifier(count_failure);
    make_jobs(jobs, calls, 11, CORO_MS(10));
    jobs[4] = (job){.takes = 0, .fails = -EIO, .message = "short header"};
    int64_t start = coro_get_now();
    CHECK_EQ(coro_in_parallel(calls, 11), CORO_EINPARALLEL);
    CHECK_EQ(coro_get_now() - start, CORO_MS(10)); /* not before all had ended */
    CHECK_EQ(jobs[4].end, 1);
    CHECK_STR(coro_error_detail(), "1 of 11 failed: [4] EIO (Input/output error): short header");
    for (int i = 0; i < 11; i++) check_outcome(&calls[i], i == 4 ? -EIO : 0, i == 4 ? "short header" : NULL);
    CHECK_EQ(failures_told(), 0); /* the caller deals with it */
}

TEST(E3_the_detail_lists_the_failures_in_the_order_of_the_calls) {
    job jobs[4];
    coro_call calls[4];
    make_jobs(jobs, calls, 4, 0);
    jobs[3] = (job){.takes = 0, .fails = CORO_EEOF};
    jobs[1] = (job){.takes = CORO_MS(1), .fails = -EPIPE, .message = "peer"};
    CHECK_EQ(coro_in_parallel(calls, 4), CORO_EINPARALLEL);
    CHECK_CONTAINS(coro_error_detail(), "2 of 4 failed: [1] EPIPE (Broken pipe): peer; [3] CORO_EEOF (");
    check_outcome(&calls[1], -EPIPE, "peer");
    check_outcome(&calls[3], CORO_EEOF, NULL);
}

TEST(E3_all_may_fail_and_at_length) {
    static job jobs[100];
    static coro_call calls[100];
    char message[1000], cut[sizeof calls->message] = "";
    memset(message, 'm', sizeof message - 1);
    message[sizeof message - 1] = 0;
    memset(cut, 'm', sizeof cut - 1);
    make_jobs(jobs, calls, 100, 0);
    for (int i = 0; i < 100; i++) jobs[i] = (job){.fails = -1 - i, .message = message};
    CHECK_EQ(coro_in_parallel(calls, 100), CORO_EINPARALLEL);
    for (int i = 0; i < 100; i++) check_outcome(&calls[i], -1 - i, cut);
    CHECK_CONTAINS(coro_error_detail(), "100 of 100 failed: [0] EPERM (Operation not permitted): mmm");
    CHECK(strlen(coro_error_detail()) < 1000);
}

static void *fail_twice(void *unused) {
    coro_fail(-EIO, "first");
    coro_fail(5, NULL);
    return unused;
}

/* As of any coroutine: the last one counts, and what is no error code is -EINVAL. */
TEST(E3_the_last_failure_counts_and_its_result_is_null) {
    coro_call call = {.fn = fail_twice, .arg = &call, .result = &call};
    CHECK_EQ(coro_in_parallel(&call, 1), CORO_EINPARALLEL);
    check_outcome(&call, -EINVAL, NULL);
}

/* -- E4: workers that are told to end, or run out of time -- */

static job jobs[4];
static coro_call calls[4];

static void *run_jobs(void *result) {
    *(int *)result = coro_in_parallel(calls, 4);
    return result;
}

CORO_TEST(E4_a_worker_told_to_end_before_it_ran_has_failed_with_that) {
    coro_t ids[6];
    int result = 1;
    make_jobs(jobs, calls, 4, 0);
    go(run_jobs, &result);
    coro_yield(); /* they are queued */
    CHECK_EQ(coro_all(ids, 6), 6);
    CHECK_EQ(coro_shutdown(ids[3]), 0);
    CHECK_EQ(coro_shutdown(ids[5]), 0);
    while (result == 1) CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(result, CORO_EINPARALLEL);
    for (int i = 0; i < 4; i++) check_outcome(&calls[i], i % 2 ? CORO_ESHUTDOWN : 0, NULL);
    CHECK_EQ(jobs_started(), 2);
}

CORO_TEST(E4_all_may_be_told_to_end_before_they_ran) {
    coro_t ids[6];
    int result = 1;
    make_jobs(jobs, calls, 4, 0);
    coro_t running = start_now(run_jobs, &result);
    CHECK_EQ(coro_all(ids, 6), 6);
    for (int i = 2; i < 6; i++) CHECK_EQ(coro_shutdown(ids[i]), 0);
    CHECK_EQ(coro_join(running, NULL, CORO_FOREVER), 0);
    CHECK_EQ(result, CORO_EINPARALLEL);
    for (int i = 0; i < 4; i++) check_outcome(&calls[i], CORO_ESHUTDOWN, NULL);
    CHECK_EQ(jobs_started(), 0);
}

CORO_TEST(E4_a_worker_told_to_end_while_it_runs_has_failed_with_that) {
    int result = 1;
    coro_set_exception_notifier(count_failure);
    make_jobs(jobs, calls, 4, PARKS);
    coro_t running = start_now(run_jobs, &result);
    coro_yield();
    jobs[2].message = "told to";
    CHECK_EQ(coro_shutdown(jobs[2].co), 0);
    CHECK_EQ(coro_raise(jobs[0].co, CORO_EWAKEUP, 0), 0);
    coro_yield();
    CHECK_EQ(result, 1); /* the others have not ended */
    for (int i = 0; i < 4; i++) CHECK_EQ(coro_schedule(jobs[i].co, NULL), i % 2 ? 0 : CORO_EDEAD);
    CHECK_EQ(coro_join(running, NULL, CORO_FOREVER), 0);
    CHECK_EQ(result, CORO_EINPARALLEL);
    check_outcome(&calls[0], CORO_EWAKEUP, NULL);
    check_outcome(&calls[1], 0, NULL);
    check_outcome(&calls[2], CORO_ESHUTDOWN, "told to");
    check_outcome(&calls[3], 0, NULL);
    CHECK_EQ(failures_told(), 0);
}

static void *do_job_in_time(void *of_job) {
    void *result = NULL;
    int code = coro_with_timeout(CORO_MS(3), do_job, of_job, &result);
    return code < 0 ? coro_fail(code, coro_error_detail()) : result;
}

CORO_TEST(E4_a_workers_own_timeout_is_its_failure) {
    coro_test_set_virtual_time(true);
    make_jobs(jobs, calls, 4, 0);
    for (int i = 0; i < 4; i++) {
        jobs[i].takes = CORO_MS(2 + i);
        calls[i].fn = do_job_in_time;
    }
    int64_t start = coro_get_now();
    CHECK_EQ(coro_in_parallel(calls, 4), CORO_EINPARALLEL);
    CHECK_EQ(coro_get_now() - start, CORO_MS(3));
    check_outcome(&calls[0], 0, NULL);
    for (int i = 2; i < 4; i++) CHECK_EQ(calls[i].error, CORO_ETIMEOUT);
    CHECK_CONTAINS(calls[3].message, "ran out");
}

/* -- E6: what can't be run -- */

static void *check_refusals(void *unused) {
    job five[5];
    coro_call good[5];
    coro_parallel_options options;
    const size_t sizes[] = {0, sizeof options - 1, sizeof options + 8};
    int64_t live = coro_get_live_coros();
    make_jobs(five, good, 5, 0);
    for (int bad = 0; bad < 5; bad++) {
        char index[10];
        good[bad].fn = NULL;
        CHECK_EQ(coro_in_parallel(good, 5), -EINVAL);
        snprintf(index, sizeof index, "call %d ", bad);
        CHECK_CONTAINS(coro_error_detail(), index);
        good[bad].fn = do_job;
        check_untouched(good, 5);
    }
    CHECK_EQ(coro_in_parallel(NULL, 5), -EINVAL);
    CHECK_EQ(coro_in_parallel(good, -1), -EINVAL);
    CHECK_EQ(coro_in_parallel(good, INT32_MIN), -EINVAL);
    CHECK_EQ(coro_in_parallel(NULL, -1), -EINVAL);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        coro_parallel_options_init(&options);
        options.struct_size = sizes[i];
        CHECK_EQ(coro_in_parallel_with(good, 5, &options), -EINVAL);
        CHECK_EQ(coro_in_parallel_with(NULL, 0, &options), -EINVAL);
        CHECK_CONTAINS(coro_error_detail(), "struct_size");
    }
    coro_parallel_options_init(&options);
    options.timeout = -1;
    CHECK_EQ(coro_in_parallel_with(good, 5, &options), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "timeout");
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(jobs_started(), 0);
    check_untouched(good, 5);
    CHECK_EQ(coro_get_live_coros(), live);
    CHECK_EQ(coro_in_parallel_with(good, 5, NULL), 0); /* nothing is left of all that */
    return unused;
}

/* Defect 14 of the original: a malformed item hung the caller. */
TEST(E6_what_can_not_be_run_is_refused_and_nothing_is_run) {
    check_refusals(NULL);
    go(check_refusals, NULL);
    run_until_idle();
}

TEST(E6_the_options_that_init_makes_are_those_of_the_macro) {
    coro_parallel_options made, macro = CORO_PARALLEL_OPTIONS_INIT;
    memset(&made, 0x5a, sizeof made);
    coro_parallel_options_init(&made);
    CHECK(memcmp(&made, &macro, sizeof made) == 0);
    CHECK_EQ(made.struct_size, sizeof made);
    CHECK(made.limit == 0 && made.timeout == 0);
}

static void run_where_none_may_suspend(void *unused) {
    (void)unused;
    make_jobs(jobs, calls, 4, 0);
    CHECK_EQ(coro_in_parallel(calls, 4), CORO_EYIELDFROMMAIN);
    check_untouched(calls, 4);
}

TEST(E6_where_none_may_suspend_nothing_is_run) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = run_where_none_may_suspend;
    CHECK_EQ(coro_join(coro_spawn_with(do_nothing, NULL, &options), NULL, CORO_FOREVER), 0);
    run_until_idle();
    coro_set_strict_main(true);
    run_where_none_may_suspend(NULL);
    run_until_idle();
    CHECK_EQ(jobs_started(), 0);
}

/* Parked for ever, on the thread's own stack: said, not hung. They can still be woken, and then end. */
TEST(E6_on_main_a_deadlock_is_an_error) {
    make_jobs(jobs, calls, 4, PARKS);
    CHECK_EQ(coro_in_parallel(calls, 4), -EDEADLK);
    check_untouched(calls, 4);
    for (int i = 0; i < 4; i++) CHECK_EQ(coro_schedule(jobs[i].co, NULL), 0);
    run_until_idle();
    CHECK_EQ(jobs_ended(), 4);
    CHECK_EQ(coro_get_live_coros(), 0);
}
