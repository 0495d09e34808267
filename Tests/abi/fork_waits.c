/* Row B22: fork() while coroutines wait in all sorts of calls. They go on in both processes, each by what happens there. */
#include "forks.h"
#include "jobs.h"
#include "net.h"

#include <poll.h>
#include <sys/wait.h>

static pid_t fork_or_fail(void) {
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) alarm(40);
    return child;
}

/* -- events, functions in parallel, timeout scopes -- */

enum { COUNT = 3 };
static job jobs[COUNT];
static coro_event *event;

static void *await_event(void *unused) {
    void *value = unused;
    int code = coro_event_wait(event, &value);
    return code < 0 ? coro_fail(code, NULL) : value;
}

static void *run_jobs(void *unused) {
    coro_call calls[COUNT];
    make_jobs(jobs, calls, COUNT, PARKS);
    CHECK_EQ(coro_in_parallel(calls, COUNT), unused == NULL ? 0 : CORO_EINPARALLEL);
    check_outcome(&calls[0], 0, NULL);
    return AS_POINTER(calls[2].error);
}

static void *sleep_in_a_scope(void *unused) {
    coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(100));
    int64_t start = coro_get_now();
    int64_t code = coro_timeout_end(scope, coro_sleep(CORO_SECONDS(1000)));
    CHECK(coro_get_now() - start >= CORO_SECONDS(100));
    (void)unused;
    return AS_POINTER(code);
}

/* In virtual time, that only a hang uses up. */
static int join_at_last(coro_t co) {
    void *result = NULL;
    CHECK_EQ(coro_join(co, &result, CORO_SECONDS(3000)), 0);
    return AS_INT(result);
}

/* What each process does with the copies that it has. */
static void finish_all(const char *value, int job_fails, coro_t waiter, coro_t caller, coro_t sleeper) {
    void *got = NULL;
    CHECK(!coro_event_is_set(event));
    CHECK_EQ(jobs_ended(), 0);
    CHECK(coro_is_alive(waiter) && coro_is_alive(caller) && coro_is_alive(sleeper));
    CHECK_EQ(coro_event_set(event, (void *)value), 0);
    CHECK_EQ(coro_join(waiter, &got, CORO_SECONDS(30)), 0);
    CHECK_STR(got, value);
    for (int i = 0; i < COUNT; i++) {
        if (i == 2) jobs[i].fails = job_fails;
        CHECK_EQ(coro_schedule(jobs[i].co, NULL), 0);
    }
    CHECK_EQ(join_at_last(caller), job_fails);
    CHECK_EQ(join_at_last(sleeper), CORO_ETIMEOUT);
    CHECK_EQ(coro_event_free(event), 0);
}

static void *fork_in_the_midst_of_waits(void *unused) {
    event = coro_event_new();
    coro_t waiter = start_now(await_event, NULL), caller = start_now(run_jobs, unused);
    coro_t sleeper = start_now(sleep_in_a_scope, NULL);
    coro_yield();
    pid_t child = fork_or_fail();
    if (child == 0) {
        finish_all("the child's", unused == NULL ? 0 : -EIO, waiter, caller, sleeper);
        finish_child();
    }
    expect_child(child); /* when it has done all that, nothing of it has happened here */
    finish_all("the parent's", unused == NULL ? 0 : -EPERM, waiter, caller, sleeper);
    return unused;
}

TEST(B22_who_waits_goes_on_in_both_processes) {
    coro_test_set_virtual_time(true);
    join_at_last(spawn_one(fork_in_the_midst_of_waits, NULL)); /* in a coroutine, */
    join_at_last(spawn_one(fork_in_the_midst_of_waits, &event));
    fork_in_the_midst_of_waits(NULL); /* and on the thread's own stack */
    CHECK_EQ(coro_get_live_coros(), 0);
}

static pid_t child_of_worker = -1;

static void *fork_and_sleep(void *unused) {
    child_of_worker = fork_or_fail();
    CHECK_EQ(coro_sleep(CORO_MS(5)), 0);
    return child_of_worker == 0 ? "child" : unused;
}

/* The one who forks is one of several: in the child too they all run to their end, and their caller goes on. */
TEST(B22_one_of_several_in_parallel_forks) {
    job others[2];
    coro_call calls[3];
    make_jobs(others, calls, 2, CORO_MS(10));
    calls[2] = (coro_call){.fn = fork_and_sleep, .arg = "parent"};
    CHECK_EQ(coro_in_parallel(calls, 3), 0);
    for (int i = 0; i < 2; i++) check_outcome(&calls[i], 0, NULL);
    CHECK_STR(calls[2].result, child_of_worker == 0 ? "child" : "parent");
    if (child_of_worker == 0) finish_child();
    expect_child(child_of_worker);
}

/* -- scopes on the thread's own stack, which have a timer of the system's -- */

static void expect_end_of_time(int fd, coro_timeout_t scope) {
    char byte;
    CHECK_EQ(read(fd, &byte, 1), -1);
    CHECK_EQ(errno, EINTR);
    CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
}

TEST(B22_a_scope_on_main_bounds_what_is_done_in_the_child) {
    int fds[2];
    blocking_pipe(fds);
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(50));
    pid_t child = fork_or_fail();
    if (child == 0) {
        expect_end_of_time(fds[0], scope);
        scope = coro_timeout_begin(CORO_MS(20)); /* and the next one too */
        expect_end_of_time(fds[0], scope);
        finish_child();
    }
    expect_end_of_time(fds[0], scope); /* one time each: neither takes the other's */
    expect_child(child);
    scope = coro_timeout_begin(CORO_MS(20));
    expect_end_of_time(fds[0], scope);
}

TEST(B22_a_scope_that_ends_in_the_parent_goes_on_in_the_child) {
    int fds[2];
    blocking_pipe(fds);
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(100));
    pid_t child = fork_or_fail();
    if (child == 0) {
        expect_end_of_time(fds[0], scope);
        finish_child();
    }
    CHECK_EQ(coro_timeout_end(scope, 7), 7); /* its time comes in the child, and ends nothing here */
    expect_child(child);
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
}

static void *fork_and_block(void *unused) {
    pid_t child = fork_or_fail();
    if (child == 0) {
        CHECK_EQ(poll(NULL, 0, 100), 0); /* the scope is not this coroutine's */
        finish_child();
    }
    expect_child(child);
    return unused;
}

TEST(B22_a_scope_on_main_is_none_of_a_coroutine_that_forks) {
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(20));
    join_soon(start_now(fork_and_block, NULL));
    coro_timeout_end(scope, 0);
}

/* -- interrupts -- */

static void *park_and_tell(void *unused) {
    (void)unused;
    return AS_POINTER(coro_park(NULL));
}

TEST(B22_an_interrupt_in_the_child_is_none_in_the_parent) {
    coro_set_exception_notifier(count_failure);
    coro_t co = start_now(park_and_tell, NULL);
    pid_t child = fork_or_fail();
    if (child == 0) {
        CHECK_EQ(coro_raise(co, -ENOLINK, 0), 0);
        CHECK_EQ(join_soon(co), -ENOLINK);
        finish_child();
    }
    expect_child(child);
    CHECK_EQ(info_of(co).state, CORO_STATE_WAITING);
    CHECK_EQ(coro_schedule(co, NULL), 0);
    CHECK_EQ(join_soon(co), 0);
}
