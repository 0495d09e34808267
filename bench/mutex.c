/* A mutex that nobody else wants; and one that others always do, because its owner lets them run while it has it. */
#include "bench.h"

#include <stdlib.h>

enum { MANY = 100 };

static coro_mutex *mutex;
static long each, counter;

static void *alone(void *argument) {
    for (long left = each; left > 0; left--) {
        must(coro_mutex_lock(mutex), "coro_mutex_lock");
        counter++;
        must(coro_mutex_unlock(mutex), "coro_mutex_unlock");
        /* One that never suspends is reported as holding up the others. */
        if (left % 1000000 == 0) must(coro_yield(), "coro_yield");
    }
    return argument;
}

static void *among_others(void *argument) {
    for (long left = each; left > 0; left--) {
        must(coro_mutex_lock(mutex), "coro_mutex_lock");
        long before = counter;
        must(coro_yield(), "coro_yield");
        counter = before + 1;
        must(coro_mutex_unlock(mutex), "coro_mutex_unlock");
    }
    return argument;
}

static double run(coro_fn function, int coroutines, long count) {
    coro_t ids[MANY];
    mutex = coro_mutex_new();
    each = count / coroutines;
    counter = 0;
    for (int i = 0; i < coroutines; i++) must(ids[i] = coro_spawn(function, NULL), "coro_spawn");
    double start = cpu_ns();
    for (int i = 0; i < coroutines; i++) must(coro_join(ids[i], NULL, CORO_FOREVER), "coro_join");
    double took = cpu_ns() - start;
    if (counter != each * coroutines) abort();
    must(coro_mutex_free(mutex), "coro_mutex_free");
    return took;
}

static double run_alone(long count) {
    return run(alone, 1, count);
}

static double run_2(long count) {
    return run(among_others, 2, count);
}

static double run_100(long count) {
    return run(among_others, MANY, count);
}

const struct work mutex_alone = {"mutex_alone", "ns/lock+unlock", run_alone, 50000000};
const struct work mutex_2 = {"mutex_2", "ns/lock", run_2, 20000000};
const struct work mutex_100 = {"mutex_100", "ns/lock", run_100, 20000000};
