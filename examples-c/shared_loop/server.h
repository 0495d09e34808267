/* The C half of the server. */
#ifndef SERVER_H
#define SERVER_H

#include "net.h"
#include "supervisor.h"

/* What the command line said. See options.c. */
typedef struct server_options {
    uint16_t echo_port, line_port; /* 0: any that is free */
    int64_t idle_limit;            /* nanoseconds */
    bool until_clients_leave;      /* end when there were clients, and the last has gone */
    bool quiet;                    /* no live line */
} server_options;

/* Returns 0, or the status to exit with. */
int server_options_parse(server_options *options, int count, char **arguments);

typedef struct server {
    server_options options;
    const char *stopped_by; /* why it ends; NULL while it goes on */
    int64_t c_coroutines;   /* how many were made by the C half */
} server;

/* Spawns a coroutine that nobody joins, and counts it. Returns its id or an error. */
coro_t server_spawn(server *server, coro_fn fn, void *arg, const coro_options *options);

/* Ends the server: the loop returns, and main prints the summary. */
void server_stop(server *server, const char *why);

/* A client, and the coroutine that serves it. */
typedef struct connection {
    server *server;
    int fd;
    coro_t id;
} connection;

/* What is done for a client, until it leaves. Returns 0, or the error that ended it. */
typedef int (*service)(connection *connection);
int serve_echo(connection *connection);
int serve_lines(connection *connection);

/* Listens on *port, and serves everybody who comes in a coroutine of its own. Returns 0 or an error. */
int listen_start(server *server, const char *name, uint16_t *port, service service);

/* Writes the list of all coroutines to the client. Returns how many bytes, or an error. */
ssize_t who_write(int fd);

/* From now on SIGINT and SIGTERM stop the server. Returns 0 or an error. */
int signals_start(server *server);

#endif
