/* What a switch costs when there is nothing but the switch: two bare contexts, no runtime. */
#include "bench.h"
#include "coro_context.h"

#include <limits.h>

static void *contexts[2];

/* Both sides are the same code, as the coroutines of a runtime often are: the processor predicts their returns. */
static void switch_often(int side, long times) {
    for (long i = 0; i < times; i++) coro_context_switch(&contexts[side], contexts[!side]);
}

/* Called through this, so that the compiler does not make a copy for each side. */
static void (*volatile either_side)(int side, long times) = switch_often;

static void *other_side(void) {
    either_side(1, LONG_MAX);
    return contexts[0];
}

static double run(long count) {
    static char stack[16384] __attribute__((aligned(16)));
    coro_context_start(&contexts[0], stack + sizeof stack, other_side);
    double start = cpu_ns();
    either_side(0, count / 2);
    return cpu_ns() - start;
}

const struct work switch_floor = {"switch_floor", "ns/switch", run, 50000000};
