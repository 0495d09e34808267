/* A library written in C, for a main program written in Swift. Its coroutines are joined, or detached, by who asks. */
#ifndef C_HALF_H
#define C_HALF_H

#include "works.h"

/* A coroutine that does one of the works. */
coro_t c_spawn(int work);

/* A coroutine that joins another, with a timeout; its own result is the code that the join returned. */
coro_t c_spawn_joiner(coro_t other, int64_t timeout);

/* A coroutine that shuts another down; its result is the code of that. */
coro_t c_spawn_killer(coro_t other);

/* A coroutine that interrupts another; its result is the code of that. */
coro_t c_spawn_interrupter(coro_t other);

int64_t c_cleanups(void);
int64_t c_woken_with(void);
int64_t c_interruption(void);
int64_t c_interrupt_value(void);

/* Sleeps in the caller's own coroutine, for at most `limit`. Returns what that came to. */
int c_sleep_within(int64_t limit, int64_t ns);

#endif
