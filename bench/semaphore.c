/* Two coroutines that let each other go on in turn, by a semaphore each. */
#include "bench.h"

static coro_semaphore *there, *back;

static void *echo(void *argument) {
    for (long left = *(long *)argument; left > 0; left--) {
        must(coro_semaphore_acquire(there, 1), "coro_semaphore_acquire");
        must(coro_semaphore_release(back, 1), "coro_semaphore_release");
    }
    return NULL;
}

static void *caller(void *argument) {
    for (long left = *(long *)argument; left > 0; left--) {
        must(coro_semaphore_release(there, 1), "coro_semaphore_release");
        must(coro_semaphore_acquire(back, 1), "coro_semaphore_acquire");
    }
    return NULL;
}

static double run(long count) {
    there = coro_semaphore_new(0);
    back = coro_semaphore_new(0);
    coro_t other = coro_spawn(echo, &count);
    double start = cpu_ns();
    must(coro_join(coro_spawn(caller, &count), NULL, CORO_FOREVER), "coro_join");
    must(coro_join(other, NULL, CORO_FOREVER), "coro_join");
    double took = cpu_ns() - start;
    must(coro_semaphore_free(there), "coro_semaphore_free");
    must(coro_semaphore_free(back), "coro_semaphore_free");
    return took;
}

const struct work semaphore_roundtrip = {"semaphore_roundtrip", "ns/round trip", run, 10000000};
