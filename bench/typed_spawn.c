/* spawn_join by a target with a signature of its own: what arguments and results cost. The same with a text, which is copied. */
#include "bench.h"

#include <stdlib.h>

static int add(int a, int b) {
    return a + b;
}

static int length(const char *text) {
    return text[0] == 'a' ? 5 : 0;
}

static coro_target_t target;

static void *parent(void *argument) {
    int sum;
    for (long left = *(long *)argument; left > 0; left--) {
        must(coro_join_result(coro_spawn_target(target, (int)left, 1), &sum, sizeof sum, CORO_FOREVER), "coro_join_result");
        if (sum != (int)left + 1) abort();
    }
    return NULL;
}

static void *text_parent(void *argument) {
    int size;
    for (long left = *(long *)argument; left > 0; left--) {
        must(coro_join_result(coro_spawn_target(target, "a.png"), &size, sizeof size, CORO_FOREVER), "coro_join_result");
        if (size != 5) abort();
    }
    return NULL;
}

static double run_with(const char *prototype, coro_function function, coro_fn in, long count) {
    must(target = coro_target_register(prototype, function), "coro_target_register");
    double start = cpu_ns();
    must(coro_join(coro_spawn(in, &count), NULL, CORO_FOREVER), "coro_join");
    double end = cpu_ns();
    must(coro_target_unregister(target), "coro_target_unregister");
    return end - start;
}

static double run(long count) {
    return run_with("int add(int a, int b)", (coro_function)add, parent, count);
}

static double run_text(long count) {
    return run_with("int length(const char *text)", (coro_function)length, text_parent, count);
}

const struct work typed_spawn = {"typed_spawn", "ns/coroutine", run, 10000000};
const struct work typed_spawn_text = {"typed_spawn_text", "ns/coroutine", run_text, 10000000};
