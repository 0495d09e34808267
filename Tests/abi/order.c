/* Rows B5-B9: who runs next. */
#include "coroutines.h"

/* -- B5: first in, first out -- */

enum { RUNNERS = 300, ROUNDS = 50 };
static int turns[RUNNERS * ROUNDS], turn_count;

static void *take_turns(void *argument) {
    for (int i = 0; i < ROUNDS; i++) {
        turns[turn_count++] = AS_INT(argument);
        CHECK_EQ(AS_INT(argument) % 2 ? coro_yield() : coro_yield_slice(), 0);
    }
    return NULL;
}

static void *take_turns_by_yield(void *argument) {
    for (int i = 0; i < ROUNDS; i++) {
        turns[turn_count++] = AS_INT(argument);
        CHECK_EQ(coro_yield(), 0);
    }
    return NULL;
}

/* More runners than a batch of the loop has switches. */
TEST(B5_round_robin_keeps_the_order) {
    for (int i = 0; i < RUNNERS; i++) go(take_turns_by_yield, AS_POINTER(i));
    run_until_idle();
    CHECK_EQ(turn_count, RUNNERS * ROUNDS);
    for (int i = 0; i < turn_count; i++) CHECK_EQ(turns[i], i % RUNNERS);
}

TEST(B5_nobody_is_left_out_when_some_wait_for_the_next_pass) {
    int count[RUNNERS] = {0};
    for (int i = 0; i < RUNNERS; i++) go(take_turns, AS_POINTER(i));
    run_until_idle();
    CHECK_EQ(turn_count, RUNNERS * ROUNDS);
    for (int i = 0; i < turn_count; i++) count[turns[i]]++;
    for (int i = 0; i < RUNNERS; i++) CHECK_EQ(count[i], ROUNDS);
}

static void *yield_alone(void *argument) {
    int *count = argument;
    while (*count < 1000) {
        CHECK_EQ(coro_yield(), 0);
        ++*count;
    }
    return NULL;
}

TEST(B5_yield_with_nobody_else_goes_on) {
    int count = 0;
    CHECK_EQ(coro_join(coro_spawn(yield_alone, &count), NULL, CORO_FOREVER), 0);
    CHECK_EQ(count, 1000);
}

/* -- B6, B7: schedule and park -- */

static void *park_twice(void *argument) {
    for (int i = 0; i < 2; i++) {
        void *value = "untouched";
        int code = coro_park(&value);
        trace("%s:%d:%s", (char *)argument, code, value ? (char *)value : "-");
    }
    return NULL;
}

static void *sleep_long(void *argument) {
    trace("%s:%d", (char *)argument, coro_sleep(CORO_SECONDS(1000)));
    return NULL;
}

CORO_TEST(B6_schedule_resumes_in_order_and_park_returns_the_value) {
    coro_t a = start_now(park_twice, "a"), b = start_now(park_twice, "b");
    CHECK_EQ(coro_schedule(b, "1"), 0);
    CHECK_EQ(coro_schedule(a, "2"), 0);
    CHECK_EQ(coro_schedule(a, "3"), CORO_ESCHEDULE);
    CHECK_CONTAINS(coro_error_detail(), "runnable");
    CHECK_EQ(coro_error_other(), a);
    CHECK_STR(traced(), "");
    coro_yield();
    CHECK_STR(traced(), "b:0:1 a:0:2 ");
    /* A value is for one park: the next has its own. */
    coro_schedule(b, NULL);
    coro_yield();
    CHECK_STR(traced(), "b:0:1 a:0:2 b:0:- ");
}

CORO_TEST(B6_schedule_wakes_a_sleeper_early_and_starts_an_unstarted_one) {
    int64_t before = coro_get_now();
    coro_t sleeper = start_now(sleep_long, "sleeper"), unstarted = coro_new(note, "argument", NULL);
    CHECK_EQ(coro_schedule(sleeper, "unused"), 0);
    CHECK_EQ(coro_schedule(unstarted, "unused"), 0);
    CHECK_EQ(coro_schedule(unstarted, NULL), CORO_ESCHEDULE);
    CHECK_EQ(coro_join(unstarted, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "sleeper:0 argument ");
    CHECK(coro_get_now() - before < CORO_SECONDS(500));
}

static coro_t partners[2];
static int hand_overs;

static void *hand_over(void *argument) {
    int me = AS_INT(argument);
    for (;;) {
        void *value = NULL;
        if (coro_park(&value) < 0) return NULL;
        hand_overs++;
        CHECK_EQ(AS_INT(value), hand_overs);
        if (hand_overs == 10001) return NULL;
        CHECK_EQ(coro_schedule(partners[!me], AS_POINTER(hand_overs + 1)), 0);
    }
}

TEST(B7_park_and_schedule_hand_over_10000_times) {
    for (int i = 0; i < 2; i++) partners[i] = start_now(hand_over, AS_POINTER(i));
    coro_schedule(partners[0], AS_POINTER(1));
    run_until_idle();
    CHECK_EQ(hand_overs, 10001);
}

/* -- B8: yield_slice -- */

static void *slice(void *argument) {
    trace("%s1", (char *)argument);
    CHECK_EQ(coro_yield_slice(), 0);
    trace("%s2", (char *)argument);
    return NULL;
}

static void *sleep_1(void *argument) {
    CHECK_EQ(coro_sleep(1), 0);
    trace("%s", (char *)argument);
    return NULL;
}

CORO_TEST(B8_yield_slice_goes_on_in_the_next_pass_in_order) {
    go(slice, "a");
    go(slice, "b");
    coro_yield();
    go(note, "c");
    CHECK_EQ(coro_yield_slice(), 0);
    CHECK_STR(traced(), "a1 b1 c a2 b2 ");
}

/* After the timers that are due, and one look at the descriptors. */
CORO_TEST(B8_yield_slice_comes_after_due_timers_and_ready_descriptors) {
    int ends[2];
    char byte;
    coro_test_set_virtual_time(true);
    CHECK_EQ(coro_pipe(ends, 0), 0);
    start_now(sleep_1, "timer");
    coro_test_step_time(CORO_SECONDS(1));
    CHECK_EQ(coro_yield_slice(), 0);
    CHECK_STR(traced(), "timer ");
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(coro_read(ends[0], &byte, 1), 1);
}

static void *read_byte(void *argument) {
    char byte = '-';
    CHECK_EQ(coro_read(*(int *)argument, &byte, 1), 1);
    trace("%c", byte);
    return NULL;
}

CORO_TEST(B8_a_reader_runs_within_two_slices_of_the_write) {
    int ends[2];
    CHECK_EQ(coro_pipe(ends, 0), 0);
    start_now(read_byte, &ends[0]);
    CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(coro_yield_slice(), 0);
    CHECK_STR(traced(), "x ");
}

/* -- B9: spawning while the loop runs what is runnable -- */

static void *spawn_others(void *argument) {
    trace("%s", (char *)argument);
    go(note, "new1");
    go(note, "new2");
    return NULL;
}

CORO_TEST(B9_what_is_spawned_meanwhile_runs_after_what_was_queued) {
    go(spawn_others, "a");
    go(note, "b");
    go(note, "c");
    coro_yield();
    trace("me");
    coro_yield();
    CHECK_STR(traced(), "a b c me new1 new2 ");
}
