/* Creating a coroutine, running it to its end, and taking its result, one after the other. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

static void *identity(void *argument) {
    return argument;
}

static void *parent(void *argument) {
    for (long left = *(long *)argument; left > 0; left--) {
        void *result;
        must(coro_join(coro_spawn(identity, &left), &result, CORO_FOREVER), "coro_join");
        if (result != &left) abort();
    }
    return NULL;
}

static double run(long count) {
    double start = cpu_ns();
    must(coro_join(coro_spawn(parent, &count), NULL, CORO_FOREVER), "coro_join");
    return cpu_ns() - start;
}

const struct work spawn_join = {"spawn_join", "ns/coroutine", run, 10000000};
