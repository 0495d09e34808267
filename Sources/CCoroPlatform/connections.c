#define _GNU_SOURCE
#include "coro_connections.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void coro_system_set_no_delay(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int coro_system_set_dual_stack(int fd) {
    int off = 0;
    return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0 ? 0 : -errno;
}

static void set_port(struct sockaddr *address, int port) {
    if (address->sa_family == AF_INET) ((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port);
    if (address->sa_family == AF_INET6) ((struct sockaddr_in6 *)address)->sin6_port = htons((uint16_t)port);
}

void coro_system_set_ports(struct addrinfo *list, int port) {
    for (; list != NULL; list = list->ai_next) set_port(list->ai_addr, port);
}

socklen_t coro_system_any_address(int family, int port, struct sockaddr_storage *address) {
    memset(address, 0, sizeof *address); /* in both families zero is "any" */
    address->ss_family = (sa_family_t)family;
    set_port((struct sockaddr *)address, port);
    return family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

int coro_system_port(int fd) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) return -errno;
    if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return -EAFNOSUPPORT;
}

int coro_system_unix_address(const char *path, struct sockaddr_storage *address) {
    struct sockaddr_un *unix_address = (struct sockaddr_un *)address;
    size_t length = strlen(path);
    bool is_abstract = path[0] == '@';
    if (length < (is_abstract ? 2 : 1)) return -EINVAL;
    if (length + !is_abstract > sizeof unix_address->sun_path) return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    unix_address->sun_family = AF_UNIX;
    memcpy(unix_address->sun_path, path, length);
    if (is_abstract) unix_address->sun_path[0] = 0;
    return (int)(offsetof(struct sockaddr_un, sun_path) + length + !is_abstract);
}

/* The directory that a path is in; false: it is too long for one of a socket. */
static bool directory_of(const char *path, char *directory, size_t size) {
    const char *end = strrchr(path, '/');
    size_t length = end == NULL ? 1 : end == path ? 1 : (size_t)(end - path);
    if (length >= size) return false;
    memcpy(directory, end == NULL ? "." : path, length);
    directory[length] = 0;
    return true;
}

int coro_system_lock_directory(const char *path) {
    enum { MOST_TRIES = 100 };
    static const struct timespec pause = {.tv_nsec = 1000000};
    char directory[sizeof(struct sockaddr_un)];
    if (path[0] == '@' || !directory_of(path, directory, sizeof directory)) return -1;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int tries = 1; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0; tries++) {
        if (errno == EWOULDBLOCK && tries < MOST_TRIES) {
            nanosleep(&pause, NULL);
            continue;
        }
        close(fd);
        fd = -1;
    }
    return fd;
}

void coro_system_unlock_directory(int lock) {
    if (lock < 0) return;
    flock(lock, LOCK_UN); /* a child that was forked meanwhile has it too */
    close(lock);
}

bool coro_system_remove_stale_socket(const char *path, const struct sockaddr_storage *address, socklen_t length) {
    struct stat status;
    if (path[0] == '@' || lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0) return false;
    bool is_refused = connect(probe, (const struct sockaddr *)address, length) != 0 && errno == ECONNREFUSED;
    close(probe);
    return is_refused && unlink(path) == 0;
}

bool coro_system_is_of_address(int error) {
    return error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

bool coro_system_is_of_route(int error) {
    return error == ENETUNREACH || error == EHOSTUNREACH || coro_system_is_of_address(error);
}
