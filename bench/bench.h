/* What the benchmarks share. Each work does `count` operations and is timed as a whole, several times. */
#ifndef BENCH_H
#define BENCH_H

#include <coro.h>

#include <stdint.h>

struct work {
    const char *name;
    const char *unit;
    /* Does count operations; returns what they took in all, in ns of processor time. */
    double (*run)(long count);
    /* Operations per run: about half a second's worth, and for --quick a tenth. */
    long count;
};

extern const struct work switch_floor, yield_2, yield_1000, yield_2_hooked, spawn_join, sleep_100k, pipe_roundtrip;
extern const struct work typed_spawn, typed_spawn_text;
extern const struct work spawn_detached, trampoline_spawn, trampoline_call, trampoline_direct;
extern const struct work timeout_scope, park_wake, timeout_park;
extern const struct work channel_roundtrip, channel_buffered, select_2, semaphore_roundtrip, condition_roundtrip;
extern const struct work mutex_alone, mutex_2, mutex_100;

/* The processor time of this process so far. */
double cpu_ns(void);

/* Ends the program when a call failed that a benchmark can't do without. */
void must(int64_t result, const char *what);

#endif
