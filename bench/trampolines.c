/* Calls of C functions that are targets: what a callback costs that has a coroutine of its own, and one that has none. Beside
   them, plain_call: the same coroutine, spawned and joined. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

static int add_one(int n) {
    return n + 1;
}

typedef int function(int);

static function *trampoline_in_mode(int mode) {
    static coro_target_t target;
    if (target == 0) target = coro_target_register("int add_one(int n)", (coro_function)add_one);
    must(target, "coro_target_register");
    coro_trampoline_t trampoline = coro_trampoline_new(target, mode, NULL);
    must(trampoline, "coro_trampoline_new");
    return (function *)coro_trampoline_function(trampoline);
}

static void *call_and_check(void *argument) {
    function *call = trampoline_in_mode(CORO_TRAMPOLINE_CALL);
    for (long left = *(long *)argument; left > 0; left--)
        if (call((int)left) != (int)left + 1) abort();
    return NULL;
}

static void *spawn_in_turn(void *argument) {
    function *spawn = trampoline_in_mode(CORO_TRAMPOLINE_SPAWN);
    for (long left = *(long *)argument; left > 0; left--) {
        if (spawn((int)left) != 0) abort();
        must(coro_yield(), "coro_yield");
    }
    return NULL;
}

static double in_a_coroutine(coro_fn fn, long count) {
    double start = cpu_ns();
    must(coro_join(coro_spawn(fn, &count), NULL, CORO_FOREVER), "coro_join");
    return cpu_ns() - start;
}

static double run_call(long count) { return in_a_coroutine(call_and_check, count); }
static double run_spawn(long count) { return in_a_coroutine(spawn_in_turn, count); }

static double run_direct(long count) {
    function *call = trampoline_in_mode(CORO_TRAMPOLINE_DIRECT);
    double start = cpu_ns();
    for (long left = count; left > 0; left--)
        if (call((int)left) != (int)left + 1) abort();
    return cpu_ns() - start;
}

static void *plain(void *argument) {
    return (char *)argument + 1;
}

static void *spawn_plain_in_turn(void *argument) {
    for (long left = *(long *)argument; left > 0; left--) {
        must(coro_detach(coro_spawn(plain, argument)), "coro_spawn");
        must(coro_yield(), "coro_yield");
    }
    return NULL;
}

static double run_plain(long count) { return in_a_coroutine(spawn_plain_in_turn, count); }

const struct work trampoline_call = {"trampoline_call", "ns/call", run_call, 4000000};
const struct work trampoline_spawn = {"trampoline_spawn", "ns/call", run_spawn, 4000000};
const struct work trampoline_direct = {"trampoline_direct", "ns/call", run_direct, 20000000};
const struct work spawn_detached = {"spawn_detached", "ns/coroutine", run_plain, 8000000};
