/* A C library that is built on libcoro.so: it counts in coroutines of its own. */
#ifndef TALLY_H
#define TALLY_H

#include <coro.h>

/* Spawns a coroutine that waits 10 ms, and whose result is `number`. */
coro_t tally_start(long number);

/* Waits for any coroutine of this thread. Returns 0, or what it failed with. Suspends. */
int tally_wait(coro_t co);

/* How many coroutines this thread has. */
int tally_count(void);

#endif
