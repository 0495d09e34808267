/* The echo server that there is nothing below: epoll, edge-triggered, and registrations that stay. A callback's worth of work
   per event, no library, no allocation after accept: the floor. */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MAX_EVENTS = 256 };

struct connection {
    int fd;
    /* What was read, and how much of it has been written back. */
    size_t length, written;
    char buffer[BUFFER_SIZE];
};

static void accept_all(int poller, int listener) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *connection = malloc(sizeof *connection);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = connection};
        if (connection == NULL) fatal("malloc", strerror(errno));
        connection->fd = fd;
        connection->length = connection->written = 0;
        if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fatal("setsockopt", strerror(errno));
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) fatal("epoll_ctl", strerror(errno));
    }
    if (errno != EAGAIN) fatal("accept4", strerror(errno));
}

/* Returns whether all that was read has gone. */
static int write_back(struct connection *connection) {
    while (connection->written < connection->length) {
        ssize_t n = send(connection->fd, connection->buffer + connection->written, connection->length - connection->written,
                         MSG_NOSIGNAL);
        if (n < 0) return 0;
        connection->written += (size_t)n;
    }
    connection->length = connection->written = 0;
    return 1;
}

static void serve(struct connection *connection, uint32_t events) {
    while (write_back(connection)) {
        ssize_t n = recv(connection->fd, connection->buffer, BUFFER_SIZE, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) break;
        if (n < 0) return;
        connection->length = (size_t)n;
        /* A short read has emptied the socket, unless the end is to come. */
        if (n < BUFFER_SIZE && !(events & EPOLLRDHUP) && write_back(connection)) return;
    }
    if (connection->length > 0 && errno == EAGAIN) return;
    close(connection->fd);
    free(connection);
}

int main(void) {
    struct sockaddr_in address = any_port();
    socklen_t length = sizeof address;
    struct epoll_event events[MAX_EVENTS] = {{.events = EPOLLIN | EPOLLET, .data.ptr = NULL}};
    int poller = epoll_create1(EPOLL_CLOEXEC);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, BACKLOG) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        epoll_ctl(poller, EPOLL_CTL_ADD, listener, &events[0]) != 0)
        fatal("listening", strerror(errno));
    announce(&address, "epoll");
    for (;;) {
        int count = epoll_wait(poller, events, MAX_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL) accept_all(poller, listener);
            else serve(events[i].data.ptr, events[i].events);
        }
    }
}
