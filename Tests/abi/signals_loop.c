/* Rows G5, G7: when and where signals reach the loop, whatever it and the threads are doing (known bugs 32, 40, 41). */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"

#include <pthread.h>
#include <sys/time.h>
#include <sys/wait.h>

static int handled;

static void count(int signum, void *arg) {
    (void)signum, (void)arg;
    handled++;
}

static void exit_loop(int signum, void *code) {
    (void)signum;
    coro_set_exit(AS_INT(code));
}

/* -- what the loop is doing -- */

TEST(G5_a_signal_before_the_loop_runs_is_kept) {
    CHECK_EQ(coro_signal(SIGUSR1, exit_loop, AS_POINTER(3), 0), 0);
    coro_set_print_exit_string(false);
    raise(SIGUSR1);
    CHECK_EQ(coro_event_loop(), 3);
    raise(SIGUSR1);
    CHECK_EQ(coro_event_loop(), 3);
}

static void *yield_until_handled(void *unused) {
    while (handled == 0) CHECK_EQ(coro_yield(), 0);
    return unused;
}

/* Nothing but yields: the loop comes round because of the signal. */
TEST(G5_a_signal_is_handled_while_coroutines_are_busy) {
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    coro_t busy[2] = {spawn_one(yield_until_handled, NULL), spawn_one(yield_until_handled, NULL)};
    CHECK_EQ(coro_yield(), 0);
    raise(SIGUSR1);
    join_soon(busy[0]);
    join_soon(busy[1]);
}

static coro_t sleeper;
static pthread_barrier_t about_to_sleep;
static pid_t target_thread;

static void wake_sleeper(int signum, void *arg) {
    count(signum, arg);
    CHECK_EQ(coro_schedule(sleeper, NULL), 0);
}

enum { ROUNDS = 200 };

static void *signal_again_and_again(void *unused) {
    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&about_to_sleep);
        if (i % 10 == 0) usleep(1000); /* now and then the loop sleeps for certain */
        if (target_thread != 0) tgkill(getpid(), target_thread, SIGUSR1);
        else raise(SIGUSR1); /* this thread, which has no loop, runs the handler that rings */
    }
    return unused;
}

/* A wakeup that is lost is a minute, and the end of the test. */
static void be_woken_by_signals(pid_t thread) {
    pthread_t other;
    target_thread = thread;
    pthread_barrier_init(&about_to_sleep, NULL, 2);
    CHECK_EQ(coro_signal(SIGUSR1, wake_sleeper, NULL, 0), 0);
    CHECK_EQ(pthread_create(&other, NULL, signal_again_and_again, NULL), 0);
    int64_t began = coro_get_now();
    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&about_to_sleep);
        CHECK_EQ(coro_sleep(CORO_SECONDS(60)), 0);
    }
    CHECK(coro_get_now() - began < CORO_SECONDS(50));
    pthread_join(other, NULL);
    CHECK_EQ(handled, ROUNDS);
}

TEST(G5_a_signal_on_the_loops_thread_wakes_it) {
    be_woken_by_signals(gettid());
}

TEST(G5_a_signal_on_another_thread_wakes_the_loop) {
    be_woken_by_signals(0);
}

/* Without sleeping. */
static void spin_for(int64_t ns) {
    for (int64_t until = coro_get_now() + ns; coro_get_now() < until;) {}
}

static pthread_barrier_t first_wait;

static void *wait_for_the_first_time(void *unused) {
    CHECK_EQ(coro_signal(SIGUSR1, wake_sleeper, NULL, 0), 0);
    pthread_barrier_wait(&first_wait);
    CHECK_EQ(coro_sleep(CORO_SECONDS(60)), 0);
    return unused;
}

/* The first wait of a loop opens its poller; a signal that comes in the middle of that finds what it can ring. */
TEST(G5_a_signal_wakes_a_loop_from_its_first_sleep) {
    int64_t began = coro_get_now();
    pthread_t thread;
    pthread_barrier_init(&first_wait, NULL, 2);
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(pthread_create(&thread, NULL, wait_for_the_first_time, NULL), 0);
        pthread_barrier_wait(&first_wait);
        spin_for(i % 100 * 500);
        raise(SIGUSR1);
        pthread_join(thread, NULL);
    }
    CHECK(coro_get_now() - began < CORO_SECONDS(50));
}

/* On a thread's own stack nothing but a handler can end this wait: it is no deadlock before the signal is unregistered. */
static void unregister(int signum, void *arg) {
    (void)arg;
    if (++handled == 2) CHECK_EQ(coro_signal_unregister(signum), 0);
    else CHECK_EQ(coro_schedule(0, AS_POINTER(7)), 0);
}

static void *register_in_a_coroutine(void *unused) {
    CHECK_EQ(coro_signal(SIGALRM, unregister, NULL, 0), 0);
    return unused;
}

TEST(G5_a_registration_keeps_a_wait_from_being_a_deadlock) {
    void *value = NULL;
    struct itimerval in_a_moment = {.it_value = {.tv_usec = 20000}};
    CHECK_EQ(coro_park(NULL), -EDEADLK);
    go(register_in_a_coroutine, NULL); /* while the wait goes on already */
    CHECK_EQ(setitimer(ITIMER_REAL, &in_a_moment, NULL), 0);
    CHECK_EQ(coro_park(&value), 0);
    CHECK_EQ(AS_INT(value), 7);
    CHECK_EQ(setitimer(ITIMER_REAL, &in_a_moment, NULL), 0);
    CHECK_EQ(coro_park(&value), -EDEADLK);
    CHECK_EQ(handled, 2);
}

TEST(G5_a_registration_does_not_keep_a_loop_running_that_is_idle) {
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    run_until_idle();
    raise(SIGUSR1);
    run_until_idle(); /* but a signal that has come is not idleness */
    CHECK_EQ(handled, 1);
}

TEST(G5_a_signal_costs_no_descriptor_but_the_loops) {
    CHECK(coro_loop_current() > 0);
    int before = open_descriptors();
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
        raise(SIGUSR1);
        let_others_run();
        CHECK_EQ(coro_signal_unregister(SIGUSR1), 0);
    }
    CHECK_EQ(handled, 100);
    CHECK_EQ(open_descriptors(), before);
}

/* -- known bug 40: the system's calls are broken off by signals -- */

TEST(G5_a_signal_every_millisecond_leaves_sleeps_and_reads_right) {
    struct itimerval often = {.it_interval = {.tv_usec = 1000}, .it_value = {.tv_usec = 1000}}, never = {0};
    int fds[2];
    CHECK_EQ(coro_signal(SIGALRM, count, NULL, 0), 0);
    unix_pair(fds);
    coro_t reader = spawn_one(read_one, AS_POINTER(fds[0]));
    CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
    for (int i = 0; i < 4; i++) {
        int64_t began = coro_get_now();
        CHECK_EQ(coro_sleep(CORO_MS(50)), 0);
        CHECK(coro_get_now() - began >= CORO_MS(50));
        CHECK(coro_get_now() - began < CORO_SECONDS(20));
    }
    CHECK(coro_is_alive(reader));
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(join_soon(reader), 1);
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    CHECK(handled > 10);
}

/* -- known bug 41: handlers on small stacks -- */

static volatile int deep_calls;

static void use_sixteen_kilobytes(int signum) {
    volatile char frame[16 * 1024];
    for (size_t i = 0; i < sizeof frame; i += 512) frame[i] = (char)signum;
    deep_calls++;
}

static void *raise_on_a_small_stack(void *unused) {
    for (int i = 0; i < 20; i++) {
        raise(SIGUSR1); /* the program's own, */
        raise(SIGUSR2); /* and ours */
        CHECK_EQ(coro_yield(), 0);
    }
    return unused;
}

TEST(G5_handlers_of_the_systems_kind_do_not_run_on_a_coroutines_stack) {
    if (is_watched()) test_skip("a tool takes stack");
    struct sigaction action = {.sa_handler = use_sixteen_kilobytes, .sa_flags = SA_ONSTACK};
    coro_options options = CORO_OPTIONS_INIT;
    sigemptyset(&action.sa_mask);
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_EQ(coro_signal(SIGUSR2, count, NULL, 0), 0);
    options.stack_size = 16 * 1024;
    join_soon(coro_spawn_with(raise_on_a_small_stack, NULL, &options));
    let_others_run();
    CHECK_EQ(deep_calls, 20);
    CHECK_EQ(handled, 20);
}

/* -- G7: what programs inherit (known bug 32) -- */

static void masks_of_a_program(char *text, size_t size) {
    FILE *from = popen("exec grep -E '^(Sig(Blk|Ign|Cgt)|ShdPnd)' /proc/self/status", "r");
    CHECK(from != NULL);
    size_t length = fread(text, 1, size - 1, from);
    text[length] = 0;
    CHECK_CONTAINS(text, "SigBlk");
    CHECK_EQ(pclose(from), 0);
}

static char masks_before[256];

static void look_at_masks_with_handlers(void) {
    char after[256];
    static const int all[] = {SIGUSR1, SIGUSR2, SIGHUP, SIGCHLD, SIGALRM};
    sigset_t mask;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) CHECK_EQ(coro_signal(all[i], count, NULL, 0), 0);
    raise(SIGUSR1);
    CHECK_EQ(coro_yield_slice(), 0);
    masks_of_a_program(after, sizeof after);
    CHECK_STR(after, masks_before);
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) CHECK(!sigismember(&mask, all[i]));
}

TEST(G7_programs_inherit_no_mask_and_no_handler) {
    masks_of_a_program(masks_before, sizeof masks_before); /* without libcoro */
    test_run_in_loop(look_at_masks_with_handlers);
}
