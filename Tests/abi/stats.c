/* Row J10: what there is on a loop, and what has happened. */
#include "coroutines.h"
#include "latency.h"

#include <pthread.h>

static coro_stats stats(void) {
    coro_stats stats;
    memset(&stats, 0x5a, sizeof stats);
    stats.struct_size = sizeof stats;
    CHECK_EQ(coro_get_stats(&stats), 0);
    CHECK_EQ(stats.struct_size, sizeof stats);
    return stats;
}

TEST(J10_stats_of_a_loop_that_has_done_nothing) {
    coro_stats now = stats(), zero = {.struct_size = sizeof zero};
    CHECK(memcmp(&now, &zero, sizeof now) == 0);
}

TEST(J10_stats_checks_its_arguments) {
    const size_t sizes[] = {0, 1, sizeof(coro_stats) - 1, sizeof(coro_stats) + 1, SIZE_MAX};
    CHECK_EQ(coro_get_stats(NULL), -EINVAL);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        coro_stats stats = {.struct_size = sizes[i], .runnable = 77};
        CHECK_EQ(coro_get_stats(&stats), -EINVAL);
        CHECK_EQ(stats.runnable, 77);
    }
}

static int ends[2];

static void *read_one(void *argument) {
    char c;
    coro_read(ends[0], &c, 1);
    return argument;
}

static void *sleep_long(void *argument) {
    coro_sleep(CORO_SECONDS(1000));
    return argument;
}

CORO_TEST(J10_stats_count_what_there_is) {
    coro_stats before = stats();
    CHECK_EQ(before.coroutines, 1);
    CHECK_EQ(before.runnable, 0);
    CHECK_EQ(coro_pipe(ends, 0), 0);
    coro_t ended = start_now(do_nothing, NULL), parked = start_now(park, NULL);
    for (int i = 0; i < 3; i++) start_now(sleep_long, NULL);
    start_now(read_one, NULL);
    coro_new(do_nothing, NULL, NULL);
    coro_spawn(do_nothing, NULL);
    coro_shutdown(coro_spawn(do_nothing, NULL)); /* in the queue still, but no longer runnable */
    coro_stats now = stats();
    CHECK_EQ(now.coroutines, 10);
    CHECK_EQ(now.coroutines, coro_get_live_coros());
    CHECK_EQ(now.runnable, 1);
    CHECK_EQ(now.fd_waiters, 1);
    CHECK_EQ(now.timers, 3);
    CHECK_EQ(now.descriptors, 2);
    CHECK_EQ(now.stacks_in_use, 8);
    CHECK(now.stacks_kept >= 1 && now.stacks_kept <= 2);
    CHECK(now.stack_bytes >= 8 * 256 * 1024);
    CHECK_EQ(now.created - before.created, 9);
    coro_schedule(parked, NULL);
    CHECK_EQ(stats().runnable, 2);
    coro_join(ended, NULL, 0);
    CHECK_EQ(stats().coroutines, 9);
    coro_close(ends[0]);
    CHECK_EQ(stats().fd_waiters, 0);
    CHECK_EQ(stats().descriptors, 1);
    CHECK_EQ(coro_forget(ends[1]), 0);
    CHECK_EQ(stats().descriptors, 0);
}

enum { ROUNDS = 1000 };

static void *yield_often(void *argument) {
    for (int i = 0; i < ROUNDS; i++) coro_yield();
    return argument;
}

static void *slice_often(void *argument) {
    for (int i = 0; i < ROUNDS; i++) coro_yield_slice();
    return argument;
}

/* Exactly, although they are counted by batches only. */
CORO_TEST(J10_stats_count_every_switch) {
    coro_stats before = stats();
    coro_t first = coro_spawn(yield_often, NULL), second = coro_spawn(yield_often, NULL);
    coro_join(first, NULL, CORO_FOREVER);
    coro_join(second, NULL, CORO_FOREVER);
    coro_stats after = stats();
    /* Each yield, each end, and the joins, of which the second need not wait. */
    CHECK_EQ(after.switches - before.switches, 2 * ROUNDS + 2 + 1);
    CHECK(after.batches - before.batches >= 2 * ROUNDS / 61);
    for (int i = 0; i < ROUNDS; i++) start_now(park, NULL);
    CHECK_EQ(stats().switches - after.switches, ROUNDS);
}

static void *hog_in_the_middle(void *unused) {
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(coro_yield(), 0);
        if (i == 5) hog(NULL);
        if (i == 5) (void)start_now(park, NULL);
    }
    return unused;
}

/* The watchdog ends the batch of one that it reports. */
TEST(J10_stats_count_switches_as_they_are_if_one_is_reported) {
    CHECK_EQ(coro_test_set_latency_unit(CORO_MS(20)), 0);
    begin_report();
    coro_stats before = stats();
    CHECK_EQ(coro_join(coro_spawn(hog_in_the_middle, NULL), NULL, CORO_FOREVER), 0);
    end_report();
    CHECK_EQ(stats().switches - before.switches, 1 + 10 + 1 + 1); /* the join, the yields, what was started, the end */
}

CORO_TEST(J10_stats_count_passes) {
    coro_stats before = stats();
    coro_join(coro_spawn(slice_often, NULL), NULL, CORO_FOREVER);
    coro_stats after = stats();
    CHECK(after.passes - before.passes >= ROUNDS && after.passes - before.passes <= ROUNDS + 2);
    CHECK(after.batches - before.batches >= ROUNDS);
    CHECK_EQ(after.polls, before.polls); /* nobody waits for a descriptor */
}

CORO_TEST(J10_stats_count_polls_and_events) {
    coro_stats before = stats();
    CHECK_EQ(coro_pipe(ends, 0), 0);
    coro_t reader = start_now(read_one, NULL);
    CHECK_EQ(coro_write(ends[1], "x", 1), 1);
    CHECK_EQ(coro_join(reader, NULL, CORO_FOREVER), 0);
    coro_stats after = stats();
    CHECK(after.polls > before.polls);
    CHECK(after.events > before.events);
}

static coro_loop_t loop;

static void *post_some(void *argument) {
    for (int i = 0; i < 5; i++) CHECK_EQ(coro_post(loop, do_nothing, NULL), 0);
    CHECK_EQ(coro_post(loop, exit_with, NULL), 0);
    return argument;
}

TEST(J10_stats_count_posts) {
    pthread_t thread;
    loop = coro_loop_current();
    coro_set_print_exit_string(false);
    pthread_create(&thread, NULL, post_some, NULL);
    CHECK_EQ(coro_event_loop(), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(stats().posts, 6);
    CHECK_EQ(stats().created, 6);
    CHECK_EQ(stats().coroutines, 0);
    CHECK_EQ(stats().stacks_in_use, 0);
}
