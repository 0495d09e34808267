/* Row B17: SIGINT and SIGTERM end the loop, unless the program does something else about them. */
#define _GNU_SOURCE
#include "coroutines.h"
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

static bool has_default_action(int signum) {
    struct sigaction now;
    CHECK_EQ(sigaction(signum, NULL, &now), 0);
    return now.sa_handler == SIG_DFL;
}

static void expect_killed(test_function function, int signum) {
    char output[512];
    int status = run_in_child(function, output, sizeof output);
    CHECK_STR(output, "");
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), signum);
}

static void *raise_it(void *signum) {
    raise(AS_INT(signum));
    return NULL;
}

static void *raise_and_stay(void *signum) {
    raise(AS_INT(signum));
    coro_sleep(CORO_FOREVER);
    return NULL;
}

/* -- they end the loop -- */

TEST(B17_sigint_and_sigterm_end_the_loop_with_0) {
    static const int both[] = {SIGINT, SIGTERM, SIGINT};
    coro_set_print_exit_string(false);
    for (int i = 0; i < 3; i++) {
        go(raise_and_stay, AS_POINTER(both[i]));
        CHECK_EQ(coro_event_loop(), 0);
        CHECK(has_default_action(SIGINT));
        CHECK(has_default_action(SIGTERM));
    }
}

static void be_ended_by_sigterm(void) {
    go(raise_and_stay, AS_POINTER(SIGTERM));
    _exit(coro_event_loop());
}

TEST(B17_exiting_is_printed) {
    char output[128];
    CHECK_EQ(run_in_child(be_ended_by_sigterm, output, sizeof output), 0);
    CHECK_STR(output, "Exiting...\n");
}

static void *terminate_in_a_moment(void *unused) {
    usleep(20000);
    CHECK_EQ(kill(getpid(), SIGTERM), 0); /* whichever thread the system chooses */
    return unused;
}

/* Nothing else is there to do, and the poller was never open before. */
TEST(B17_a_loop_that_sleeps_is_woken) {
    pthread_t other;
    coro_set_print_exit_string(false);
    CHECK_EQ(pthread_create(&other, NULL, terminate_in_a_moment, NULL), 0);
    CHECK_EQ(coro_event_loop(), 0);
    pthread_join(other, NULL);
}

static void *yield_for_ever(void *unused) {
    for (;;) CHECK_EQ(coro_yield(), 0);
    return unused;
}

TEST(B17_a_loop_that_is_busy_ends) {
    coro_set_print_exit_string(false);
    go(yield_for_ever, NULL);
    go(raise_and_stay, AS_POINTER(SIGTERM));
    CHECK_EQ(coro_event_loop(), 0);
}

static void *exit_and_raise(void *unused) {
    coro_set_exit(3);
    raise(SIGTERM);
    CHECK_EQ(coro_yield_slice(), 0); /* the loop has seen it, and has an exit already */
    return unused;
}

TEST(B17_an_exit_that_was_asked_for_keeps_its_code) {
    coro_set_print_exit_string(false);
    go(exit_and_raise, NULL);
    go(yield_for_ever, NULL); /* the loop goes on for a while */
    CHECK_EQ(coro_event_loop(), 3);
}

/* -- defect 28: a loop that is stuck -- */

static void *be_stuck(void *signum) {
    raise(SIGTERM);
    raise(AS_INT(signum)); /* the loop has had no chance to see the first */
    _exit(1);
}

static void stick_at_sigterm(void) {
    go(be_stuck, AS_POINTER(SIGTERM));
    coro_event_loop();
}

static void stick_at_sigint(void) {
    go(be_stuck, AS_POINTER(SIGINT));
    coro_event_loop();
}

TEST(B17_a_loop_that_is_stuck_is_ended_by_the_next_signal) {
    expect_killed(stick_at_sigterm, SIGTERM);
    expect_killed(stick_at_sigint, SIGINT);
}

static void *take_its_time(void *unused) {
    for (int i = 0; i < 3; i++) {
        raise(SIGTERM);
        CHECK_EQ(coro_yield_slice(), 0);
    }
    return unused;
}

/* The loop has taken each before the next comes. */
TEST(B17_a_loop_that_is_slow_to_end_is_not_stuck) {
    coro_set_print_exit_string(false);
    go(take_its_time, NULL);
    CHECK_EQ(coro_event_loop(), 0);
}

static void raise_after_the_last_pass(void) {
    coro_set_print_exit_string(false);
    go(exit_with, AS_POINTER(3));
    go(raise_it, AS_POINTER(SIGTERM));
    coro_event_loop();
    _exit(1);
}

TEST(B17_a_signal_that_the_loop_no_longer_takes_is_not_lost) {
    expect_killed(raise_after_the_last_pass, SIGTERM);
}

/* -- when they are not the loop's -- */

static void *expect_defaults(void *unused) {
    CHECK(has_default_action(SIGINT) && has_default_action(SIGTERM));
    return unused;
}

static void *expect_handlers(void *unused) {
    CHECK(!has_default_action(SIGINT) && !has_default_action(SIGTERM));
    return unused;
}

TEST(B17_they_can_be_left_alone) {
    CHECK_EQ(coro_set_install_signal_handlers(false), true);
    go(expect_defaults, NULL);
    run_until_idle();
    CHECK_EQ(coro_set_install_signal_handlers(true), false);
    CHECK_EQ(coro_set_install_signal_handlers(true), true);
    go(expect_handlers, NULL);
    run_until_idle();
    go(expect_defaults, NULL);
    CHECK_EQ(coro_yield(), 0); /* the loop of a call on the thread's own stack is none that they could end */
}

static void *raise_both(void *unused) {
    for (int i = 0; i < 2; i++) raise(SIGINT);
    for (int i = 0; i < 2; i++) raise(SIGTERM);
    CHECK_EQ(coro_yield_slice(), 0);
    return unused;
}

TEST(B17_what_the_program_has_installed_stays) {
    struct sigaction now;
    coro_set_print_exit_string(false);
    CHECK(signal(SIGINT, SIG_IGN) != SIG_ERR);
    CHECK(signal(SIGTERM, ignore) != SIG_ERR);
    join_soon(spawn_one(raise_both, NULL));
    go(raise_both, NULL);
    run_until_idle();
    CHECK_EQ(sigaction(SIGINT, NULL, &now), 0);
    CHECK(now.sa_handler == SIG_IGN);
    CHECK_EQ(sigaction(SIGTERM, NULL, &now), 0);
    CHECK(now.sa_handler == ignore);
}

static void *register_and_raise(void *unused) {
    CHECK_EQ(coro_signal_unregister(SIGINT), -ENOENT);
    CHECK_EQ(coro_signal(SIGINT, count, NULL, 0), 0);
    CHECK_EQ(coro_signal(SIGINT, count, NULL, 0), CORO_ESIMULTANEOUS);
    raise(SIGINT);
    CHECK_EQ(coro_sleep(0), 0);
    CHECK_EQ(coro_sleep(0), 0);
    CHECK_EQ(handled, 1);
    CHECK_EQ(coro_signal_unregister(SIGINT), 0);
    raise(SIGINT); /* and now it is the loop's again */
    CHECK_EQ(coro_sleep(CORO_FOREVER), 0);
    return unused;
}

TEST(B17_a_registration_goes_before_the_default) {
    coro_set_print_exit_string(false);
    go(register_and_raise, NULL);
    CHECK_EQ(coro_event_loop(), 0);
    CHECK(has_default_action(SIGINT));
}

static void *keep_registration(void *unused) {
    CHECK_EQ(coro_signal(SIGINT, count, NULL, 0), 0);
    return unused;
}

TEST(B17_a_registration_outlives_the_loop_it_replaced) {
    go(keep_registration, NULL);
    run_until_idle();
    CHECK(!has_default_action(SIGINT));
    CHECK(has_default_action(SIGTERM));
    raise(SIGINT);
    run_until_idle();
    CHECK_EQ(handled, 1);
    CHECK_EQ(coro_signal_unregister(SIGINT), 0);
    CHECK(has_default_action(SIGINT));
}

/* -- several loops -- */

static void *replace_on_another_thread(void *unused) {
    CHECK_EQ(coro_signal(SIGTERM, count, NULL, 0), 0);
    raise(SIGTERM);
    for (int pass = 0; handled == 0 && pass < 20000; pass++) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(handled, 1);
    CHECK_EQ(coro_signal_unregister(SIGTERM), 0);
    raise(SIGTERM); /* the other thread's loop has it again */
    return unused;
}

static void *start_replacer(void *of_thread) {
    CHECK_EQ(pthread_create(of_thread, NULL, replace_on_another_thread, NULL), 0);
    return NULL;
}

TEST(B17_a_registration_of_another_thread_goes_before_the_default_too) {
    pthread_t other;
    coro_set_print_exit_string(false);
    go(start_replacer, &other);
    CHECK_EQ(coro_event_loop(), 0);
    pthread_join(other, NULL);
    CHECK(has_default_action(SIGTERM));
}

static void *run_a_loop(void *unused) {
    go(expect_handlers, NULL); /* the first loop's */
    go(keep_registration, NULL);
    run_until_idle();
    CHECK(!has_default_action(SIGTERM));
    return unused; /* the registration ends with the thread, and SIGINT is the first loop's again */
}

static void *run_another_loop_inside(void *unused) {
    pthread_t other;
    CHECK_EQ(pthread_create(&other, NULL, run_a_loop, NULL), 0);
    pthread_join(other, NULL);
    expect_handlers(NULL);
    raise(SIGINT);
    CHECK_EQ(coro_sleep(CORO_FOREVER), 0);
    return unused;
}

TEST(B17_the_first_loop_that_runs_has_them) {
    coro_set_print_exit_string(false);
    go(run_another_loop_inside, NULL);
    CHECK_EQ(coro_event_loop(), 0);
    CHECK(has_default_action(SIGINT) && has_default_action(SIGTERM));
}

static void *end_the_thread(void *unused) {
    pthread_exit(unused);
}

static void *end_inside_the_loop(void *unused) {
    go(end_the_thread, NULL);
    coro_event_loop();
    return unused;
}

TEST(B17_a_thread_that_ends_in_its_loop_leaves_no_handler) {
    if (is_watched()) test_skip("a tool watches memory");
    pthread_t other;
    CHECK_EQ(pthread_create(&other, NULL, end_inside_the_loop, NULL), 0);
    pthread_join(other, NULL);
    CHECK(has_default_action(SIGINT) && has_default_action(SIGTERM));
}

/* -- fork -- */

static void *fork_in_the_loop(void *unused) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(40);
        raise(SIGTERM);
        _exit(1);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    coro_set_exit(5);
    return unused;
}

/* Who kills a child that was forked inside the loop means it; whether its copy of the loop goes on nobody knows. */
TEST(B17_a_child_that_was_forked_in_the_loop_dies_of_them) {
    coro_set_print_exit_string(false);
    go(fork_in_the_loop, NULL);
    CHECK_EQ(coro_event_loop(), 5);
}

static void *terminate_in_child(void *unused) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        coro_set_exit(6);
        return unused;
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 42 << 8);
    coro_set_exit(5);
    return unused;
}

static void *terminate(void *unused) {
    raise(SIGTERM);
    CHECK_EQ(coro_sleep(CORO_FOREVER), 0);
    return unused;
}

TEST(B17_the_child_of_a_fork_has_them_when_it_runs_its_loop_anew) {
    pid_t parent = getpid();
    coro_set_print_exit_string(false);
    go(terminate_in_child, NULL);
    int code = coro_event_loop();
    if (getpid() != parent) {
        alarm(40);
        CHECK_EQ(code, 6);
        go(terminate, NULL);
        _exit(coro_event_loop() == 0 ? 42 : 1);
    }
    CHECK_EQ(code, 5);
}
