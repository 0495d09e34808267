/* Blocking work: functions on the thread pool (known bugs 37, 68, 87, 88). */
#define _GNU_SOURCE
#include "coroutines.h"
#include "gate.h"
#include "net.h"

#include <pthread.h>

static coro_stats stats(void) {
    coro_stats stats = {.struct_size = sizeof stats};
    CHECK_EQ(coro_get_stats(&stats), 0);
    return stats;
}

static void *tell_thread(void *argument) {
    char name[16];
    sigset_t blocked;
    CHECK_EQ(pthread_getname_np(pthread_self(), name, sizeof name), 0);
    CHECK_STR(name, "coro-pool");
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &blocked), 0);
    CHECK(sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGCHLD) && sigismember(&blocked, SIGUSR1));
    errno = E2BIG; /* that thread's */
    return argument;
}

static void use_from_here(void) {
    void *result = "before";
    errno = 0;
    CHECK_EQ(coro_blocking(tell_thread, "abc", &result), 0);
    CHECK_STR(result, "abc");
    CHECK_EQ(errno, 0);
    CHECK_EQ(coro_blocking(tell_thread, NULL, NULL), 0);
    CHECK_EQ(coro_blocking(NULL, NULL, &result), -EINVAL);
    CHECK(result == NULL);
    CHECK_EQ(stats().blocking_calls, 2);
    CHECK(stats().blocking_threads >= 1);
    CHECK_EQ(stats().blocking_queued, 0);
}

TEST(blocking_works_on_the_threads_own_stack) { use_from_here(); }

CORO_TEST(blocking_works_in_a_coroutine) { use_from_here(); }

CORO_TEST(blocking_suspends_only_the_caller) {
    gate gate = new_gate();
    coro_t caller = spawn_one(call_gate, &gate);
    await_runs(&gate, 1);
    CHECK_EQ(coro_sleep(1), 0); /* the loop goes on */
    coro_info info = info_of(caller);
    CHECK_EQ(info.wait_kind, CORO_WAIT_BLOCKING);
    CHECK_CONTAINS(info.waiting, "waiting for a blocking call");
    open_gate(&gate, 1);
    CHECK_EQ(join_soon(caller), 1);
}

/* -- inside it -- */

static int posted;

static void *note_post(void *argument) {
    posted++;
    return argument;
}

static void *try_all(void *loop) {
    CHECK_EQ(coro_sleep(0), CORO_EYIELDFROMMAIN);
    CHECK_CONTAINS(coro_error_detail(), "a thread of the pool");
    CHECK_EQ(coro_event_loop(), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_blocking(try_all, NULL, NULL), CORO_EYIELDFROMMAIN);
    CHECK(coro_loop_current() > 0);
    CHECK_EQ(coro_post((coro_loop_t)(intptr_t)loop, note_post, NULL), 0);
    return loop;
}

CORO_TEST(blocking_work_can_post_but_not_suspend) {
    void *loop = (void *)(intptr_t)coro_loop_current();
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_blocking(try_all, loop, NULL), 0);
    let_others_run();
    CHECK_EQ(posted, 3);
}

/* -- order and bounds -- */

static int started[100], starts;

static void *note_start(void *number) {
    started[starts++] = AS_INT(number);
    return number;
}

static void *call_note_start(void *number) {
    void *result;
    CHECK_EQ(coro_blocking(note_start, number, &result), 0);
    return result;
}

CORO_TEST(blocking_work_begins_in_its_order) {
    gate gate = new_gate();
    coro_t callers[100];
    CHECK_EQ(coro_set_max_blocking_threads(1), 32);
    coro_t first = spawn_one(call_gate, &gate);
    for (int i = 0; i < 100; i++) callers[i] = spawn_one(call_note_start, AS_POINTER(i));
    let_others_run();
    CHECK_EQ(stats().blocking_threads, 1);
    CHECK(stats().blocking_queued >= 100);
    open_gate(&gate, 1);
    CHECK_EQ(join_soon(first), 1);
    for (int i = 0; i < 100; i++) CHECK_EQ(join_soon(callers[i]), i);
    for (int i = 0; i < 100; i++) CHECK_EQ(started[i], i);
}

CORO_TEST(blocking_the_limit_holds_and_may_change_meanwhile) {
    gate gate = new_gate();
    coro_t callers[8];
    coro_set_max_blocking_threads(3);
    for (int i = 0; i < 8; i++) callers[i] = spawn_one(call_gate, &gate);
    await_runs(&gate, 3);
    CHECK_EQ(stats().blocking_threads, 3);
    CHECK_EQ(stats().blocking_queued, 5);
    CHECK_EQ(coro_set_max_blocking_threads(5), 3);
    await_runs(&gate, 5);
    CHECK_EQ(stats().blocking_queued, 3);
    CHECK_EQ(coro_set_max_blocking_threads(2), 5);
    open_gate(&gate, 8);
    for (int i = 0; i < 8; i++) join_soon(callers[i]);
    while (stats().blocking_threads > 2) coro_sleep(CORO_MS(1)); /* they come to their end soon */
    CHECK_EQ(coro_set_max_blocking_threads(0), -EINVAL);
    CHECK_EQ(coro_set_max_blocking_threads(1025), -EINVAL);
    CHECK_EQ(coro_set_max_blocking_threads(32), 2);
}

static void *add_one(void *count) {
    ++*(long *)count; /* one thread: no lock */
    return count;
}

static void *call_thousand(void *count) {
    for (int i = 0; i < 1000; i++) CHECK_EQ(coro_blocking(add_one, count, NULL), 0);
    return NULL;
}

/* Known bug 88: a pool that loses a wake hangs here. */
CORO_TEST(blocking_a_hundred_thousand_on_one_thread) {
    coro_t callers[100];
    long count = 0;
    coro_set_max_blocking_threads(1);
    for (int i = 0; i < 100; i++) callers[i] = spawn_one(call_thousand, &count);
    for (int i = 0; i < 100; i++) join_soon(callers[i]);
    CHECK_EQ(count, 100000);
}

static void *use_own_loop(void *count) {
    coro_t callers[10];
    for (int i = 0; i < 10; i++) callers[i] = spawn_one(call_thousand, count);
    for (int i = 0; i < 10; i++) join_soon(callers[i]);
    return NULL;
}

TEST(blocking_loops_share_the_pool) {
    pthread_t threads[3];
    long count = 0;
    coro_set_max_blocking_threads(1);
    for (int i = 0; i < 3; i++) CHECK_EQ(pthread_create(&threads[i], NULL, use_own_loop, &count), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(count, 30000);
}

TEST(blocking_idle_threads_end) {
    CHECK_EQ(coro_test_set_blocking_idle_time(CORO_MS(1)), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(coro_blocking(do_nothing, NULL, NULL), 0);
        while (stats().blocking_threads > 0) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    }
    CHECK_EQ(coro_test_set_blocking_idle_time(-1), -EINVAL);
    CHECK_EQ(coro_test_set_blocking_idle_time(0), 0);
}

TEST(blocking_without_a_thread_is_an_error) {
    gate gate = new_gate();
    CHECK_EQ(coro_test_fail_call("pthread_create", 1, EAGAIN), 0);
    CHECK_EQ(coro_blocking(do_nothing, NULL, NULL), -EAGAIN);
    CHECK_CONTAINS(coro_error_detail(), "none can be started");
    coro_t caller = spawn_one(call_gate, &gate);
    await_runs(&gate, 1);
    CHECK_EQ(coro_test_fail_call("pthread_create", 1, EAGAIN), 0); /* with one thread the work waits for that */
    coro_t other = spawn_one(call_gate, &gate);
    let_others_run();
    CHECK_EQ(stats().blocking_threads, 1);
    CHECK_EQ(stats().blocking_queued, 1);
    open_gate(&gate, 2);
    CHECK_EQ(join_soon(caller), 1);
    CHECK_EQ(join_soon(other), 2);
}

/* -- time -- */

static void *call_and_note_time(void *of_gate) {
    call_gate(of_gate);
    return (void *)(intptr_t)coro_get_now();
}

static void *open_soon(void *of_gate) {
    struct timespec little = {.tv_nsec = 20000000};
    nanosleep(&little, NULL);
    open_gate(of_gate, 1);
    return NULL;
}

CORO_TEST(blocking_virtual_time_stands_still_meanwhile) {
    gate gate = new_gate();
    pthread_t opener;
    CHECK_EQ(coro_test_set_virtual_time(true), 0);
    int64_t before = coro_get_now();
    coro_t sleeper = spawn_one(sleep_for_ever, NULL);
    coro_t caller = coro_spawn(call_and_note_time, &gate);
    CHECK_EQ(pthread_create(&opener, NULL, open_soon, &gate), 0);
    CHECK_EQ(coro_sleep(1), 0); /* a jump to that would come before the opener */
    CHECK_EQ(coro_get_now(), before + 1);
    void *after;
    CHECK_EQ(coro_join(caller, &after, CORO_FOREVER), 0);
    CHECK_EQ((intptr_t)after, before);
    CHECK_EQ(pthread_join(opener, NULL), 0);
    CHECK_EQ(coro_shutdown(sleeper), 0);
    coro_join(sleeper, NULL, CORO_FOREVER);
}
