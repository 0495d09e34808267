/* Coroutines that do nothing but let each other run. */
#include "bench.h"

static void *yielder(void *argument) {
    for (long left = *(long *)argument; left > 0; left--) must(coro_yield(), "coro_yield");
    return NULL;
}

static double run(int coroutines, long count) {
    static coro_t ids[1000];
    long each = count / coroutines;
    for (int i = 0; i < coroutines; i++) must(ids[i] = coro_spawn(yielder, &each), "coro_spawn");
    double start = cpu_ns();
    for (int i = 0; i < coroutines; i++) must(coro_join(ids[i], NULL, CORO_FOREVER), "coro_join");
    return cpu_ns() - start;
}

static double run_2(long count) {
    return run(2, count);
}

static double run_1000(long count) {
    return run(1000, count);
}

static void hook(void *context, coro_t co, void **state) {
    (void)context, (void)co, (void)state;
}

/* With switch hooks that do nothing. */
static double run_2_hooked(long count) {
    coro_switch_hooks hooks = {sizeof hooks, NULL, hook, hook, hook};
    must(coro_set_switch_hooks(&hooks), "coro_set_switch_hooks");
    return run(2, count);
}

const struct work yield_2 = {"yield_2", "ns/yield", run_2, 50000000};
const struct work yield_1000 = {"yield_1000", "ns/yield", run_1000, 50000000};
const struct work yield_2_hooked = {"yield_2_hooked", "ns/yield", run_2_hooked, 20000000};
