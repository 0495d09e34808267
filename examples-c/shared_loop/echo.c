/* The echo service: every byte comes back. */
#include "server.h"

int serve_echo(connection *connection) {
    char buffer[16 * 1024];
    ssize_t n;
    while ((n = coro_read(connection->fd, buffer, sizeof buffer)) > 0) {
        supervisor_request_began(connection->id);
        ssize_t sent = coro_write(connection->fd, buffer, (size_t)n);
        supervisor_request_ended(connection->id, n, sent < 0 ? 0 : sent);
        if (sent < 0) return (int)sent;
    }
    return (int)n;
}
