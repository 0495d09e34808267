/* Rows H1 and H2: waiting for descriptors; and what the poller does when the system refuses. */
#define _GNU_SOURCE
#include "net.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

static void *wait_to_read(void *fd) {
    return AS_POINTER(coro_wait_for(AS_INT(fd), CORO_READ));
}

static void *wait_to_write(void *fd) {
    return AS_POINTER(coro_wait_for(AS_INT(fd), CORO_WRITE));
}

TEST(H1_wait_for_parks_until_ready) {
    int fds[2];
    coro_info info = {.struct_size = sizeof info};
    unix_pair(fds);
    coro_t reader = spawn_one(wait_to_read, AS_POINTER(fds[0]));
    let_others_run();
    CHECK_EQ(coro_get_info(reader, &info), 0);
    CHECK_EQ(info.state, CORO_STATE_WAITING);
    CHECK_EQ(info.wait_kind, CORO_WAIT_READ);
    CHECK_EQ(info.wait_object, fds[0]);
    CHECK_EQ(coro_wait_for(fds[0], CORO_WRITE), 0); /* the other direction is ready */
    CHECK(coro_is_alive(reader));
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(join_soon(reader), 0);
    CHECK_EQ(coro_wait_for(fds[0], CORO_READ), 0); /* it took nothing */
    CHECK_EQ(drain(fds[0]), 1);
    fill(fds[1]);
    coro_t writer = spawn_one(wait_to_write, AS_POINTER(fds[1]));
    let_others_run();
    CHECK(coro_is_alive(writer));
    drain(fds[0]);
    CHECK_EQ(join_soon(writer), 0);
}

/* B8 and B18 on the thread's own stack: a program that goes on yielding there starves nobody. */
static void yield_until_read(int (*yield)(void)) {
    int fds[2], turns = 0;
    unix_pair(fds);
    coro_t reader = spawn_one(read_one, AS_POINTER(fds[0]));
    CHECK_EQ(coro_yield(), 0); /* it waits now */
    CHECK_EQ(write(fds[1], "x", 1), 1);
    while (coro_is_alive(reader)) {
        CHECK_EQ(yield(), 0);
        CHECK(++turns < 10000);
    }
    CHECK_EQ(join_soon(reader), 1);
}

TEST(H1_yielding_a_slice_on_main_looks_at_descriptors) {
    yield_until_read(coro_yield_slice);
}

TEST(H1_yielding_on_main_does_not_starve_descriptors) {
    yield_until_read(coro_yield);
}

TEST(H1_what_can_not_be_waited_for_is_refused_without_residue) {
    char path[] = "/tmp/libcoro-test-XXXXXX";
    int file = mkstemp(path), nowhere = 400, fds[2];
    char text[8];
    CHECK(file >= 0 && unlink(path) == 0);
    for (int round = 0; round < 3; round++) {
        CHECK_EQ(coro_wait_for(file, CORO_READ), -EPERM);
        CHECK_EQ(coro_wait_for(file, CORO_WRITE), -EPERM);
        CHECK_CONTAINS(coro_error_detail(), "file");
        CHECK_EQ(coro_wait_for(nowhere, CORO_READ), -EBADF);
        CHECK_EQ(coro_wait_for(-1, CORO_READ), -EBADF);
        CHECK_EQ(coro_wait_for(INT32_MIN, CORO_WRITE), -EBADF);
        CHECK_EQ(coro_wait_for(INT32_MAX, CORO_WRITE), -EBADF);
        CHECK_EQ(coro_wait_for(file, 0), -EINVAL);
        CHECK_EQ(coro_wait_for(file, CORO_READ | CORO_WRITE), -EINVAL);
    }
    CHECK_EQ(coro_write(file, "abc", 3), 3); /* a file is always ready */
    CHECK_EQ(lseek(file, 0, SEEK_SET), 0);
    CHECK_EQ(coro_read(file, text, sizeof text), 3);
    CHECK_EQ(coro_read(file, text, sizeof text), 0);
    unix_pair(fds);
    CHECK_EQ(dup2(fds[0], nowhere), nowhere);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(coro_wait_for(nowhere, CORO_READ), 0); /* nothing was kept of the number that was not open */
}

static void *await_data(void *of_fd) {
    int code = coro_wait_for(*(int *)of_fd, CORO_READ);
    if (code < 0) coro_fail(code, NULL);
    return NULL;
}

/* The system tells that data have come; by the time the wait begins somebody else has read them. */
CORO_TEST(H1_what_was_reported_before_is_not_readiness) {
    int fds[2];
    char bytes[8];
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CHECK_EQ(coro_with_timeout(CORO_MS(1), await_data, &fds[0], NULL), CORO_ETIMEOUT); /* it is registered now */
    CHECK_EQ(write(fds[1], "a", 1), 1);
    CHECK_EQ(read(fds[0], bytes, sizeof bytes), 1);
    CHECK_EQ(coro_with_timeout(CORO_MS(20), await_data, &fds[0], NULL), CORO_ETIMEOUT);
    CHECK_EQ(write(fds[1], "b", 1), 1);
    CHECK_EQ(coro_wait_for(fds[0], CORO_READ), 0);
    coro_select_case readable = {.kind = CORO_SELECT_FD, .id = fds[0], .events = CORO_READ};
    CHECK_EQ(read(fds[0], bytes, sizeof bytes), 1);
    CHECK_EQ(coro_select(&readable, 1, CORO_MS(20)), CORO_ETIMEOUT);
    CHECK_EQ(write(fds[1], "c", 1), 1);
    CHECK_EQ(read(fds[0], bytes, sizeof bytes), 1);
    CHECK_EQ(coro_select(&readable, 1, CORO_MS(20)), CORO_ETIMEOUT);
    CHECK_EQ(write(fds[1], "d", 1), 1);
    CHECK_EQ(coro_select(&readable, 1, CORO_FOREVER), 0);
}

TEST(H2_second_reader_is_refused_and_the_first_is_not_disturbed) {
    int fds[2];
    unix_pair(fds);
    coro_t reader = spawn_one(read_one, AS_POINTER(fds[0]));
    let_others_run();
    char byte;
    for (int round = 0; round < 2; round++) {
        CHECK_EQ(coro_read(fds[0], &byte, 1), CORO_ESIMULTANEOUS);
        CHECK_EQ(coro_error_other(), reader);
        CHECK_CONTAINS(coro_error_detail(), "read");
        CHECK_EQ(coro_wait_for(fds[0], CORO_READ), CORO_ESIMULTANEOUS);
        CHECK_EQ(coro_recv_exact(fds[0], &byte, 1), CORO_ESIMULTANEOUS);
    }
    coro_t second = spawn_one(read_one, AS_POINTER(fds[0]));
    CHECK_EQ(join_soon(second), CORO_ESIMULTANEOUS);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(join_soon(reader), 1);
}

static void *write_one(void *fd) {
    return AS_POINTER(coro_write(AS_INT(fd), "w", 1));
}

/* Known bug 6: one slot for both. */
TEST(H2_one_reader_and_one_writer_share_a_descriptor) {
    int fds[2];
    unix_pair(fds);
    fill(fds[0]);
    coro_t reader = spawn_one(read_one, AS_POINTER(fds[0])), writer = spawn_one(write_one, AS_POINTER(fds[0]));
    let_others_run();
    CHECK_EQ(coro_write(fds[0], "x", 1), CORO_ESIMULTANEOUS);
    CHECK_EQ(coro_error_other(), writer);
    CHECK_CONTAINS(coro_error_detail(), "write");
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(join_soon(reader), 1);
    CHECK(coro_is_alive(writer));
    drain(fds[1]);
    CHECK_EQ(join_soon(writer), 1);
}

/* D9's half that is about descriptors: an interrupted wait leaves nothing behind. */
TEST(H2_an_interrupted_wait_leaves_no_waiter) {
    int fds[2];
    char byte;
    unix_pair(fds);
    for (int round = 0; round < 3; round++) {
        coro_t reader = spawn_one(read_one, AS_POINTER(fds[0]));
        let_others_run();
        CHECK_EQ(coro_shutdown(reader), 0);
        CHECK_EQ(join_soon(reader), CORO_ESHUTDOWN);
    }
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(coro_read(fds[0], &byte, 1), 1);
}

/* Whoever breaks off a wait chooses the code: CORO_ECLOSED too, of a descriptor that is open. */
TEST(H2_a_wait_that_is_broken_off_as_closed_is_over) {
    int fds[2];
    void *result = NULL;
    unix_pair(fds);
    coro_t reader = spawn_one(read_one, AS_POINTER(fds[0]));
    let_others_run();
    CHECK_EQ(coro_raise(reader, CORO_ECLOSED, 0), 0);
    CHECK_EQ(coro_join(reader, &result, CORO_SECONDS(30)), 0);
    CHECK_EQ(AS_INT(result), CORO_ECLOSED);
}

/* Known bug 7: 0 is a descriptor like any other. */
TEST(H1_descriptor_0_is_one_like_others) {
    int fds[2];
    close(0);
    unix_pair(fds);
    CHECK_EQ(fds[0], 0);
    transfer sent = {.fd = 0, .total = 300000, .chunk = 300000, .closes = true};
    transfer received = {.fd = fds[1], .total = 300000, .chunk = 7000, .closes = true};
    coro_t sender = spawn_one(send_pattern, &sent), receiver = spawn_one(receive_pattern, &received);
    join_soon(sender);
    join_soon(receiver);
    CHECK_EQ(coro_read(0, &fds, 1), CORO_ECLOSED);
}

/* Known bug 12: read from whatever may be stdin; none is refused because it can't be polled. */
TEST(H12_whatever_can_be_read_is_read) {
    int ends[2], terminal[2], events = eventfd(3, EFD_CLOEXEC), memory = memfd_create("m", MFD_CLOEXEC);
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR), folder = open("/", O_RDONLY | O_DIRECTORY);
    int self = open("/proc/self/exe", O_RDONLY);
    uint64_t count = 0;
    char byte = 7;
    CHECK_EQ(coro_read(null, &byte, 1), 0);
    CHECK_EQ(coro_write(null, &byte, 1), 1);
    CHECK_EQ(coro_wait_for(null, CORO_READ), 0);
    CHECK_EQ(coro_read(zero, &byte, 1), 1);
    CHECK_EQ(byte, 0);
    CHECK_EQ(coro_write(zero, &byte, 1), 1);
    CHECK_EQ(coro_read(folder, &byte, 1), -EISDIR);
    CHECK_EQ(coro_read(self, &byte, 1), 1);
    CHECK_EQ(coro_read(events, &count, sizeof count), (ssize_t)sizeof count);
    CHECK_EQ(count, 3);
    CHECK_EQ(coro_read(memory, &byte, 1), 0);
    blocking_pipe(ends);
    CHECK_EQ(coro_write(ends[1], "p", 1), 1);
    CHECK_EQ(coro_read(ends[0], &byte, 1), 1);
    open_terminal(terminal);
    CHECK_EQ(coro_write(terminal[0], "t", 1), 1);
    CHECK_EQ(coro_read(terminal[1], &byte, 1), 1);
    CHECK_EQ(byte, 't');
}

/* Known bug 15: what was begun is undone when the system refuses the registration. */
TEST(H1_a_refused_registration_leaves_nothing_behind) {
    int fds[2];
    char byte;
    unix_pair(fds);
    CHECK(coro_loop_current() > 0); /* makes the poller, and its own registration */
    if (polls_by_ring()) test_skip("io_uring tells later of a registration that it refuses");
    for (int round = 0; round < 3; round++) {
        CHECK_EQ(coro_test_fail_call("epoll_ctl", 1, ENOSPC), 0);
        CHECK_EQ(coro_read(fds[0], &byte, 1), -ENOSPC);
    }
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(coro_test_fail_call(call_that_waits(), 1, EIO), 0);
    CHECK_EQ(read_one(AS_POINTER(fds[0])) == AS_POINTER(1), 1); /* not thought to be registered: it is tried at once */
    CHECK_EQ(coro_test_fail_call(call_that_waits(), 0, 0), 0);
    coro_t reader;
    reader = spawn_one(read_one, AS_POINTER(fds[0]));
    let_others_run();
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(join_soon(reader), 1);
}

/* A loop that can't be set up says why, holds no descriptors for it, and can be set up later. */
TEST(H1_a_poller_that_can_not_be_made_is_an_error_and_is_made_later) {
    CHECK_EQ(coro_set_backend(CORO_BACKEND_EPOLL), 0);
    static const struct { const char *call; int error; } refusals[] = {
        {"calloc", ENOMEM}, {"epoll_create1", EMFILE}, {"eventfd", ENFILE}, {"epoll_ctl", ENOMEM}};
    int fds[2];
    char byte;
    unix_pair(fds);
    int before = open_descriptors();
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(coro_test_fail_call(refusals[i].call, 1, refusals[i].error), 0);
        CHECK_EQ(coro_read(fds[0], &byte, 1), -refusals[i].error);
        CHECK_EQ(open_descriptors(), before);
    }
    CHECK_EQ(coro_test_fail_call("epoll_create1", 1, EMFILE), 0);
    CHECK_EQ(coro_event_loop(), -EMFILE);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(coro_read(fds[0], &byte, 1), 1);
}

TEST(H1_a_wait_that_the_system_breaks_off_is_an_error_for_main) {
    int fds[2];
    char byte;
    unix_pair(fds);
    CHECK_EQ(coro_test_fail_call(call_that_waits(), 1, EIO), 0);
    CHECK_EQ(coro_read(fds[0], &byte, 1), -EIO);
    CHECK_EQ(coro_test_fail_call(call_that_waits(), 1, EINTR), 0); /* a signal is no error */
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(coro_wait_for(fds[0], CORO_READ), 0);
    CHECK_EQ(coro_read(fds[0], &byte, 1), 1);
}

static int write_to;

/* Behind the loop's back: in a thread of its own. */
static void *write_now_and_then(void *unused) {
    for (int i = 0; i < 20; i++) {
        usleep(5000);
        CHECK_EQ(write(write_to, "x", 1), 1);
    }
    return unused;
}

/* Known bug 2: a duplicate of what was closed is ready again and again, and does not wake the loop: the sixth look at the
   descriptors would make it fail. */
TEST(H3_a_duplicate_of_what_was_closed_does_not_keep_the_loop_busy) {
    int fds[2];
    pthread_t thread;
    unix_pair(fds);
    coro_t reader = spawn_one(read_one, AS_POINTER(fds[0]));
    let_others_run();
    int copy = dup(fds[0]);
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(join_soon(reader), CORO_ECLOSED);
    write_to = fds[1];
    CHECK_EQ(pthread_create(&thread, NULL, write_now_and_then, NULL), 0);
    CHECK_EQ(coro_test_fail_call(call_that_waits(), 6, EIO), 0);
    CHECK_EQ(coro_sleep(CORO_MS(200)), 0);
    CHECK_EQ(coro_test_fail_call(call_that_waits(), 0, 0), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(drain(copy), 20);
}

static int woken;

static void *count_wakes(void *fd) {
    char byte;
    CHECK_EQ(coro_read(AS_INT(fd), &byte, 1), 1);
    return AS_POINTER(++woken);
}

static int to_close;

static void *close_the_middle_one(void *fd) {
    char byte;
    CHECK_EQ(coro_read(AS_INT(fd), &byte, 1), 1);
    CHECK_EQ(coro_close(to_close), 0);
    return AS_POINTER(++woken);
}

/* Known bug 8: what becomes of one event does not stop the others; and 300 are more than the poller takes at once. */
TEST(H3_closing_one_of_many_ready_descriptors_loses_no_other) {
    enum { COUNT = 300, MIDDLE = 150 };
    static int fds[COUNT][2];
    static coro_t readers[COUNT];
    for (int i = 0; i < COUNT; i++) {
        unix_pair(fds[i]);
        readers[i] = spawn_one(i == 0 ? close_the_middle_one : i == MIDDLE ? read_one : count_wakes, AS_POINTER(fds[i][0]));
    }
    to_close = fds[MIDDLE][0];
    for (int i = 0; i < 10; i++) let_others_run();
    for (int i = 0; i < COUNT; i++) CHECK_EQ(write(fds[i][1], "x", 1), 1);
    for (int i = 0; i < COUNT; i++)
        if (i != MIDDLE) CHECK(join_soon(readers[i]) > 0);
    CHECK_EQ(woken, COUNT - 1);
    int last = join_soon(readers[MIDDLE]);
    CHECK(last == CORO_ECLOSED || last == 1);
}

/* Known bug 16: nothing to read is not the end, and does not wait; 0 is what read(2) says to it. */
TEST(H6_reading_0_bytes_returns_at_once) {
    int fds[2], ends[2];
    char byte = 5;
    for (int round = 0; round < 2; round++) {
        if (round == 0) unix_pair(fds);
        else tcp_pair(fds);
        coro_t first = spawn_one(read_one, AS_POINTER(fds[0])); /* so that it is known to be empty */
        let_others_run();
        CHECK_EQ(coro_shutdown(first), 0);
        CHECK_EQ(join_soon(first), CORO_ESHUTDOWN);
        CHECK_EQ(coro_test_fail_call(call_that_waits(), 1, EIO), 0); /* a wait would end in this */
        CHECK_EQ(coro_read(fds[0], &byte, 0), 0);
        CHECK_EQ(coro_recv_exact(fds[0], &byte, 0), 0);
        CHECK_EQ(coro_write(fds[0], &byte, 0), 0);
        CHECK_EQ(coro_test_fail_call(call_that_waits(), 0, 0), 0);
    }
    CHECK_EQ(coro_pipe(ends, 0), 0);
    CHECK_EQ(coro_read(ends[0], &byte, 0), 0);
    CHECK_EQ(coro_recv_exact(ends[0], &byte, 0), 0);
    CHECK_EQ(coro_read(400, &byte, 0), -EBADF);
    CHECK_EQ(byte, 5);
}
