/*
 * 11: A TCP echo server and its clients, in one process.
 *
 * One coroutine accepts, and spawns one per connection; the clients are coroutines too. None of them is written as
 * anything but a plain sequence of blocking calls.
 *
 *     $ ./11_echo
 *     client 0: "hello from client 0"
 *     client 1: "hello from client 1"
 *     client 2: "hello from client 2"
 *     server: stopped
 */
#include "must.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static struct sockaddr_in server; /* where it listens */

static void *serve(void *arg) {
    int fd = (int)(intptr_t)arg;
    char buffer[1024];
    ssize_t n;
    while ((n = coro_read(fd, buffer, sizeof buffer)) > 0) {
        if (coro_write(fd, buffer, (size_t)n) < 0) break; /* the client is gone: no reason to end the server */
    }
    MUST(coro_close(fd));
    return NULL;
}

static void *listen_for_clients(void *arg) {
    int listener = (int)(intptr_t)arg, fd;
    while ((fd = coro_accept(listener, NULL, NULL)) >= 0) {
        MUST(coro_detach(coro_spawn(serve, (void *)(intptr_t)fd)));
    }
    MUST(coro_close(listener));
    if (fd != CORO_ESHUTDOWN) return coro_fail(fd, "accept");
    puts("server: stopped");
    return NULL;
}

static void *client(void *arg) {
    char greeting[64], *reply = calloc(1, sizeof greeting);
    int length = snprintf(greeting, sizeof greeting, "hello from client %d", (int)(intptr_t)arg);
    int fd = (int)MUST(coro_socket(AF_INET, SOCK_STREAM, 0));
    if (reply == NULL) return coro_fail(-ENOMEM, "no memory");
    MUST(coro_connect(fd, (struct sockaddr *)&server, sizeof server));
    MUST(coro_write(fd, greeting, (size_t)length));
    MUST(coro_recv_exact(fd, reply, (size_t)length)); /* a stream may come in pieces: this waits for all */
    MUST(coro_close(fd));
    return reply;
}

int main(void) {
    socklen_t length = sizeof server;
    int listener = (int)MUST(coro_socket(AF_INET, SOCK_STREAM, 0));
    server.sin_family = AF_INET; /* port 0: any that is free */
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(coro_bind(listener, (struct sockaddr *)&server, sizeof server));
    MUST(coro_listen(listener, 16));
    MUST(coro_getsockname(listener, (struct sockaddr *)&server, &length));
    coro_t acceptor = MUST(coro_spawn(listen_for_clients, (void *)(intptr_t)listener));

    coro_t clients[3];
    for (intptr_t i = 0; i < 3; i++) clients[i] = MUST(coro_spawn(client, (void *)i));
    for (int i = 0; i < 3; i++) {
        void *reply;
        MUST(coro_join(clients[i], &reply, CORO_FOREVER));
        printf("client %d: \"%s\"\n", i, (char *)reply);
        free(reply);
    }
    MUST(coro_shutdown(acceptor));
    MUST(coro_join(acceptor, NULL, CORO_FOREVER));
    return 0;
}
