/* coro_in_parallel with a limit, with very many, and without memory. */
#include "jobs.h"

enum { COUNT = 12 };
static job jobs[COUNT];
static coro_call calls[COUNT];

CORO_TEST(parallel_limit_is_never_exceeded_and_keeps_the_order_of_starting) {
    const size_t limits[] = {1, 2, 5, COUNT - 1, COUNT, COUNT + 1, 1000, INT32_MAX, SIZE_MAX / 2, SIZE_MAX, 0};
    coro_parallel_options options = CORO_PARALLEL_OPTIONS_INIT;
    coro_test_set_virtual_time(true);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        size_t at_once = limits[i] == 0 || limits[i] > COUNT ? COUNT : limits[i];
        make_jobs(jobs, calls, COUNT, 0);
        for (int k = 0; k < COUNT; k++) jobs[k].takes = CORO_MS(1 + k * 7 % 5);
        options.limit = limits[i];
        CHECK_EQ(coro_in_parallel_with(calls, COUNT, &options), 0);
        CHECK_EQ(jobs_at_once(), at_once);
        for (int k = 0; k < COUNT; k++) {
            check_outcome(&calls[k], 0, NULL);
            CHECK_EQ(jobs[k].start, k + 1);
        }
    }
}

/* However they end, the next is started: by a failure, at once, or before they ran. */
CORO_TEST(parallel_limit_starts_the_next_whatever_ends_one) {
    coro_parallel_options options = CORO_PARALLEL_OPTIONS_INIT;
    make_jobs(jobs, calls, COUNT, 0);
    for (int k = 0; k < COUNT; k++) jobs[k].fails = k % 3 == 0 ? -EIO : 0;
    calls[5].fn = do_nothing;
    calls[6].fn = do_nothing;
    options.limit = 1;
    CHECK_EQ(coro_in_parallel_with(calls, COUNT, &options), CORO_EINPARALLEL);
    CHECK_CONTAINS(coro_error_detail(), "3 of 12 failed");
    CHECK_EQ(jobs_started(), COUNT - 2);
    CHECK_EQ(jobs_at_once(), 1);
    for (int k = 0; k < COUNT; k++) check_outcome(&calls[k], k % 3 == 0 && k != 6 ? -EIO : 0, NULL);
}

static void *run_one_at_a_time(void *result) {
    coro_parallel_options options = CORO_PARALLEL_OPTIONS_INIT;
    options.limit = 1;
    *(int *)result = coro_in_parallel_with(calls, COUNT, &options);
    return result;
}

CORO_TEST(parallel_limit_goes_on_when_the_queued_one_is_cancelled) {
    coro_t ids[3];
    int result = 1;
    make_jobs(jobs, calls, COUNT, 0);
    coro_t caller = start_now(run_one_at_a_time, &result);
    for (int i = 0; i < COUNT - 1; i++) {
        CHECK_EQ(coro_all(ids, 3), 3); /* always just one, which has not run */
        CHECK_EQ(coro_shutdown(ids[2]), 0);
    }
    CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0);
    CHECK_EQ(result, CORO_EINPARALLEL);
    for (int i = 0; i < COUNT; i++) check_outcome(&calls[i], i < COUNT - 1 ? CORO_ESHUTDOWN : 0, NULL);
    CHECK_EQ(jobs_started(), 1);
}

/* -- many -- */

enum { MANY = 10000 };

static void run_many(size_t limit) {
    job *many = calloc(MANY, sizeof *many);
    coro_call *all = calloc(MANY, sizeof *all);
    coro_parallel_options options = CORO_PARALLEL_OPTIONS_INIT;
    make_jobs(many, all, MANY, 0);
    for (int i = 0; i < MANY; i++) {
        many[i].takes = i * 31 % 100;
        many[i].fails = i % 1000 == 7 ? -EIO : 0;
    }
    options.limit = limit;
    CHECK_EQ(coro_in_parallel_with(all, MANY, &options), CORO_EINPARALLEL);
    CHECK_CONTAINS(coro_error_detail(), "10 of 10000 failed: [7] EIO");
    CHECK_EQ(jobs_at_once(), limit == 0 ? MANY : limit);
    for (int i = 0; i < MANY; i++) check_outcome(&all[i], many[i].fails, NULL);
    free(many);
    free(all);
}

CORO_TEST(parallel_ten_thousand_at_once) {
    coro_test_set_virtual_time(true);
    run_many(0);
    CHECK_EQ(coro_get_live_coros(), 1);
}

CORO_TEST(parallel_ten_thousand_ten_at_a_time) {
    coro_test_set_virtual_time(true);
    run_many(10);
    CHECK_EQ(coro_get_live_coros(), 1);
}

/* -- without memory -- */

/* Each allocation fails in turn, of the first run in a process of its own: nothing hangs, and what could not be run says so. */
static void run_failing(const char *call, int n, size_t limit, bool in_scope, bool *failed) {
    coro_parallel_options options = CORO_PARALLEL_OPTIONS_INIT;
    make_jobs(jobs, calls, COUNT, 0);
    for (int i = 0; i < COUNT; i++) jobs[i].fails = i == 3 ? -EIO : 0, jobs[i].message = "said";
    options.limit = limit;
    options.timeout = in_scope ? 0 : CORO_SECONDS(1000);
    coro_timeout_t scope = coro_timeout_begin(in_scope ? CORO_SECONDS(1000) : CORO_FOREVER);
    CHECK_EQ(coro_test_fail_call(call, n, ENOMEM), 0);
    int result = coro_in_parallel_with(calls, COUNT, &options), without_memory = 0;
    CHECK_EQ(coro_test_fail_call(call, 0, 0), 0);
    if (result == -ENOMEM) {
        *failed = true;
        run_until_idle();
        CHECK_EQ(jobs_started(), 0);
        check_untouched(calls, COUNT);
    } else {
        CHECK_EQ(result, CORO_EINPARALLEL);
        for (int i = 0; i < COUNT; i++) {
            without_memory += calls[i].error == -ENOMEM;
            if (calls[i].error == -ENOMEM) CHECK_EQ(jobs[i].start, 0);
            else CHECK_EQ(calls[i].error, i == 3 ? -EIO : 0);
        }
        CHECK_EQ(jobs_started() + without_memory, COUNT);
        CHECK_EQ(jobs_ended(), jobs_started());
        *failed = without_memory > 0;
    }
    CHECK_EQ(coro_timeout_end(scope, result), result);
    run_until_idle();
    CHECK_EQ(coro_get_live_coros(), 0);
}

static const char *failing_call;
static int failing_n;
static size_t failing_limit;
static bool failing_in_scope;

static void run_failing_in_child(void) {
    bool failed = false;
    alarm(30);
    CHECK(coro_loop_current() > 0);
    run_failing(failing_call, failing_n, failing_limit, failing_in_scope, &failed);
    run_failing("mmap", 0, failing_limit, failing_in_scope, &failed); /* and then all is well */
    CHECK(!failed);
}

static void fail_each(const char *call, int at_least) {
    char output[500];
    for (failing_limit = 0; failing_limit < 3; failing_limit++) {
        failing_call = call;
        for (failing_n = 1; failing_n <= at_least; failing_n++) {
            int status = run_in_child(run_failing_in_child, output, sizeof output);
            if (status != 0) test_fail(__FILE__, __LINE__, "%s %d: %d %s", call, failing_n, status, output);
        }
    }
}

TEST(parallel_survives_a_lack_of_memory) {
    fail_each("calloc", 60);
}

TEST(parallel_in_a_scope_survives_a_lack_of_memory) {
    failing_in_scope = true;
    fail_each("calloc", 60);
}

TEST(parallel_survives_a_lack_of_stacks) {
    fail_each("mmap", 3);
    bool failed = false;
    run_failing("mmap", 1, 0, false, &failed);
    CHECK(failed); /* a process's first coroutine needs a mapping */
}

/* With a limit the others are started when one ends, by then without memory: it is their failure, and nobody hangs. (What takes
   memory for each coroutine is the state that switch hooks have for it.) */
static void *fail_next_allocation(void *unused) {
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    return unused;
}

CORO_TEST(parallel_lack_of_memory_later_is_the_failure_of_those_calls) {
    coro_parallel_options options = CORO_PARALLEL_OPTIONS_INIT;
    make_jobs(jobs, calls, COUNT, 0);
    for (int i = 0; i < COUNT; i += 2) calls[i].fn = fail_next_allocation;
    options.limit = 1;
    coro_switch_hooks hooks = CORO_SWITCH_HOOKS_INIT;
    CHECK_EQ(coro_set_switch_hooks(&hooks), 0);
    CHECK_EQ(coro_in_parallel_with(calls, COUNT, &options), CORO_EINPARALLEL);
    CHECK_CONTAINS(coro_error_detail(), "6 of 12 failed: [1] ENOMEM");
    for (int i = 0; i < COUNT; i++) check_outcome(&calls[i], i % 2 ? -ENOMEM : 0, NULL);
    CHECK_EQ(jobs_started(), 0);
    CHECK_EQ(coro_set_switch_hooks(NULL), 0);
}
