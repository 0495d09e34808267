/* Row H14: a coroutine for each event of a descriptor. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "forks.h"
#include "net.h"

#include <fcntl.h>
#include <pthread.h>

static int calls, running, most_running, last_events, last_fd;
static size_t bytes;
static void *last_arg;

static void begin_call(int fd, int events, void *arg) {
    char name[32], expected[32];
    snprintf(expected, sizeof expected, "handler of fd %d", fd);
    CHECK(coro_get_name(coro_current(), name, sizeof name) > 0);
    CHECK_STR(name, expected);
    calls++;
    last_fd = fd;
    last_events = events;
    last_arg = arg;
    if (++running > most_running) most_running = running;
}

/* Reads all that is there. */
static void read_all(int fd, int events, void *arg) {
    begin_call(fd, events, arg);
    bytes += drain(fd);
    running--;
}

/* Reads a byte, and takes its time. */
static void read_a_byte_slowly(int fd, int events, void *arg) {
    char byte;
    begin_call(fd, events, arg);
    CHECK_EQ(coro_read(fd, &byte, 1), 1);
    bytes++;
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_yield_slice(), 0);
    running--;
}

static void wait_for_bytes(size_t n) {
    for (int i = 0; bytes < n; i++) {
        CHECK(i < 10000);
        CHECK_EQ(coro_yield_slice(), 0);
    }
}

TEST(H14_a_handler_runs_for_each_event) {
    int fds[2], arg;
    unix_pair(fds);
    CHECK_EQ(coro_set_handler(fds[0], CORO_READ, read_all, &arg, 0), 0);
    let_others_run();
    CHECK_EQ(calls, 0);
    for (int i = 1; i <= 20; i++) {
        CHECK_EQ(coro_write(fds[1], "abc", 3), 3);
        wait_for_bytes((size_t)i * 3);
        let_others_run();
        CHECK_EQ(calls, i); /* and not once more */
    }
    CHECK(last_fd == fds[0] && last_events == CORO_READ && last_arg == &arg);
    CHECK_EQ(coro_unset_handler(fds[0]), 0);
    CHECK_EQ(coro_write(fds[1], "abc", 3), 3);
    let_others_run();
    CHECK_EQ(calls, 20);
    CHECK_EQ(coro_unset_handler(fds[0]), -ENOENT);
    CHECK_EQ(coro_get_live_coros(), 0);
}

TEST(H14_what_is_ready_already_is_an_event) {
    int ends[2];
    CHECK_EQ(coro_pipe(ends, 0), 0);
    CHECK_EQ(coro_write(ends[1], "x", 1), 1);
    CHECK_EQ(coro_wait_for(ends[0], CORO_READ), 0); /* its event has come */
    CHECK_EQ(coro_set_handler(ends[0], CORO_READ, read_all, NULL, 0), 0);
    wait_for_bytes(1);
    CHECK_EQ(calls, 1);
}

/* Events that come while a handler runs are not lost, and handlers of one descriptor do not run at once. */
TEST(H14_no_event_is_lost_and_no_two_handlers_run) {
    int fds[2];
    unix_pair(fds);
    CHECK_EQ(coro_set_handler(fds[0], CORO_READ, read_a_byte_slowly, NULL, 0), 0);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(coro_write(fds[1], "xyz", 1 + (size_t)i % 3), 1 + i % 3);
        if (i % 7 == 0) CHECK_EQ(coro_yield_slice(), 0);
    }
    wait_for_bytes(199);
    let_others_run();
    CHECK_EQ(bytes, 199);
    CHECK_EQ(calls, 199);
    CHECK_EQ(most_running, 1);
    CHECK_EQ(coro_close(fds[0]), 0);
}

static void leave_it(int fd, int events, void *arg) {
    begin_call(fd, events, arg);
    running--;
}

/* A handler that reads nothing is run again, but keeps nobody from running: neither timers nor descriptors. */
TEST(H14_a_handler_that_leaves_data_keeps_nobody_waiting) {
    int fds[2], others[2];
    unix_pair(fds);
    unix_pair(others);
    CHECK_EQ(coro_set_handler(fds[0], CORO_READ, leave_it, NULL, 0), 0);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    coro_t reader = spawn_one(read_one, AS_POINTER(others[0]));
    for (int i = 0; i < 5000 && calls < 2; i++) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK(calls > 1);
    CHECK_EQ(coro_write(others[1], "x", 1), 1);
    CHECK_EQ(join_soon(reader), 1);
    CHECK_EQ(most_running, 1);
    CHECK_EQ(coro_unset_handler(fds[0]), 0);
    let_others_run();
    int before = calls;
    let_others_run();
    CHECK_EQ(calls, before);
}

static void note_events(int fd, int events, void *arg) {
    begin_call(fd, events, arg);
    if (events & CORO_READ) bytes += drain(fd);
    if (events & CORO_WRITE) CHECK_EQ(coro_unset_handler(fd), 0);
    running--;
}

TEST(H14_both_directions) {
    int fds[2];
    unix_pair(fds);
    size_t filled = fill(fds[0]);
    CHECK_EQ(coro_set_handler(fds[0], CORO_READ | CORO_WRITE, note_events, NULL, 0), 0);
    let_others_run();
    CHECK_EQ(calls, 0);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    wait_for_bytes(1);
    CHECK_EQ(last_events, CORO_READ);
    CHECK_EQ(drain(fds[1]), filled);
    let_others_run();
    CHECK_EQ(calls, 2);
    CHECK_EQ(last_events, CORO_WRITE);
    /* It is unset now, by itself. */
    CHECK_EQ(coro_unset_handler(fds[0]), -ENOENT);
    CHECK_EQ(coro_set_handler(fds[0], CORO_WRITE, leave_it, NULL, CORO_HANDLER_ONCE), 0);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    let_others_run();
    CHECK_EQ(last_events, CORO_WRITE);
}

TEST(H14_once) {
    int fds[2];
    unix_pair(fds);
    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(coro_set_handler(fds[0], CORO_READ, leave_it, NULL, CORO_HANDLER_ONCE), 0);
        CHECK_EQ(coro_write(fds[1], "x", 1), 1);
        let_others_run();
        CHECK_EQ(calls, i);
        CHECK_EQ(coro_unset_handler(fds[0]), -ENOENT);
    }
}

TEST(H14_the_end_of_the_stream_is_an_event) {
    int fds[2];
    for (int i = 0; i < 2; i++) {
        if (i == 0) unix_pair(fds);
        else CHECK_EQ(coro_pipe(fds, 0), 0);
        CHECK_EQ(coro_set_handler(fds[0], CORO_READ, leave_it, NULL, CORO_HANDLER_ONCE), 0);
        let_others_run();
        CHECK_EQ(calls, i);
        CHECK_EQ(coro_close(fds[1]), 0);
        let_others_run();
        CHECK_EQ(calls, i + 1);
    }
}

static void suspend_for_good(int fd, int events, void *arg) {
    begin_call(fd, events, arg);
    CHECK_EQ(coro_park(NULL), CORO_ESHUTDOWN);
    running--;
}

/* Closing and giving up end it before its coroutine has run, and while it runs: that goes on. */
TEST(H14_closing_ends_the_handler) {
    for (int i = 0; i < 4; i++) {
        int fds[2], began = i & 1;
        unix_pair(fds);
        CHECK_EQ(coro_write(fds[1], "x", 1), 1);
        CHECK_EQ(coro_set_handler(fds[0], CORO_READ, suspend_for_good, NULL, 0), 0);
        if (began) let_others_run();
        CHECK_EQ(i & 2 ? coro_forget(fds[0]) : coro_close(fds[0]), 0);
        let_others_run();
        CHECK_EQ(coro_unset_handler(fds[0]), -ENOENT);
        CHECK_EQ(calls, began);
        CHECK_EQ(running, began);
        CHECK_EQ(coro_get_live_coros(), began);
        if (began) {
            coro_t handler = 0;
            CHECK_EQ(coro_all(&handler, 1), 1);
            CHECK_EQ(coro_shutdown(handler), 0);
            let_others_run();
            CHECK_EQ(running, 0);
        }
        calls = 0;
        if (i & 2) CHECK_EQ(coro_close(fds[0]), 0);
        CHECK_EQ(coro_close(fds[1]), 0);
    }
}

/* Set anew while the one before runs: they are two. */
TEST(H14_a_handler_may_be_set_anew_while_the_one_before_runs) {
    int fds[2];
    unix_pair(fds);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    for (int i = 1; i <= 3; i++) {
        CHECK_EQ(coro_set_handler(fds[0], CORO_READ, suspend_for_good, NULL, 0), 0);
        let_others_run();
        CHECK_EQ(running, i);
        CHECK_EQ(coro_unset_handler(fds[0]), 0);
    }
    coro_t handlers[3];
    CHECK_EQ(coro_all(handlers, 3), 3);
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_shutdown(handlers[(i + 1) % 3]), 0);
    CHECK_EQ(coro_set_handler(fds[0], CORO_READ, read_all, NULL, 0), 0);
    wait_for_bytes(1);
    CHECK_EQ(running, 0);
    CHECK_EQ(coro_get_live_coros(), 0);
}

/* A number that means something else now has no handler. */
TEST(H4_a_handler_is_not_inherited) {
    int fds[2], others[2];
    unix_pair(fds);
    CHECK_EQ(coro_set_handler(fds[0], CORO_READ, read_all, NULL, 0), 0);
    CHECK(close(fds[0]) == 0); /* behind our back */
    unix_pair(others);
    CHECK_EQ(others[0], fds[0]);
    CHECK_EQ(coro_write(others[1], "x", 1), 1);
    let_others_run();
    CHECK_EQ(calls, 0);
    CHECK_EQ(coro_unset_handler(others[0]), -ENOENT);
    CHECK_EQ(coro_set_handler(others[0], CORO_READ, read_all, NULL, 0), 0);
    wait_for_bytes(1);
}

TEST(H14_set_handler_checks_its_arguments) {
    int fds[2], file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    unix_pair(fds);
    CHECK_EQ(coro_set_handler(fds[0], CORO_READ, NULL, NULL, 0), -EINVAL);
    CHECK_EQ(coro_set_handler(fds[0], 0, read_all, NULL, 0), -EINVAL);
    CHECK_EQ(coro_set_handler(fds[0], 4, read_all, NULL, 0), -EINVAL);
    CHECK_EQ(coro_set_handler(fds[0], CORO_READ, read_all, NULL, 2), -EINVAL);
    CHECK_EQ(coro_set_handler(-1, CORO_READ, read_all, NULL, 0), -EBADF);
    CHECK_EQ(coro_set_handler(999, CORO_READ, read_all, NULL, 0), -EBADF);
    CHECK_EQ(coro_set_handler(file, CORO_READ, read_all, NULL, 0), -EPERM);
    CHECK_EQ(coro_unset_handler(-1), -ENOENT);
    CHECK_EQ(coro_unset_handler(1 << 30), -ENOENT);
    CHECK_EQ(coro_set_handler(fds[0], CORO_READ, read_all, NULL, 0), 0);
    CHECK_EQ(coro_set_handler(fds[0], CORO_WRITE, read_all, NULL, 0), CORO_ESIMULTANEOUS);
    if (!polls_by_ring()) { /* which tells later of what it refuses */
        CHECK_EQ(coro_test_fail_call("epoll_ctl", 1, ENOSPC), 0);
        CHECK_EQ(coro_set_handler(fds[1], CORO_READ, read_all, NULL, 0), -ENOSPC);
    }
    CHECK_EQ(coro_set_handler(fds[1], CORO_READ, read_all, NULL, 0), 0);
    CHECK_EQ(coro_close(fds[1]), 0);
    CHECK_EQ(coro_set_handler(fds[1], CORO_READ, read_all, NULL, 0), CORO_ECLOSED);
}

/* As with signals: a loop does not go on for its sake, but a call outside the loop can be woken by it. */
TEST(H14_a_handler_keeps_no_loop_going) {
    int fds[2];
    unix_pair(fds);
    CHECK_EQ(coro_set_handler(fds[0], CORO_READ, read_all, NULL, 0), 0);
    run_until_idle();
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    wait_for_bytes(1);
}

static pthread_t writer;

static void *write_late(void *fd) {
    usleep(20000);
    CHECK(write(AS_INT(fd), "x", 1) == 1);
    return NULL;
}

static void wake_main(int fd, int events, void *event) {
    read_all(fd, events, event);
    CHECK_EQ(coro_event_set(event, NULL), 0);
}

TEST(H14_a_handler_may_wake_the_threads_own_stack) {
    int fds[2];
    coro_event *event = coro_event_new();
    unix_pair(fds);
    CHECK_EQ(coro_set_handler(fds[0], CORO_READ, wake_main, event, 0), 0);
    CHECK(pthread_create(&writer, NULL, write_late, AS_POINTER(fds[1])) == 0);
    CHECK_EQ(coro_event_wait(event, NULL), 0);
    CHECK(pthread_join(writer, NULL) == 0);
    CHECK_EQ(coro_unset_handler(fds[0]), 0);
    CHECK_EQ(coro_event_wait(event, NULL), 0);
    CHECK_EQ(coro_event_reset(event), 0);
    CHECK_EQ(coro_event_wait(event, NULL), -EDEADLK);
    coro_event_free(event);
}

/* Without memory the coroutine is made later. */
TEST(H14_a_handler_without_memory_runs_when_there_is_some) {
    int fds[2];
    unix_pair(fds);
    CHECK_EQ(coro_set_handler(fds[0], CORO_READ, read_all, NULL, 0), 0);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(coro_test_fail_call("mmap", 1, ENOMEM), 0);
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    let_others_run();
    CHECK_EQ(coro_sleep(CORO_MS(50)), 0);
    wait_for_bytes(1);
    CHECK_EQ(calls, 1);
}

TEST(H14_setting_a_handler_without_memory_fails) {
    int fds[2], failed = 0;
    unix_pair(fds);
    for (int n = 1; n < 8; n++) {
        CHECK_EQ(coro_test_fail_call("calloc", n, ENOMEM), 0);
        int result = coro_set_handler(fds[0], CORO_READ, read_all, NULL, 0);
        CHECK_EQ(coro_test_fail_call("calloc", 0, 0), 0);
        if (result == 0) break;
        CHECK_EQ(result, -ENOMEM);
        failed++;
    }
    CHECK(failed > 0);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    wait_for_bytes(1);
}

static void *serve_on_thread(void *unused) {
    int fds[2];
    unix_pair(fds);
    CHECK_EQ(coro_set_handler(fds[0], CORO_READ, suspend_for_good, NULL, 0), 0);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    let_others_run();
    return unused; /* with a handler that runs, and one whose coroutine has not */
}

TEST(H14_a_thread_ends_with_handlers) {
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_create(&writer, NULL, serve_on_thread, NULL) == 0);
        CHECK(pthread_join(writer, NULL) == 0);
    }
    CHECK_EQ(calls, 3);
}

TEST(H14_handlers_are_the_childs_too_after_a_fork) {
    int fds[2];
    unix_pair(fds);
    CHECK_EQ(coro_set_handler(fds[0], CORO_READ, read_all, NULL, 0), 0);
    let_others_run();
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(coro_write(fds[1], "child", 5), 5);
        wait_for_bytes(5);
        finish_child();
    }
    expect_child(child);
    CHECK_EQ(calls, 0);
    CHECK_EQ(coro_write(fds[1], "parent", 6), 6);
    wait_for_bytes(6);
}

/* -- H13 -- */

TEST(H13_live_sockets_are_counted) {
    int fds[2], ends[2];
    CHECK_EQ(coro_get_live_sockets(), 0);
    unix_pair(fds);
    CHECK_EQ(coro_pipe(ends, 0), 0);
    CHECK_EQ(coro_get_live_sockets(), 2);
    int fd = coro_socket(AF_INET, SOCK_STREAM, 0), copy = coro_dup(fds[0]);
    CHECK_EQ(coro_get_live_sockets(), 3);
    CHECK_EQ(coro_write(copy, "x", 1), 1); /* known when it is first used */
    CHECK_EQ(coro_get_live_sockets(), 4);
    CHECK_EQ(coro_close(fd) + coro_close(copy) + coro_close(fds[0]), 0);
    CHECK_EQ(coro_get_live_sockets(), 1);
    CHECK_EQ(coro_forget(fds[1]), 0);
    CHECK_EQ(coro_get_live_sockets(), 0);
    tcp_pair(fds);
    CHECK_EQ(coro_get_live_sockets(), 2);
}

TEST(H13_has_ipv6) {
    int before = open_descriptors(), fd = coro_socket(AF_INET6, SOCK_STREAM, 0);
    address at = loopback(AF_INET6);
    bool has = fd >= 0 && coro_bind(fd, (struct sockaddr *)&at.storage, at.length) == 0;
    if (fd >= 0) CHECK_EQ(coro_close(fd), 0);
    CHECK_EQ(coro_has_ipv6(), has);
    CHECK_EQ(coro_test_fail_call("socket", 1, EAFNOSUPPORT), 0);
    CHECK(!coro_has_ipv6());
    CHECK_EQ(coro_test_fail_call("bind", 1, EADDRNOTAVAIL), 0);
    CHECK(!coro_has_ipv6());
    CHECK_EQ(open_descriptors(), before);
}
