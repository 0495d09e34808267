/* B: what is said when nothing is left that could ever run, but coroutines wait. */
#include "coroutines.h"

#include <sys/wait.h>

static int run_detecting(void) {
    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.flags = CORO_LOOP_DETECT_DEADLOCK;
    return coro_event_loop_with(&options);
}

static coro_t named(const char *name, coro_fn function, void *argument) {
    coro_options options = CORO_OPTIONS_INIT;
    options.name = name;
    return coro_spawn_with(function, argument, &options);
}

static void *join(void *co) {
    return coro_join((coro_t)(intptr_t)co, NULL, CORO_FOREVER), NULL;
}

static char said[8192];

static void three_wait(void) {
    coro_t patient = named("patient", park, NULL);
    named("friend", join, (void *)(intptr_t)patient);
    coro_new(do_nothing, NULL, NULL);
    named("sleeper", sleep_for_ever, NULL);
    CHECK_EQ(run_detecting(), -EDEADLK);
    CHECK_STR(coro_error_detail(), "#1 (patient) parked; #2 (friend) joining #1; #4 (sleeper) sleeping");
}

TEST(B_deadlock_is_an_error_that_names_who_waits) {
    CHECK_EQ(run_in_child(three_wait, said, sizeof said), 0);
    CHECK_STR(said, "libcoro: deadlock: nothing can run any more, and these wait:\n"
                    "  #1 (patient) parked\n  #2 (friend) joining #1\n  #4 (sleeper) sleeping\n");
}

static void many_wait(void) {
    for (int i = 0; i < 100; i++) named("p", park, NULL);
    CHECK_EQ(run_detecting(), -EDEADLK);
    CHECK_STR(coro_error_detail(), "#1 (p) parked; #2 (p) parked; #3 (p) parked; #4 (p) parked; and 96 more");
}

TEST(B_deadlock_lists_all_on_stderr_and_the_first_few_in_the_detail) {
    int lines = 0;
    CHECK_EQ(run_in_child(many_wait, said, sizeof said), 0);
    for (char *c = said; *c != 0; c++) lines += *c == '\n';
    CHECK_EQ(lines, 101);
    CHECK_CONTAINS(said, "\n  #100 (p) parked\n");
}

static void nobody_waits(void) {
    coro_test_set_virtual_time(true);
    CHECK_EQ(run_detecting(), 0);
    coro_spawn(do_nothing, NULL);
    coro_new(do_nothing, NULL, NULL);
    coro_t co = start_now(park, NULL);
    coro_shutdown(co);
    CHECK_EQ(run_detecting(), 0);
    /* An exit comes first, even if somebody is left who waits. */
    coro_set_print_exit_string(false);
    start_now(park, NULL);
    go(exit_with, AS_POINTER(3));
    CHECK_EQ(run_detecting(), 3);
}

TEST(B_deadlock_is_none_when_nobody_waits) {
    CHECK_EQ(run_in_child(nobody_waits, said, sizeof said), 0);
    CHECK_STR(said, "");
}

static void goes_on(void) {
    coro_t co = start_now(park, NULL);
    CHECK_EQ(run_detecting(), -EDEADLK);
    CHECK_EQ(coro_is_running(), false);
    coro_schedule(co, NULL);
    CHECK_EQ(run_detecting(), 0);
    CHECK_EQ(coro_join(co, NULL, 0), 0);
}

TEST(B_deadlock_harms_nothing) { CHECK_EQ(run_in_child(goes_on, said, sizeof said), 0); }

static void without_the_flag(void) {
    start_now(park, NULL);
    run_until_idle();
    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.flags = 0x4;
    CHECK_EQ(coro_event_loop_with(&options), -EINVAL);
}

TEST(B_deadlock_is_not_looked_for_without_the_flag) {
    CHECK_EQ(run_in_child(without_the_flag, said, sizeof said), 0);
    CHECK_STR(said, "");
}

static void without_memory(void) {
    named("p", park, NULL);
    coro_yield();
    coro_test_fail_call("calloc", 1, ENOMEM); /* for the lines on stderr */
    CHECK_EQ(run_detecting(), -EDEADLK);
    CHECK_STR(coro_error_detail(), "#1 (p) parked");
    coro_test_fail_call("calloc", 1, ENOMEM); /* for the text is memory, to list them is none */
    CHECK_EQ(coro_park(NULL), -EDEADLK);
    CHECK_STR(coro_error_detail(), "1 waiting, and no memory to list them");
}

TEST(B_deadlock_is_an_error_also_without_memory) {
    CHECK_EQ(run_in_child(without_memory, said, sizeof said), 0);
    CHECK_STR(said, "");
}

TEST(B_deadlock_of_the_threads_own_stack_tells_who_waits) {
    CHECK_EQ(coro_park(NULL), -EDEADLK);
    CHECK_STR(coro_error_detail(), "no coroutine is left that could end this wait");
    coro_t patient = named("patient", park, NULL);
    CHECK_EQ(coro_join(patient, NULL, CORO_FOREVER), -EDEADLK);
    CHECK_STR(coro_error_detail(), "#1 (patient) parked");
    named("friend", join, (void *)(intptr_t)patient);
    CHECK_EQ(coro_sleep(CORO_FOREVER), -EDEADLK);
    CHECK_STR(coro_error_detail(), "#1 (patient) parked; #2 (friend) joining #1");
}
