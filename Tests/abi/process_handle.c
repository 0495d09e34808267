/* Row G9: what is done with processes that were started: waiting, signalling, closing. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"
#include "processes.h"

#include <pthread.h>

CORO_TEST(G9_the_status_is_kept_and_given_to_all) {
    coro_process_t process = start_reader("read line; exit 3");
    coro_t first = spawn_waiter(process), second = spawn_waiter(process), third = spawn_waiter(process);
    char text[64];
    CHECK_EQ(coro_yield_slice(), 0);
    snprintf(text, sizeof text, "waiting for process %d", (int)coro_process_pid(process));
    CHECK_EQ(info_of(first).wait_kind, CORO_WAIT_CHILD);
    CHECK_EQ(info_of(third).wait_object, coro_process_pid(process));
    CHECK_STR(info_of(third).waiting, text);
    CHECK(coro_process_is_alive(process));
    CHECK_EQ(coro_shutdown(second), 0);
    CHECK_EQ(join_soon(second), CORO_ESHUTDOWN);
    CHECK_EQ(coro_process_close_fd(process, 0), 0);
    CHECK_EQ(join_soon(first), 3 << 8);
    CHECK_EQ(join_soon(third), 3 << 8);
    CHECK_EQ(finish(process), 3 << 8);
    CHECK_EQ(coro_process_wait(process, NULL), 0);
    CHECK(!coro_process_is_alive(process));
    CHECK_EQ(count_children(), 0);
    CHECK_EQ(coro_process_close(process), 0);
}

/* Any code may be raised, also one that the wait itself knows. */
CORO_TEST(G9_whatever_is_raised_is_returned) {
    static const int codes[] = {CORO_ECLOSED, CORO_ETIMEOUT, -ECHILD, -1000};
    coro_process_t process = start_reader("read line");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        coro_t waiter = spawn_waiter(process);
        CHECK_EQ(coro_yield_slice(), 0);
        CHECK_EQ(coro_raise(waiter, codes[i], 0), 0);
        CHECK_EQ(coro_yield_slice(), 0);
        CHECK(!coro_is_alive(waiter));
        CHECK_EQ(join_soon(waiter), codes[i]);
    }
    CHECK_EQ(coro_process_close(process), 0);
}

/* Every waiter that leaves, in whichever order, leaves the others waiting. */
CORO_TEST(G9_waiters_may_leave_in_any_order) {
    for (int leaving = 0; leaving < 4; leaving++) {
        coro_process_t process = start_reader("read line; exit 4");
        coro_t waiters[4];
        for (int i = 0; i < 4; i++) waiters[i] = spawn_waiter(process);
        CHECK_EQ(coro_yield_slice(), 0);
        for (int i = 0; i < 3; i++) {
            coro_t waiter = waiters[(leaving + i) % 4];
            CHECK_EQ(coro_shutdown(waiter), 0);
            CHECK_EQ(join_soon(waiter), CORO_ESHUTDOWN);
        }
        CHECK_EQ(coro_process_close_fd(process, 0), 0);
        CHECK_EQ(join_soon(waiters[(leaving + 3) % 4]), 4 << 8);
        CHECK_EQ(coro_process_close(process), 0);
    }
}

/* That it has ended is seen before anybody takes its status. */
CORO_TEST(G9_is_alive_looks_and_takes_nothing) {
    coro_process_t process = start_reader("read line; exit 6");
    CHECK(coro_process_is_alive(process));
    CHECK_EQ(coro_process_close_fd(process, 0), 0);
    while (coro_process_is_alive(process)) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(count_zombies(), 1);
    CHECK_EQ(coro_process_kill(process, 0), 0);
    CHECK_EQ(finish(process), 6 << 8);
    CHECK_EQ(count_zombies(), 0);
    CHECK_EQ(coro_process_kill(process, 0), -ESRCH);
    CHECK_EQ(coro_process_kill(process, SIGKILL), -ESRCH);
    CHECK_CONTAINS(coro_error_detail(), "has ended");
    CHECK_EQ(coro_process_close(process), 0);
}

TEST(G9_any_integer_may_be_passed_for_a_handle) {
    coro_process_t process = start_reader("read line");
    const coro_process_t wrong[] = {0, -1, INT64_MIN, INT64_MAX, process + 1, process + 4096};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_EQ(coro_process_pid(wrong[i]), -ESRCH);
        CHECK_EQ(coro_process_fd(wrong[i], 0), -ESRCH);
        CHECK_EQ(coro_process_close_fd(wrong[i], 0), -ESRCH);
        CHECK_EQ(coro_process_wait(wrong[i], NULL), -ESRCH);
        CHECK_EQ(coro_process_kill(wrong[i], SIGTERM), -ESRCH);
        CHECK_EQ(coro_process_close(wrong[i]), -ESRCH);
        CHECK(!coro_process_is_alive(wrong[i]));
    }
    CHECK_EQ(coro_process_kill(process, -1), -EINVAL);
    CHECK_EQ(coro_process_kill(process, SIGRTMAX + 1), -EINVAL);
    CHECK_EQ(coro_process_kill(process, SIGTERM), 0);
    CHECK_EQ(finish(process), SIGTERM);
    CHECK_EQ(coro_process_close(process), 0);
    CHECK_EQ(coro_process_pid(process), CORO_EDEAD);
    CHECK_EQ(coro_process_wait(process, NULL), CORO_EDEAD);
    CHECK_EQ(coro_process_close(process), CORO_EDEAD);
    coro_process_t next = start_shell("exit 0");
    CHECK(next > process);
    CHECK_EQ(finish(next), 0);
}

static coro_process_t of_thread;
static pthread_barrier_t step;

static void *hold_a_process(void *unused) {
    of_thread = start_reader("read line");
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    return unused;
}

TEST(G9_handles_of_other_threads_are_refused) {
    pthread_t holder;
    pthread_barrier_init(&step, NULL, 2);
    CHECK_EQ(pthread_create(&holder, NULL, hold_a_process, NULL), 0);
    pthread_barrier_wait(&step);
    CHECK_EQ(coro_process_wait(of_thread, NULL), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_process_kill(of_thread, SIGKILL), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_process_close(of_thread), CORO_EWRONGTHREAD);
    pthread_barrier_wait(&step);
    CHECK_EQ(pthread_join(holder, NULL), 0);
    CHECK_EQ(coro_process_wait(of_thread, NULL), CORO_EDEAD);
}

/* What was started by a handle is waited for by that. */
TEST(G4_a_child_with_a_handle_is_not_for_waitpid) {
    coro_process_t process = start_reader("read line; exit 2");
    CHECK_EQ(coro_waitpid(coro_process_pid(process), NULL, 0), CORO_ESIMULTANEOUS);
    CHECK_CONTAINS(coro_error_detail(), "coro_process_wait()");
    CHECK_EQ(coro_process_close_fd(process, 0), 0);
    CHECK_EQ(finish(process), 2 << 8);
    CHECK_EQ(coro_waitpid(coro_process_pid(process), NULL, 0), -ECHILD);
}

/* -- signals -- */

static pid_t read_pid(int fd) {
    char text[32] = "";
    size_t length = 0;
    do CHECK(length < sizeof text && coro_read(fd, text + length, 1) == 1);
    while (text[length++] != '\n');
    return (pid_t)atoi(text);
}

static void kill_whole_group(uint32_t flags) {
    coro_process_options options = shell("sleep 1000 & echo $!; read line; exit 1");
    options.in.mode = options.out.mode = CORO_STDIO_PIPE;
    options.flags = flags;
    coro_process_t process = coro_process_start(&options);
    CHECK(process > 0);
    pid_t sleeper = read_pid(coro_process_fd(process, 1));
    CHECK_EQ(coro_process_close_fd(process, 0), 0);
    while (coro_process_is_alive(process)) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(coro_process_kill(process, SIGKILL), 0); /* the leader has ended; what it has left is reached */
    int status = -1;
    CHECK_EQ(coro_waitpid(sleeper, &status, 0), sleeper);
    CHECK_EQ(status, SIGKILL);
    CHECK_EQ(finish(process), 1 << 8);
    CHECK_EQ(coro_process_close(process), 0);
}

CORO_TEST(G9_a_signal_reaches_the_whole_group) {
    adopt_orphans();
    kill_whole_group(CORO_PROCESS_GROUP);
    kill_whole_group(CORO_PROCESS_SESSION);
}

/* Linux before 6.9 can't signal a group by descriptor. */
CORO_TEST(G9_a_signal_reaches_the_group_on_older_systems) {
    adopt_orphans();
    CHECK_EQ(coro_test_fail_call("pidfd_send_signal", 1, EINVAL), 0);
    kill_whole_group(CORO_PROCESS_GROUP);
    coro_process_options options = shell("sleep 1000 & echo $!");
    options.flags = CORO_PROCESS_GROUP;
    options.out.mode = CORO_STDIO_PIPE;
    coro_process_t process = coro_process_start(&options);
    CHECK(process > 0);
    pid_t sleeper = read_pid(coro_process_fd(process, 1));
    CHECK_EQ(waitpid(coro_process_pid(process), NULL, 0), coro_process_pid(process)); /* so the number may be another's */
    CHECK_EQ(coro_test_fail_call("pidfd_send_signal", 1, EINVAL), 0);
    CHECK_EQ(coro_process_kill(process, SIGKILL), -ESRCH);
    CHECK_EQ(waitpid(sleeper, NULL, WNOHANG), 0); /* it was not reached by number */
    kill_child(sleeper);
}

CORO_TEST(G9_without_a_group_a_signal_reaches_the_process_alone) {
    adopt_orphans();
    coro_process_options options = shell("sleep 1000 & echo $!; wait");
    options.out.mode = CORO_STDIO_PIPE;
    coro_process_t process = coro_process_start(&options);
    CHECK(process > 0);
    pid_t sleeper = read_pid(coro_process_fd(process, 1));
    CHECK_EQ(coro_process_kill(process, SIGTERM), 0);
    CHECK_EQ(finish(process), SIGTERM);
    CHECK_EQ(coro_waitpid(sleeper, NULL, WNOHANG), 0);
    kill_child(sleeper);
}

/* -- statuses -- */

TEST(G9_statuses_are_read_and_described) {
    static const struct { int status, code, number; const char *text; } statuses[] = {
        {0, 0, 0, "exited with 0"}, {3 << 8, 3, 0, "exited with 3"}, {255 << 8, 255, 0, "exited with 255"},
        {SIGKILL, -1, SIGKILL, "killed by SIGKILL"}, {SIGSEGV | 0x80, -1, SIGSEGV, "killed by SIGSEGV, core dumped"},
        {40, -1, 40, "killed by SIGRTMIN+6"}, {-1, -1, 0, "not ended (status -1)"},
    };
    char text[64];
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        CHECK_EQ(coro_process_exit_code(statuses[i].status), statuses[i].code);
        CHECK_EQ(coro_process_term_signal(statuses[i].status), statuses[i].number);
        CHECK_EQ(coro_process_describe_status(statuses[i].status, text, sizeof text), strlen(statuses[i].text));
        CHECK_STR(text, statuses[i].text);
    }
    CHECK_EQ(coro_process_describe_status(0, text, 7), 13);
    CHECK_STR(text, "exited");
    CHECK_EQ(coro_process_describe_status(0, NULL, 0), 13);
}
