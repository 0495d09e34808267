/* What a switch costs when there is nothing but the switch: two bare contexts, no runtime. */
#include "bench.h"
#include "coro_context.h"

#include <stddef.h>

static void *contexts[2];

/* Both sides switch at the same place, as the coroutines of a runtime do. */
static __attribute__((noinline)) void switch_from(int side) {
    coro_context_switch(&contexts[side], contexts[!side]);
}

static void *other_side(void) {
    for (;;) switch_from(1);
    return NULL;
}

static double run(long count) {
    static char stack[16384] __attribute__((aligned(16)));
    coro_context_start(&contexts[0], stack + sizeof stack, other_side);
    double start = wall_ns();
    for (long i = 0; i < count; i += 2) switch_from(0);
    return wall_ns() - start;
}

const struct work switch_floor = {"switch_floor", "ns/switch", run, 50000000};
