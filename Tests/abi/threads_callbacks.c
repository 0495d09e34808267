/* coro_post_callback(): what a loop calls itself, between two coroutines; and coro_loop_of(). */
#include "coroutines.h"
#include "forks.h"
#include "net.h"

#include <pthread.h>

static int calls;

static void count_call(void *unused) {
    (void)unused;
    calls++;
}

static void post(void (*fn)(void *), void *argument) { CHECK_EQ(coro_post_callback(coro_loop_current(), fn, argument), 0); }

static void trace_call(void *text) {
    CHECK_EQ(coro_current(), 0);
    trace("%s", (const char *)text);
}

/* -- what it may do -- */

static coro_t parked;
static coro_promise *promise;

static void try_all(void *unused) {
    coro_options at_once = CORO_OPTIONS_INIT;
    at_once.flags = CORO_START_NOW;
    coro_t made = coro_new(do_nothing, NULL, NULL);
    CHECK_EQ(coro_yield(), CORO_EYIELDFROMMAIN);
    CHECK_CONTAINS(coro_error_detail(), "callbacks");
    CHECK_EQ(coro_sleep(1), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_join(parked, NULL, CORO_FOREVER), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_promise_wait(promise, NULL), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_event_loop(), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_start_now(made), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_spawn_with(do_nothing, NULL, &at_once), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_detach(made), made);
    CHECK_EQ(coro_start(made), 0);
    go(note, "spawned");
    CHECK_EQ(coro_schedule(parked, NULL), 0);
    CHECK_EQ(coro_promise_keep(promise, 0, NULL), 0);
    coro_set_exit(4);
    errno = E2BIG;
    count_call(unused);
}

static void *await_promise(void *unused) {
    CHECK_EQ(coro_promise_wait(promise, NULL), 0);
    return note(unused);
}

TEST(post_callback_may_do_all_but_suspend) {
    coro_set_print_exit_string(false);
    promise = coro_promise_new(NULL);
    parked = go(park, NULL);
    go(await_promise, "kept");
    CHECK_EQ(coro_yield(), 0); /* both wait */
    post(try_all, NULL);
    CHECK_EQ(calls, 0);
    CHECK_EQ(coro_event_loop(), 4);
    CHECK_EQ(calls, 1);
    CHECK_STR(traced(), "spawned kept ");
    CHECK_EQ(coro_get_live_coros(), 0);
    CHECK_EQ(coro_yield(), 0); /* it is over */
    CHECK_EQ(coro_promise_free(promise), 0);
}

/* The thread's own stack waits in a call, with an errno of its own, while one is called there. */
TEST(post_callback_is_called_while_the_threads_own_stack_waits) {
    post(trace_call, "called");
    errno = ENOENT;
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(50));
    CHECK_EQ(coro_sleep(CORO_MS(5)), 0);
    CHECK_EQ(coro_timeout_end(scope, 0), 0);
    CHECK_EQ(errno, ENOENT);
    CHECK_STR(traced(), "called ");
}

TEST(post_callback_refuses_as_post_does) {
    CHECK_EQ(coro_post_callback(coro_loop_current(), NULL, NULL), -EINVAL);
    CHECK_EQ(coro_post_callback(0, count_call, NULL), -ESRCH);
    CHECK_EQ(coro_post_callback(coro_loop_current() + 32768, count_call, NULL), -ESRCH);
    run_until_idle();
    CHECK_EQ(calls, 0);
}

/* -- order -- */

static void *note_post(void *text) {
    trace("%s", (const char *)text);
    return NULL;
}

static void post_again(void *text) {
    trace_call("again");
    post(trace_call, text);
    CHECK_EQ(coro_post(coro_loop_current(), note_post, "then"), 0);
}

/* Callbacks are called, and coroutines made, in the order of the posts; what these do comes afterwards. */
CORO_TEST(post_callback_keeps_the_order_of_posts) {
    coro_loop_t mine = coro_loop_current();
    post(trace_call, "1");
    CHECK_EQ(coro_post(mine, note_post, "posted"), 0);
    post(post_again, "last");
    post(trace_call, "2");
    let_others_run();
    CHECK_STR(traced(), "1 again 2 posted last then ");
}

static int expected_number;

static void take_number(void *number) {
    CHECK_EQ(AS_INT(number), expected_number);
    expected_number++;
}

static void *post_numbers(void *of_loop) {
    for (int i = 0; i < 10000; i++) CHECK_EQ(coro_post_callback(*(coro_loop_t *)of_loop, take_number, AS_POINTER(i)), 0);
    return NULL;
}

TEST(post_callback_from_another_thread_wakes_the_loop) {
    pthread_t other;
    coro_loop_t mine = coro_loop_current();
    CHECK_EQ(pthread_create(&other, NULL, post_numbers, &mine), 0);
    for (int64_t end = coro_get_now() + CORO_SECONDS(30); expected_number < 10000;) {
        CHECK(coro_get_now() < end);
        CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    }
    CHECK_EQ(pthread_join(other, NULL), 0);
}

static void keep_promise(void *unused) { CHECK_EQ(coro_promise_keep(promise, 0, unused), 0); }

static void post_last_call(void *posted) {
    if (*(bool *)posted) return;
    *(bool *)posted = true;
    post(keep_promise, NULL);
}

/* What the thread itself posts when it is about to wait needs nobody who wakes it. */
TEST(post_callback_by_a_poll_hook_ends_the_wait) {
    bool posted = false;
    coro_poll_hooks hooks = {sizeof hooks, &posted, post_last_call, NULL};
    CHECK_EQ(coro_set_poll_hooks(&hooks), 0);
    promise = coro_promise_new(NULL);
    int64_t began = coro_get_now();
    coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(20));
    CHECK_EQ(coro_timeout_end(scope, coro_promise_wait(promise, NULL)), 0);
    CHECK(coro_get_now() - began < CORO_SECONDS(20)); /* as the time is up, it would be called too */
    CHECK_EQ(coro_set_poll_hooks(NULL), 0);
    CHECK_EQ(coro_promise_free(promise), 0);
}

/* -- one that posts itself for ever -- */

static bool stop;

static void post_itself(void *unused) {
    calls++;
    if (!stop) post(post_itself, unused);
}

CORO_TEST(post_callback_for_ever_starves_nobody) {
    int fds[2];
    char byte;
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    post(post_itself, NULL);
    while (calls < 10) CHECK_EQ(coro_sleep(CORO_MS(1)), 0); /* timers, */
    coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(20));
    coro_t reader = coro_current();
    CHECK(reader > 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        usleep(20000);
        _exit(write(fds[1], "x", 1) == 1 ? 0 : 1);
    }
    CHECK_EQ(coro_read(fds[0], &byte, 1), 1); /* and descriptors come through */
    CHECK_EQ(coro_timeout_end(scope, 0), 0);
    for (int i = 0; i < 1000; i++) CHECK_EQ(coro_yield(), 0);
    stop = true;
    let_others_run();
    int before = calls;
    let_others_run();
    CHECK_EQ(calls, before);
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    coro_close(fds[0]);
    coro_close(fds[1]);
}

/* -- the ends of things -- */

static void *leave_callback(void *unused) {
    post(count_call, NULL);
    return unused;
}

TEST(post_callback_is_called_when_the_thread_ends) {
    pthread_t other;
    CHECK_EQ(pthread_create(&other, NULL, leave_callback, NULL), 0);
    CHECK_EQ(pthread_join(other, NULL), 0);
    CHECK_EQ(calls, 1);
}

static int last_post;

static void post_once_more(void *unused) {
    calls++;
    last_post = coro_post_callback(coro_loop_current(), post_once_more, unused);
}

static void *leave_one_that_posts_itself(void *unused) {
    post(post_once_more, NULL);
    return unused;
}

/* What is posted either is called, or was refused. */
TEST(post_callback_is_refused_by_a_loop_that_calls_no_more) {
    pthread_t other;
    CHECK_EQ(pthread_create(&other, NULL, leave_one_that_posts_itself, NULL), 0);
    CHECK_EQ(pthread_join(other, NULL), 0);
    CHECK(calls >= 1);
    CHECK_EQ(last_post, -ESRCH);
}

static pthread_barrier_t meeting;
static coro_loop_t other_loop;

static void *meet_twice(void *unused) {
    other_loop = coro_loop_current();
    pthread_barrier_wait(&meeting);
    pthread_barrier_wait(&meeting);
    return unused;
}

static void try_to_suspend(void *unused) {
    CHECK_EQ(coro_yield(), CORO_EYIELDFROMMAIN);
    coro_detach(coro_spawn(note, "never runs"));
    count_call(unused);
}

TEST(post_callback_of_another_thread_is_called_when_the_thread_ends) {
    pthread_t other;
    CHECK_EQ(pthread_barrier_init(&meeting, NULL, 2), 0);
    CHECK_EQ(pthread_create(&other, NULL, meet_twice, NULL), 0);
    pthread_barrier_wait(&meeting);
    CHECK_EQ(coro_post_callback(other_loop, try_to_suspend, NULL), 0);
    pthread_barrier_wait(&meeting);
    CHECK_EQ(pthread_join(other, NULL), 0);
    CHECK_EQ(calls, 1);
    CHECK_EQ(coro_post_callback(other_loop, count_call, NULL), -ESRCH);
}

TEST(post_callback_that_is_under_way_when_forking_is_each_ones_own) {
    post(count_call, NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    run_until_idle();
    CHECK_EQ(calls, 1);
    if (child == 0) finish_child();
    expect_child(child);
}

/* -- who runs too long -- */

static void block(void *unused) {
    (void)unused;
    usleep(400000);
}

static void run_one_that_blocks(void) {
    coro_test_set_latency_unit(CORO_MS(100));
    post(block, NULL);
    run_until_idle();
}

TEST(post_callback_that_runs_long_is_reported) {
    char output[8192];
    int status = run_in_child(run_one_that_blocks, output, sizeof output);
    CHECK_EQ(status, 0);
    CHECK_CONTAINS(output, "High Latency");
    CHECK_CONTAINS(output, "the loop's own code");
}

/* -- coro_loop_of() -- */

typedef struct seen {
    coro_t co;
    coro_loop_t loop;
} seen;

static void *look_from_elsewhere(void *of_seen) {
    seen *it = of_seen;
    it->loop = coro_loop_of(it->co);
    return NULL;
}

static void *look_with_own_loop(void *of_seen) {
    CHECK(coro_loop_current() > 0);
    return look_from_elsewhere(of_seen);
}

static void *make_one(void *of_seen) {
    ((seen *)of_seen)->co = coro_spawn(do_nothing, NULL);
    return NULL;
}

TEST(loop_of_names_the_loop_of_a_coroutine) {
    pthread_t other;
    coro_t mine = coro_spawn(do_nothing, NULL);
    seen from_elsewhere = {.co = mine}, ended = {0};
    CHECK_EQ(coro_loop_of(mine), coro_loop_current());
    CHECK_EQ(pthread_create(&other, NULL, look_from_elsewhere, &from_elsewhere), 0);
    CHECK_EQ(pthread_join(other, NULL), 0);
    CHECK_EQ(from_elsewhere.loop, coro_loop_current());
    CHECK_EQ(coro_join(mine, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_loop_of(mine), coro_loop_current()); /* whether it is still there it does not say */
    CHECK_EQ(pthread_create(&other, NULL, make_one, &ended), 0);
    CHECK_EQ(pthread_join(other, NULL), 0);
    CHECK_EQ(coro_loop_of(ended.co), CORO_EDEAD);
    CHECK_CONTAINS(coro_error_detail(), "has ended");
    CHECK_EQ(pthread_create(&other, NULL, look_with_own_loop, &ended), 0); /* whose ids continue those */
    CHECK_EQ(pthread_join(other, NULL), 0);
    CHECK_EQ(ended.loop, CORO_EDEAD);
    CHECK_EQ(coro_loop_of(0), -ESRCH);
    CHECK_EQ(coro_loop_of(-1), -ESRCH);
    CHECK_EQ(coro_loop_of(INT64_MAX), -ESRCH);
}
