/* Signals and fork(): what is the parent's and what the child's (known bugs 33, 34, 35). */
#define _GNU_SOURCE
#include "coroutines.h"
#include "forks.h"
#include "net.h"

#include <pthread.h>
#include <sys/wait.h>

static int handled;

static void count(int signum, void *arg) {
    (void)signum, (void)arg;
    handled++;
}

static void ignore(int signum) {
    (void)signum;
}

static void expect_killed(pid_t child, int signum) {
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), signum);
}

static void wait_until_handled(int wanted) {
    for (int pass = 0; handled < wanted && pass < 20000; pass++) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(handled, wanted);
}

/* Each has its own from then on: nothing that the child does or is sent reaches the parent. */
TEST(G5_parent_and_child_of_a_fork_handle_their_own_signals) {
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    CHECK_EQ(coro_signal(SIGUSR2, count, NULL, 0), 0);
    let_others_run();
    pid_t child = fork();
    if (child == 0) {
        alarm(40);
        raise(SIGUSR1);
        wait_until_handled(1);
        CHECK_EQ(coro_signal_unregister(SIGUSR1), 0);
        CHECK_EQ(coro_signal(SIGUSR2, count, NULL, 0), CORO_ESIMULTANEOUS);
        CHECK_EQ(kill(getppid(), SIGUSR2), 0);
        CHECK_EQ(coro_sleep(CORO_MS(20)), 0);
        CHECK_EQ(handled, 1);
        finish_child();
    }
    wait_until_handled(1);
    expect_child(child);
    CHECK_EQ(coro_sleep(CORO_MS(5)), 0);
    CHECK_EQ(handled, 1);
    raise(SIGUSR1); /* which the child has unregistered, for itself */
    wait_until_handled(2);
}

static void *fork_with_a_signal_pending(void *unused) {
    for (int i = 0; i < 3; i++) raise(SIGUSR1);
    pid_t child = fork();
    if (child == 0) {
        alarm(40);
        CHECK_EQ(coro_sleep(CORO_MS(20)), 0);
        CHECK_EQ(handled, 0); /* they were sent to the parent */
        raise(SIGUSR1);
        wait_until_handled(1);
        finish_child();
    }
    wait_until_handled(3);
    expect_child(child);
    return unused;
}

TEST(G5_a_signal_pending_at_a_fork_is_the_parents) {
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    join_soon(spawn_one(fork_with_a_signal_pending, NULL));
    handled = 0;
    fork_with_a_signal_pending(NULL); /* on the thread's own stack, too */
}

static void *serial_fork(void *unused) {
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0); /* the first handler sleeps, the others wait behind it */
    pid_t child = fork();
    if (child == 0) {
        alarm(40);
        CHECK_EQ(coro_sleep(CORO_MS(100)), 0);
        CHECK_EQ(handled, 1); /* the one that had begun goes on on both sides */
        raise(SIGUSR1);
        wait_until_handled(2);
        finish_child();
    }
    wait_until_handled(3);
    expect_child(child);
    return unused;
}

static void sleep_and_count(int signum, void *arg) {
    CHECK_EQ(coro_sleep(CORO_MS(10)), 0);
    count(signum, arg);
}

TEST(G5_what_waits_behind_a_serial_handler_at_a_fork_is_the_parents) {
    CHECK_EQ(coro_signal(SIGUSR1, sleep_and_count, NULL, CORO_SIGNAL_SERIAL), 0);
    for (int i = 0; i < 3; i++) raise(SIGUSR1);
    serial_fork(NULL);
}

static coro_t sleeper;

static void wake_sleeper(int signum, void *arg) {
    count(signum, arg);
    if (sleeper > 0) CHECK_EQ(coro_schedule(sleeper, NULL), 0);
}

static void *sleep_for_a_minute(void *unused) {
    CHECK_EQ(coro_sleep(CORO_SECONDS(60)), 0);
    return unused;
}

static void *signal_in_a_moment(void *unused) {
    usleep(20000);
    raise(SIGUSR1);
    return unused;
}

/* The child's loop sleeps, and is woken by a thread that only rings: it has a wakeup of its own. */
TEST(G5_a_signal_wakes_the_childs_loop) {
    pthread_t other;
    CHECK_EQ(coro_signal(SIGUSR1, wake_sleeper, NULL, 0), 0);
    let_others_run();
    pid_t child = fork();
    if (child == 0) {
        alarm(40);
        sleeper = spawn_one(sleep_for_a_minute, NULL);
        CHECK_EQ(pthread_create(&other, NULL, signal_in_a_moment, NULL), 0);
        join_soon(sleeper);
        pthread_join(other, NULL);
        finish_child();
    }
    CHECK_EQ(coro_test_fail_call(call_that_waits(), 6, EIO), 0); /* as often as this the parent is not woken meanwhile */
    CHECK_EQ(coro_sleep(CORO_MS(100)), 0);
    CHECK_EQ(coro_test_fail_call(call_that_waits(), 0, 0), 0);
    expect_child(child);
    CHECK_EQ(handled, 0);
}

/* -- a signal that reaches the child first thing, before libcoro has put anything right there -- */

static int raise_in_child;

static void raise_early(void) {
    if (raise_in_child != 0) raise(raise_in_child);
}

static void prepare_early(void) {
    pthread_atfork(NULL, NULL, raise_early);
}

/* Ahead of the constructors of every library: handlers of the child run in the order in which they were made known. */
__attribute__((section(".preinit_array"), used)) static void (*const run_first)(void) = prepare_early;

TEST(G5_a_signal_that_the_child_gets_at_once_is_the_childs) {
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    for (int i = 0; i < 3; i++) raise(SIGUSR1); /* the parent's */
    raise_in_child = SIGUSR1;
    pid_t child = fork();
    if (child == 0) {
        alarm(40);
        wait_until_handled(1);
        CHECK_EQ(coro_sleep(CORO_MS(10)), 0);
        CHECK_EQ(handled, 1);
        finish_child();
    }
    wait_until_handled(3);
    expect_child(child);
}

static pthread_barrier_t step;

static void *hold_signals(void *unused) {
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    CHECK_EQ(coro_signal(SIGUSR2, count, NULL, 0), 0);
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    return unused;
}

/* The thread that has registered is not in the child: there is nobody there to handle it, so all is as it was before. */
TEST(G5_signals_of_other_threads_are_put_back_in_the_child) {
    pthread_t holder;
    struct sigaction now;
    CHECK(signal(SIGUSR1, ignore) != SIG_ERR);
    pthread_barrier_init(&step, NULL, 2);
    CHECK_EQ(pthread_create(&holder, NULL, hold_signals, NULL), 0);
    pthread_barrier_wait(&step);
    for (int with_loop = 0; with_loop < 2; with_loop++) { /* whether the thread that forks has one */
        if (with_loop) CHECK(coro_loop_current() > 0);
        raise_in_child = 0;
        pid_t child = fork();
        if (child == 0) {
            CHECK_EQ(sigaction(SIGUSR1, NULL, &now), 0);
            CHECK(now.sa_handler == ignore);
            CHECK_EQ(sigaction(SIGUSR2, NULL, &now), 0);
            CHECK(now.sa_handler == SIG_DFL);
            CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
            raise(SIGUSR1);
            wait_until_handled(1);
            finish_child();
        }
        expect_child(child);
        /* One that it gets before they are put back does what it would do after that. */
        raise_in_child = SIGUSR2;
        child = fork();
        if (child == 0) finish_child();
        expect_killed(child, SIGUSR2);
    }
    raise_in_child = 0;
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), CORO_ESIMULTANEOUS); /* the parent's thread has them as before */
    pthread_barrier_wait(&step);
    pthread_join(holder, NULL);
}

/* Another thread is in the middle of handlers at the fork: the child does not wait for it. */
static volatile int stop;

static void *raise_until_stopped(void *unused) {
    while (!stop) raise(SIGUSR1);
    return unused;
}

TEST(G5_fork_while_other_threads_are_in_handlers) {
    pthread_t raisers[2];
    int rounds = is_watched() ? 20 : 200;
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, CORO_SIGNAL_SERIAL), 0);
    for (int i = 0; i < 2; i++) CHECK_EQ(pthread_create(&raisers[i], NULL, raise_until_stopped, NULL), 0);
    for (int i = 0; i < rounds; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(40);
            CHECK_EQ(coro_signal_unregister(SIGUSR1), 0); /* waits for handlers in progress: here there are none */
            finish_child();
        }
        expect_child(child);
    }
    stop = 1;
    for (int i = 0; i < 2; i++) pthread_join(raisers[i], NULL);
}

/* It runs in its parent's memory, and must leave the parent's signals alone. */
static void check_child_of_vfork(void) {
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    raise(SIGUSR1);
    pid_t child = vfork();
    if (child == 0) {
        raise(SIGUSR1);
        raise(SIGUSR1);
        _exit(42);
    }
    expect_child(child);
    wait_until_handled(1);
    CHECK_EQ(coro_sleep(CORO_MS(5)), 0);
    CHECK_EQ(handled, 1);
}

TEST(G5_a_signal_in_a_child_of_vfork_is_none_of_the_parents) {
    check_child_of_vfork();
}

/* Nor if the parent is itself the child of a process that had no loop when it forked. */
TEST(G5_a_signal_in_a_child_of_vfork_is_none_of_a_forked_parents) {
    char output[500];
    int status = run_in_child(check_child_of_vfork, output, sizeof output);
    if (status != 0) test_fail(__FILE__, __LINE__, "%d %s", status, output);
}
