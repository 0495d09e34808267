/* Rows H11 and H17: every error of the system comes as its -errno, with its name. */
#define _GNU_SOURCE
#include "net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/un.h>

static void check_error(int line, const char *what, ssize_t actual, int error, const char *name) {
    if (actual != -error) test_fail(__FILE__, line, "%s is %zd (%s), not -%s", what, actual, coro_strerror((int)actual), name);
    CHECK_STR(coro_error_name((int)actual), name);
    CHECK(strstr(coro_strerror((int)actual), "unknown") == NULL);
}

#define FAILS(call, error) check_error(__LINE__, #call, (call), error, #error)

static struct sockaddr_storage storage;
static socklen_t storage_length = sizeof storage;
#define ADDRESS ((struct sockaddr *)&storage)

static struct iovec one_byte[1];
static struct msghdr message = {.msg_iov = one_byte, .msg_iovlen = 1};
static char byte;
static int count, some_fds[2], value;
static socklen_t value_length = sizeof value;

static void nothing(int fd, int events, void *arg) {
    (void)fd, (void)events, (void)arg;
}

TEST(H17_no_open_descriptor) {
    static const int numbers[] = {-1, 777, 1 << 20, INT32_MAX, INT32_MIN};
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    one_byte[0] = (struct iovec){&byte, 1};
    for (int i = 0; i < 5; i++) {
        int fd = numbers[i];
        FAILS(coro_wait_for(fd, CORO_READ), EBADF);
        FAILS(coro_read(fd, &byte, 1), EBADF);
        FAILS(coro_write(fd, &byte, 1), EBADF);
        FAILS(coro_recv(fd, &byte, 1, 0), EBADF);
        FAILS(coro_recvfrom(fd, &byte, 1, 0, NULL, NULL), EBADF);
        FAILS(coro_recv_exact(fd, &byte, 1), EBADF);
        FAILS(coro_send(fd, &byte, 1, 0), EBADF);
        FAILS(coro_sendto(fd, &byte, 1, 0, NULL, 0), EBADF);
        FAILS(coro_readv(fd, one_byte, 1), EBADF);
        FAILS(coro_readv_exact(fd, one_byte, 1), EBADF);
        FAILS(coro_writev(fd, one_byte, 1), EBADF);
        FAILS(coro_recvmsg(fd, &message, 0), EBADF);
        FAILS(coro_sendmsg(fd, &message, 0), EBADF);
        FAILS(coro_send_fds(fd, NULL, 0, &byte, 1), EBADF);
        FAILS(coro_recv_fds(fd, NULL, 0, &count, &byte, 1), EBADF);
        FAILS(coro_sendfile(fd, file, NULL, 1), EBADF);
        FAILS(coro_sendfile(file, fd, NULL, 1), EBADF);
        FAILS(coro_bind(fd, ADDRESS, sizeof(struct sockaddr_in)), EBADF);
        FAILS(coro_listen(fd, 1), EBADF);
        FAILS(coro_accept(fd, NULL, NULL), EBADF);
        FAILS(coro_accept4(fd, NULL, NULL, 0), EBADF);
        FAILS(coro_accept_many(fd, some_fds, 2), EBADF);
        FAILS(coro_connect(fd, ADDRESS, sizeof(struct sockaddr_in)), EBADF);
        FAILS(coro_close(fd), EBADF);
        FAILS(coro_forget(fd), EBADF);
        FAILS(coro_set_nonblocking(fd), EBADF);
        FAILS(coro_shutdown_socket(fd, SHUT_RD), EBADF);
        FAILS(coro_dup(fd), EBADF);
        FAILS(coro_getsockname(fd, ADDRESS, &storage_length), EBADF);
        FAILS(coro_getpeername(fd, ADDRESS, &storage_length), EBADF);
        FAILS(coro_getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &value_length), EBADF);
        FAILS(coro_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value), EBADF);
        FAILS(coro_set_handler(fd, CORO_READ, nothing, NULL, 0), EBADF);
        CHECK(coro_fdopen(fd, "r") == NULL);
    }
}

/* A pipe, in both modes, and a file are no sockets. */
TEST(H17_no_socket) {
    int ends[2], blocking[2];
    one_byte[0] = (struct iovec){&byte, 1};
    CHECK_EQ(coro_pipe(ends, 0), 0);
    blocking_pipe(blocking);
    int all[] = {ends[0], blocking[0], open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
    for (int i = 0; i < 3; i++) {
        int fd = all[i];
        FAILS(coro_recv(fd, &byte, 1, 0), ENOTSOCK);
        FAILS(coro_recvfrom(fd, &byte, 1, 0, NULL, NULL), ENOTSOCK);
        FAILS(coro_send(fd, &byte, 1, 0), ENOTSOCK);
        FAILS(coro_sendto(fd, &byte, 1, 0, NULL, 0), ENOTSOCK);
        FAILS(coro_recvmsg(fd, &message, 0), ENOTSOCK);
        FAILS(coro_sendmsg(fd, &message, 0), ENOTSOCK);
        FAILS(coro_send_fds(fd, NULL, 0, &byte, 1), ENOTSOCK);
        FAILS(coro_recv_fds(fd, NULL, 0, &count, &byte, 1), ENOTSOCK);
        FAILS(coro_bind(fd, ADDRESS, sizeof(struct sockaddr_in)), ENOTSOCK);
        FAILS(coro_listen(fd, 1), ENOTSOCK);
        FAILS(coro_shutdown_socket(fd, SHUT_RD), ENOTSOCK);
        FAILS(coro_getsockname(fd, ADDRESS, &storage_length), ENOTSOCK);
        FAILS(coro_getpeername(fd, ADDRESS, &storage_length), ENOTSOCK);
        FAILS(coro_getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &value_length), ENOTSOCK);
        FAILS(coro_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value), ENOTSOCK);
        if (i > 0) continue;
        FAILS(coro_accept(fd, NULL, NULL), ENOTSOCK);
        FAILS(coro_accept4(fd, NULL, NULL, 0), ENOTSOCK);
        FAILS(coro_accept_many(fd, some_fds, 2), ENOTSOCK);
        FAILS(coro_connect(fd, ADDRESS, sizeof(struct sockaddr_in)), ENOTSOCK);
    }
    /* The wrong end. */
    FAILS(coro_read(ends[1], &byte, 1), EBADF);
    FAILS(coro_write(ends[0], &byte, 1), EBADF);
    FAILS(coro_readv(ends[1], one_byte, 1), EBADF);
    FAILS(coro_writev(ends[0], one_byte, 1), EBADF);
    FAILS(coro_write(all[2], &byte, 1), EBADF);
    FAILS(coro_writev(all[2], one_byte, 1), EBADF);
    int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FAILS(coro_read(folder, &byte, 1), EISDIR);
    FAILS(coro_readv(folder, one_byte, 1), EISDIR);
    FAILS(coro_wait_for(folder, CORO_READ), EPERM);
    FAILS(coro_wait_for(all[2], CORO_WRITE), EPERM);
}

TEST(H17_sockets_that_can_not_be_made) {
    FAILS(coro_socket(4711, SOCK_STREAM, 0), EAFNOSUPPORT);
    FAILS(coro_socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    FAILS(coro_socket(AF_UNIX, SOCK_STREAM, 77), EPROTONOSUPPORT);
    FAILS(coro_socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
    FAILS(coro_socketpair(AF_INET, SOCK_STREAM, 0, some_fds), EOPNOTSUPP);
    FAILS(coro_socketpair(4711, SOCK_STREAM, 0, some_fds), EAFNOSUPPORT);
    FAILS(coro_pipe(some_fds, 1), EINVAL);
}

TEST(H17_sockets_in_the_wrong_state) {
    address at, bound = loopback(AF_INET);
    int listener = make_listener(AF_INET, SOCK_STREAM, 4, &at), fresh = coro_socket(AF_INET, SOCK_STREAM, 0), pair[2];
    one_byte[0] = (struct iovec){&byte, 1};
    FAILS(coro_read(fresh, &byte, 1), ENOTCONN);
    FAILS(coro_recv(fresh, &byte, 1, 0), ENOTCONN);
    FAILS(coro_readv(fresh, one_byte, 1), ENOTCONN);
    FAILS(coro_recvmsg(fresh, &message, 0), ENOTCONN);
    FAILS(coro_write(fresh, &byte, 1), EPIPE);
    FAILS(coro_writev(fresh, one_byte, 1), EPIPE);
    FAILS(coro_shutdown_socket(fresh, SHUT_WR), ENOTCONN);
    FAILS(coro_getpeername(fresh, ADDRESS, &storage_length), ENOTCONN);
    FAILS(coro_accept(fresh, NULL, NULL), EINVAL);
    FAILS(coro_read(listener, &byte, 1), ENOTCONN);
    FAILS(coro_bind(fresh, (struct sockaddr *)&at.storage, at.length), EADDRINUSE);
    CHECK_EQ(coro_bind(fresh, (struct sockaddr *)&bound.storage, bound.length), 0);
    FAILS(coro_bind(fresh, (struct sockaddr *)&bound.storage, bound.length), EINVAL); /* bound already */
    tcp_pair(pair);
    FAILS(coro_connect(pair[1], (struct sockaddr *)&at.storage, at.length), EISCONN);
    FAILS(coro_listen(pair[0], 1), EINVAL);
    FAILS(coro_shutdown_socket(pair[0], 77), EINVAL);
    FAILS(coro_getsockopt(pair[0], SOL_SOCKET, 9999, &value, &value_length), ENOPROTOOPT);
    FAILS(coro_setsockopt(pair[0], SOL_SOCKET, SO_RCVBUF, &value, 1), EINVAL);
    FAILS(coro_setsockopt(pair[0], SOL_SOCKET, SO_RCVBUF, NULL, sizeof value), EFAULT);
}

TEST(H17_datagrams) {
    static char big[70000];
    int udp = coro_socket(AF_INET, SOCK_DGRAM, 0);
    address to = loopback(AF_INET);
    ((struct sockaddr_in *)&to.storage)->sin_port = htons(9);
    FAILS(coro_write(udp, &byte, 1), EDESTADDRREQ);
    FAILS(coro_send(udp, &byte, 1, 0), EDESTADDRREQ);
    FAILS(coro_sendto(udp, big, sizeof big, 0, (struct sockaddr *)&to.storage, to.length), EMSGSIZE);
    FAILS(coro_listen(udp, 1), EOPNOTSUPP);
    FAILS(coro_accept(udp, NULL, NULL), EOPNOTSUPP);
    FAILS(coro_getpeername(udp, ADDRESS, &storage_length), ENOTCONN);
    struct sockaddr_in elsewhere = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)}; /* 192.0.2.1 */
    FAILS(coro_bind(udp, (struct sockaddr *)&elsewhere, sizeof elsewhere), EADDRNOTAVAIL);
    FAILS(coro_sendto(udp, &byte, 1, 0, (struct sockaddr *)&to.storage, 3), EINVAL);
}

static struct sockaddr_un path_address(const char *path) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strcpy(name.sun_path, path);
    return name;
}

TEST(H17_unix_addresses) {
    char folder[] = "/tmp/libcoro-errors-XXXXXX";
    CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
    struct sockaddr_un none = path_address("none"), file = path_address("file"), name = path_address("socket"),
                       deep = path_address("none/socket"), wrong = path_address("file/socket");
    int stream = coro_socket(AF_UNIX, SOCK_STREAM, 0), datagram = coro_socket(AF_UNIX, SOCK_DGRAM, 0);
    int made = open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(made >= 0);
    FAILS(coro_connect(stream, (struct sockaddr *)&none, sizeof none), ENOENT);
    FAILS(coro_connect(stream, (struct sockaddr *)&file, sizeof file), ECONNREFUSED);
    FAILS(coro_bind(stream, (struct sockaddr *)&deep, sizeof deep), ENOENT);
    FAILS(coro_bind(stream, (struct sockaddr *)&wrong, sizeof wrong), ENOTDIR);
    FAILS(coro_bind(stream, (struct sockaddr *)&file, sizeof file), EADDRINUSE);
    FAILS(coro_bind(stream, (struct sockaddr *)&name, 1), EINVAL);
    CHECK_EQ(coro_bind(stream, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ(coro_listen(stream, 1), 0);
    FAILS(coro_connect(datagram, (struct sockaddr *)&name, sizeof name), EPROTOTYPE);
    FAILS(coro_sendto(datagram, &byte, 1, 0, (struct sockaddr *)&none, sizeof none), ENOENT);
    FAILS(coro_write(datagram, &byte, 1), ENOTCONN);
    CHECK(unlink("socket") == 0 && unlink("file") == 0 && chdir("/") == 0 && rmdir(folder) == 0);
}

/* The peer is gone, with data that it has not read. */
TEST(H17_connections_that_were_reset) {
    int fds[2];
    struct linger hard = {1, 0};
    tcp_pair(fds);
    CHECK_EQ(coro_setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    coro_t reader = spawn_one(read_one, AS_POINTER(fds[0]));
    let_others_run();
    CHECK_EQ(coro_close(fds[1]), 0);
    CHECK_EQ(join_soon(reader), -ECONNRESET);
    FAILS(coro_write(fds[0], &byte, 1), EPIPE);
}

/* -- H11: names, options, duplicates and halves -- */

TEST(H11_names_and_options_are_the_systems) {
    address at, mine = {.length = sizeof mine.storage}, peer = {.length = sizeof peer.storage};
    int listener = make_listener(AF_INET, SOCK_STREAM, 4, &at), fd = coro_socket(AF_INET, SOCK_STREAM, 0), size = 0, on = 1;
    socklen_t length = sizeof size;
    CHECK_EQ(coro_connect(fd, (struct sockaddr *)&at.storage, at.length), 0);
    int accepted = coro_accept(listener, (struct sockaddr *)&peer.storage, &peer.length);
    CHECK_EQ(coro_getsockname(fd, (struct sockaddr *)&mine.storage, &mine.length), 0);
    CHECK(mine.length == peer.length && memcmp(&mine.storage, &peer.storage, mine.length) == 0);
    CHECK_EQ(coro_getsockopt(fd, SOL_SOCKET, SO_TYPE, &size, &length), 0);
    CHECK_EQ(size, SOCK_STREAM);
    CHECK_EQ(coro_setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on), 0);
    CHECK_EQ(coro_getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &size, &length), 0);
    CHECK_EQ(size, 1);
    /* A name that is cut says how long it is. */
    peer.length = 2;
    CHECK_EQ(coro_getpeername(accepted, (struct sockaddr *)&peer.storage, &peer.length), 0);
    CHECK_EQ(peer.length, sizeof(struct sockaddr_in));
}

/* Two numbers for one open file: each has waiters of its own, and a life of its own. */
TEST(H11_a_duplicate_is_a_descriptor_of_its_own) {
    int fds[2];
    char buffer[8];
    unix_pair(fds);
    int copy = coro_dup(fds[0]);
    CHECK(copy >= 0);
    CHECK_EQ(fcntl(copy, F_GETFD), FD_CLOEXEC);
    coro_t one = spawn_one(read_one, AS_POINTER(fds[0])), other = spawn_one(read_one, AS_POINTER(copy));
    let_others_run();
    CHECK_EQ(coro_write(fds[1], "ab", 2), 2);
    CHECK_EQ(join_soon(one), 1);
    CHECK_EQ(join_soon(other), 1);
    other = spawn_one(read_one, AS_POINTER(copy));
    let_others_run();
    CHECK_EQ(coro_close(fds[0]), 0);
    let_others_run();
    CHECK(coro_is_alive(other));
    CHECK_EQ(coro_write(fds[1], "c", 1), 1);
    CHECK_EQ(join_soon(other), 1);
    CHECK_EQ(coro_close(copy), 0);
    CHECK_EQ(coro_read(fds[1], buffer, sizeof buffer), 0);
}

TEST(H11_shutdown_ends_one_direction_or_both) {
    int fds[2];
    char buffer[8];
    tcp_pair(fds);
    coro_t reader = spawn_one(read_one, AS_POINTER(fds[0]));
    let_others_run();
    CHECK_EQ(coro_shutdown_socket(fds[0], SHUT_RD), 0); /* ends the wait of its own reader */
    CHECK_EQ(join_soon(reader), 0);
    CHECK_EQ(coro_write(fds[0], "x", 1), 1);
    CHECK_EQ(coro_read(fds[1], buffer, 1), 1);
    reader = spawn_one(read_one, AS_POINTER(fds[1]));
    let_others_run();
    CHECK_EQ(coro_shutdown_socket(fds[0], SHUT_RDWR), 0);
    CHECK_EQ(join_soon(reader), 0);
    CHECK_EQ(coro_write(fds[0], "x", 1), -EPIPE);
}
