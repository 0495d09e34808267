/* Accepting clients: one coroutine per port, and one per connection. */
#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct listener {
    server *server;
    const char *name;
    int fd;
    service service;
} listener;

typedef struct client {
    connection connection;
    service service;
} client;

/* A client that broke off, or that the supervisor has ended, is nothing that anybody has to be told of. */
static bool is_ordinary(int error) {
    return error == 0 || error == -ECONNRESET || error == -EPIPE || error == -ETIMEDOUT;
}

static void *serve_client(void *arg) {
    client *client = arg;
    server *server = client->connection.server;
    coro_t me = client->connection.id = coro_current();
    supervisor_connected(me);
    int error = client->service(&client->connection);
    if (supervisor_disconnected(me) == 0 && server->options.until_clients_leave) server_stop(server, "the last client");
    return is_ordinary(error) ? NULL : coro_fail(error, coro_error_detail());
}

/* Called at the coroutine's end, also if it never came to run. */
static void release_client(void *arg) {
    client *client = arg;
    coro_close(client->connection.fd);
    free(client);
}

static int welcome(const listener *listener, int fd, const struct sockaddr_in *from) {
    char name[40];
    int on = 1;
    coro_options options = CORO_OPTIONS_INIT;
    client *client = malloc(sizeof *client);
    if (client == NULL) return -ENOMEM;
    *client = (struct client){{listener->server, fd, 0}, listener->service};
    snprintf(name, sizeof name, "%s client 127.0.0.1:%d", listener->name, ntohs(from->sin_port));
    options.name = name;
    options.release = release_client;
    /* Answers are small and waited for: no use in collecting them. Without it we are only slower. */
    coro_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    coro_t co = server_spawn(listener->server, serve_client, client, &options);
    if (co < 0) free(client);
    return co < 0 ? (int)co : 0;
}

static void *accept_clients(void *arg) {
    listener *listener = arg;
    for (;;) {
        struct sockaddr_in from = {0};
        socklen_t length = sizeof from;
        int fd = coro_accept(listener->fd, (struct sockaddr *)&from, &length);
        int error = fd < 0 ? fd : welcome(listener, fd, &from);
        if (error == 0) continue;
        if (fd >= 0) coro_close(fd);
        /* Out of memory: some clients will leave, and until then the others wait in the backlog. */
        if (error == -ENOMEM) error = coro_sleep(CORO_MS(50));
        if (error < 0) return coro_fail(error, coro_error_detail());
    }
}

static void release_listener(void *arg) {
    listener *listener = arg;
    coro_close(listener->fd);
    free(listener);
}

int listen_start(server *server, const char *name, uint16_t *port, service service) {
    char title[40];
    coro_options options = CORO_OPTIONS_INIT;
    int fd = net_listen(port);
    if (fd < 0) return fd;
    listener *listener = malloc(sizeof *listener);
    if (listener == NULL) {
        coro_close(fd);
        return -ENOMEM;
    }
    *listener = (struct listener){server, name, fd, service};
    snprintf(title, sizeof title, "accept %s clients", name);
    options.name = title;
    options.release = release_listener;
    coro_t co = server_spawn(server, accept_clients, listener, &options);
    if (co < 0) release_listener(listener);
    return co < 0 ? (int)co : 0;
}
