/* Timeout scopes: alone, and around a wait that ends before its time, so that a timer is set and taken back; next to the same
   wait without one. */
#include "bench.h"

static void *scopes(void *argument) {
    for (long left = *(long *)argument; left > 0; left--) {
        coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(5));
        must(coro_timeout_end(scope, 0), "coro_timeout_end");
    }
    return NULL;
}

static void *parker(void *argument) {
    for (long left = *(long *)argument; left > 0; left--) must(coro_park(NULL), "coro_park");
    return NULL;
}

static void *parker_in_scopes(void *argument) {
    for (long left = *(long *)argument; left > 0; left--) {
        coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(5));
        must(coro_timeout_end(scope, coro_park(NULL)), "coro_timeout_end");
    }
    return NULL;
}

static double run_scopes(long count) {
    double start = cpu_ns();
    must(coro_join(coro_spawn(scopes, &count), NULL, CORO_FOREVER), "coro_join");
    return cpu_ns() - start;
}

struct partner {
    coro_t parker;
    long count;
};

static void *waker(void *argument) {
    struct partner *partner = argument;
    for (long left = partner->count; left > 0; left--) {
        must(coro_schedule(partner->parker, NULL), "coro_schedule");
        must(coro_yield(), "coro_yield");
    }
    return NULL;
}

static double run_parks(coro_fn function, long count) {
    struct partner partner = {coro_new(function, &count, NULL), count};
    must(coro_start_now(partner.parker), "coro_start_now");
    double start = cpu_ns();
    must(coro_join(coro_spawn(waker, &partner), NULL, CORO_FOREVER), "coro_join");
    double took = cpu_ns() - start;
    must(coro_join(partner.parker, NULL, CORO_FOREVER), "coro_join");
    return took;
}

static double run_park(long count) {
    return run_parks(parker, count);
}

static double run_timeout_park(long count) {
    return run_parks(parker_in_scopes, count);
}

const struct work timeout_scope = {"timeout_scope", "ns/scope", run_scopes, 10000000};
const struct work park_wake = {"park_wake", "ns/park", run_park, 20000000};
const struct work timeout_park = {"timeout_park", "ns/park", run_timeout_park, 5000000};
