/* Row G9: coro_process_run() that does not end by itself: timeouts and interrupts. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"
#include "processes.h"

/* The time that a run is given is over when it has said, by its descriptor 9, that it is where it should be: so no machine is
   too slow or too fast for a test. */
enum { READY_FD = 9 };

static int ready_end;

static coro_process_options shell_that_tells(const char *script) {
    int fds[2];
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(dup2(fds[1], READY_FD), READY_FD);
    CHECK_EQ(close(fds[1]), 0);
    ready_end = fds[0];
    coro_process_options options = shell(script);
    options.flags = CORO_PROCESS_KEEP_FDS;
    return options;
}

static void *end_time_when_ready(void *unused) {
    char byte;
    CHECK_EQ(coro_read(ready_end, &byte, 1), 1);
    CHECK_EQ(coro_test_step_time(CORO_SECONDS(2000)), 0);
    return unused;
}

static coro_process_result run_out_of_time(coro_process_options options, coro_fn end_time) {
    coro_t stepper = spawn_one(end_time, NULL);
    coro_process_result result = run_with(options, NULL, 0, CORO_SECONDS(1000), CORO_ETIMEOUT);
    join_soon(stepper);
    CHECK_EQ(coro_close(ready_end), 0);
    CHECK_EQ(close(READY_FD), 0);
    return result;
}

/* The group is ended, what was captured is given, and nothing is left. */
CORO_TEST(G9_a_run_that_takes_too_long_is_ended) {
    int before = descriptors_at_rest(), pid, status = -1;
    adopt_orphans();
    coro_process_options options = shell_that_tells("sleep 1000 & echo $!; echo >&9; wait");
    coro_process_result result = run_out_of_time(options, end_time_when_ready);
    CHECK_EQ(result.status, SIGTERM);
    CHECK_CONTAINS(coro_error_detail(), "took longer than it was given, and was ended: killed by SIGTERM");
    CHECK_EQ(sscanf(result.out, "%d", &pid), 1);
    CHECK_EQ(coro_waitpid(pid, &status, 0), pid); /* what it had started is ended too */
    CHECK_EQ(status, SIGTERM);
    coro_process_result_free(&result);
    expect_nothing_left(before);
}

CORO_TEST(G9_a_run_that_takes_too_long_in_virtual_time) {
    int before = descriptors_at_rest();
    CHECK_EQ(coro_test_set_virtual_time(true), 0);
    coro_process_result result = run_with(shell("sleep 1000"), NULL, 0, CORO_SECONDS(1000), CORO_ETIMEOUT);
    CHECK(result.status == SIGTERM || result.status == SIGKILL);
    coro_process_result_free(&result);
    expect_nothing_left(before);
}

CORO_TEST(G9_a_timeout_of_nothing_ends_it_at_once) {
    int before = descriptors_at_rest();
    coro_process_result result = run_with(shell("sleep 1000"), NULL, 0, 0, CORO_ETIMEOUT);
    CHECK_EQ(result.status, SIGTERM);
    coro_process_result_free(&result);
    expect_nothing_left(before);
}

/* One that does not end for SIGTERM is killed after a while. */
CORO_TEST(G9_a_run_that_does_not_end_when_told_is_killed) {
    int before = descriptors_at_rest();
    coro_process_options options = shell_that_tells("trap '' TERM; echo ready; echo >&9; while :; do :; done");
    options.grace = CORO_MS(50);
    coro_process_result result = run_out_of_time(options, end_time_when_ready);
    CHECK_EQ(result.status, SIGKILL);
    CHECK_STR(result.out, "ready\n");
    coro_process_result_free(&result);
    expect_nothing_left(before);
}

/* One that does, in its own way, is not. */
CORO_TEST(G9_a_run_that_ends_when_told_has_its_say) {
    coro_process_options options = shell_that_tells("trap 'echo bye; exit 9' TERM; echo ready; echo >&9; while :; do :; done");
    options.grace = CORO_FOREVER;
    coro_process_result result = run_out_of_time(options, end_time_when_ready);
    CHECK_STR(result.out, "ready\nbye\n");
    CHECK_EQ(result.status, 9 << 8);
    coro_process_result_free(&result);
}

static void *end_time_when_ended(void *unused) {
    while (count_zombies() == 0) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(coro_test_step_time(CORO_SECONDS(2000)), 0);
    return unused;
}

/* What it has left behind holds its output: waited for until the time is over, and ended with the group. */
CORO_TEST(G9_what_it_has_left_behind_is_ended_with_it) {
    int before = descriptors_at_rest(), pid, status = -1;
    adopt_orphans();
    coro_process_options options = shell_that_tells("sleep 1000 & echo $!");
    coro_process_result result = run_out_of_time(options, end_time_when_ended);
    CHECK_EQ(result.status, 0); /* it has ended by itself */
    CHECK_EQ(sscanf(result.out, "%d", &pid), 1);
    CHECK_EQ(coro_waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, SIGTERM);
    coro_process_result_free(&result);
    expect_nothing_left(before);
}

/* What has got away from the group can't be ended; nor is it waited for, though it holds the output and goes on writing. */
CORO_TEST(G9_what_has_got_away_holds_up_nobody) {
    if (access("/usr/bin/setsid", X_OK) != 0) test_skip("no setsid");
    int before = descriptors_at_rest(), pid;
    adopt_orphans();
    coro_process_options options =
        shell_that_tells("setsid sh -c 'trap \"\" PIPE; echo $$; echo >&9; while echo 2>&-; do :; done' & sleep 1000");
    options.grace = CORO_MS(50);
    coro_process_result result = run_out_of_time(options, end_time_when_ready);
    CHECK_EQ(result.status, SIGTERM);
    CHECK_EQ(sscanf(result.out, "%d", &pid), 1);
    coro_process_result_free(&result);
    CHECK_EQ(open_descriptors(), before);
    CHECK_EQ(coro_waitpid(pid, NULL, 0), pid); /* nobody reads what it writes any more */
    while (waitpid(-1, NULL, 0) > 0) {}
}

/* -- interrupts -- */

/* Returns what coro_process_run() does. */
static int run_script(const char *script, int *status) {
    coro_process_result result = CORO_PROCESS_RESULT_INIT;
    coro_process_options options = shell(script);
    int code = coro_process_run(&options, NULL, 0, CORO_FOREVER, &result);
    trace("%s %s", coro_error_name(code), result.out == NULL ? "nothing" : result.out);
    *status = result.status;
    coro_process_result_free(&result);
    return code;
}

static void *run_endlessly(void *script) {
    int status, code = run_script(script, &status);
    CHECK_EQ(status, SIGKILL);
    return AS_POINTER(code);
}

CORO_TEST(G9_an_interrupted_run_leaves_nothing) {
    int before = descriptors_at_rest();
    coro_t runner = spawn_one(run_endlessly, "trap '' TERM; echo ready; while :; do :; done");
    for (int i = 0; i < 5; i++) CHECK_EQ(coro_sleep(CORO_MS(10)), 0);
    CHECK(coro_is_alive(runner));
    CHECK_EQ(coro_shutdown(runner), 0);
    CHECK_EQ(join_soon(runner), CORO_ESHUTDOWN);
    CHECK_CONTAINS(traced(), "CORO_ESHUTDOWN");
    expect_nothing_left(before);
}

static void *run_and_sleep(void *unused) {
    (void)unused;
    coro_process_result result = CORO_PROCESS_RESULT_INIT;
    coro_process_options options = shell("sleep 1000");
    CHECK_EQ(coro_shutdown(coro_current()), 0);
    CHECK_EQ(coro_process_run(&options, NULL, 0, CORO_FOREVER, &result), CORO_ESHUTDOWN); /* before anything has run */
    CHECK_EQ(result.status, -1);
    CHECK_EQ(count_children(), 0);
    CHECK_EQ(coro_process_run(&options, NULL, 0, CORO_FOREVER, &result), CORO_ESHUTDOWN);
    coro_process_result_free(&result);
    return AS_POINTER(coro_sleep(CORO_FOREVER));
}

/* A second interrupt, while what was run is being ended, is not lost: the next call returns it. */
CORO_TEST(G9_a_run_that_is_interrupted_twice_loses_neither) {
    int before = descriptors_at_rest();
    coro_t runner = spawn_one(run_and_sleep, NULL);
    while (info_of(runner).wait_kind != CORO_WAIT_CHILD) CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(coro_shutdown(runner), 0);
    CHECK_EQ(coro_yield(), 0); /* it has killed, and waits for the end, if that has not come yet */
    CHECK_EQ(coro_shutdown(runner), 0);
    CHECK_EQ(join_soon(runner), CORO_ESHUTDOWN);
    while (count_children() > 0) CHECK_EQ(coro_sleep(CORO_MS(1)), 0); /* the loop's to reap */
    CHECK_EQ(open_descriptors(), before);
}

static void *run_and_yield(void *script) {
    int status; /* not known yet */
    CHECK_EQ(run_script(script, &status), CORO_ESHUTDOWN);
    return AS_POINTER(coro_yield_slice());
}

/* What it can't wait for is the loop's to reap; that is no interrupt of anything else. */
CORO_TEST(G9_an_interrupted_run_that_can_not_wait_disturbs_no_other_call) {
    int before = descriptors_at_rest();
    coro_t runner = spawn_one(run_and_yield, "while :; do :; done");
    while (info_of(runner).wait_kind != CORO_WAIT_CHILD) CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(coro_test_fail_call("epoll_ctl", 2, ENOSPC), 0); /* the first: forgetting the pipes */
    CHECK_EQ(coro_shutdown(runner), 0);
    CHECK_EQ(join_soon(runner), 0);
    CHECK_EQ(coro_test_fail_call("epoll_ctl", 0, 0), 0);
    while (count_children() > 0) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(open_descriptors(), before);
}

TEST(G9_a_run_is_shown_as_what_it_is) {
    char text[64];
    coro_t runner = spawn_one(run_endlessly, "sleep 1000");
    let_others_run();
    coro_info info = info_of(runner);
    CHECK_EQ(info.wait_kind, CORO_WAIT_CHILD);
    CHECK(info.wait_object > 0 && kill((pid_t)info.wait_object, 0) == 0);
    snprintf(text, sizeof text, "waiting for process %d", (int)info.wait_object);
    CHECK_STR(info.waiting, text);
    CHECK_EQ(coro_shutdown(runner), 0);
    CHECK_EQ(join_soon(runner), CORO_ESHUTDOWN);
}
