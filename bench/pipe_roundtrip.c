/* One byte there and back through two pipes, read into buffers with room for more, as messages are: four system calls, and
   the waiting for them. */
#include "bench.h"

#include <stdlib.h>

static int there[2], back[2];

static void *echo(void *argument) {
    char message[64];
    (void)argument;
    while (coro_read(there[0], message, sizeof message) == 1) must(coro_write(back[1], message, 1), "coro_write");
    return NULL;
}

static void *caller(void *argument) {
    char message[64] = "x";
    for (long left = *(long *)argument; left > 0; left--) {
        must(coro_write(there[1], message, 1), "coro_write");
        if (coro_read(back[0], message, sizeof message) != 1) abort();
    }
    must(coro_close(there[1]), "coro_close");
    return NULL;
}

static double run(long count) {
    must(coro_pipe(there, 0), "coro_pipe");
    must(coro_pipe(back, 0), "coro_pipe");
    coro_t server = coro_spawn(echo, NULL);
    double start = cpu_ns();
    must(coro_join(coro_spawn(caller, &count), NULL, CORO_FOREVER), "coro_join");
    double took = cpu_ns() - start;
    must(coro_join(server, NULL, CORO_FOREVER), "coro_join");
    coro_close(there[0]);
    coro_close(back[0]);
    coro_close(back[1]);
    return took;
}

const struct work pipe_roundtrip = {"pipe_roundtrip", "ns/round trip", run, 300000};
