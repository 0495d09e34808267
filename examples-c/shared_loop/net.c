#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static struct sockaddr_in loopback(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int net_listen(uint16_t *port) {
    struct sockaddr_in address = loopback(*port);
    socklen_t length = sizeof address;
    int fd = coro_socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return fd;
    int error = coro_bind(fd, (struct sockaddr *)&address, sizeof address);
    /* A thousand clients may come at the same moment. */
    if (error == 0) error = coro_listen(fd, 4096);
    if (error == 0) error = coro_getsockname(fd, (struct sockaddr *)&address, &length);
    if (error < 0) {
        coro_close(fd);
        return error;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

int net_connect(uint16_t port) {
    struct sockaddr_in address = loopback(port);
    int fd = coro_socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return fd;
    int error = coro_connect(fd, (struct sockaddr *)&address, sizeof address);
    if (error < 0) {
        coro_close(fd);
        return error;
    }
    return fd;
}

bool net_allow_open_files(unsigned long needed) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= needed) return true;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= needed) return true;
    fprintf(stderr,
            "This takes %lu open files, and the hard limit is %llu: raise it (ulimit -Hn), or have fewer clients.\n",
            needed, (unsigned long long)limit.rlim_max);
    return false;
}

/* Gives out the bytes up to the first newline, if there is one. */
static bool take_line(line_reader *reader, char **line) {
    char *start = reader->bytes + reader->begin;
    char *newline = memchr(start, '\n', reader->end - reader->begin);
    if (newline == NULL) return false;
    reader->begin = (size_t)(newline - reader->bytes) + 1;
    if (newline > start && newline[-1] == '\r') newline--;
    *newline = 0;
    *line = start;
    return true;
}

int line_reader_next(line_reader *reader, char **line) {
    while (!take_line(reader, line)) {
        if (reader->begin > 0) {
            memmove(reader->bytes, reader->bytes + reader->begin, reader->end - reader->begin);
            reader->end -= reader->begin;
            reader->begin = 0;
        }
        if (reader->end == sizeof reader->bytes) return -EMSGSIZE;
        ssize_t n = coro_read(reader->fd, reader->bytes + reader->end, sizeof reader->bytes - reader->end);
        if (n <= 0) return (int)n;
        reader->end += (size_t)n;
    }
    return 1;
}
