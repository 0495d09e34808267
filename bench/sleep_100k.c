/* 100,000 coroutines that sleep for up to 100 ms again and again: a sleep, from call to return. */
#include "bench.h"

enum { SLEEPERS = 100000 };

static long sleeps_each;

static void *sleeper(void *argument) {
    uint32_t random = (uint32_t)(uintptr_t)argument * 2654435761u + 1;
    for (long i = 0; i < sleeps_each; i++) {
        random = random * 1664525u + 1013904223u;
        must(coro_sleep(CORO_US(random >> 8) % CORO_MS(100)), "coro_sleep");
    }
    return NULL;
}

static double run(long count) {
    static coro_t ids[SLEEPERS];
    sleeps_each = count / SLEEPERS;
    for (long i = 0; i < SLEEPERS; i++) must(ids[i] = coro_spawn(sleeper, (void *)i), "coro_spawn");
    double start = cpu_ns();
    for (long i = 0; i < SLEEPERS; i++) must(coro_join(ids[i], NULL, CORO_FOREVER), "coro_join");
    return cpu_ns() - start;
}

const struct work sleep_100k = {"sleep_100k", "ns/sleep", run, 1000000};
