/* Rows B1-B16: running the loop, and what runs in which order. Fairness (B18) is in fairness.c. */
#include "coroutines.h"

#include <sys/wait.h>
#include <time.h>

static int64_t cpu_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* -- B1: coro_event_loop -- */

static void *sleep_and_exit(void *argument) {
    coro_sleep(CORO_MS(500));
    coro_set_exit(AS_INT(argument));
    return NULL;
}

static void *sleep_half_a_second(void *argument) {
    coro_sleep(CORO_MS(500));
    return argument;
}

static void *read_for_ever(void *argument) {
    char byte;
    coro_read(*(int *)argument, &byte, 1);
    return NULL;
}

/* With a sleeper, with a reader as well, and both with a poll limit much shorter than the sleep. */
TEST(B1_an_idle_loop_uses_no_cpu) {
    int ends[2];
    coro_set_print_exit_string(false);
    CHECK_EQ(coro_pipe(ends, 0), 0);
    for (int round = 0; round < 3; round++) {
        coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
        if (round == 1) go(read_for_ever, &ends[0]);
        if (round == 2) options.poll_timeout = CORO_MS(50);
        go(sleep_and_exit, AS_POINTER(round));
        int64_t cpu = cpu_time();
        CHECK_EQ(coro_event_loop_with(&options), round);
        CHECK(cpu_time() - cpu < CORO_MS(25));
    }
}

/* The limit is on one wait, not on the run: the loop looks again and again, until the 20th look fails. */
TEST(B1_poll_timeout_bounds_one_wait_and_not_the_run) {
    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.poll_timeout = CORO_MS(1);
    int64_t start = coro_get_now();
    CHECK_EQ(coro_test_fail_call(call_that_waits(), 20, EBADF), 0);
    CHECK_EQ(coro_event_loop_with(&options), -EBADF);
    CHECK(coro_get_now() - start >= CORO_MS(10));
    CHECK(!coro_is_running());
}

static int ended_early;
static void loop_without_coroutines(void) {
    /* The 3rd wait of 1 ms fails, and so ends it: nothing else does. */
    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.poll_timeout = CORO_MS(1);
    coro_test_fail_call(call_that_waits(), 3, EIO);
    ended_early = coro_event_loop_with(&options) != -EIO;
}

TEST(B1_the_loop_does_not_end_when_no_coroutine_is_left) {
    loop_without_coroutines();
    CHECK(!ended_early);
    go(note, "a");
    loop_without_coroutines();
    CHECK(!ended_early);
    CHECK_STR(traced(), "a ");
}

TEST(B1_options_are_checked) {
    coro_loop_options options, constant = CORO_LOOP_OPTIONS_INIT;
    memset(&options, 0xff, sizeof options);
    coro_loop_options_init(&options);
    CHECK(memcmp(&options, &constant, sizeof options) == 0);
    CHECK_EQ(options.struct_size, sizeof options);
    coro_set_print_exit_string(false);
    go(exit_with, NULL);
    options.struct_size = 0;
    CHECK_EQ(coro_event_loop_with(&options), -EINVAL);
    options = constant;
    options.poll_timeout = -1;
    CHECK_EQ(coro_event_loop_with(&options), -EINVAL);
    options = constant;
    options.flags = 0x4;
    CHECK_EQ(coro_event_loop_with(&options), -EINVAL);
    options = constant;
    options.reserved = 1;
    CHECK_EQ(coro_event_loop_with(&options), -EINVAL);
    CHECK_EQ(coro_event_loop_with(NULL), 0);
}

TEST(B1_a_loop_that_cannot_be_set_up_says_why) {
    CHECK_EQ(coro_set_backend(CORO_BACKEND_EPOLL), 0);
    go(note, "a");
    coro_set_print_exit_string(false);
    CHECK_EQ(coro_test_fail_call("epoll_create1", 1, EMFILE), 0);
    CHECK_EQ(coro_event_loop(), -EMFILE);
    go(exit_with, AS_POINTER(3));
    CHECK_EQ(coro_event_loop(), 3);
}

/* Known bug 50: with nothing to wait for, an idle loop ends instead of waiting without limit. */
TEST(B1_until_idle_ends_when_nothing_could_ever_run) {
    run_until_idle();
    coro_t parked = coro_spawn(park, NULL), unstarted = coro_new(note, "never", NULL);
    run_until_idle();
    CHECK(coro_is_alive(parked));
    CHECK_EQ(coro_ident(unstarted), unstarted);
    coro_test_set_virtual_time(true);
    int64_t start = coro_get_now();
    go(sleep_half_a_second, NULL);
    run_until_idle();
    CHECK_EQ(coro_get_now() - start, CORO_MS(500));
    CHECK_STR(traced(), "");
}

static void *read_byte(void *argument) {
    char byte = '-';
    CHECK_EQ(coro_read(*(int *)argument, &byte, 1), 1);
    trace("%c", byte);
    return NULL;
}

TEST(B1_until_idle_waits_for_descriptors) {
    int ends[2];
    CHECK_EQ(coro_pipe(ends, 0), 0);
    go(read_byte, &ends[0]);
    pid_t child = fork();
    if (child == 0) {
        usleep(20000);
        _exit(write(ends[1], "x", 1) != 1);
    }
    run_until_idle();
    CHECK_STR(traced(), "x ");
    waitpid(child, NULL, 0);
}

/* -- B2, B16: the loop that a suspending call on the thread's own stack runs -- */

static void *wake_main(void *argument) {
    CHECK_EQ(coro_current() > 0, 1);
    CHECK(!coro_is_running());
    CHECK_EQ(coro_schedule(0, argument), 0);
    CHECK_EQ(coro_schedule(0, argument), CORO_ESCHEDULE);
    return NULL;
}

static void suspend_on_main(void) {
    void *value = NULL;
    int ends[2];
    char byte;
    go(wake_main, "value");
    CHECK_EQ(coro_park(&value), 0);
    CHECK_STR(value, "value");
    go(note, "yield");
    CHECK_EQ(coro_yield(), 0);
    go(note, "slice");
    CHECK_EQ(coro_yield_slice(), 0);
    go(note, "sleep");
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    go(wake_main, NULL);
    CHECK_EQ(coro_sleep(CORO_SECONDS(1000)), 0);
    go(note, "past");
    CHECK_EQ(coro_sleep_absolute(0), 0);
    CHECK_EQ(coro_pipe(ends, 0), 0);
    go(read_byte, &ends[0]);
    CHECK_EQ(coro_write(ends[1], "w", 1), 1);
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(write(ends[1], "y", 1), 1);
    CHECK_EQ(coro_read(ends[0], &byte, 1), 1);
    CHECK_EQ(coro_close(ends[0]), 0);
    CHECK_EQ(coro_close(ends[1]), 0);
    CHECK_EQ(coro_current(), 0);
}

TEST(B2_suspending_on_main_drives_the_loop) {
    suspend_on_main();
    CHECK_STR(traced(), "yield slice sleep past w ");
}

TEST(B16_suspending_on_main_works_before_between_and_after_loops) {
    coro_set_print_exit_string(false);
    for (int i = 0; i < 3; i++) {
        suspend_on_main();
        go(exit_with, AS_POINTER(i));
        CHECK_EQ(coro_event_loop(), i);
    }
    suspend_on_main();
    CHECK_STR(traced(), "yield slice sleep past w yield slice sleep past w yield slice sleep past w yield slice sleep past w ");
}

TEST(B2_parking_main_when_nothing_could_wake_it_is_a_deadlock_error) {
    void *value = &value;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(coro_park(&value), -EDEADLK);
        CHECK(value == NULL);
        CHECK_EQ(coro_park(NULL), -EDEADLK);
        go(note, "a");
        CHECK_EQ(coro_yield(), 0);
    }
    /* With something that still sleeps it is not one, yet. */
    int64_t start = coro_get_now();
    go(sleep_and_exit, NULL);
    coro_test_set_virtual_time(true);
    CHECK_EQ(coro_park(NULL), -EDEADLK);
    CHECK(coro_get_now() - start >= CORO_MS(500));
}

/* The exit that was asked for while a call on the main stack ran the loop is for coro_event_loop(). */
TEST(B2_set_exit_does_not_break_off_a_call_on_main) {
    coro_set_print_exit_string(false);
    go(exit_with, AS_POINTER(4));
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    go(note, "a");
    CHECK_EQ(coro_event_loop(), 4);
    CHECK_STR(traced(), "");
}

static void *note_strictly(void *argument) {
    trace("%s:%d%d%d", (char *)argument, coro_yield(), coro_sleep(CORO_MS(1)), coro_sleep_absolute(0));
    coro_set_exit(0);
    return NULL;
}

TEST(B2_strict_main_refuses_all_that_would_suspend) {
    int ends[2];
    char byte;
    coro_set_print_exit_string(false);
    CHECK_EQ(coro_pipe(ends, 0), 0);
    CHECK_EQ(coro_set_strict_main(true), false);
    CHECK_EQ(coro_set_strict_main(true), true);
    coro_t ended = coro_new(note, "now", NULL), co = coro_spawn(note_strictly, "co");
    CHECK_EQ(coro_start_now(ended), 0);
    CHECK_EQ(coro_yield(), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_yield_slice(), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_park(NULL), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_sleep_absolute(0), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_sleep_absolute(coro_get_now() + CORO_SECONDS(1)), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_join(co, NULL, 1), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_read(ends[0], &byte, 1), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_wait_for(ends[0], CORO_READ), CORO_EYIELDFROMMAIN);
    CHECK(strlen(coro_error_detail()) > 0);
    /* What need not wait is done. */
    CHECK_EQ(coro_join(co, NULL, 0), CORO_ETIMEOUT);
    CHECK_EQ(coro_join(ended, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_write(ends[1], "x", 1), 1);
    CHECK_EQ(coro_read(ends[0], &byte, 1), 1);
    /* Sleeping holds up the thread, and runs nobody. */
    int64_t start = coro_get_now();
    CHECK_EQ(coro_sleep(CORO_MS(5)), 0);
    CHECK_EQ(coro_sleep_relative(CORO_MS(5)), 0);
    CHECK_EQ(coro_sleep(0), 0);
    CHECK_EQ(coro_sleep(-1), -EINVAL);
    CHECK(coro_get_now() - start >= CORO_MS(10));
    CHECK_STR(traced(), "now ");
    /* In a coroutine nothing is different. */
    CHECK_EQ(coro_event_loop(), 0);
    CHECK_STR(traced(), "now co:000 ");
    CHECK_EQ(coro_set_strict_main(false), true);
    CHECK_EQ(coro_yield(), 0);
}

/* -- B3, B4 -- */

static void *check_running(void *argument) {
    CHECK_EQ(coro_is_running(), AS_INT(argument));
    CHECK_EQ(coro_schedule(0, NULL), AS_INT(argument) ? CORO_ESCHEDULE : 0);
    coro_set_exit(0);
    return NULL;
}

TEST(B3_is_running_only_inside_the_loop) {
    coro_set_print_exit_string(false);
    CHECK(!coro_is_running());
    go(check_running, AS_POINTER(true));
    CHECK_EQ(coro_event_loop(), 0);
    CHECK(!coro_is_running());
    go(check_running, AS_POINTER(false));
    coro_park(NULL);
    CHECK(!coro_is_running());
}

static coro_t seen[3];
static void *see_current(void *argument) {
    coro_yield();
    seen[AS_INT(argument)] = coro_current();
    return NULL;
}

TEST(B4_current_is_the_running_one_and_0_outside) {
    CHECK_EQ(coro_current(), 0);
    coro_t ids[3];
    for (int i = 0; i < 3; i++) ids[i] = coro_spawn(see_current, AS_POINTER(i));
    CHECK_EQ(coro_current(), 0);
    run_until_idle();
    CHECK_EQ(coro_current(), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(seen[i], ids[i]);
}
