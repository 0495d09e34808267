/* Row D11, continued: timeout scopes on the stacks of several threads, in the child of a fork, and without a timer. */
#define _GNU_SOURCE
#include "coroutines.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int pipe_ends[2];
static char byte;

static bool is_default(void) {
    struct sigaction now;
    CHECK_EQ(sigaction(SIGALRM, NULL, &now), 0);
    return now.sa_handler == SIG_DFL;
}

static void expect_interrupted_read(void) {
    CHECK_EQ(read(pipe_ends[0], &byte, 1), -1);
    CHECK_EQ(errno, EINTR);
}

static void *time_out_often(void *argument) {
    for (int i = 0; i < 20; i++) {
        coro_timeout_t scope = coro_timeout_begin(CORO_MS(1));
        expect_interrupted_read();
        CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
    }
    return argument;
}

TEST(D11_threads_have_alarms_of_their_own) {
    pthread_t threads[4];
    CHECK_EQ(pipe(pipe_ends), 0);
    coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(1000));
    for (int i = 0; i < 4; i++) CHECK_EQ(pthread_create(&threads[i], NULL, time_out_often, NULL), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    CHECK_EQ(coro_timeout_expired(scope), 0);
    CHECK(count_timers() <= 1);
    CHECK_EQ(coro_timeout_end(scope, 3), 3);
    CHECK_EQ(count_timers(), 0);
    CHECK(is_default());
    time_out_often(NULL);
}

static void *end_in_scope(void *argument) {
    CHECK(coro_timeout_begin(CORO_SECONDS(1000)) > 0);
    return argument;
}

TEST(D11_a_thread_that_ends_in_a_scope_leaves_nothing_behind) {
    pthread_t thread;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pthread_create(&thread, NULL, end_in_scope, NULL), 0);
        pthread_join(thread, NULL);
        CHECK_EQ(count_timers(), 0);
        CHECK(is_default());
    }
}

/* -- fork -- */

static void expect_child_is_fine(pid_t child) {
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_EQ(status, 0);
}

TEST(D11_a_scope_goes_on_in_the_child_of_a_fork) {
    CHECK_EQ(pipe(pipe_ends), 0);
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(20));
    pid_t child = fork();
    if (child == 0) alarm(30);
    expect_interrupted_read();
    CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
    CHECK_EQ(count_timers(), 0);
    CHECK(is_default());
    if (child == 0) _exit(0);
    expect_child_is_fine(child);
}

static void *fork_in_scope(void *of_child) {
    pid_t child = fork();
    /* The child's alarm is off while its loop runs, as the parent's. */
    if (child == 0) {
        alarm(30);
        struct timespec some = {.tv_nsec = 600000000};
        CHECK_EQ(nanosleep(&some, NULL), 0);
    }
    *(pid_t *)of_child = child;
    return NULL;
}

TEST(D11_a_coroutine_forks_while_main_is_in_a_scope) {
    pid_t child = 1;
    CHECK_EQ(pipe(pipe_ends), 0);
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(500));
    CHECK_EQ(coro_join(coro_spawn(fork_in_scope, &child), NULL, CORO_FOREVER), 0);
    expect_interrupted_read();
    CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
    if (child == 0) _exit(0);
    expect_child_is_fine(child);
}

TEST(D11_a_coroutine_that_main_has_started_at_once_forks_in_a_scope) {
    pid_t child = 1;
    CHECK_EQ(pipe(pipe_ends), 0);
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(500));
    coro_t co = coro_new(fork_in_scope, &child, NULL);
    CHECK_EQ(coro_start_now(co), 0);
    expect_interrupted_read();
    CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
    if (child == 0) _exit(0);
    expect_child_is_fine(child);
}

/* -- a signal that comes when the alarm is off -- */

static void *volatile mark;
static void take_mark(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    mark = info->si_value.sival_ptr;
}

/* What the alarm's signals carry. */
static void learn_mark(void) {
    struct sigaction ours = {.sa_sigaction = take_mark, .sa_flags = SA_SIGINFO}, before;
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(1));
    CHECK_EQ(sigaction(SIGALRM, &ours, &before), 0);
    while (mark == NULL) {}
    CHECK_EQ(sigaction(SIGALRM, &before, NULL), 0);
    coro_timeout_end(scope, 0);
}

static void *be_signalled_and_sleep(void *argument) {
    siginfo_t info = {.si_signo = SIGALRM, .si_code = SI_TIMER};
    struct timespec some = {.tv_nsec = 300000000};
    info.si_value.sival_ptr = mark;
    CHECK_EQ(syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGALRM, &info), 0);
    CHECK_EQ(nanosleep(&some, NULL), 0);
    return argument;
}

/* It went off just when the loop turned it off: that does not turn it on again, for the coroutines. */
TEST(D11_an_alarm_that_comes_late_changes_nothing) {
    learn_mark();
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(100));
    coro_detach(coro_spawn(be_signalled_and_sleep, NULL));
    CHECK_EQ(coro_sleep(CORO_SECONDS(1000)), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
}

/* What the loop calls between coroutines is on the thread's own stack, too. */
static void have_a_scope(coro_t co, int64_t ns, const char *name) {
    (void)co, (void)ns, (void)name;
    CHECK_EQ(coro_timeout_end(coro_timeout_begin(CORO_SECONDS(1000)), 3), 3);
}

static void *run_for_long_and_sleep(void *argument) {
    struct timespec long_enough = {.tv_nsec = 50000000}, some = {.tv_nsec = 600000000};
    CHECK_EQ(nanosleep(&long_enough, NULL), 0);
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(nanosleep(&some, NULL), 0);
    return argument;
}

TEST(D11_a_scope_in_a_callback_of_the_loop_leaves_the_alarm_off) {
    CHECK_EQ(coro_test_set_latency_unit(CORO_MS(10)), 0);
    CHECK(coro_set_latency_reporter(have_a_scope) == NULL);
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(500));
    coro_detach(coro_spawn(run_for_long_and_sleep, NULL));
    CHECK_EQ(coro_sleep(CORO_SECONDS(1000)), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
}

static pthread_barrier_t inside, leave;
static void *stay_in_scope(void *argument) {
    coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(1000));
    pthread_barrier_wait(&inside);
    pthread_barrier_wait(&leave);
    CHECK_EQ(coro_timeout_end(scope, 3), 3);
    return argument;
}

/* The scope of a thread that the child does not have. */
TEST(D11_the_child_has_no_alarm_of_other_threads) {
    pthread_t thread;
    pthread_barrier_init(&inside, NULL, 2);
    pthread_barrier_init(&leave, NULL, 2);
    CHECK_EQ(pipe(pipe_ends), 0);
    coro_yield(); /* this thread has a loop */
    CHECK_EQ(pthread_create(&thread, NULL, stay_in_scope, NULL), 0);
    pthread_barrier_wait(&inside);
    CHECK(!is_default());
    pid_t child = fork();
    if (child == 0) {
        CHECK(is_default());
        CHECK_EQ(count_timers(), 0);
        time_out_often(NULL);
        CHECK(is_default());
        _exit(0);
    }
    expect_child_is_fine(child);
    pthread_barrier_wait(&leave);
    pthread_join(thread, NULL);
    CHECK(is_default());
}

/* -- no timer to be had -- */

TEST(D11_without_a_timer_no_scope_is_begun) {
    CHECK_EQ(pipe(pipe_ends), 0);
    coro_test_fail_call("timer_create", 1, EAGAIN);
    CHECK_EQ(coro_timeout_begin(CORO_SECONDS(1)), -EAGAIN);
    CHECK_CONTAINS(coro_error_detail(), "ulimit");
    CHECK_EQ(coro_timeout_deadline(), CORO_FOREVER);
    CHECK(is_default());
    CHECK_EQ(count_timers(), 0);
    coro_test_fail_call("timer_create", 1, EAGAIN);
    CHECK_EQ(coro_with_timeout(CORO_SECONDS(1), do_nothing, NULL, NULL), -EAGAIN);
    CHECK_EQ(coro_timeout_end(coro_timeout_begin(-EAGAIN), 3), 3);
    time_out_often(NULL);
    /* One that is in another needs no timer of its own. */
    coro_timeout_t outer = coro_timeout_begin(CORO_SECONDS(1000));
    coro_test_fail_call("timer_create", 1, EAGAIN);
    CHECK_EQ(coro_with_timeout(CORO_MS(1), do_nothing, NULL, NULL), 0);
    CHECK_EQ(coro_timeout_end(outer, 3), 3);
}

/* A coroutine's scopes take no timer of the system's. */
CORO_TEST(D11_in_a_coroutine_there_is_no_alarm) {
    coro_test_fail_call("timer_create", 1, EAGAIN);
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(1));
    CHECK(is_default());
    CHECK_EQ(count_timers(), 0);
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, 3), CORO_ETIMEOUT);
}
