/* Rows G5, G6: signals handled in coroutines. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"

#include <pthread.h>
#include <sys/wait.h>

static int handled, handled_signum;
static void *handled_arg;
static coro_t handler_id;

static void count(int signum, void *arg) {
    handled++;
    handled_signum = signum;
    handled_arg = arg;
    handler_id = coro_current();
}

static void ignore(int signum) {
    (void)signum;
}

static struct sigaction action_of(int signum) {
    struct sigaction now;
    CHECK_EQ(sigaction(signum, NULL, &now), 0);
    return now;
}

/* -- G6: a handler is a coroutine -- */

static void look_around(int signum, void *arg) {
    coro_info info = info_of(coro_current());
    count(signum, arg);
    CHECK_STR(info.name, "signal SIGUSR1");
    CHECK(info.detached);
    CHECK_EQ(info.state, CORO_STATE_RUNNING);
    CHECK(coro_current() > 0);
}

CORO_TEST(G6_a_handler_runs_in_a_coroutine_of_its_own) {
    CHECK_EQ(coro_signal(SIGUSR1, look_around, &handled, 0), 0);
    raise(SIGUSR1);
    CHECK_EQ(handled, 0); /* not now: when the caller suspends */
    CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(handled, 1);
    CHECK_EQ(handled_signum, SIGUSR1);
    CHECK(handled_arg == &handled);
    CHECK(handler_id != coro_current());
    CHECK_EQ(coro_get_by_id(handler_id), -ESRCH);
    CHECK_EQ(coro_signal_unregister(SIGUSR1), 0);
}

static void sleep_four_seconds(int signum, void *arg) {
    (void)signum, (void)arg;
    trace("handler");
    CHECK_EQ(coro_sleep(CORO_SECONDS(4)), 0);
    trace("done");
}

/* J's test_signal: the handler sleeps for four seconds, and main's ticks of one go on. */
TEST(G6_main_goes_on_while_a_handler_sleeps) {
    coro_test_set_virtual_time(true);
    CHECK_EQ(coro_signal(SIGUSR1, sleep_four_seconds, NULL, 0), 0);
    for (int i = 0; i < 6; i++) {
        if (i == 1) raise(SIGUSR1);
        CHECK_EQ(coro_sleep(CORO_SECONDS(1)), 0);
        trace("%d", i);
    }
    CHECK_STR(traced(), "0 handler 1 2 3 done 4 5 ");
}

TEST(G6_a_real_time_signal_has_its_name) {
    CHECK_EQ(coro_signal(SIGRTMIN, count, NULL, 0), 0);
    CHECK_EQ(coro_signal(SIGRTMIN, count, NULL, 0), CORO_ESIMULTANEOUS);
    CHECK_CONTAINS(coro_error_detail(), "SIGRTMIN is");
    CHECK_EQ(coro_signal(SIGRTMIN + 3, count, NULL, 0), 0);
    CHECK_EQ(coro_signal(SIGRTMIN + 3, count, NULL, 0), CORO_ESIMULTANEOUS);
    CHECK_CONTAINS(coro_error_detail(), "SIGRTMIN+3 is");
}

/* -- G5: registering -- */

static void *register_elsewhere(void *unused) {
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), CORO_ESIMULTANEOUS);
    CHECK_CONTAINS(coro_error_detail(), "SIGUSR1 is registered already");
    CHECK_EQ(coro_signal_unregister(SIGUSR1), CORO_EWRONGTHREAD);
    CHECK_CONTAINS(coro_error_detail(), "another thread");
    return unused;
}

/* J's loop crashes at this. */
TEST(G5_registering_twice_is_simultaneous_and_harms_nothing) {
    pthread_t thread;
    int first, second;
    CHECK_EQ(coro_signal(SIGUSR1, count, &first, 0), 0);
    CHECK_EQ(coro_signal(SIGUSR1, count, &second, 0), CORO_ESIMULTANEOUS);
    CHECK_EQ(pthread_create(&thread, NULL, register_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    raise(SIGUSR1);
    let_others_run();
    CHECK_EQ(handled, 1);
    CHECK(handled_arg == &first);
}

TEST(G5_what_can_not_be_handled_is_refused) {
    static const int wrong[] = {0, -1, 65, INT32_MAX, INT32_MIN, SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, 32, 33};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_EQ(coro_signal(wrong[i], count, NULL, 0), -EINVAL);
        CHECK(coro_error_detail()[0] != 0);
    }
    CHECK_EQ(coro_signal(SIGKILL, count, NULL, 0), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "SIGKILL can't be caught");
    CHECK_EQ(coro_signal(SIGSEGV, count, NULL, 0), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "SIGSEGV tells of a fault");
    CHECK_EQ(coro_signal(SIGUSR1, NULL, NULL, 0), -EINVAL);
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 4), -EINVAL);
    CHECK_EQ(coro_signal_unregister(0), -EINVAL);
    CHECK_EQ(coro_signal_unregister(65), -EINVAL);
    CHECK_EQ(coro_signal_unregister(SIGUSR1), -ENOENT);
    CHECK(action_of(SIGUSR1).sa_handler == SIG_DFL);
}

TEST(G5_a_registration_that_fails_leaves_nothing) {
    CHECK(signal(SIGUSR1, ignore) != SIG_ERR);
    CHECK_EQ(coro_signal_unregister(SIGUSR1), -ENOENT); /* the thread has its loop */
    static const char *const calls[] = {"sigaction", "calloc", "calloc"};
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(coro_test_fail_call(calls[i], i == 2 ? 2 : 1, ENOMEM), 0);
        CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), -ENOMEM);
        CHECK(action_of(SIGUSR1).sa_handler == ignore);
        CHECK_EQ(coro_signal_unregister(SIGUSR1), -ENOENT);
    }
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    raise(SIGUSR1);
    let_others_run();
    CHECK_EQ(handled, 1);
}

TEST(G5_unregistering_puts_back_what_was_there) {
    struct sigaction before = {.sa_handler = ignore, .sa_flags = SA_NODEFER}, now;
    sigemptyset(&before.sa_mask);
    sigaddset(&before.sa_mask, SIGUSR2);
    CHECK_EQ(sigaction(SIGUSR1, &before, NULL), 0);
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    now = action_of(SIGUSR1);
    CHECK(now.sa_handler != ignore);
    CHECK_EQ(now.sa_flags & (SA_RESTART | SA_ONSTACK), SA_RESTART | SA_ONSTACK);
    CHECK_EQ(coro_signal_unregister(SIGUSR1), 0);
    now = action_of(SIGUSR1);
    CHECK(now.sa_handler == ignore);
    CHECK_EQ(now.sa_flags & (SA_NODEFER | SA_RESTART), SA_NODEFER);
    CHECK(sigismember(&now.sa_mask, SIGUSR2));
    CHECK_EQ(coro_signal_unregister(SIGUSR1), -ENOENT);
}

static void (*chained)(int);

static void call_the_one_before(int signum) {
    chained(signum);
}

/* Somebody who came after us, and passes signals on to us, stays, and finds us harmless when we have left. */
TEST(G5_unregistering_leaves_what_others_have_installed_since) {
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    chained = signal(SIGUSR1, call_the_one_before);
    raise(SIGUSR1);
    let_others_run();
    CHECK_EQ(handled, 1);
    CHECK_EQ(coro_signal_unregister(SIGUSR1), 0);
    CHECK(action_of(SIGUSR1).sa_handler == call_the_one_before);
    raise(SIGUSR1);
    let_others_run();
    CHECK_EQ(handled, 1);
    /* They leave, and put us back; what was there before the first registration is still known. */
    CHECK(signal(SIGUSR1, chained) == call_the_one_before);
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    CHECK_EQ(coro_signal_unregister(SIGUSR1), 0);
    CHECK(action_of(SIGUSR1).sa_handler == SIG_DFL);
}

static void call_handler_after_the_end(void) {
    CHECK_EQ(coro_signal(SIGTERM, count, NULL, 0), 0);
    void (*handler)(int) = action_of(SIGTERM).sa_handler;
    CHECK_EQ(coro_signal_unregister(SIGTERM), 0);
    handler(SIGTERM);
    _exit(7);
}

/* As when a thread has entered the handler while another unregisters: the signal counts as one that came after that. */
TEST(G5_a_signal_that_comes_while_it_is_unregistered_is_not_lost) {
    char output[256];
    int status = run_in_child(call_handler_after_the_end, output, sizeof output);
    CHECK_STR(output, "");
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

/* -- G5: deliveries -- */

static int running, most_running;

static void sleep_and_count(int signum, void *arg) {
    (void)signum, (void)arg;
    if (++running > most_running) most_running = running;
    CHECK_EQ(coro_sleep(CORO_MS(10)), 0);
    running--;
    handled++;
}

static void deliver_five(uint32_t flags, int wanted_at_once) {
    coro_test_set_virtual_time(true);
    CHECK_EQ(coro_signal(SIGUSR1, sleep_and_count, NULL, flags), 0);
    for (int i = 0; i < 3; i++) raise(SIGUSR1);
    CHECK_EQ(coro_sleep(CORO_MS(5)), 0);
    for (int i = 0; i < 2; i++) raise(SIGUSR1); /* while handlers sleep */
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), 0);
    CHECK_EQ(handled, 5);
    CHECK_EQ(most_running, wanted_at_once);
    CHECK_EQ(coro_get_live_coros(), 0);
}

TEST(G5_each_delivery_has_a_handler_and_they_overlap) {
    deliver_five(0, 5);
}

TEST(G5_serial_handlers_run_one_after_the_other) {
    deliver_five(CORO_SIGNAL_SERIAL, 1);
}

/* Its end, however it ends, lets the next begin. */
TEST(G5_a_serial_handler_that_is_cancelled_makes_way) {
    coro_t id;
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, CORO_SIGNAL_SERIAL), 0);
    raise(SIGUSR1);
    raise(SIGUSR1);
    go(do_nothing, NULL);
    CHECK_EQ(coro_yield(), 0); /* the first is queued behind us */
    CHECK_EQ(coro_all(&id, 1), 1);
    CHECK_STR(info_of(id).name, "signal SIGUSR1");
    CHECK_EQ(info_of(id).state, CORO_STATE_READY);
    CHECK_EQ(coro_shutdown(id), 0);
    let_others_run();
    CHECK_EQ(handled, 1);
    CHECK_EQ(coro_get_live_coros(), 0);
}

TEST(G5_once_is_one_delivery) {
    CHECK(signal(SIGUSR1, ignore) != SIG_ERR);
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, CORO_SIGNAL_ONCE), 0);
    raise(SIGUSR1);
    raise(SIGUSR1); /* before the loop has come round: the same delivery, as far as the loop is concerned */
    let_others_run();
    CHECK_EQ(handled, 1);
    CHECK(action_of(SIGUSR1).sa_handler == ignore);
    CHECK_EQ(coro_signal_unregister(SIGUSR1), -ENOENT);
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, CORO_SIGNAL_ONCE | CORO_SIGNAL_SERIAL), 0);
    raise(SIGUSR1);
    let_others_run();
    CHECK_EQ(handled, 2);
    CHECK_EQ(coro_signal_unregister(SIGUSR1), -ENOENT);
}

TEST(G5_unregistering_drops_what_has_not_begun) {
    coro_test_set_virtual_time(true);
    CHECK_EQ(coro_signal(SIGUSR1, sleep_and_count, NULL, CORO_SIGNAL_SERIAL), 0);
    for (int i = 0; i < 3; i++) raise(SIGUSR1);
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    raise(SIGUSR1);
    CHECK_EQ(coro_signal_unregister(SIGUSR1), 0);
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0); /* a new one, which none of those are for */
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), 0);
    CHECK_EQ(running, 0);
    CHECK_EQ(handled, 1); /* the one that had begun */
}

static void unregister_and_go_on(int signum, void *arg) {
    (void)arg;
    CHECK_EQ(coro_signal_unregister(signum), 0);
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    handled++;
}

TEST(G5_a_handler_may_unregister_itself) {
    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(coro_signal(SIGUSR1, unregister_and_go_on, NULL, CORO_SIGNAL_SERIAL), 0);
        raise(SIGUSR1);
        for (int pass = 0; handled < i && pass < 10000; pass++) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
        CHECK_EQ(handled, i);
    }
    CHECK_EQ(coro_get_live_coros(), 0);
}

static int told_code;

static int tell(coro_t co, int code, const char *message) {
    (void)co;
    told_code = code;
    CHECK_STR(message, "no luck");
    return 0;
}

static void fail(int signum, void *arg) {
    count(signum, arg);
    coro_fail(-EIO, "no luck");
}

TEST(G5_a_handler_that_fails_is_told_of_and_the_registration_goes_on) {
    coro_set_exception_notifier(tell);
    CHECK_EQ(coro_signal(SIGUSR1, fail, NULL, CORO_SIGNAL_SERIAL), 0);
    for (int i = 1; i <= 3; i++) {
        told_code = 0;
        raise(SIGUSR1);
        let_others_run();
        CHECK_EQ(handled, i);
        CHECK_EQ(told_code, -EIO);
    }
}

/* Without memory for a handler the delivery waits, whatever kind of memory it is. */
TEST(G5_a_lack_of_memory_loses_no_delivery) {
    static const char *const calls[] = {"mmap", "calloc", "calloc", "calloc"};
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(coro_signal(SIGUSR1, count, NULL, CORO_SIGNAL_ONCE), 0);
        CHECK_EQ(coro_test_fail_call(calls[i], i == 0 ? 1 : i, ENOMEM), 0);
        raise(SIGUSR1);
        for (int pass = 0; handled == i && pass < 1000; pass++) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
        CHECK_EQ(coro_test_fail_call(calls[i], 0, 0), 0);
        CHECK_EQ(handled, i + 1);
    }
}

/* Those behind a serial handler too, which are begun by its end. */
TEST(G5_a_lack_of_memory_loses_no_serial_delivery) {
    CHECK_EQ(coro_signal(SIGUSR1, sleep_and_count, NULL, CORO_SIGNAL_SERIAL), 0);
    for (int i = 0; i < 3; i++) raise(SIGUSR1);
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(running, 1);
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    for (int pass = 0; handled < 3 && pass < 1000; pass++) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(handled, 3);
}

static void *note_when_its_turn_comes(void *unused) {
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    trace("sleeper after %s", handled < 1000 ? "some" : "all");
    return unused;
}

/* Handlers begin a few at a time: signals that come faster than they can would keep timers waiting for ever. */
TEST(G5_a_storm_of_signals_leaves_others_their_turn) {
    coro_test_set_virtual_time(true);
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    coro_t sleeper = spawn_one(note_when_its_turn_comes, NULL);
    let_others_run();
    CHECK_EQ(coro_test_step_time(CORO_MS(5)), 0);
    for (int i = 0; i < 1000; i++) raise(SIGUSR1);
    join_soon(sleeper);
    CHECK_STR(traced(), "sleeper after some ");
    run_until_idle();
    CHECK_EQ(handled, 1000);
}
