/*
 * Ctrl-C. Nothing of libcoro may be called in a signal handler, and little else: ours writes the signal's number into a
 * pipe, and a coroutine at the other end does the work.
 */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static int signal_pipe[2];

static void on_signal(int number) {
    int before = errno; /* the code that was interrupted may be about to look at it */
    unsigned char byte = (unsigned char)number;
    if (write(signal_pipe[1], &byte, 1) < 0) {
        /* The pipe is full of signals that nobody has read yet: one more says nothing new. */
    }
    errno = before;
}

static void *await_signal(void *arg) {
    server *server = arg;
    unsigned char number;
    ssize_t n = coro_read(signal_pipe[0], &number, 1);
    if (n < 0) return coro_fail((int)n, coro_error_detail());
    server_stop(server, number == SIGINT ? "Ctrl-C" : "SIGTERM");
    return NULL;
}

int signals_start(server *server) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    coro_options options = CORO_OPTIONS_INIT;
    options.name = "await a signal";
    int error = coro_pipe(signal_pipe, 0);
    if (error < 0) return error;
    coro_t co = server_spawn(server, await_signal, server, &options);
    if (co < 0) return (int)co;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGINT, &action, NULL) < 0 || sigaction(SIGTERM, &action, NULL) < 0) return -errno;
    return 0;
}
