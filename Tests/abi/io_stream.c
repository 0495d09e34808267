/* Rows H5, H6, H10 and H11: bytes through sockets and pipes, all of them, in order, and to their end. */
#define _GNU_SOURCE
#include "net.h"

#include <fcntl.h>

static void make_small(int fd) {
    int size = 1;
    CHECK_EQ(coro_setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0); /* the kernel makes it its least */
}

/* Both directions at once, so that each descriptor has a reader and a writer that wait; known bug 17: a write that was
   taken in part goes on where it was. */
static void transfer_both_ways(int a, int b, size_t total) {
    transfer there = {a, total, total, false}, arrives = {b, total, 10007, false};
    transfer back = {b, total, 65537, false}, returns = {a, total, 3001, false};
    coro_t all[] = {spawn_one(receive_pattern, &arrives), spawn_one(send_pattern, &there),
                    spawn_one(send_pattern, &back), spawn_one(receive_pattern, &returns)};
    for (int i = 0; i < 4; i++) join_soon(all[i]);
    CHECK_EQ(coro_shutdown_socket(a, SHUT_WR), 0);
    transfer end = {b, 0, 16, true};
    join_soon(spawn_one(receive_pattern, &end));
}

TEST(H5_a_unix_pair_with_the_least_buffers_carries_megabytes) {
    int fds[2];
    unix_pair(fds);
    make_small(fds[0]);
    make_small(fds[1]);
    transfer_both_ways(fds[0], fds[1], 3 << 20);
}

TEST(H5_a_tcp_connection_with_the_least_buffers_carries_megabytes) {
    int fds[2];
    tcp_pair(fds);
    make_small(fds[0]);
    make_small(fds[1]);
    transfer_both_ways(fds[0], fds[1], 3 << 20);
}

TEST(H5_a_tcp_connection_carries_megabytes) {
    int fds[2];
    tcp_pair(fds);
    transfer_both_ways(fds[0], fds[1], 16 << 20);
}

TEST(H10_a_pipe_carries_megabytes_and_then_ends) {
    int ends[2];
    CHECK_EQ(coro_pipe(ends, O_CLOEXEC), 0);
    transfer in = {ends[1], 8 << 20, 300001, true}, out = {ends[0], 8 << 20, 70001, true};
    coro_t reader = spawn_one(receive_pattern, &out), writer = spawn_one(send_pattern, &in);
    join_soon(writer);
    join_soon(reader);
}

TEST(H10_pipe_flags_are_honoured) {
    int ends[2];
    CHECK_EQ(coro_pipe(ends, O_CLOEXEC), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(fcntl(ends[i], F_GETFD), FD_CLOEXEC);
        CHECK(fcntl(ends[i], F_GETFL) & O_NONBLOCK);
    }
    CHECK_EQ(coro_pipe(ends, 0), 0);
    CHECK_EQ(fcntl(ends[0], F_GETFD), 0);
    CHECK_EQ(coro_pipe(ends, 1), -EINVAL);
    /* O_DIRECT keeps writes apart. */
    char buffer[16];
    CHECK_EQ(coro_pipe(ends, O_DIRECT), 0);
    CHECK_EQ(coro_write(ends[1], "ab", 2), 2);
    CHECK_EQ(coro_write(ends[1], "cde", 3), 3);
    CHECK_EQ(coro_read(ends[0], buffer, sizeof buffer), 2);
    CHECK_EQ(coro_read(ends[0], buffer, sizeof buffer), 3);
}

/* Shrapnel's defect 2: the reader of a pipe was parked for ever. */
TEST(H10_a_parked_reader_sees_the_end_when_the_writer_closes) {
    int ends[2], fds[2];
    CHECK_EQ(coro_pipe(ends, 0), 0);
    coro_t reader = spawn_one(read_one, AS_POINTER(ends[0]));
    let_others_run();
    CHECK_EQ(coro_close(ends[1]), 0);
    CHECK_EQ(join_soon(reader), 0);
    tcp_pair(fds);
    reader = spawn_one(read_one, AS_POINTER(fds[0]));
    let_others_run();
    CHECK_EQ(coro_close(fds[1]), 0);
    CHECK_EQ(join_soon(reader), 0);
}

static void *write_a_megabyte(void *fd) {
    static char zeroes[1 << 20];
    ssize_t result = coro_write(AS_INT(fd), zeroes, sizeof zeroes);
    CHECK(result < 0);
    trace("%d", (int)coro_error_progress());
    return AS_POINTER(result);
}

TEST(H5_progress_tells_what_an_interrupted_write_had_sent) {
    int fds[2], ends[2];
    char expected[32];
    for (int round = 0; round < 2; round++) {
        if (round == 0) unix_pair(fds);
        else {
            CHECK_EQ(coro_pipe(ends, 0), 0);
            fds[0] = ends[1];
            fds[1] = ends[0];
        }
        coro_t writer = spawn_one(write_a_megabyte, AS_POINTER(fds[0]));
        let_others_run();
        CHECK_EQ(coro_shutdown(writer), 0);
        CHECK_EQ(join_soon(writer), CORO_ESHUTDOWN);
        snprintf(expected, sizeof expected, "%zu ", drain(fds[1]));
        CHECK_CONTAINS(traced(), expected);
        CHECK(atoi(expected) > 0);
    }
}

/* The reader goes away under a writer that waits, with the default action of SIGPIPE, which would end the process. */
static void break_under_writer(int write_end, int read_end) {
    struct sigaction action;
    char byte = 0;
    signal(SIGPIPE, SIG_DFL);
    coro_t writer = spawn_one(write_a_megabyte, AS_POINTER(write_end));
    let_others_run();
    CHECK_EQ(coro_close(read_end), 0);
    int code = join_soon(writer);
    CHECK(code == -EPIPE || code == -ECONNRESET);
    CHECK_EQ(coro_write(write_end, &byte, 1), -EPIPE);
    CHECK_EQ(coro_write(write_end, &byte, 1), -EPIPE);
    CHECK(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    sigset_t pending, blocked;
    sigpending(&pending);
    CHECK_EQ(sigismember(&pending, SIGPIPE), 0);
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
    CHECK_EQ(sigismember(&blocked, SIGPIPE), 0);
}

/* Known bug 23. */
TEST(H5_sigpipe_never_comes_from_a_socket) {
    int fds[2];
    unix_pair(fds);
    break_under_writer(fds[0], fds[1]);
    CHECK_EQ(coro_send(fds[0], "x", 1, 0), -EPIPE);
    tcp_pair(fds);
    make_small(fds[0]);
    break_under_writer(fds[0], fds[1]);
    CHECK_EQ(coro_sendto(fds[0], "x", 1, 0, NULL, 0), -EPIPE);
}

TEST(H5_sigpipe_never_comes_from_a_pipe) {
    int ends[2];
    CHECK_EQ(coro_pipe(ends, 0), 0);
    break_under_writer(ends[1], ends[0]);
    blocking_pipe(ends);
    break_under_writer(ends[1], ends[0]);
}

/* The way of kernels that know no RWF_NOSIGNAL, by failing the call that they would fail. */
TEST(H5_sigpipe_never_comes_from_a_pipe_on_older_kernels) {
    int ends[2];
    CHECK_EQ(coro_pipe(ends, 0), 0);
    CHECK_EQ(coro_test_fail_call("write", 1, EOPNOTSUPP), 0);
    break_under_writer(ends[1], ends[0]);
    blocking_pipe(ends);
    break_under_writer(ends[1], ends[0]);
    CHECK_EQ(coro_pipe(ends, 0), 0);
    transfer in = {ends[1], 1 << 20, 300001, true}, out = {ends[0], 1 << 20, 70001, true};
    coro_t reader = spawn_one(receive_pattern, &out);
    join_soon(spawn_one(send_pattern, &in));
    join_soon(reader);
}

/* A SIGPIPE of the program's own that is pending stays so. */
TEST(H5_a_pending_sigpipe_is_not_taken_away) {
    int ends[2];
    sigset_t sigpipe, pending;
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe, NULL);
    raise(SIGPIPE);
    CHECK_EQ(coro_pipe(ends, 0), 0);
    CHECK_EQ(coro_close(ends[0]), 0);
    CHECK_EQ(coro_write(ends[1], "x", 1), -EPIPE);
    CHECK_EQ(coro_test_fail_call("write", 1, EOPNOTSUPP), 0);
    CHECK_EQ(coro_write(ends[1], "x", 1), -EPIPE);
    sigpending(&pending);
    CHECK_EQ(sigismember(&pending, SIGPIPE), 1);
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &pending), 0);
    CHECK_EQ(sigismember(&pending, SIGPIPE), 1); /* and stays blocked */
}

static void *receive_exactly_ten(void *fd) {
    char buffer[11] = "..........";
    ssize_t got = coro_recv_exact(AS_INT(fd), buffer, 10);
    trace("%d:%s", (int)coro_error_progress(), buffer);
    return AS_POINTER(got);
}

TEST(H6_recv_exact_waits_for_all_or_says_how_much_came) {
    int fds[2];
    unix_pair(fds);
    coro_t reader = spawn_one(receive_exactly_ten, AS_POINTER(fds[0]));
    for (int i = 0; i < 10; i++) {
        let_others_run();
        CHECK(coro_is_alive(reader));
        CHECK_EQ(coro_write(fds[1], &"0123456789"[i], 1), 1);
    }
    CHECK_EQ(join_soon(reader), 10);
    CHECK_CONTAINS(traced(), "0:0123456789");

    reader = spawn_one(receive_exactly_ten, AS_POINTER(fds[0]));
    CHECK_EQ(coro_write(fds[1], "abc", 3), 3);
    let_others_run();
    CHECK_EQ(coro_shutdown(reader), 0);
    CHECK_EQ(join_soon(reader), CORO_ESHUTDOWN);
    CHECK_CONTAINS(traced(), "3:abc.......");

    CHECK_EQ(coro_write(fds[1], "defg", 4), 4);
    CHECK_EQ(coro_close(fds[1]), 0);
    CHECK_EQ(join_soon(spawn_one(receive_exactly_ten, AS_POINTER(fds[0]))), CORO_EEOF);
    CHECK_CONTAINS(traced(), "4:defg......");
    CHECK_EQ(join_soon(spawn_one(receive_exactly_ten, AS_POINTER(fds[0]))), CORO_EEOF);
}

TEST(H6_a_peek_takes_nothing) {
    int fds[2];
    char buffer[8];
    tcp_pair(fds);
    CHECK_EQ(coro_write(fds[1], "hello", 5), 5);
    CHECK_EQ(coro_wait_for(fds[0], CORO_READ), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_recv(fds[0], buffer, sizeof buffer, MSG_PEEK), 5);
    CHECK_EQ(coro_recv(fds[0], buffer, 2, 0), 2);
    CHECK_EQ(coro_recv(fds[0], buffer, sizeof buffer, 0), 3);
}

/* A stream of Unix is cut where descriptors are sent with it: a read that got less than it had room for has not emptied it. */
static void send_with_descriptor(int fd, char byte) {
    struct iovec data = {&byte, 1};
    union { char space[CMSG_SPACE(sizeof(int))]; struct cmsghdr header; } control;
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(part), &(int){2}, sizeof(int));
    CHECK_EQ(sendmsg(fd, &message, 0), 1);
}

static void *read_nine(void *fd) {
    char buffer[64];
    for (int total = 0; total < 9;) {
        ssize_t got = coro_read(AS_INT(fd), buffer, sizeof buffer);
        CHECK(got > 0);
        total += (int)got;
    }
    return NULL;
}

TEST(H6_short_reads_of_a_unix_stream_do_not_hang) {
    int fds[2];
    unix_pair(fds);
    coro_t reader = spawn_one(read_nine, AS_POINTER(fds[0]));
    let_others_run(); /* it is registered, so that one event is all that comes */
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(write(fds[1], "a", 1), 1);
        send_with_descriptor(fds[1], 'b');
        send_with_descriptor(fds[1], 'c');
    }
    CHECK_EQ(coro_test_fail_call(call_that_waits(), 8, EIO), 0); /* not by looking again after a while, either */
    join_soon(reader);
    CHECK_EQ(coro_test_fail_call(call_that_waits(), 0, 0), 0);
}

/* The loop looks again at descriptors that somebody has waited for for a tenth of a second. That ends a hang, and hides it:
   so many rounds, none of which waits for anything, take a few milliseconds in all, or seconds. */
#define CHECK_NOT_BY_LOOKING_AGAIN(began) CHECK(coro_get_now() - (began) < CORO_MS(1500))

/* A stream of TCP is cut where urgent data were. */
TEST(H6_urgent_data_do_not_make_a_later_read_hang) {
    int fds[2];
    tcp_pair(fds);
    int64_t began = coro_get_now();
    for (int round = 0; round < 40; round++) {
        coro_t reader = spawn_one(read_nine, AS_POINTER(fds[0]));
        let_others_run();
        CHECK_EQ(coro_send(fds[1], "1234", 4, 0), 4);
        CHECK_EQ(coro_send(fds[1], "!", 1, MSG_OOB), 1);
        CHECK_EQ(coro_send(fds[1], "56789", 5, 0), 5);
        join_soon(reader);
    }
    CHECK_NOT_BY_LOOKING_AGAIN(began);
}

TEST(H11_a_half_closed_connection_carries_the_other_direction) {
    int fds[2];
    char byte;
    for (int round = 0; round < 2; round++) {
        if (round == 0) unix_pair(fds);
        else tcp_pair(fds);
        CHECK_EQ(coro_shutdown_socket(fds[0], SHUT_WR), 0);
        CHECK_EQ(coro_read(fds[1], &byte, 1), 0);
        transfer back = {fds[1], 1 << 20, 100000, true}, arrives = {fds[0], 1 << 20, 100000, true};
        coro_t sender = spawn_one(send_pattern, &back), receiver = spawn_one(receive_pattern, &arrives);
        join_soon(sender);
        join_soon(receiver);
        CHECK_EQ(coro_write(fds[0], &byte, 1), -EPIPE);
        CHECK_EQ(coro_shutdown_socket(fds[1], 77), CORO_ECLOSED);
    }
}

/* The end may come in one event with the last data, and there is no second event for it. */
TEST(H6_the_end_that_came_together_with_data_is_seen) {
    int64_t began = coro_get_now();
    for (int round = 0; round < 160; round++) {
        int fds[2];
        if (round % 2) unix_pair(fds);
        else tcp_pair(fds);
        transfer arrives = {fds[0], 5000, round % 4 < 2 ? 8192 : 100, true}, sends = {fds[1], 5000, 5000, true};
        coro_t receiver = spawn_one(receive_pattern, &arrives);
        let_others_run();
        join_soon(spawn_one(send_pattern, &sends)); /* data and FIN, before the receiver runs again */
        join_soon(receiver);
        CHECK_EQ(coro_close(fds[0]), 0);
    }
    CHECK_NOT_BY_LOOKING_AGAIN(began);
}
