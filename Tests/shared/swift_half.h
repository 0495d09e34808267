/* A library written in Swift, for a main program written in C: the same as c_half.h, but for how results are told. */
#ifndef SWIFT_HALF_H
#define SWIFT_HALF_H

#include "works.h"

/* A coroutine that does one of the works. */
coro_t swift_spawn(int work);

/* A coroutine that joins another, with a timeout. swift_result() is then the code that the join came to. */
coro_t swift_spawn_joiner(coro_t other, int64_t timeout);

/* A coroutine that shuts another down. swift_result() is then the code of that. */
coro_t swift_spawn_killer(coro_t other);

/* A coroutine that interrupts another. swift_result() is then the code of that. */
coro_t swift_spawn_interrupter(coro_t other);

int64_t swift_result(void);
int64_t swift_cleanups(void);
int64_t swift_woken_with(void);
int64_t swift_interruption(void);
int64_t swift_interrupt_value(void);

/* Sleeps in the caller's own coroutine, for at most `limit`. Returns the code that this came to. */
int swift_sleep_within(int64_t limit, int64_t ns);

/* How many coroutines Swift sees. */
int64_t swift_count_all(void);

/* Lets go of the coroutines that were made here: a Coroutine that is dropped is detached. */
void swift_drop_all(void);

#endif
