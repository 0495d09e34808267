/*
 * 25: A TCP proxy.
 *
 * Each connection has two coroutines, one for each direction, that feed what they read from one side to the other. What makes
 * it right is how they end: the end of one direction is passed on while the other goes on (half-close), an error ends both,
 * and a connection on which nothing has moved either way for IDLE_TIME is given up.
 *
 *     $ ./25_tcp_proxy 9000 localhost:8080 &
 *     127.0.0.1:9000
 *
 * Port 0 takes any that is free. A third argument is IDLE_TIME in ms. checks/tcp_proxy tests it.
 */
#include "must.h"

#include <string.h>

static const char *target;
static int target_port;
static int64_t idle_time = CORO_SECONDS(300);
static const int64_t connect_time = CORO_SECONDS(10);

struct connection {
    int client, server;
    int64_t last_moved; /* when something came, from either side */
};

struct feeder {
    struct connection *connection;
    int from, to;
};

/* Reads, for as long as the connection is not idle: an answer that takes its time is none of the other direction's business. */
static ssize_t read_while_busy(struct feeder *me, void *buffer, size_t size) {
    for (;;) {
        int64_t seen = me->connection->last_moved;
        coro_timeout_t limit = coro_timeout_begin(seen + idle_time - coro_get_now());
        ssize_t n = (ssize_t)coro_timeout_end(limit, coro_read(me->from, buffer, size));
        if (n != CORO_ETIMEOUT || me->connection->last_moved == seen) return n;
    }
}

static void *feed(void *arg) {
    struct feeder *me = arg;
    char buffer[16384];
    ssize_t n;
    while ((n = read_while_busy(me, buffer, sizeof buffer)) > 0) {
        me->connection->last_moved = coro_get_now();
        coro_timeout_t limit = coro_timeout_begin(idle_time); /* one that takes nothing is idle, too */
        n = (ssize_t)coro_timeout_end(limit, coro_write(me->to, buffer, (size_t)n));
        if (n < 0) break;
        me->connection->last_moved = coro_get_now();
    }
    if (n == 0 && coro_shutdown_socket(me->to, SHUT_WR) == 0) return NULL; /* the other direction goes on */
    /* An error: the connection can't be kept, and the other feeder is to see that too. Closing is for connection() alone: once
       closed, a number may be that of another connection. */
    coro_shutdown_socket(me->from, SHUT_RDWR);
    coro_shutdown_socket(me->to, SHUT_RDWR);
    return NULL;
}

static int connect_to_target(void) {
    coro_timeout_t limit = coro_timeout_begin(connect_time);
    return (int)coro_timeout_end(limit, coro_tcp_connect(target, target_port));
}

static void *connection(void *arg) {
    struct connection me = {.client = (int)(intptr_t)arg, .server = connect_to_target(), .last_moved = coro_get_now()};
    if (me.server >= 0) {
        struct feeder there = {&me, me.client, me.server}, back = {&me, me.server, me.client};
        coro_t feeder = MUST(coro_spawn(feed, &back));
        feed(&there);
        MUST(coro_join(feeder, NULL, CORO_FOREVER)); /* it uses `back`, which is on this stack */
        MUST(coro_close(me.server));
    } else {
        coro_print_stderr("the target can't be reached: %s", coro_strerror(me.server));
    }
    MUST(coro_close(me.client));
    return NULL;
}

static void *accept_clients(void *arg) {
    int listener = (int)(intptr_t)arg, fd;
    while ((fd = coro_accept(listener, NULL, NULL)) >= 0) {
        MUST(coro_detach(coro_spawn(connection, (void *)(intptr_t)fd)));
    }
    return coro_fail(fd, "accept");
}

int main(int count, char **arguments) {
    char *port = count > 2 ? strrchr(arguments[2], ':') : NULL;
    if (port == NULL) {
        fprintf(stderr, "usage: %s PORT HOST:PORT [MS]\n", arguments[0]);
        return EXIT_FAILURE;
    }
    *port++ = 0;
    target = arguments[2];
    target_port = atoi(port);
    if (count > 3) idle_time = CORO_MS(atoi(arguments[3]));
    int listener = (int)MUST(coro_tcp_listen("127.0.0.1", atoi(arguments[1]), 0));
    printf("127.0.0.1:%d\n", (int)MUST(coro_tcp_port(listener)));
    fflush(stdout);
    MUST(coro_detach(coro_spawn(accept_clients, (void *)(intptr_t)listener)));
    return coro_event_loop(); /* until SIGINT or SIGTERM */
}
