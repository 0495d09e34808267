/* Row H9: every call that waits, on sockets of every family and type: it holds up nobody, goes on when it can, and an
   interruption or a close ends it without loss. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"

enum { UNIX_ONLY = 1 };

/* -- the calls -- */

typedef struct io_call {
    const char *name;
    ssize_t (*call)(int fd, char *buffer, size_t n);
    int flags;
} io_call;

static ssize_t by_read(int fd, char *buffer, size_t n) { return coro_read(fd, buffer, n); }
static ssize_t by_recv(int fd, char *buffer, size_t n) { return coro_recv(fd, buffer, n, 0); }
static ssize_t by_recvfrom(int fd, char *buffer, size_t n) { return coro_recvfrom(fd, buffer, n, 0, NULL, NULL); }
static ssize_t by_recv_exact(int fd, char *buffer, size_t n) { return coro_recv_exact(fd, buffer, n); }

static ssize_t by_readv(int fd, char *buffer, size_t n) {
    struct iovec two[] = {{buffer, 1}, {buffer + 1, n - 1}};
    return coro_readv(fd, two, 2);
}

static ssize_t by_readv_exact(int fd, char *buffer, size_t n) {
    struct iovec two[] = {{buffer, n - 1}, {buffer + n - 1, 1}};
    return coro_readv_exact(fd, two, 2);
}

static ssize_t by_recvmsg(int fd, char *buffer, size_t n) {
    struct iovec one = {buffer, n};
    struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
    return coro_recvmsg(fd, &message, 0);
}

static ssize_t by_recv_fds(int fd, char *buffer, size_t n) {
    int count = 0;
    return coro_recv_fds(fd, NULL, 0, &count, buffer, n);
}

static ssize_t by_wait_and_recv(int fd, char *buffer, size_t n) {
    int code = coro_wait_for(fd, CORO_READ);
    return code < 0 ? code : recv(fd, buffer, n, MSG_DONTWAIT);
}

static const io_call receive_calls[] = {
    {"read", by_read, 0},
    {"recv", by_recv, 0},
    {"recvfrom", by_recvfrom, 0},
    {"recv_exact", by_recv_exact, 0},
    {"readv", by_readv, 0},
    {"readv_exact", by_readv_exact, 0},
    {"recvmsg", by_recvmsg, 0},
    {"recv_fds", by_recv_fds, UNIX_ONLY},
    {"wait_for", by_wait_and_recv, 0},
};

static ssize_t by_write(int fd, char *buffer, size_t n) { return coro_write(fd, buffer, n); }
static ssize_t by_send(int fd, char *buffer, size_t n) { return coro_send(fd, buffer, n, 0); }
static ssize_t by_sendto(int fd, char *buffer, size_t n) { return coro_sendto(fd, buffer, n, 0, NULL, 0); }
static ssize_t by_send_fds(int fd, char *buffer, size_t n) { return coro_send_fds(fd, NULL, 0, buffer, n); }

static ssize_t by_writev(int fd, char *buffer, size_t n) {
    struct iovec two[] = {{buffer, 1}, {buffer + 1, n - 1}};
    return coro_writev(fd, two, 2);
}

static ssize_t by_sendmsg(int fd, char *buffer, size_t n) {
    struct iovec one = {buffer, n};
    struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1};
    return coro_sendmsg(fd, &message, 0);
}

static const io_call send_calls[] = {
    {"write", by_write, 0},   {"send", by_send, 0},       {"sendto", by_sendto, 0},
    {"writev", by_writev, 0}, {"sendmsg", by_sendmsg, 0}, {"send_fds", by_send_fds, UNIX_ONLY},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* -- the sockets -- */

typedef struct socket_kind {
    const char *name;
    int family, type;
    bool by_pair; /* socketpair() */
} socket_kind;

static const socket_kind kinds[] = {
    {"TCP", AF_INET, SOCK_STREAM, false},
    {"TCP over IPv6", AF_INET6, SOCK_STREAM, false},
    {"UDP", AF_INET, SOCK_DGRAM, false},
    {"UDP over IPv6", AF_INET6, SOCK_DGRAM, false},
    {"Unix stream", AF_UNIX, SOCK_STREAM, false},
    {"Unix datagram", AF_UNIX, SOCK_DGRAM, false},
    {"Unix seqpacket", AF_UNIX, SOCK_SEQPACKET, false},
    {"pair of streams", AF_UNIX, SOCK_STREAM, true},
    {"pair of datagrams", AF_UNIX, SOCK_DGRAM, true},
    {"pair of seqpackets", AF_UNIX, SOCK_SEQPACKET, true},
};

static int bound_datagrams(int family, address *at) {
    int fd = coro_socket(family, SOCK_DGRAM, 0);
    CHECK(fd >= 0);
    *at = loopback(family);
    CHECK_EQ(coro_bind(fd, (struct sockaddr *)&at->storage, at->length), 0);
    at->length = sizeof at->storage;
    CHECK_EQ(coro_getsockname(fd, (struct sockaddr *)&at->storage, &at->length), 0);
    return fd;
}

/* Two that are connected. */
static void make_pair(const socket_kind *kind, int fds[2]) {
    address at[2];
    if (kind->by_pair) {
        CHECK_EQ(coro_socketpair(kind->family, kind->type, 0, fds), 0);
    } else if (kind->type == SOCK_DGRAM) {
        for (int i = 0; i < 2; i++) fds[i] = bound_datagrams(kind->family, &at[i]);
        for (int i = 0; i < 2; i++)
            CHECK_EQ(coro_connect(fds[i], (struct sockaddr *)&at[1 - i].storage, at[1 - i].length), 0);
    } else {
        int listener = make_listener(kind->family, kind->type, 1, &at[0]);
        fds[0] = coro_socket(kind->family, kind->type, 0);
        CHECK_EQ(coro_connect(fds[0], (struct sockaddr *)&at[0].storage, at[0].length), 0);
        fds[1] = coro_accept(listener, NULL, NULL);
        CHECK(fds[1] >= 0);
        CHECK_EQ(coro_close(listener), 0);
    }
}

/* -- one call in a coroutine -- */

typedef struct attempt {
    const io_call *by;
    int fd;
    char buffer[8];
    coro_t co;
} attempt;

static void *run_attempt(void *of_attempt) {
    attempt *attempt = of_attempt;
    return AS_POINTER(attempt->by->call(attempt->fd, attempt->buffer, 5));
}

/* It waits now, for that. */
static void start_attempt(attempt *attempt, const io_call *by, int fd, int wait_kind) {
    *attempt = (struct attempt){by, fd, "abcde", 0};
    attempt->co = spawn_one(run_attempt, attempt);
    let_others_run();
    coro_info info = info_of(attempt->co);
    if (info.wait_kind != wait_kind && !(wait_kind == CORO_WAIT_WRITE && info.wait_kind == CORO_WAIT_SLEEP))
        test_fail(__FILE__, __LINE__, "%s: %s", by->name, info.waiting);
}

static void check_receiving(const socket_kind *kind, const io_call *receive, const io_call *send) {
    int fds[2];
    attempt attempt, second;
    char text[] = "hello";
    make_pair(kind, fds);
    /* It waits, and gets what comes. */
    start_attempt(&attempt, receive, fds[1], CORO_WAIT_READ);
    second = (struct attempt){receive, fds[1], "", 0};
    CHECK_EQ(join_soon(spawn_one(run_attempt, &second)), CORO_ESIMULTANEOUS);
    CHECK_EQ(coro_error_other(), attempt.co);
    CHECK_EQ(send->call(fds[0], text, 5), 5);
    CHECK_EQ(join_soon(attempt.co), 5);
    CHECK(memcmp(attempt.buffer, "hello", 5) == 0);
    /* Interrupted before and after something has come: it is there for the next. */
    for (int comes_first = 0; comes_first < 2; comes_first++) {
        start_attempt(&attempt, receive, fds[1], CORO_WAIT_READ);
        if (comes_first) CHECK_EQ(send->call(fds[0], text, 5), 5);
        CHECK_EQ(coro_shutdown(attempt.co), 0);
        if (!comes_first) CHECK_EQ(send->call(fds[0], text, 5), 5);
        CHECK_EQ(join_soon(attempt.co), CORO_ESHUTDOWN);
        attempt = (struct attempt){receive, fds[1], "", 0};
        CHECK_EQ(join_soon(spawn_one(run_attempt, &attempt)), 5);
        CHECK(memcmp(attempt.buffer, "hello", 5) == 0);
    }
    start_attempt(&attempt, receive, fds[1], CORO_WAIT_READ);
    CHECK_EQ(coro_close(fds[1]), 0);
    CHECK_EQ(join_soon(attempt.co), CORO_ECLOSED);
    CHECK_EQ(coro_close(fds[0]), 0);
}

TEST(H9_every_receiving_call_waits_on_every_kind_of_socket) {
    int before = 0;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        for (size_t i = 0; i < COUNT(receive_calls); i++) {
            if (receive_calls[i].flags & UNIX_ONLY && kinds[k].family != AF_UNIX) continue;
            check_receiving(&kinds[k], &receive_calls[i], &send_calls[i % 5]);
        }
        if (k == 0) before = open_descriptors();
    }
    CHECK_EQ(open_descriptors(), before);
    CHECK_EQ(coro_get_live_sockets(), 0);
}

static void check_sending(const socket_kind *kind, const io_call *send) {
    int fds[2];
    attempt attempt, second;
    make_pair(kind, fds);
    CHECK(fill(fds[0]) > 0);
    start_attempt(&attempt, send, fds[0], CORO_WAIT_WRITE);
    second = (struct attempt){send, fds[0], "", 0};
    if (info_of(attempt.co).wait_kind == CORO_WAIT_WRITE) {
        CHECK_EQ(join_soon(spawn_one(run_attempt, &second)), CORO_ESIMULTANEOUS);
        CHECK_EQ(coro_error_other(), attempt.co);
    }
    CHECK_EQ(coro_shutdown(attempt.co), 0);
    CHECK_EQ(join_soon(attempt.co), CORO_ESHUTDOWN);
    CHECK_EQ(coro_error_progress(), 0);
    start_attempt(&attempt, send, fds[0], CORO_WAIT_WRITE);
    for (int i = 0; i < 1000 && coro_is_alive(attempt.co); i++) {
        drain(fds[1]);
        CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    }
    CHECK_EQ(join_soon(attempt.co), 5);
    drain(fds[1]);
    CHECK(fill(fds[0]) > 0);
    start_attempt(&attempt, send, fds[0], CORO_WAIT_WRITE);
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(join_soon(attempt.co), CORO_ECLOSED);
    CHECK_EQ(coro_close(fds[1]), 0);
}

/* UDP has no full: it drops. */
TEST(H9_every_sending_call_waits_on_every_kind_of_socket) {
    for (size_t k = 0; k < COUNT(kinds); k++)
        for (size_t i = 0; i < COUNT(send_calls); i++)
            if (kinds[k].family == AF_UNIX || (kinds[k].type == SOCK_STREAM && !(send_calls[i].flags & UNIX_ONLY)))
                check_sending(&kinds[k], &send_calls[i]);
    CHECK_EQ(coro_get_live_sockets(), 0);
}

/* What was sent before the end is read, then comes the end, on whatever keeps an order. */
TEST(H9_half_closed_connections) {
    for (size_t k = 0; k < COUNT(kinds); k++) {
        int fds[2];
        char buffer[8];
        if (kinds[k].type == SOCK_DGRAM) continue;
        make_pair(&kinds[k], fds);
        attempt attempt;
        start_attempt(&attempt, &receive_calls[0], fds[1], CORO_WAIT_READ);
        CHECK_EQ(coro_write(fds[0], "last", 4), 4);
        CHECK_EQ(coro_shutdown_socket(fds[0], SHUT_WR), 0);
        CHECK_EQ(join_soon(attempt.co), 4);
        CHECK_EQ(coro_read(fds[1], buffer, sizeof buffer), 0);
        CHECK_EQ(coro_recv_exact(fds[1], buffer, 1), CORO_EEOF);
        /* The other way is open. */
        CHECK_EQ(coro_write(fds[1], "answer", 6), 6);
        CHECK_EQ(coro_read(fds[0], buffer, sizeof buffer), 6);
        CHECK_EQ(coro_write(fds[0], "x", 1), -EPIPE);
        CHECK_EQ(coro_close(fds[0]) + coro_close(fds[1]), 0);
    }
}
