/* Row G9: the end of a handle: closed, lost, of a thread that has ended, and in the child of a fork. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"
#include "processes.h"

#include <pthread.h>

CORO_TEST(G9_closing_wakes_who_waits) {
    coro_process_t process = start_reader("exec sleep 1000");
    pid_t pid = coro_process_pid(process);
    coro_t first = spawn_waiter(process), second = spawn_waiter(process);
    coro_t reader = spawn_one(read_one, AS_POINTER(coro_process_fd(process, 0)));
    CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(coro_process_close(process), 0);
    CHECK_EQ(join_soon(first), CORO_ECLOSED);
    CHECK_EQ(join_soon(second), CORO_ECLOSED);
    CHECK(join_soon(reader) < 0);
    CHECK_EQ(coro_waitpid(pid, NULL, WNOHANG), CORO_ESIMULTANEOUS); /* the loop's own, to reap */
    CHECK_EQ(kill(pid, SIGKILL), 0);
    while (count_children() > 0) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
}

/* Known bug 26. The loop reaps what nobody has a handle of, and goes on for nobody. */
TEST(G9_a_closed_handle_leaves_no_zombie) {
    coro_process_t process = start_reader("read line");
    int before = open_descriptors();
    CHECK_EQ(coro_process_close(process), 0); /* it ends by that */
    run_until_idle(); /* it need not have ended for that */
    while (count_children() > 0) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK(open_descriptors() < before + 2);
    process = start_reader("read line");
    CHECK_EQ(coro_process_close_fd(process, 0), 0);
    await_children_to_end();
    CHECK_EQ(count_zombies(), 1);
    CHECK_EQ(coro_process_close(process), 0); /* it had ended before */
    CHECK_EQ(count_zombies(), 0);
}

/* A child that nobody waits for does not keep the loop; nor is it forgotten while others keep the loop busy. */
TEST(G9_a_busy_loop_reaps_what_nobody_waits_for) {
    coro_process_t process = start_shell("exit 0");
    CHECK_EQ(coro_process_close(process), 0);
    while (count_children() > 0) CHECK_EQ(coro_yield(), 0);
    process = start_shell("exec sleep 1000"); /* one process */
    pid_t pid = coro_process_pid(process);
    CHECK_EQ(coro_process_close(process), 0);
    run_until_idle();
    coro_t parked = spawn_one(park, NULL);
    CHECK_EQ(coro_join(parked, NULL, CORO_FOREVER), -EDEADLK); /* nothing is left that could run */
    CHECK_EQ(kill(pid, SIGKILL), 0);
    while (count_children() > 0) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
}

CORO_TEST(G9_a_hundred_children_that_nobody_waits_for_are_reaped) {
    int fds[2], before = open_descriptors();
    CHECK_EQ(coro_pipe(fds, 0), 0);
    for (int i = 0; i < 100; i++) CHECK_EQ(coro_process_close(start_shell("exit 0")), 0);
    while (count_children() > 0) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK(open_descriptors() <= before + 4);
}

/* Where the loop can't look for it, the next start does. */
TEST(G9_what_the_poller_refuses_is_reaped_by_the_next_start) {
    if (polls_by_ring()) test_skip("io_uring tells later of a registration that it refuses");
    coro_process_t process = start_reader("exec sleep 1000");
    pid_t pid = coro_process_pid(process);
    CHECK(coro_loop_current() > 0);
    CHECK_EQ(coro_test_fail_call("epoll_ctl", 1, ENOSPC), 0);
    CHECK_EQ(coro_process_close(process), 0);
    CHECK_EQ(kill(pid, SIGKILL), 0); /* not before: it would be reaped by the call */
    await_children_to_end();
    CHECK_EQ(count_zombies(), 1);
    CHECK_EQ(finish(start_shell("exit 0")), 0);
    CHECK_EQ(count_children(), 0);
}

static void *start_and_end(void *unused) {
    coro_process_t closed = start_reader("read line");
    (void)start_reader("read line");
    CHECK_EQ(coro_process_close_fd(closed, 0), 0);
    CHECK_EQ(coro_process_close(closed), 0);
    return unused;
}

/* A thread ends before its processes do. */
TEST(G9_processes_of_a_thread_that_has_ended_are_reaped) {
    pthread_t thread;
    int before = open_descriptors();
    CHECK_EQ(pthread_create(&thread, NULL, start_and_end, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(open_descriptors(), before);
    await_children_to_end(); /* their pipes are closed */
    CHECK_EQ(finish(start_shell("exit 0")), 0);
    CHECK_EQ(count_children(), 0);
}

static void *leave_a_waiter(void *pid) {
    (void)spawn_one(wait_for_child, pid);
    let_others_run();
    return pid;
}

/* Nor does a wait that its thread has left keep others from waiting. */
TEST(G4_a_thread_that_ends_waits_no_more) {
    int fds[2], before = open_descriptors(), status = -1;
    pthread_t thread;
    CHECK_EQ(pipe(fds), 0);
    pid_t pid = fork_waiting(fds[0], 3);
    CHECK_EQ(pthread_create(&thread, NULL, leave_a_waiter, AS_POINTER(pid)), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(open_descriptors(), before + 2);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(coro_waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 3 << 8);
}

/* The number that a stream was closed by means something else by the time that the handle is closed. */
CORO_TEST(G9_closing_closes_no_descriptor_that_is_not_its_own) {
    coro_process_t process = start_reader("read line");
    int in = coro_process_fd(process, 0), fds[2];
    CHECK_EQ(coro_close(in), 0);
    CHECK_EQ(coro_process_fd(process, 0), -EBADF);
    CHECK_EQ(coro_pipe(fds, 0), 0);
    CHECK(fds[0] == in || fds[1] == in);
    CHECK_EQ(finish(process), 1 << 8);
    CHECK_EQ(coro_process_close(process), 0);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    process = start_reader("read line");
    in = coro_process_fd(process, 0);
    CHECK_EQ(coro_forget(in), 0); /* given up: the caller's from now on */
    CHECK_EQ(coro_process_close(process), 0);
    CHECK_EQ(coro_write(in, "x\n", 2), 2);
    CHECK_EQ(coro_close(in), 0);
}

CORO_TEST(G9_a_stream_of_stdio_over_its_pipe) {
    char line[64];
    coro_process_options options = shell("read line; echo \"got $line\"");
    options.in.mode = options.out.mode = CORO_STDIO_PIPE;
    coro_process_t process = coro_process_start(&options);
    CHECK(process > 0);
    FILE *in = coro_fdopen(coro_process_fd(process, 0), "w"), *out = coro_fdopen(coro_process_fd(process, 1), "r");
    CHECK(in != NULL && out != NULL);
    fprintf(in, "%d\n", 42);
    CHECK_EQ(fclose(in), 0);
    CHECK(fgets(line, sizeof line, out) != NULL);
    CHECK_STR(line, "got 42\n");
    CHECK_EQ(fclose(out), 0);
    CHECK_EQ(finish(process), 0);
    CHECK_EQ(coro_process_close(process), 0);
}

/* -- losing it -- */

CORO_TEST(G9_a_status_that_somebody_else_has_taken_is_an_error) {
    coro_process_t process = start_reader("read line");
    pid_t pid = coro_process_pid(process);
    coro_t waiter = spawn_waiter(process);
    CHECK_EQ(coro_yield_slice(), 0);
    kill_child(pid);
    CHECK_EQ(join_soon(waiter), -ECHILD);
    CHECK_EQ(coro_process_wait(process, NULL), -ECHILD);
    CHECK_CONTAINS(coro_error_detail(), "something else has waited for it");
    CHECK_EQ(coro_process_kill(process, SIGTERM), -ESRCH);
    CHECK_EQ(coro_process_close(process), 0);
}

static void *run_until_eof(void *unused) {
    (void)unused;
    coro_process_result result = CORO_PROCESS_RESULT_INIT;
    coro_process_options options = shell("echo one; sleep 0.1; echo two; exit 9");
    int code = coro_process_run(&options, NULL, 0, CORO_FOREVER, &result);
    trace("%s %d %s", coro_error_name(code), result.status, result.out == NULL ? "" : result.out);
    coro_process_result_free(&result);
    return AS_POINTER(code);
}

/* The child of a fork that comes just when something has happened takes none of it from the parent. */
CORO_TEST(G9_in_the_child_of_a_fork_a_run_does_no_harm) {
    coro_t runner = spawn_one(run_until_eof, NULL);
    CHECK_EQ(coro_yield_slice(), 0);
    while (coro_is_alive(runner)) {
        CHECK_EQ(coro_yield(), 0);
        if (!coro_is_alive(runner) || info_of(runner).state != CORO_STATE_READY) continue;
        pid_t child = fork();
        if (child == 0) {
            alarm(60);
            (void)coro_set_latency_warning(0); /* qemu-user can't make a thread after a fork */
            _exit(AS_INT(join_soon(runner)) == -ECHILD ? 0 : 1);
        }
        int status = -1;
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
    }
    CHECK_EQ(join_soon(runner), 0);
    CHECK_STR(traced(), "0 2304 one\ntwo\n ");
}

TEST(G9_in_the_child_of_a_fork_handles_do_no_harm) {
    coro_process_t process = start_reader("read line; exit 8"), closed = start_reader("read line; read line");
    coro_t waiter = spawn_waiter(process);
    int kept = coro_process_fd(closed, 0), status = -1;
    CHECK_EQ(coro_forget(kept), 0);
    CHECK_EQ(coro_process_close(closed), 0); /* one that the loop is to reap */
    let_others_run();
    pid_t child = fork();
    if (child == 0) {
        alarm(40);
        CHECK_EQ(join_soon(waiter), -ECHILD);
        CHECK_EQ(coro_process_wait(process, NULL), -ECHILD);
        CHECK_CONTAINS(coro_error_detail(), "fork()");
        CHECK_EQ(coro_process_kill(process, SIGKILL), -ECHILD);
        CHECK(!coro_process_is_alive(process));
        CHECK_EQ(coro_process_close(process), 0);
        run_until_idle();
        coro_process_t own = start_shell("exit 5");
        CHECK_EQ(finish(own), 5 << 8);
        _exit(42);
    }
    CHECK_EQ(coro_waitpid(child, &status, 0), child);
    CHECK_EQ(status, 42 << 8);
    CHECK(coro_process_is_alive(process));
    CHECK_EQ(coro_process_close_fd(process, 0), 0);
    CHECK_EQ(join_soon(waiter), 8 << 8);
    CHECK_EQ(coro_close(kept), 0);
    while (count_children() > 0) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
}

static void *run_until_told(void *unused) {
    (void)unused;
    coro_process_result result = CORO_PROCESS_RESULT_INIT;
    coro_process_options options = shell("read line <&9; exit 7");
    options.flags = CORO_PROCESS_KEEP_FDS;
    int code = coro_process_run(&options, NULL, 0, CORO_FOREVER, &result);
    int exit_code = coro_process_exit_code(result.status);
    coro_process_result_free(&result);
    return AS_POINTER(code < 0 ? code : exit_code);
}

/* In the child of a fork() a run is over, without ending what the parent runs. */
TEST(G9_in_the_child_of_a_fork_a_run_is_over) {
    int fds[2], status = -1;
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(dup2(fds[0], 9), 9);
    coro_t runner = spawn_one(run_until_told, NULL);
    let_others_run();
    pid_t child = fork();
    if (child == 0) {
        alarm(40);
        CHECK_EQ(join_soon(runner), -ECHILD);
        _exit(42);
    }
    CHECK_EQ(coro_waitpid(child, &status, 0), child);
    CHECK_EQ(status, 42 << 8);
    CHECK(coro_is_alive(runner));
    CHECK_EQ(write(fds[1], "\n", 1), 1);
    CHECK_EQ(join_soon(runner), 7);
}

static void *start_many(void *number) {
    for (int i = 0; i < 40; i++) {
        char script[32];
        int code = (AS_INT(number) * 40 + i) % 256;
        snprintf(script, sizeof script, "exit %d", code);
        const char *argv[] = {"sh", "-c", script, NULL};
        coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
        options.argv = argv;
        coro_process_t process = coro_process_start(&options);
        CHECK(process > 0);
        CHECK_EQ(finish(process), code << 8);
        CHECK_EQ(coro_process_close(process), 0);
    }
    return number;
}

TEST(G9_several_threads_start_and_wait) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) CHECK_EQ(pthread_create(&threads[i], NULL, start_many, AS_POINTER(i)), 0);
    for (int i = 0; i < 4; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(count_children(), 0);
}
