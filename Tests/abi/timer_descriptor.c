/* Row H15: times, and ends of processes, as descriptors. */
#define _GNU_SOURCE
#include "net.h"
#include "coroutines.h"

#include <fcntl.h>
#include <poll.h>

static int ready(int fd, int timeout) {
    return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, timeout);
}

TEST(H15_a_timer_expires_and_counts) {
    int fd = coro_timer_open(CORO_MS(1), 0);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK_EQ(coro_timer_read(fd), 1);
    CHECK_EQ(ready(fd, 0), 0); /* only once */
    CHECK_EQ(coro_timer_set(fd, 0, 0), 0); /* at once */
    CHECK_EQ(coro_wait_for(fd, CORO_READ), 0);
    CHECK_EQ(coro_timer_read(fd), 1);
    CHECK_EQ(coro_timer_set(fd, CORO_MS(1), CORO_MS(1)), 0);
    int64_t began = coro_get_now(), total = 0;
    while (total < 20) {
        int64_t count = coro_timer_read(fd);
        CHECK(count >= 1);
        total += count;
    }
    coro_yield_slice();
    CHECK(coro_get_now() - began >= CORO_MS(19)); /* never early */
    CHECK_EQ(coro_timer_set(fd, CORO_FOREVER, CORO_MS(1)), 0); /* not set */
    CHECK_EQ(ready(fd, 20), 0);
    CHECK_EQ(coro_close(fd), 0);
}

static void *read_timer(void *fd) {
    return AS_POINTER(coro_timer_read(AS_INT(fd)));
}

TEST(H15_others_run_while_a_timer_is_waited_for) {
    int fd = coro_timer_open(CORO_FOREVER, 0);
    coro_t reader = spawn_one(read_timer, AS_POINTER(fd));
    let_others_run();
    CHECK_EQ(coro_timer_read(fd), CORO_ESIMULTANEOUS);
    CHECK_EQ(coro_timer_set(fd, CORO_MS(1), 0), 0); /* set anew while somebody waits */
    CHECK_EQ(join_soon(reader), 1);
    reader = spawn_one(read_timer, AS_POINTER(fd));
    let_others_run();
    CHECK_EQ(coro_shutdown(reader), 0);
    CHECK_EQ(join_soon(reader), CORO_ESHUTDOWN);
    reader = spawn_one(read_timer, AS_POINTER(fd));
    let_others_run();
    CHECK_EQ(coro_close(fd), 0);
    CHECK_EQ(join_soon(reader), CORO_ECLOSED);
}

TEST(H15_a_timers_errors) {
    int before, fds[2];
    coro_close(coro_timer_open(0, 0));
    before = open_descriptors();
    CHECK_EQ(coro_timer_open(-1, 0), -EINVAL);
    CHECK_EQ(coro_timer_open(0, -1), -EINVAL);
    CHECK_EQ(coro_test_fail_call("timerfd_create", 1, EMFILE), 0);
    CHECK_EQ(coro_timer_open(0, 0), -EMFILE);
    CHECK_EQ(coro_test_fail_call("timerfd_settime", 1, EINVAL), 0);
    CHECK_EQ(coro_timer_open(0, 0), -EINVAL);
    CHECK_EQ(open_descriptors(), before);
    int fd = coro_timer_open(0, 0);
    CHECK_EQ(coro_timer_set(fd, -1, 0), -EINVAL);
    CHECK_EQ(coro_close(fd), 0);
    CHECK_EQ(coro_timer_set(fd, 0, 0), CORO_ECLOSED);
    CHECK_EQ(coro_timer_read(fd), CORO_ECLOSED);
    CHECK_EQ(coro_timer_set(999, 0, 0), -EBADF);
    unix_pair(fds);
    CHECK_EQ(coro_timer_set(fds[0], 0, 0), -EINVAL);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(coro_timer_read(fds[0]), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "not a timer");
}

TEST(H15_the_end_of_a_process_is_an_event) {
    int pipe_fds[2], status;
    CHECK_EQ(pipe(pipe_fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char byte;
        close(pipe_fds[1]);
        if (read(pipe_fds[0], &byte, 1) < 0) _exit(1);
        _exit(7);
    }
    int fd = coro_pidfd_open(pid);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(ready(fd, 0), 0);
    CHECK_EQ(close(pipe_fds[1]), 0);
    CHECK_EQ(coro_wait_for(fd, CORO_READ), 0);
    CHECK_EQ(coro_waitpid(pid, &status, 0), pid);
    CHECK_EQ(coro_process_exit_code(status), 7);
    CHECK_EQ(coro_close(fd), 0);
    CHECK_EQ(coro_pidfd_open(pid), -ESRCH);
    CHECK_EQ(coro_pidfd_open(0), -EINVAL);
    CHECK_EQ(coro_pidfd_open(-1), -EINVAL);
}
