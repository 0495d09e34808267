/* Row D11 and defect 24: timeout scopes on a thread's own stack, where plain system calls are what takes time. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static int pipe_ends[2];
static char byte;

/* -- what must be as before -- */

static bool blocks_alarm(void) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, SIGALRM);
}

static void block_alarm(int how) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGALRM);
    pthread_sigmask(how, &mask, NULL);
}

static volatile sig_atomic_t alarms;
static void count_alarm(int number) {
    (void)number;
    alarms++;
}

static void install(void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaddset(&action.sa_mask, SIGUSR2);
    CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
}

static void check_installed(void (*handler)(int), int flags) {
    struct sigaction now;
    CHECK_EQ(sigaction(SIGALRM, NULL, &now), 0);
    CHECK(now.sa_handler == handler);
    CHECK_EQ(now.sa_flags & (SA_RESTART | SA_NODEFER | SA_SIGINFO | SA_ONSTACK), flags);
    CHECK_EQ(sigismember(&now.sa_mask, SIGUSR2), 1);
}

/* -- calls that block until a signal comes -- */

static int64_t since(int64_t start) {
    return coro_get_now() - start;
}

static int read_pipe(void) { return (int)read(pipe_ends[0], &byte, 1); }
static int poll_pipe(void) { return poll(&(struct pollfd){.fd = pipe_ends[0], .events = POLLIN}, 1, -1); }
static int poll_long(void) { return poll(NULL, 0, 1000000); }
static int nanosleep_long(void) { return nanosleep(&(struct timespec){.tv_sec = 1000}, NULL); }
static int pause_here(void) { return pause(); }
static int wait_for_child(void) { return waitpid(-1, NULL, 0); }
static int lock_file(void);
static int accept_one(void);

static struct call {
    const char *name;
    int (*make)(void);
} calls[] = {
    {"read", read_pipe},   {"poll", poll_pipe},         {"poll for long", poll_long}, {"nanosleep", nanosleep_long},
    {"pause", pause_here}, {"waitpid", wait_for_child}, {"flock", lock_file},         {"accept", accept_one},
};
enum { CALLS = sizeof calls / sizeof *calls };

static int locked_file, listener;
static int lock_file(void) { return flock(locked_file, LOCK_EX); }
static int accept_one(void) { return accept(listener, NULL, NULL); }

static pid_t prepare(void) {
    char name[] = "/tmp/libcoro-test-XXXXXX";
    struct address at;
    CHECK_EQ(pipe(pipe_ends), 0);
    listener = make_listener(AF_INET, SOCK_STREAM, 1, &at);
    fcntl(listener, F_SETFL, 0);
    int other = mkstemp(name);
    locked_file = open(name, O_RDWR);
    unlink(name);
    CHECK_EQ(flock(other, LOCK_EX), 0);
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    return child;
}

static void expect_interrupted(const char *name, int (*call)(void)) {
    if (call() != -1 || errno != EINTR) test_fail(__FILE__, __LINE__, "%s was not interrupted", name);
}

TEST(D11_plain_calls_are_interrupted) {
    pid_t child = prepare();
    for (int i = 0; i < CALLS; i++) {
        int64_t start = coro_get_now();
        coro_timeout_t scope = coro_timeout_begin(CORO_MS(2.5)); /* a fraction of a second, which Shrapnel's could not be */
        expect_interrupted(calls[i].name, calls[i].make);
        CHECK(since(start) >= CORO_MS(2.5));
        CHECK_EQ(coro_timeout_expired(scope), 1);
        CHECK_EQ(coro_timeout_end(scope, -EINTR), CORO_ETIMEOUT);
        CHECK_EQ(count_timers(), 0);
    }
    kill(child, SIGKILL);
    CHECK(waitpid(child, NULL, 0) == child);
}

/* Shrapnel's 0 was "never". */
TEST(D11_no_time_and_less) {
    const int64_t durations[] = {0, -1, INT64_MIN};
    CHECK_EQ(pipe(pipe_ends), 0);
    for (int i = 0; i < 3; i++) {
        coro_timeout_t scope = coro_timeout_begin(durations[i]);
        expect_interrupted("read", read_pipe);
        CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
        scope = coro_timeout_begin(durations[i]);
        CHECK_EQ(coro_read(pipe_ends[0], &byte, 1), CORO_EINTERRUPTED);
        CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
        scope = coro_timeout_begin(durations[i]);
        CHECK_EQ(coro_sleep(0), CORO_EINTERRUPTED);
        CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
        CHECK_EQ(coro_with_timeout(durations[i], do_nothing, NULL, NULL), 0);
    }
}

/* Shrapnel's inner one switched the outer one off. */
TEST(D11_nesting) {
    CHECK_EQ(pipe(pipe_ends), 0);
    for (int inner_first = 0; inner_first < 2; inner_first++) {
        coro_timeout_t outer = coro_timeout_begin(inner_first ? CORO_MS(20) : CORO_MS(2));
        coro_timeout_t inner = coro_timeout_begin(inner_first ? CORO_MS(2) : CORO_SECONDS(1000));
        expect_interrupted("read", read_pipe);
        CHECK_EQ(coro_timeout_end(inner, -EINTR), inner_first ? CORO_ETIMEOUT : -EINTR);
        CHECK_EQ(coro_timeout_expired(outer), !inner_first);
        if (inner_first) expect_interrupted("read", read_pipe);
        CHECK_EQ(coro_timeout_end(outer, -EINTR), CORO_ETIMEOUT);
        CHECK_EQ(count_timers(), 0);
    }
    /* A later scope, longer, in one that goes on. */
    coro_timeout_t outer = coro_timeout_begin(CORO_MS(5));
    CHECK_EQ(coro_timeout_end(coro_timeout_begin(CORO_SECONDS(1000)), 3), 3);
    expect_interrupted("read", read_pipe);
    CHECK_EQ(coro_timeout_end(outer, 0), CORO_ETIMEOUT);
}

static void *read_plainly(void *argument) {
    return read_pipe() == 1 ? argument : coro_fail(-errno, "read");
}

TEST(D11_with_timeout) {
    void *result;
    CHECK_EQ(pipe(pipe_ends), 0);
    CHECK_EQ(coro_with_timeout(CORO_MS(2), read_plainly, "fine", &result), CORO_ETIMEOUT);
    CHECK(result == NULL);
    CHECK_EQ(write(pipe_ends[1], "x", 1), 1);
    CHECK_EQ(coro_with_timeout(CORO_SECONDS(1000), read_plainly, "fine", &result), 0);
    CHECK_STR(result, "fine");
    close(pipe_ends[0]);
    CHECK_EQ(coro_with_timeout(CORO_SECONDS(1000), read_plainly, "fine", &result), -EBADF);
    CHECK_STR(coro_error_detail(), "read");
}

/* -- what the program has installed -- */

TEST(D11_what_was_installed_before_is_so_afterwards) {
    CHECK_EQ(pipe(pipe_ends), 0);
    alarm(0); /* the harness's */
    const int flags[] = {0, SA_RESTART | SA_NODEFER, SA_ONSTACK};
    for (int i = 0; i < 6; i++) {
        install(count_alarm, flags[i / 2]);
        block_alarm(i % 2 ? SIG_BLOCK : SIG_UNBLOCK);
        coro_timeout_t outer = coro_timeout_begin(CORO_MS(2));
        coro_timeout_t inner = coro_timeout_begin(CORO_SECONDS(1000));
        expect_interrupted("read", read_pipe);
        CHECK_EQ(coro_timeout_end(inner, 5), 5);
        CHECK(!blocks_alarm());
        CHECK_EQ(coro_timeout_end(outer, 5), CORO_ETIMEOUT);
        check_installed(count_alarm, flags[i / 2]);
        CHECK_EQ(blocks_alarm(), i % 2);
        CHECK_EQ(alarms, 0);
        CHECK_EQ(count_timers(), 0);
    }
    install(SIG_IGN, 0);
    CHECK_EQ(coro_timeout_end(coro_timeout_begin(CORO_MS(2)), 5), 5);
    check_installed(SIG_IGN, 0);
}

static void other_handler(int number) { count_alarm(number); }

TEST(D11_what_was_installed_meanwhile_stays) {
    alarm(0);
    install(count_alarm, SA_RESTART);
    coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(1000));
    install(other_handler, SA_NODEFER);
    CHECK_EQ(coro_timeout_end(scope, 5), 5);
    check_installed(other_handler, SA_NODEFER);
    CHECK_EQ(coro_timeout_end(coro_timeout_begin(CORO_SECONDS(1000)), 5), 5);
    check_installed(other_handler, SA_NODEFER);
}

TEST(D11_the_programs_own_alarm_reaches_its_handler) {
    CHECK_EQ(pipe(pipe_ends), 0);
    alarm(0);
    install(count_alarm, 0);
    coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(1000));
    /* alarm(2), again and again: it may come before the call. */
    struct itimerval often = {{.tv_usec = 5000}, {.tv_usec = 5000}}, never = {{0}, {0}};
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
    expect_interrupted("read", read_pipe);
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    CHECK(alarms >= 1);
    int before = alarms;
    raise(SIGALRM);
    CHECK_EQ(alarms, before + 1);
    timer_t timer;
    struct itimerspec soon = {.it_value.tv_nsec = 1};
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, NULL, &timer), 0); /* a timer of the kind that ours is */
    CHECK_EQ(timer_settime(timer, 0, &soon, NULL), 0);
    while (alarms == before + 1) {}
    timer_delete(timer);
    CHECK_EQ(coro_timeout_expired(scope), 0);
    CHECK_EQ(coro_timeout_end(scope, 5), 5);
}

static void raise_in_scope(void) {
    coro_timeout_begin(CORO_SECONDS(1000));
    raise(SIGALRM);
}

TEST(D11_an_alarm_that_nobody_handles_ends_the_process_as_ever) {
    char output[100];
    int status = run_in_child(raise_in_scope, output, sizeof output);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGALRM);
}

/* -- what is not cut short -- */

TEST(D11_computing_is_not_cut_short) {
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(2));
    int64_t start = coro_get_now(), steps = 0;
    while (since(start) < CORO_MS(20)) steps++;
    CHECK(steps > 0);
    CHECK_EQ(coro_timeout_expired(scope), 0);
    CHECK_EQ(coro_timeout_end(scope, 5), 5);
    /* But the call after it is, if the scope goes on. */
    CHECK_EQ(pipe(pipe_ends), 0);
    scope = coro_timeout_begin(CORO_MS(2));
    start = coro_get_now();
    while (since(start) < CORO_MS(20)) steps++;
    expect_interrupted("read", read_pipe);
    CHECK_EQ(coro_timeout_end(scope, 5), CORO_ETIMEOUT);
}

/* Calls of libcoro that block the thread: they go on, and the interruption is kept for what comes after them. */
static char fifo[] = "/tmp/libcoro-test-XXXXXX";

static int full;
static void *make_way(void *opens) {
    static char some[1 << 16];
    poll(NULL, 0, 100);
    if (opens != NULL) CHECK(open(fifo, O_WRONLY) >= 0);
    else CHECK(read(full, some, sizeof some) > 0);
    return NULL;
}

static void fill_pipe(void) {
    while (write(pipe_ends[1], fifo, 1) == 1) {}
    CHECK_EQ(fcntl(pipe_ends[1], F_SETFL, 0), 0);
}

static void block_in_libcoro(int call) {
    const char *argv[] = {"true", NULL};
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
    options.argv = argv;
    options.in.mode = CORO_STDIO_FILE;
    options.in.path = fifo;
    switch (call) {
    case 0: CHECK_EQ(coro_dump(pipe_ends[1]), 0); break;
    case 1: coro_write_stderr("text"); break;
    case 2: CHECK(coro_process_start(&options) > 0); break;
    }
}

TEST(D11_blocking_calls_of_libcoro_take_no_interruption) {
    CHECK(mkdtemp(fifo) != NULL && rmdir(fifo) == 0);
    CHECK_EQ(mkfifo(fifo, 0600), 0);
    int before = dup(2), empty[2];
    CHECK_EQ(pipe(empty), 0);
    for (int call = 0; call < 3; call++) {
        pthread_t thread;
        CHECK_EQ(pipe2(pipe_ends, O_NONBLOCK), 0);
        full = pipe_ends[0];
        fill_pipe();
        if (call == 1) dup2(pipe_ends[1], 2);
        CHECK_EQ(pthread_create(&thread, NULL, make_way, call == 2 ? fifo : NULL), 0);
        coro_timeout_t scope = coro_timeout_begin(CORO_MS(20));
        block_in_libcoro(call);
        dup2(before, 2);
        CHECK_EQ(coro_timeout_expired(scope), 0);
        pipe_ends[0] = empty[0];
        expect_interrupted("read", read_pipe);
        CHECK_EQ(coro_timeout_end(scope, 5), CORO_ETIMEOUT);
        pthread_join(thread, NULL);
    }
    unlink(fifo);
}

/* -- with a loop -- */

TEST(D11_calls_that_run_the_loop) {
    CHECK_EQ(coro_pipe(pipe_ends, 0), 0);
    for (int i = 0; i < 10; i++) {
        coro_timeout_t scope = coro_timeout_begin(CORO_MS(2));
        int code = i % 5 == 0   ? (int)coro_read(pipe_ends[0], &byte, 1)
                   : i % 5 == 1 ? coro_sleep(CORO_SECONDS(1000))
                   : i % 5 == 2 ? coro_join(coro_spawn(sleep_for_ever, NULL), NULL, CORO_FOREVER)
                   : i % 5 == 3 ? coro_wait_for(pipe_ends[0], CORO_READ)
                                : coro_park(NULL);
        CHECK_EQ(code, CORO_EINTERRUPTED);
        CHECK_EQ(coro_timeout_end(scope, code), CORO_ETIMEOUT);
        CHECK_EQ(count_timers(), 0);
    }
    /* What the loop did in between has put off nothing. */
    fcntl(pipe_ends[0], F_SETFL, 0);
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(5));
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    expect_interrupted("read", read_pipe);
    CHECK_EQ(coro_timeout_end(scope, 5), CORO_ETIMEOUT);
}

TEST(D11_strict_mode_sleeps_and_is_interrupted) {
    CHECK_EQ(pipe(pipe_ends), 0);
    coro_set_strict_main(true);
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(2));
    CHECK_EQ(coro_yield(), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_sleep(CORO_SECONDS(1000)), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, 5), CORO_ETIMEOUT);
    /* A sleep that ends in time leaves the scope as it was. */
    for (int64_t ms = 5;; ms *= 2) {
        scope = coro_timeout_begin(CORO_MS(ms));
        if (coro_sleep(CORO_MS(1)) == 0 && coro_sleep(0) == 0) break;
        coro_timeout_end(scope, 0); /* on a machine so busy that they did not */
    }
    expect_interrupted("read", read_pipe);
    CHECK_EQ(coro_timeout_end(scope, 5), CORO_ETIMEOUT);
    CHECK_EQ(coro_with_timeout(0, sleep_for_ever, NULL, NULL), CORO_ETIMEOUT);
    CHECK_EQ(count_timers(), 0);
}

static void *call_plainly(void *argument) {
    /* Longer than main's scope: no signal of its own reaches a coroutine's system calls. */
    CHECK_EQ(poll(NULL, 0, 20), 0);
    CHECK_EQ(coro_timeout_deadline(), CORO_FOREVER);
    coro_set_exit(AS_INT(argument));
    return NULL;
}

TEST(D11_the_loop_is_not_bounded_and_its_coroutines_are_not_disturbed) {
    CHECK_EQ(pipe(pipe_ends), 0);
    coro_set_print_exit_string(false);
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(2));
    go(call_plainly, AS_POINTER(7));
    CHECK_EQ(coro_event_loop(), 7);
    CHECK_EQ(coro_timeout_expired(scope), 0);
    /* Back on the thread's own stack it is on again. */
    expect_interrupted("read", read_pipe);
    CHECK_EQ(coro_timeout_end(scope, 5), CORO_ETIMEOUT);
    scope = coro_timeout_begin(CORO_MS(2));
    go(call_plainly, AS_POINTER(7));
    CHECK_EQ(coro_sleep(CORO_MS(100)), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, 5), CORO_ETIMEOUT);
    CHECK_EQ(count_timers(), 0);
}

TEST(D11_virtual_time_sets_off_no_alarm) {
    coro_test_set_virtual_time(true);
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(1));
    CHECK_EQ(poll(NULL, 0, 10), 0);
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
}
