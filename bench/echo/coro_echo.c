/* The echo server on libcoro: a coroutine per connection. */
#include "server.h"

#include <coro.h>

#include <dlfcn.h>
#include <stdint.h>

static int64_t must(int64_t result, const char *what) {
    if (result < 0) fatal(what, coro_strerror((int)result));
    return result;
}

static void *serve(void *argument) {
    int fd = (int)(intptr_t)argument, on = 1;
    char buffer[BUFFER_SIZE];
    ssize_t n;
    must(coro_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "coro_setsockopt");
    while ((n = coro_read(fd, buffer, sizeof buffer)) > 0)
        if (coro_write(fd, buffer, (size_t)n) < 0) break;
    coro_close(fd);
    return NULL;
}

/* By which means this library waits: one without a choice of them has no such function. */
static const char *backend(void) {
    const char *(*name)(void) = (const char *(*)(void))dlsym(RTLD_DEFAULT, "coro_backend_name");
    const char *said = name != NULL ? name() : "epoll";
    return said != NULL ? said : coro_error_detail();
}

static void *start(void *argument) {
    struct sockaddr_in address = any_port();
    socklen_t length = sizeof address;
    int fd, listener = (int)must(coro_socket(AF_INET, SOCK_STREAM, 0), "coro_socket");
    must(coro_bind(listener, (struct sockaddr *)&address, sizeof address), "coro_bind");
    must(coro_listen(listener, BACKLOG), "coro_listen");
    must(coro_getsockname(listener, (struct sockaddr *)&address, &length), "coro_getsockname");
    announce(&address, backend());
    while ((fd = coro_accept(listener, NULL, NULL)) >= 0)
        coro_detach(must(coro_spawn(serve, (void *)(intptr_t)fd), "coro_spawn"));
    must(fd, "coro_accept");
    return argument;
}

int main(void) {
    must(coro_detach(must(coro_spawn(start, NULL), "coro_spawn")), "coro_detach");
    return coro_event_loop();
}
