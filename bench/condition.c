/* Two coroutines that wake each other in turn, by a condition each: nothing is remembered there, so each waits before the other
   can wake it. */
#include "bench.h"

static coro_condition *there, *back;

static void *echo(void *argument) {
    for (long left = *(long *)argument; left > 0; left--) {
        must(coro_condition_wait(there, NULL), "coro_condition_wait");
        must(coro_condition_wake_one(back, NULL), "coro_condition_wake_one");
    }
    return NULL;
}

static void *caller(void *argument) {
    for (long left = *(long *)argument; left > 0; left--) {
        must(coro_condition_wake_one(there, NULL), "coro_condition_wake_one");
        must(coro_condition_wait(back, NULL), "coro_condition_wait");
    }
    return NULL;
}

static double run(long count) {
    there = coro_condition_new();
    back = coro_condition_new();
    coro_t other = coro_new(echo, &count, NULL);
    must(coro_start_now(other), "coro_start_now");
    double start = cpu_ns();
    must(coro_join(coro_spawn(caller, &count), NULL, CORO_FOREVER), "coro_join");
    must(coro_join(other, NULL, CORO_FOREVER), "coro_join");
    double took = cpu_ns() - start;
    must(coro_condition_free(there), "coro_condition_free");
    must(coro_condition_free(back), "coro_condition_free");
    return took;
}

const struct work condition_roundtrip = {"condition_roundtrip", "ns/round trip", run, 10000000};
