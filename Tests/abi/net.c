#define _GNU_SOURCE
#include "net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <termios.h>

int join_soon(coro_t co) {
    void *result = NULL;
    CHECK_EQ(coro_join(co, &result, CORO_SECONDS(30)), 0);
    return AS_INT(result);
}

coro_t spawn_one(coro_fn fn, void *arg) {
    coro_t co = coro_spawn(fn, arg);
    CHECK(co > 0);
    return co;
}

void let_others_run(void) {
    for (int i = 0; i < 4; i++) CHECK_EQ(coro_yield_slice(), 0);
}

/* Neighbouring blocks of any power of two differ, so that a block in the wrong place is seen. */
static char pattern_at(size_t position) {
    return (char)(position * 31 + (position >> 8) * 7 + (position >> 16) * 13);
}

void pattern_fill(char *buffer, size_t n, size_t offset) {
    for (size_t i = 0; i < n; i++) buffer[i] = pattern_at(offset + i);
}

void pattern_check(const char *buffer, size_t n, size_t offset) {
    for (size_t i = 0; i < n; i++)
        if (buffer[i] != pattern_at(offset + i)) test_fail(__FILE__, __LINE__, "byte %zu is wrong", offset + i);
}

void *send_pattern(void *of_transfer) {
    transfer *to = of_transfer;
    char *buffer = malloc(to->chunk);
    for (size_t sent = 0; sent < to->total;) {
        size_t n = to->total - sent < to->chunk ? to->total - sent : to->chunk;
        pattern_fill(buffer, n, sent);
        CHECK_EQ(coro_write(to->fd, buffer, n), n);
        sent += n;
    }
    free(buffer);
    if (to->closes) CHECK_EQ(coro_close(to->fd), 0);
    return NULL;
}

void *receive_pattern(void *of_transfer) {
    transfer *from = of_transfer;
    char *buffer = malloc(from->chunk);
    size_t received = 0;
    ssize_t got;
    while (received < from->total && (got = coro_read(from->fd, buffer, from->chunk)) != 0) {
        if (got < 0) test_fail(__FILE__, __LINE__, "read: %s after %zu", coro_strerror((int)got), received);
        pattern_check(buffer, (size_t)got, received);
        received += (size_t)got;
    }
    CHECK_EQ(received, from->total);
    if (from->closes) CHECK_EQ(coro_read(from->fd, buffer, from->chunk), 0);
    free(buffer);
    return NULL;
}

address loopback(int family) {
    static int serial;
    address at = {.length = sizeof(struct sockaddr_in)};
    at.storage.ss_family = (sa_family_t)family;
    if (family == AF_INET) {
        ((struct sockaddr_in *)&at.storage)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else if (family == AF_INET6) {
        ((struct sockaddr_in6 *)&at.storage)->sin6_addr = in6addr_loopback;
        at.length = sizeof(struct sockaddr_in6);
    } else {
        struct sockaddr_un *path = (struct sockaddr_un *)&at.storage;
        int n = snprintf(path->sun_path + 1, sizeof path->sun_path - 1, "libcoro-test-%d-%d", (int)getpid(), serial++);
        at.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    }
    return at;
}

int make_listener(int family, int type, int backlog, address *at) {
    int fd = coro_socket(family, type, 0);
    CHECK(fd >= 0);
    *at = loopback(family);
    CHECK_EQ(coro_bind(fd, (struct sockaddr *)&at->storage, at->length), 0);
    CHECK_EQ(coro_listen(fd, backlog), 0);
    at->length = sizeof at->storage;
    CHECK_EQ(coro_getsockname(fd, (struct sockaddr *)&at->storage, &at->length), 0);
    return fd;
}

void tcp_pair(int fds[2]) {
    address at;
    int listener = make_listener(AF_INET, SOCK_STREAM, 1, &at);
    fds[0] = coro_socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fds[0] >= 0);
    CHECK_EQ(coro_connect(fds[0], (struct sockaddr *)&at.storage, at.length), 0);
    fds[1] = coro_accept(listener, NULL, NULL);
    CHECK(fds[1] >= 0);
    CHECK_EQ(coro_close(listener), 0);
}

void unix_pair(int fds[2]) {
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
}

void blocking_pipe(int fds[2]) {
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
}

void open_terminal(int fds[2]) {
    struct termios settings;
    fds[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fds[0] < 0) test_skip("no pseudo terminals");
    CHECK(grantpt(fds[0]) == 0 && unlockpt(fds[0]) == 0);
    fds[1] = open(ptsname(fds[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(fds[1] >= 0);
    CHECK(tcgetattr(fds[1], &settings) == 0);
    cfmakeraw(&settings);
    CHECK(tcsetattr(fds[1], TCSANOW, &settings) == 0);
}

size_t fill(int fd) {
    static char zeroes[4096];
    size_t total = 0;
    /* Big pieces first: what is left then is filled byte by byte. */
    for (size_t piece = sizeof zeroes; piece > 0; piece = piece > 1 ? 1 : 0) {
        struct iovec whole = {zeroes, piece};
        ssize_t put;
        while ((put = send(fd, zeroes, piece, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0 ||
               (put < 0 && errno == ENOTSOCK && (put = pwritev2(fd, &whole, 1, -1, RWF_NOWAIT)) > 0))
            total += (size_t)put;
    }
    return total;
}

size_t drain(int fd) {
    char buffer[4096];
    struct iovec whole = {buffer, sizeof buffer};
    size_t total = 0;
    ssize_t got;
    while ((got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0 ||
           (got < 0 && errno == ENOTSOCK && (got = preadv2(fd, &whole, 1, -1, RWF_NOWAIT)) > 0))
        total += (size_t)got;
    return total;
}

long resident_kb(void) {
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL && fscanf(file, "%ld %ld", &size, &resident) == 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

void *read_one(void *fd) {
    char byte;
    return AS_POINTER(coro_read(AS_INT(fd), &byte, 1));
}
