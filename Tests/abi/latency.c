/* Row B20: a coroutine that runs for long without yielding is reported (known bug 87; defect 23 of the originals). */
#define _GNU_SOURCE
#include "latency.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const int64_t SHORT = CORO_MS(20);

/* Runs fn as a coroutine named "worker", with a threshold of 20 ms and stderr in the report. */
static void run_worker(coro_fn fn) {
    coro_options options = CORO_OPTIONS_INIT;
    options.name = "worker";
    CHECK_EQ(coro_test_set_latency_unit(SHORT), 0);
    begin_report();
    int result = coro_join(coro_spawn_with(fn, NULL, &options), NULL, CORO_FOREVER);
    end_report();
    CHECK_EQ(result, 0);
}

static int count_in_report(const char *part) {
    int count = 0;
    for (const char *at = report(); (at = strstr(at, part)) != NULL; at += strlen(part)) count++;
    return count;
}

/* -- what is reported -- */

/* The coroutine ends only when it has read its own report: so it was written while it ran. It never suspends. */
TEST(B20_one_that_runs_is_reported_with_its_repr_and_stack) {
    run_worker(hog);
    CHECK_CONTAINS(report(), " High Latency: (0.");
    CHECK_CONTAINS(report(), "for <coro #1 name='worker' dead=0 started=1 scheduled=0 at 0x");
    CHECK_CONTAINS(report(), "which runs in\n    ");
    CHECK_CONTAINS(report(), caller_in_report);
}

TEST(B20_the_last_slice_is_reported_with_its_length) {
    run_worker(hog);
    CHECK_CONTAINS(report(), " High Latency: coro #1 (worker) ran for more than 0.");
    CHECK_EQ(count_in_report("High Latency"), 2);
}

static void *hog_then_suspend(void *unused) {
    hog(NULL);
    CHECK_EQ(coro_yield_slice(), 0);
    CHECK(is_reported("coro #1 (worker) ran for more than 0."));
    return unused;
}

TEST(B20_a_slice_that_ends_in_a_suspension_is_finished_by_then) {
    run_worker(hog_then_suspend);
    CHECK_EQ(count_in_report("High Latency"), 2);
}

static void *hog_twice(void *unused) {
    hog(NULL);
    CHECK_EQ(coro_yield(), 0);
    while (count_in_report("for <coro #1 ") < 2) {}
    return unused;
}

TEST(B20_each_slice_is_reported_once) {
    run_worker(hog_twice);
    CHECK_EQ(count_in_report("for <coro #1 "), 2);
    CHECK_EQ(count_in_report("ran for more than"), 2);
}

/* Without a name of its own it has its function's, where that can be known, as everywhere. */
static void *compare_names(void *unused) {
    char name[64];
    run_until_reported("High Latency");
    CHECK(coro_get_name(coro_current(), name, sizeof name) > 0);
    strcat(name, "' dead=0");
    CHECK_CONTAINS(report(), name);
    return unused;
}

TEST(B20_one_without_a_name_is_called_as_it_is_elsewhere) {
    CHECK_EQ(coro_test_set_latency_unit(SHORT), 0);
    begin_report();
    CHECK_EQ(coro_join(coro_spawn(compare_names, NULL), NULL, CORO_FOREVER), 0);
    end_report();
}

static int fed[2];

static void *feed_when_reported(void *unused) {
    while (!is_reported("High Latency")) usleep(1000);
    CHECK_EQ(write(fed[1], "x", 1), 1);
    return unused;
}

/* poll(2) is never started again after a signal. */
static __attribute__((noinline)) int block_in_poll(void) {
    struct pollfd one = {.fd = fed[0], .events = POLLIN};
    note_caller(__builtin_return_address(0));
    return poll(&one, 1, -1);
}

static void *block(void *unused) {
    pthread_t feeder;
    CHECK_EQ(pipe(fed), 0);
    CHECK_EQ(pthread_create(&feeder, NULL, feed_when_reported, NULL), 0);
    int ready = block_in_poll();
    CHECK_EQ(pthread_join(feeder, NULL), 0);
    return ready == 1 ? unused : coro_fail(-EINTR, "poll(2) was cut short");
}

TEST(B20_one_that_is_blocked_is_reported_and_not_disturbed) {
    run_worker(block);
    CHECK_CONTAINS(report(), "<coro #1 name='worker' dead=0 started=1 scheduled=0 at 0x");
    CHECK_CONTAINS(report(), "which is blocked in system call ");
    CHECK_CONTAINS(report(), caller_in_report);
    CHECK_CONTAINS(report(), "ran for more than 0.");
}

static void *hog_on_virtual_time(void *unused) {
    CHECK_EQ(coro_test_set_virtual_time(true), 0);
    CHECK_EQ(coro_sleep(CORO_SECONDS(100)), 0);
    return hog(unused);
}

TEST(B20_virtual_time_does_not_matter) {
    run_worker(hog_on_virtual_time);
    CHECK_CONTAINS(report(), "ran for more than 0.");
}

static void *hog_in_order_drawn(void *unused) {
    CHECK_EQ(coro_test_set_order_seed(7), 0);
    CHECK_EQ(coro_yield(), 0);
    return hog(unused);
}

TEST(B20_a_seeded_order_does_not_matter) {
    run_worker(hog_in_order_drawn);
    CHECK_EQ(count_in_report("High Latency"), 2);
}

/* -- the stack, and the signal it takes -- */

static volatile sig_atomic_t urgent_signals;

static void count_urgent(int number) {
    (void)number;
    urgent_signals++;
}

TEST(B20_a_program_that_handles_SIGURG_keeps_it) {
    struct sigaction action = {.sa_handler = count_urgent}, after;
    CHECK_EQ(sigaction(SIGURG, &action, NULL), 0);
    run_worker(hog);
    CHECK_CONTAINS(report(), ", which still runs\n");
    CHECK_EQ(urgent_signals, 0);
    CHECK_EQ(sigaction(SIGURG, NULL, &after), 0);
    CHECK(after.sa_handler == count_urgent);
}

TEST(B20_the_action_of_SIGURG_is_put_back) {
    struct sigaction after;
    run_worker(hog);
    CHECK_EQ(sigaction(SIGURG, NULL, &after), 0);
    CHECK(after.sa_handler == SIG_DFL);
}

static void *take_urgent_signals(void *unused) {
    sigset_t urgent;
    struct timespec none = {0};
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &urgent, NULL), 0);
    while (!is_reported("High Latency"))
        if (sigtimedwait(&urgent, NULL, &none) > 0) urgent_signals++;
    return unused;
}

TEST(B20_a_program_that_blocks_SIGURG_is_not_sent_it) {
    run_worker(take_urgent_signals);
    CHECK_CONTAINS(report(), ", which still runs\n");
    CHECK_EQ(urgent_signals, 0);
}

/* -- what is not -- */

/* How long a turn was at most: on a busy machine the thread may have been off its processor for most of it. */
static int64_t longest_turn;

static void compute_for(int64_t ns) {
    int64_t start = coro_get_now(), now = start;
    while (now - start < ns) now = coro_get_now();
    if (now - start > longest_turn) longest_turn = now - start;
}

static void *yield_for_600_ms(void *unused) {
    int64_t end = coro_get_now() + CORO_MS(600);
    while (coro_get_now() < end) {
        compute_for(CORO_MS(1));
        CHECK_EQ(coro_yield(), 0);
    }
    return unused;
}

static void *yield_in_one_batch(void *unused) {
    for (int i = 0; i < 20; i++) {
        compute_for(CORO_MS(30));
        CHECK_EQ(coro_yield(), 0);
    }
    return unused;
}

static void *compute_a_little(void *unused) {
    compute_for(CORO_MS(5));
    return unused;
}

static void *start_many_at_once(void *unused) {
    for (int i = 0; i < 100; i++) {
        coro_detach(start_now(compute_a_little, NULL));
        compute_for(CORO_MS(1));
    }
    return unused;
}

/* Two, or one that yields to itself, by the usual threshold of 0.2 s. The looks at them find the same coroutine, and ... */
static void expect_no_report(coro_fn one, coro_fn other) {
    for (int i = 0; i < 5; i++) {
        longest_turn = 0;
        begin_report();
        coro_t first = coro_spawn(one, NULL);
        if (other != NULL) CHECK_EQ(coro_join(coro_spawn(other, NULL), NULL, CORO_FOREVER), 0);
        CHECK_EQ(coro_join(first, NULL, CORO_FOREVER), 0);
        end_report();
        if (longest_turn < CORO_MS(120)) { /* else a report may be right */
            CHECK_STR(report(), "");
            return;
        }
    }
    test_skip("the machine is too busy for turns of 30 ms");
}

TEST(B20_two_that_yield_are_not_reported) {
    expect_no_report(yield_for_600_ms, yield_for_600_ms);
}

/* ... in the same batch, */
TEST(B20_one_that_yields_to_itself_is_not_reported) {
    expect_no_report(yield_in_one_batch, NULL);
}

/* ... with as many switches left of it, */
TEST(B20_one_that_yields_in_an_order_drawn_is_not_reported) {
    CHECK_EQ(coro_test_set_order_seed(7), 0);
    expect_no_report(yield_for_600_ms, NULL);
}

/* ... and in a control block that was another's before. */
TEST(B20_one_that_starts_others_at_once_is_not_reported) {
    expect_no_report(start_many_at_once, NULL);
}

static pthread_t hogger;

static void *hog_in_a_thread(void *ns) {
    CHECK_EQ(coro_test_set_latency_unit(*(int64_t *)ns), 0);
    CHECK_EQ(coro_join(coro_spawn(hog, NULL), NULL, CORO_FOREVER), 0);
    return NULL;
}

static void *wait_for_hogger(void *unused) {
    CHECK_EQ(pthread_tryjoin_np(hogger, NULL), EBUSY);
    while (!is_reported("ran for more than")) CHECK_EQ(coro_sleep(CORO_MS(300)), 0);
    return unused;
}

/* Another thread's coroutine, which may run for longer, is reported meanwhile: so this one was looked at all the time. */
TEST(B20_a_loop_that_sleeps_and_code_outside_of_it_are_not_reported) {
    int64_t longer = CORO_MS(500);
    CHECK_EQ(coro_join(coro_spawn(do_nothing, NULL), NULL, CORO_FOREVER), 0); /* the loop is known */
    begin_report();
    CHECK_EQ(pthread_create(&hogger, NULL, hog_in_a_thread, &longer), 0);
    CHECK_EQ(coro_join(coro_spawn(wait_for_hogger, NULL), NULL, CORO_FOREVER), 0);
    CHECK_EQ(pthread_join(hogger, NULL), 0);
    CHECK_EQ(pthread_create(&hogger, NULL, hog_in_a_thread, &longer), 0);
    while (count_in_report("ran for more than") < 2) {}
    CHECK_EQ(pthread_join(hogger, NULL), 0);
    end_report();
    CHECK_EQ(count_in_report("<coro #"), 2);
    CHECK_EQ(count_in_report("High Latency"), 4);
}

/* -- settings -- */

TEST(B20_the_factor_is_from_0_to_300_and_the_one_before_is_returned) {
    CHECK_EQ(coro_set_latency_warning(300), 1);
    CHECK_EQ(coro_set_latency_warning(0), 300);
    CHECK_EQ(coro_set_latency_warning(301), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "from 0 to 300");
    CHECK_EQ(coro_set_latency_warning(-1), -EINVAL);
    CHECK_EQ(coro_set_latency_warning(5), 0);
    CHECK_EQ(coro_set_latency_warning(5), 5);
    CHECK_EQ(coro_test_set_latency_unit(-1), -EINVAL);
    CHECK_EQ(coro_test_set_latency_unit(CORO_SECONDS(1) + 1), -EINVAL);
}

static void *read_factor(void *unused) {
    CHECK_EQ(coro_set_latency_warning(7), 1);
    return unused;
}

TEST(B20_the_factor_is_the_threads_own) {
    pthread_t other;
    CHECK_EQ(coro_set_latency_warning(3), 1);
    CHECK_EQ(pthread_create(&other, NULL, read_factor, NULL), 0);
    CHECK_EQ(pthread_join(other, NULL), 0);
    CHECK_EQ(coro_set_latency_warning(1), 3);
}

static void *run_past_the_unit(void *unused) {
    int64_t began = coro_get_now();
    run_until_reported("<coro #");
    CHECK(coro_get_now() - began >= 10 * SHORT);
    return unused;
}

TEST(B20_the_threshold_is_the_unit_times_the_factor) {
    CHECK_EQ(coro_set_latency_warning(10), 1);
    run_worker(run_past_the_unit);
}

/* A coroutine that turns it on for itself, while it runs, is reported. */
static void *turn_on_and_hog(void *unused) {
    CHECK_EQ(coro_set_latency_warning(1), 0);
    return hog(unused);
}

TEST(B20_it_can_be_turned_on_while_the_loop_runs) {
    CHECK_EQ(coro_set_latency_warning(0), 1);
    run_worker(turn_on_and_hog);
}

static coro_t told_co;
static int64_t told_ns;
static char told_name[64];

static void tell(coro_t co, int64_t ns, const char *name) {
    told_co = co;
    told_ns = ns;
    snprintf(told_name, sizeof told_name, "%s", name);
    CHECK_EQ(coro_current(), 0);
    CHECK_EQ(coro_yield(), CORO_EYIELDFROMMAIN);
}

TEST(B20_a_reporter_is_told_instead_of_the_last_line) {
    CHECK(coro_set_latency_reporter(tell) == NULL);
    run_worker(hog);
    CHECK_EQ(count_in_report("High Latency"), 1);
    CHECK_EQ(told_co, 1);
    CHECK(told_ns >= SHORT);
    CHECK_STR(told_name, "worker");
    CHECK(coro_set_latency_reporter(NULL) == tell);
    told_co = 0;
    run_worker(hog);
    CHECK_EQ(told_co, 0);
    CHECK_EQ(count_in_report("High Latency"), 2);
}

static int told_of_loop;

/* What a loop calls itself keeps its coroutines waiting, too. */
static void hog_as_reporter(coro_t co, int64_t ns, const char *name) {
    (void)ns;
    if (co != 0) {
        run_until_reported(" for the loop's own code, which");
    } else {
        CHECK_STR(name, "");
        told_of_loop++;
    }
}

static void *hog_in_turns(void *unused) {
    coro_t other = coro_spawn(hog, NULL);
    hog(NULL);
    CHECK_EQ(coro_join(other, NULL, CORO_FOREVER), 0);
    return unused;
}

TEST(B20_the_loops_own_code_is_reported_and_hides_no_coroutine) {
    coro_set_latency_reporter(hog_as_reporter);
    run_worker(hog_in_turns);
    CHECK(told_of_loop > 0);
    CHECK_CONTAINS(report(), caller_in_report);
}
