/* The two backends of the poller: how one is chosen, what happens where io_uring can't be had, and what is different in it. All
   other tests are run on both. */
#include "coroutines.h"
#include "net.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static bool has_ring(void) {
    return syscall(SYS_io_uring_setup, 0, NULL) < 0 && errno != ENOSYS && errno != EPERM;
}

static void choose_ring(void) {
    if (!has_ring()) test_skip("no io_uring here");
    CHECK_EQ(coro_set_backend(CORO_BACKEND_IO_URING), 0);
}

/* Runs function on a new thread, which has no loop yet. */
static void *call_it(void *function) {
    ((test_function)function)();
    return NULL;
}

static void on_new_thread(test_function function) {
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, call_it, (void *)function), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

static void write_later(int fd) {
    CHECK_EQ(coro_sleep(1), 0);
    CHECK_EQ(coro_write(fd, "x", 1), 1);
}

static void *write_to_it(void *fd) {
    write_later(AS_INT(fd));
    return NULL;
}

/* That waiting for a descriptor works. */
static void wait_once(void) {
    int fds[2];
    char byte = 0;
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    go(write_to_it, AS_POINTER(fds[1]));
    CHECK_EQ(coro_read(fds[0], &byte, 1), 1);
    CHECK_EQ(byte, 'x');
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(coro_close(fds[1]), 0);
}

static void choices(void) {
    CHECK_EQ(coro_set_backend(3), -EINVAL);
    CHECK_EQ(coro_set_backend(-1), -EINVAL);
    CHECK_EQ(coro_set_backend(CORO_BACKEND_IO_URING), 0);
    CHECK_EQ(coro_set_backend(CORO_BACKEND_EPOLL), 0); /* not in use yet: the last one counts */
    wait_once();
    CHECK_STR(coro_backend_name(), "epoll");
    CHECK_EQ(coro_set_backend(CORO_BACKEND_EPOLL), -EBUSY);
    CHECK_CONTAINS(coro_error_detail(), "before the first call that waits");
}

static void ring_chosen(void) {
    choose_ring();
    CHECK_STR(coro_backend_name(), "io_uring");
    wait_once();
    CHECK_STR(coro_backend_name(), "io_uring");
}

TEST(backend_is_chosen_by_thread_before_its_loop_is_used) {
    on_new_thread(choices);
    if (has_ring()) on_new_thread(ring_chosen);
}

static const char *environment;
static void named_by_environment(void) {
    setenv("CORO_BACKEND", environment, 1);
    fputs(coro_backend_name(), stderr);
}

TEST(backend_is_chosen_for_the_process_by_the_environment) {
    char output[64];
    static const char *const names[][2] = {
        {"epoll", "epoll"}, {"", "epoll"}, {"kqueue", "epoll (CORO_BACKEND: unknown)"}, {"io_uring", "io_uring"}};
    for (int i = 0; i < 3 + has_ring(); i++) {
        environment = names[i][0];
        CHECK_EQ(run_in_child(named_by_environment, output, sizeof output), 0);
        CHECK_STR(output, names[i][1]);
    }
}

static const char *failing_call;
static int failing_at, failing_with;
static const char *expected_name;
static void fall_back(void) {
    CHECK_EQ(coro_set_backend(CORO_BACKEND_IO_URING), 0);
    CHECK_EQ(coro_test_fail_call(failing_call, failing_at, failing_with), 0);
    CHECK_STR(coro_backend_name(), expected_name);
    wait_once();
    CHECK_STR(coro_backend_name(), expected_name);
}

/* Known bugs 75 and 77: whichever step of making a ring fails, the loop polls by epoll, says so, and leaves nothing behind. */
TEST(backend_falls_back_to_epoll_and_says_why) {
    static const struct { const char *call; int at, error; const char *name; } refusals[] = {
        {"io_uring_setup", 1, EPERM, "epoll (io_uring: EPERM)"},   {"io_uring_setup", 1, ENOSYS, "epoll (io_uring: ENOSYS)"},
        {"io_uring_setup", 1, ENOMEM, "epoll (io_uring: ENOMEM)"}, {"io_uring_setup", 1, EMFILE, "epoll (io_uring: EMFILE)"},
        {"io_uring_setup", 1, EBADF, "epoll (io_uring: refused)"}, {"mmap", 1, ENOMEM, "epoll (io_uring: ENOMEM)"},
        {"mmap", 2, ENOMEM, "epoll (io_uring: ENOMEM)"},
    };
    if (!has_ring()) test_skip("no io_uring here");
    wait_once();
    int before = open_descriptors();
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        failing_call = refusals[i].call;
        failing_at = refusals[i].at;
        failing_with = refusals[i].error;
        expected_name = refusals[i].name;
        on_new_thread(fall_back);
        CHECK_EQ(open_descriptors(), before);
    }
}

/* Known bug 77. */
TEST(backend_rings_come_and_go_with_their_threads) {
    if (!has_ring()) test_skip("no io_uring here");
    int before = open_descriptors();
    for (int i = 0; i < 200; i++) on_new_thread(ring_chosen);
    CHECK_EQ(open_descriptors(), before);
}

static void forbid_rings(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    CHECK_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void work_without_rings(void) {
    forbid_rings();
    CHECK_EQ(coro_set_backend(CORO_BACKEND_IO_URING), 0);
    wait_once();
    CHECK_STR(coro_backend_name(), "epoll (io_uring: EPERM)");
}

/* Known bug 75: as in containers. */
TEST(backend_under_seccomp_is_epoll) {
    char output[512];
    if (is_watched()) test_skip("sanitizers make system calls of their own");
    CHECK_EQ(run_in_child(work_without_rings, output, sizeof output), 0);
}

static void work_without_locked_memory(void) {
    struct rlimit none = {0, 0};
    CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &none), 0);
    CHECK_EQ(coro_set_backend(CORO_BACKEND_IO_URING), 0);
    wait_once();
}

TEST(backend_without_locked_memory_works) {
    char output[512];
    CHECK_EQ(run_in_child(work_without_locked_memory, output, sizeof output), 0);
}

/* -- what is different in io_uring -- */

enum { PAIRS = 100, ROUNDS = 100 };

static int received;
static void *read_all(void *fd) {
    char byte;
    while (coro_read(AS_INT(fd), &byte, 1) == 1) received++;
    return NULL;
}

/* Known bug 73: a ring of 8 requests and 16 answers, and 10,000 events on 100 descriptors. */
TEST(backend_small_ring_loses_no_event) {
    coro_test_set_ring_size(8);
    choose_ring();
    int fds[PAIRS][2];
    for (int i = 0; i < PAIRS; i++) {
        CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]), 0);
        go(read_all, AS_POINTER(fds[i][0]));
    }
    for (int round = 0; round < ROUNDS; round++) {
        CHECK_EQ(coro_yield_slice(), 0);
        /* All of them at once, while every reader waits. */
        for (int i = 0; i < PAIRS; i++) CHECK_EQ(write(fds[i][1], "x", 1), 1);
        while (received < (round + 1) * PAIRS) CHECK_EQ(coro_sleep(CORO_US(10)), 0);
    }
    CHECK_STR(coro_backend_name(), "io_uring");
    for (int i = 0; i < PAIRS; i++) CHECK_EQ(coro_close(fds[i][1]), 0);
    run_until_idle();
    CHECK_EQ(received, PAIRS * ROUNDS);
    CHECK_EQ(coro_get_live_coros(), 0);
}

static bool sees_end(int fd) {
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return poll(&one, 1, 0) == 1 && (one.revents & POLLHUP);
}

static void *read_one_byte(void *fd) {
    char byte;
    return AS_POINTER((int)coro_read(AS_INT(fd), &byte, 1));
}

static coro_t wait_to_read(int fd) {
    coro_t reader = start_now(read_one_byte, AS_POINTER(fd));
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0); /* the request is the kernel's */
    return reader;
}

/* The request holds the file: it must not outlive the descriptor. */
static void close_while_waiting(void) {
    int fds[2];
    void *result = NULL;
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    coro_t reader = wait_to_read(fds[0]);
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK(sees_end(fds[1]));
    CHECK_EQ(coro_join(reader, &result, CORO_FOREVER), 0);
    CHECK_EQ(AS_INT(result), CORO_ECLOSED);
    CHECK_EQ(coro_close(fds[1]), 0);
}

/* Nor must one that has not reached the kernel yet reach it later, for what the number then means. */
static void close_before_the_request_is_made(void) {
    int fds[2], more[2];
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    coro_t reader = start_now(read_one_byte, AS_POINTER(fds[0]));
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK(sees_end(fds[1]));
    CHECK_EQ(coro_close(fds[1]), 0);
    CHECK_EQ(coro_join(reader, NULL, CORO_FOREVER), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, more), 0);
    CHECK_EQ(more[0], fds[0]);
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(close(more[0]), 0);
    CHECK(sees_end(more[1]));
    CHECK_EQ(close(more[1]), 0);
}

TEST(backend_close_lets_go_of_the_file_at_once) {
    choose_ring();
    close_while_waiting();
    close_before_the_request_is_made();
}

static int left_open[2];
static void wait_and_leave(void) {
    choose_ring();
    coro_t reader = wait_to_read(left_open[0]);
    CHECK_EQ(coro_shutdown(reader), 0);
    CHECK_EQ(coro_join(reader, NULL, CORO_FOREVER), 0);
}

TEST(backend_thread_that_ends_lets_go_of_files) {
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, left_open), 0);
    on_new_thread(wait_and_leave);
    CHECK_EQ(close(left_open[0]), 0);
    CHECK(sees_end(left_open[1]));
}

/* Known bugs 2 and 3: the file lives on in a duplicate; its events must not reach the loop for ever. */
TEST(backend_closed_descriptor_with_a_duplicate_is_silent) {
    coro_stats stats = {.struct_size = sizeof stats};
    int fds[2];
    void *result;
    choose_ring();
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    coro_t reader = wait_to_read(fds[0]);
    int copy = dup(fds[0]);
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(coro_join(reader, &result, CORO_FOREVER), 0);
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(coro_get_stats(&stats), 0);
    uint64_t before = stats.events;
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(write(fds[1], "x", 1), 1);
        if (i % 10 == 0) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    }
    CHECK_EQ(coro_get_stats(&stats), 0);
    CHECK_EQ(stats.events - before, 0);
    CHECK_EQ(close(copy), 0);
}

/* What ends the readings of a descriptor is told by the loop: the system's error for one that is closed behind its back. */
TEST(backend_refused_request_is_the_error_of_the_wait) {
    int fds[2];
    void *result = NULL;
    choose_ring();
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    coro_t reader = start_now(read_one_byte, AS_POINTER(fds[0]));
    CHECK_EQ(close(fds[0]), 0); /* not allowed: before the request is made */
    CHECK_EQ(coro_join(reader, &result, CORO_FOREVER), 0);
    CHECK_EQ(AS_INT(result), -EBADF);
}

/* A look that would find nothing makes no system call. */
TEST(backend_ring_is_looked_at_without_a_system_call) {
    int fds[2];
    choose_ring();
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    coro_t reader = wait_to_read(fds[0]);
    CHECK_EQ(coro_test_fail_call("io_uring_enter", 1, EIO), 0);
    for (int i = 0; i < 1000; i++) CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(coro_test_fail_call("io_uring_enter", 0, 0), 0);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    void *result = NULL;
    CHECK_EQ(coro_join(reader, &result, CORO_FOREVER), 0);
    CHECK_EQ(AS_INT(result), 1);
}
