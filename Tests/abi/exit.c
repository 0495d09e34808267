/* Rows B10-B15: ending the loop, and running it again. */
#include "coroutines.h"

#include <pthread.h>
#include <sys/wait.h>

/* A step of the time, for tests, is not the end of the second that the runnable have. */
static void *exit_and_step_time(void *argument) {
    coro_set_exit(3);
    coro_test_step_time(CORO_SECONDS(100));
    for (int i = 0; i < 1000; i++) CHECK_EQ(coro_yield(), 0);
    trace("%s", (char *)argument);
    return NULL;
}

/* -- B10: what is runnable runs first -- */

static void *spawn_chain(void *argument) {
    int left = AS_INT(argument);
    trace("%d", left);
    if (left > 0) go(spawn_chain, AS_POINTER(left - 1));
    return NULL;
}

static void *park_and_note(void *argument) {
    trace("%s:%d", (char *)argument, coro_park(NULL));
    return NULL;
}

static void *sleep_and_note(void *argument) {
    trace("%s:%d", (char *)argument, coro_sleep(CORO_SECONDS(1000)));
    return NULL;
}

static coro_t parked;
static void *exit_and_go_on(void *argument) {
    coro_set_exit(AS_INT(argument));
    trace("goes-on");
    CHECK_EQ(coro_yield(), 0);
    trace("and-on");
    CHECK_EQ(coro_schedule(parked, NULL), 0);
    coro_set_exit(5);
    return NULL;
}

TEST(B10_what_is_runnable_and_what_that_makes_runnable_runs_before_the_exit) {
    coro_set_print_exit_string(false);
    coro_test_set_virtual_time(true);
    parked = start_now(park_and_note, "parked");
    coro_t suspended = start_now(park_and_note, "suspended"), sleeper = start_now(sleep_and_note, "sleeper");
    go(exit_and_go_on, AS_POINTER(7));
    go(spawn_chain, AS_POINTER(3));
    int64_t start = coro_get_now();
    /* The last call wins. */
    CHECK_EQ(coro_event_loop(), 5);
    CHECK_STR(traced(), "goes-on 3 and-on 2 parked:0 1 0 ");
    CHECK_EQ(coro_get_now(), start);
    /* What was suspended stays so, and goes on the next time. */
    CHECK(coro_is_alive(suspended) && coro_is_alive(sleeper));
    CHECK_EQ(coro_schedule(suspended, NULL), 0);
    CHECK_EQ(coro_join(sleeper, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "goes-on 3 and-on 2 parked:0 1 0 suspended:0 sleeper:0 ");
    CHECK_EQ(coro_get_now() - start, CORO_SECONDS(1000));
}

static void *respawn(void *argument) {
    ++*(int *)argument;
    go(respawn, argument);
    return NULL;
}

/* "For at most a second, should it never end": the loop ends although something always is runnable. */
TEST(B10_exit_does_not_wait_for_ever) {
    int count = 0;
    coro_set_print_exit_string(false);
    go(respawn, &count);
    go(exit_with, AS_POINTER(6));
    int64_t start = coro_get_now();
    CHECK_EQ(coro_event_loop(), 6);
    CHECK(coro_get_now() - start >= CORO_MS(900));
    CHECK(coro_get_now() - start < CORO_SECONDS(20));
    CHECK(count > 100);
}

/* The same where time stands still while coroutines run. */
TEST(B10_exit_does_not_wait_for_ever_in_virtual_time) {
    int count = 0;
    coro_set_print_exit_string(false);
    coro_test_set_virtual_time(true);
    go(respawn, &count);
    go(exit_with, AS_POINTER(6));
    CHECK_EQ(coro_event_loop(), 6);
}

TEST(B10_a_step_of_time_does_not_cut_the_runnable_short) {
    coro_set_print_exit_string(false);
    go(exit_and_step_time, "done");
    CHECK_EQ(coro_event_loop(), 3);
    CHECK_STR(traced(), "done ");
}

/* -- B11: the code -- */

TEST(B11_the_loop_returns_the_code) {
    const int codes[] = {0, 1, 42, 255, 256, -1, INT32_MAX, INT32_MIN, CORO_EDEAD};
    coro_set_print_exit_string(false);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        go(exit_with, AS_POINTER(codes[i]));
        CHECK_EQ(coro_event_loop(), codes[i]);
    }
    /* With the option too, where being idle would be 0. */
    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.flags = CORO_LOOP_UNTIL_IDLE;
    go(exit_with, AS_POINTER(9));
    CHECK_EQ(coro_event_loop_with(&options), 9);
    CHECK_EQ(coro_event_loop_with(&options), 0);
}

static void run_program(void) {
    go(exit_with, AS_POINTER(42));
    exit(coro_event_loop());
}

TEST(B11_the_code_is_the_status_of_the_process) {
    char output[100];
    int status = run_in_child(run_program, output, sizeof output);
    CHECK(WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 42);
    CHECK_STR(output, "Exiting...\n");
}

/* -- B12: before the loop -- */

TEST(B12_set_exit_before_the_loop_returns_at_once) {
    coro_set_print_exit_string(false);
    go(note, "a");
    coro_set_exit(7);
    coro_set_exit(3);
    CHECK_EQ(coro_event_loop(), 3);
    CHECK_STR(traced(), "");
    /* It was for that loop alone. */
    go(exit_with, AS_POINTER(8));
    CHECK_EQ(coro_event_loop(), 8);
    CHECK_STR(traced(), "a ");
}

static void *set_exit_and_run(void *argument) {
    coro_set_print_exit_string(false);
    coro_set_exit(1);
    CHECK_EQ(coro_event_loop(), 1);
    coro_set_exit(2);
    return argument;
}

TEST(B12_set_exit_of_another_thread_is_another_loops) {
    pthread_t thread;
    coro_set_print_exit_string(false);
    coro_set_exit(9);
    pthread_create(&thread, NULL, set_exit_and_run, NULL);
    pthread_join(thread, NULL);
    CHECK_EQ(coro_event_loop(), 9);
    run_until_idle();
}

/* -- B13: again -- */

static void *count_passes(void *argument) {
    for (;;) {
        ++*(int *)argument;
        if (coro_yield_slice() < 0) return NULL;
    }
}

static void *read_all(void *argument) {
    char byte;
    while (coro_read(*(int *)argument, &byte, 1) == 1) trace("%c", byte);
    return NULL;
}

static void *write_and_exit(void *argument) {
    char byte = (char)('a' + AS_INT(argument) / 100);
    CHECK_EQ(coro_write(AS_INT(argument) % 100, &byte, 1), 1);
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    coro_set_exit(AS_INT(argument));
    return NULL;
}

TEST(B13_the_loop_may_be_run_again_and_again) {
    int ends[2], passes = 0, last = 0;
    coro_set_print_exit_string(false);
    CHECK_EQ(coro_pipe(ends, 0), 0);
    CHECK(ends[1] < 100);
    coro_t counter = start_now(count_passes, &passes);
    go(read_all, &ends[0]);
    for (int i = 0; i < 10; i++) {
        /* What waits for a descriptor, or the next pass, in one run goes on in the next. */
        go(write_and_exit, AS_POINTER(i * 100 + ends[1]));
        CHECK_EQ(coro_event_loop(), i * 100 + ends[1]);
        CHECK(passes > last);
        last = passes;
        CHECK(!coro_is_running());
    }
    CHECK_STR(traced(), "a b c d e f g h i j ");
    CHECK_EQ(coro_shutdown(counter), 0);
    CHECK_EQ(coro_join(counter, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_close(ends[1]), 0);
    run_until_idle();
    CHECK_EQ(coro_get_live_coros(), 0);
    CHECK_EQ(coro_close(ends[0]), 0);
}

/* -- B14: "Exiting..." -- */

static void exit_silently(void) {
    if (!coro_set_print_exit_string(false)) abort();
    if (coro_set_print_exit_string(false)) abort();
    go(exit_with, NULL);
    CHECK_EQ(coro_event_loop(), 0);
}

static void exit_twice(void) {
    go(exit_with, NULL);
    CHECK_EQ(coro_event_loop(), 0);
    CHECK_EQ(coro_set_print_exit_string(false), true);
    CHECK_EQ(coro_set_print_exit_string(true), false);
    coro_set_exit(1);
    CHECK_EQ(coro_event_loop(), 1);
}

TEST(B14_exiting_is_written_to_stderr_unless_switched_off) {
    char output[200];
    CHECK_EQ(run_in_child(exit_twice, output, sizeof output), 0);
    CHECK_STR(output, "Exiting...\nExiting...\n");
    CHECK_EQ(run_in_child(exit_silently, output, sizeof output), 0);
    CHECK_STR(output, "");
    /* An idle end is not an exit. */
    CHECK_EQ(run_in_child(run_until_idle, output, sizeof output), 0);
    CHECK_STR(output, "");
}

/* -- B15: a loop inside a loop -- */

static void *run_a_loop(void *argument) {
    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.flags = CORO_LOOP_UNTIL_IDLE;
    trace("%d", coro_event_loop());
    trace("%d", coro_event_loop_with(&options));
    CHECK(strlen(coro_error_detail()) > 0);
    CHECK_EQ(coro_yield(), 0);
    trace("%d", coro_event_loop());
    return argument;
}

TEST(B15_a_nested_loop_is_an_error) {
    run_until_idle();
    /* In the loop, in a loop that main drives, and in a coroutine that runs without any. */
    go(run_a_loop, NULL);
    run_until_idle();
    CHECK_EQ(coro_join(coro_spawn(run_a_loop, "x"), NULL, CORO_FOREVER), 0);
    start_now(run_a_loop, NULL);
    run_until_idle();
    CHECK_STR(traced(), "-5016 -5016 -5016 -5016 -5016 -5016 -5016 -5016 -5016 ");
    /* The loop is none the worse. */
    go(note, "fine");
    run_until_idle();
    CHECK_CONTAINS(traced(), "fine");
}

static void *exit_before_nested(void *argument) {
    coro_set_exit(4);
    CHECK_EQ(coro_event_loop(), CORO_ELOOPRUNNING);
    return argument;
}

TEST(B15_a_nested_loop_does_not_take_the_exit) {
    coro_set_print_exit_string(false);
    go(exit_before_nested, NULL);
    CHECK_EQ(coro_event_loop(), 4);
}
