#define _GNU_SOURCE
#include "coro_messages.h"
#include "coro_poller.h"
#include "coro_process.h"
#include "system_call.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x00000100 /* Linux 6.18 */
#endif

static int socket_option(int fd, int option) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

enum coro_descriptor_kind coro_system_socket_kind(int family, int type, int protocol) {
    bool internet = family == AF_INET || family == AF_INET6;
    bool tcp = internet && (type & 0xf) == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP);
    return tcp ? CORO_KIND_STREAM : CORO_KIND_SOCKET;
}

bool coro_system_is_of_connection(int error) {
    switch (error) {
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET: return true;
    default: return false;
    }
}

bool coro_system_is_connected(int fd) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    return getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
}

enum coro_descriptor_kind coro_system_pipe_kind(int flags) {
    return flags & O_DIRECT ? CORO_KIND_NONBLOCKING : CORO_KIND_BYTE_PIPE;
}

static enum coro_descriptor_kind kind_of_socket(int fd) {
    return coro_system_socket_kind(socket_option(fd, SO_DOMAIN), socket_option(fd, SO_TYPE), socket_option(fd, SO_PROTOCOL));
}

bool coro_system_has_ipv6(void) {
    struct sockaddr_in6 here = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = coro_system_socket(AF_INET6, SOCK_DGRAM, 0);
    if (fd < 0) return false;
    bool bound = coro_system_bind(fd, (struct sockaddr *)&here, sizeof here) == 0;
    coro_system_close(fd);
    return bound;
}

void coro_system_allow_reuse(int fd) {
    int on = 1;
    if (kind_of_socket(fd) == CORO_KIND_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

int coro_system_descriptor_kind(int fd, bool *blocking_mode) {
    int flags = (int)CORO_CALL(fcntl, fcntl(fd, F_GETFL));
    struct stat status;
    if (flags < 0) return flags;
    *blocking_mode = !(flags & O_NONBLOCK);
    if (fstat(fd, &status) != 0) return -errno;
    if (S_ISSOCK(status.st_mode)) return kind_of_socket(fd);
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISBLK(status.st_mode)) return CORO_KIND_FILE;
    if (*blocking_mode) return CORO_KIND_PIPE;
    /* Not a byte pipe, even if it is one: whether there are packets in a pipe is a matter of its other end. */
    return CORO_KIND_NONBLOCKING;
}

int coro_system_reopen_terminal(int fd) {
    char path[32];
    unsigned number;
    if (!isatty(fd)) return -errno;
    /* The master's side of a pseudo-terminal can't be: its device makes a new pair each time. */
    if (ioctl(fd, TIOCGPTN, &number) == 0) return -EINVAL;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int copy = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (copy < 0) return -errno;
    /* Not in the place of a standard stream that is closed for the moment. */
    return coro_system_move_above_standard(copy);
}

int coro_system_ready_events(int fd, int events) {
    struct pollfd one = {.fd = fd};
    if (events & CORO_POLL_READ) one.events |= POLLIN;
    if (events & CORO_POLL_WRITE) one.events |= POLLOUT;
    int count = (int)CORO_CALL(poll, poll(&one, 1, 0));
    if (count <= 0) return count;
    if (one.revents & POLLNVAL) return -EBADF;
    /* What is broken does not block. */
    if (one.revents & ~(POLLIN | POLLOUT)) return events;
    return (one.revents & POLLIN ? CORO_POLL_READ : 0) | (one.revents & POLLOUT ? CORO_POLL_WRITE : 0);
}

int coro_system_ready(int fd, bool to_write) {
    int ready = coro_system_ready_events(fd, to_write ? CORO_POLL_WRITE : CORO_POLL_READ);
    return ready > 0 ? 1 : ready;
}

/* A pipe, a terminal or another device that is in blocking mode. */
static ssize_t read_without_blocking(int fd, void *buffer, size_t n) {
    struct iovec whole = {.iov_base = buffer, .iov_len = n};
    ssize_t result = CORO_CALL(read, preadv2(fd, &whole, 1, -1, RWF_NOWAIT));
    if (result != -EOPNOTSUPP && result != -ENOSYS) return result;
    int ready = coro_system_ready(fd, false);
    if (ready <= 0) return ready < 0 ? ready : -EAGAIN;
    return CORO_CALL(read, read(fd, buffer, n));
}

/* What of a file is in memory. */
static ssize_t read_cached(int fd, void *buffer, size_t n) {
    struct iovec whole = {.iov_base = buffer, .iov_len = n};
    ssize_t result = CORO_CALL(read, preadv2(fd, &whole, 1, -1, RWF_NOWAIT));
    return result == -EOPNOTSUPP || result == -ENOSYS ? -EAGAIN : result;
}

ssize_t coro_system_read(int fd, int kind, void *buffer, size_t n) {
    switch (kind) {
    case CORO_KIND_STREAM:
    case CORO_KIND_SOCKET: return CORO_CALL(read, recv(fd, buffer, n, MSG_DONTWAIT));
    case CORO_KIND_PIPE:
    case CORO_KIND_TERMINAL: return read_without_blocking(fd, buffer, n);
    case CORO_KIND_FILE: return read_cached(fd, buffer, n);
    default: return CORO_CALL(read, read(fd, buffer, n));
    }
}

/* For calls that can't be told to raise none: a SIGPIPE that one raised is taken back before anybody sees it. */
typedef struct held_sigpipe {
    sigset_t before;
    bool was_pending;
} held_sigpipe;

static void only_sigpipe(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGPIPE);
}

static void hold_sigpipe(held_sigpipe *held) {
    sigset_t sigpipe, pending;
    only_sigpipe(&sigpipe);
    sigpending(&pending);
    held->was_pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe, &held->before);
}

static ssize_t release_sigpipe(const held_sigpipe *held, ssize_t result) {
    if (result == -EPIPE && !held->was_pending) {
        sigset_t sigpipe;
        struct timespec now = {0};
        only_sigpipe(&sigpipe);
        while (sigtimedwait(&sigpipe, NULL, &now) < 0 && errno == EINTR) {}
    }
    pthread_sigmask(SIG_SETMASK, &held->before, NULL);
    return result;
}

static ssize_t write_holding_sigpipe(int fd, const void *buffer, size_t n) {
    held_sigpipe held;
    hold_sigpipe(&held);
    return release_sigpipe(&held, CORO_CALL(write, write(fd, buffer, n)));
}

ssize_t coro_system_sendfile(int out, int in, off_t *offset, size_t n) {
    held_sigpipe held;
    hold_sigpipe(&held);
    return release_sigpipe(&held, CORO_CALL(sendfile, sendfile(out, in, offset, n)));
}

static ssize_t write_without_sigpipe(int fd, const void *buffer, size_t n, int flags) {
    static int unsupported;
    if (!__atomic_load_n(&unsupported, __ATOMIC_RELAXED)) {
        struct iovec whole = {.iov_base = (void *)buffer, .iov_len = n};
        ssize_t result = CORO_CALL(write, pwritev2(fd, &whole, 1, -1, flags | RWF_NOSIGNAL));
        if (result != -EOPNOTSUPP && result != -ENOSYS) return result;
        if (flags == 0) __atomic_store_n(&unsupported, 1, __ATOMIC_RELAXED);
    }
    if (flags & RWF_NOWAIT) {
        int ready = coro_system_ready(fd, true);
        if (ready <= 0) return ready < 0 ? ready : -EAGAIN;
        if (n > 4096) n = 4096; /* PIPE_BUF: what a writable pipe has room for */
    }
    return write_holding_sigpipe(fd, buffer, n);
}

ssize_t coro_system_write(int fd, int kind, const void *buffer, size_t n) {
    switch (kind) {
    case CORO_KIND_STREAM:
    case CORO_KIND_SOCKET: return CORO_CALL(write, send(fd, buffer, n, MSG_DONTWAIT | MSG_NOSIGNAL));
    case CORO_KIND_FILE: return -EAGAIN; /* most file systems can't tell whether it would block */
    default: return write_without_sigpipe(fd, buffer, n, kind == CORO_KIND_PIPE ? RWF_NOWAIT : 0);
    }
}

ssize_t coro_system_recv(int fd, void *buffer, size_t n, int flags) {
    return CORO_CALL(recv, recv(fd, buffer, n, flags | MSG_DONTWAIT));
}

ssize_t coro_system_recvfrom(int fd, void *buffer, size_t n, int flags, struct sockaddr *address, socklen_t *length) {
    return CORO_CALL(recvfrom, recvfrom(fd, buffer, n, flags | MSG_DONTWAIT, address, length));
}

ssize_t coro_system_send(int fd, const void *buffer, size_t n, int flags) {
    return CORO_CALL(send, send(fd, buffer, n, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
}

ssize_t coro_system_sendto(int fd, const void *buffer, size_t n, int flags, const struct sockaddr *address, socklen_t length) {
    return CORO_CALL(sendto, sendto(fd, buffer, n, flags | MSG_DONTWAIT | MSG_NOSIGNAL, address, length));
}

int coro_system_accept(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    return (int)CORO_CALL(accept4, accept4(fd, address, length, flags | SOCK_NONBLOCK));
}

int coro_system_connect(int fd, const struct sockaddr *address, socklen_t length) {
    return (int)CORO_CALL_ONCE(connect, connect(fd, address, length));
}

int coro_system_socket(int family, int type, int protocol) {
    return (int)CORO_CALL(socket, socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}

int coro_system_socketpair(int family, int type, int protocol, int *fds) {
    return (int)CORO_CALL(socketpair, socketpair(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol, fds));
}

int coro_system_pipe(int *fds, int flags) {
    return (int)CORO_CALL(pipe2, pipe2(fds, flags | O_NONBLOCK));
}

int coro_system_bind(int fd, const struct sockaddr *address, socklen_t length) {
    return (int)CORO_CALL(bind, bind(fd, address, length));
}

int coro_system_listen(int fd, int backlog) {
    return (int)CORO_CALL(listen, listen(fd, backlog));
}

/* After EINTR the number may already be somebody else's: Linux has closed it. */
int coro_system_close(int fd) {
    int result = (int)CORO_CALL_ONCE(close, close(fd));
    return result == -EINTR ? 0 : result;
}

int coro_system_dup(int fd) {
    return (int)CORO_CALL(dup, fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

int coro_system_shutdown(int fd, int how) {
    return (int)CORO_CALL(shutdown, shutdown(fd, how));
}

int coro_system_set_nonblocking(int fd) {
    int flags = (int)CORO_CALL(fcntl, fcntl(fd, F_GETFL));
    return flags < 0 ? flags : (int)CORO_CALL(fcntl, fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

int coro_system_getsockname(int fd, struct sockaddr *address, socklen_t *length) {
    return (int)CORO_CALL(getsockname, getsockname(fd, address, length));
}

int coro_system_getpeername(int fd, struct sockaddr *address, socklen_t *length) {
    return (int)CORO_CALL(getpeername, getpeername(fd, address, length));
}

int coro_system_getsockopt(int fd, int level, int option, void *value, socklen_t *length) {
    return (int)CORO_CALL(getsockopt, getsockopt(fd, level, option, value, length));
}

int coro_system_setsockopt(int fd, int level, int option, const void *value, socklen_t length) {
    return (int)CORO_CALL(setsockopt, setsockopt(fd, level, option, value, length));
}

int coro_system_socket_error(int fd) {
    int value = socket_option(fd, SO_ERROR);
    return value < 0 ? -errno : -value;
}

FILE *coro_system_fopen(void *cookie, const char *mode, ssize_t (*read)(void *, char *, size_t),
                        ssize_t (*write)(void *, const char *, size_t), int (*close)(void *)) {
    cookie_io_functions_t functions = {.read = read, .write = write, .close = close};
    return fopencookie(cookie, mode, functions);
}
