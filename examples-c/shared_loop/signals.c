/* Ctrl-C. A signal is handled in a coroutine, so there is nothing that its handler may not do. */
#include "server.h"

#include <signal.h>

static void on_signal(int number, void *arg) {
    server_stop(arg, number == SIGINT ? "Ctrl-C" : "SIGTERM");
}

int signals_start(server *server) {
    int error = coro_signal(SIGINT, on_signal, server, 0);
    return error < 0 ? error : coro_signal(SIGTERM, on_signal, server, 0);
}
