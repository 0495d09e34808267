/* Small coroutines, and small calls about coroutines, that many tests need. */
#ifndef COROUTINES_H
#define COROUTINES_H

#include "harness.h"

/* -- functions of coroutines -- */

void *do_nothing(void *argument);     /* returns its argument, as all of these do */
void *note(void *text);               /* traces it */
void *park(void *argument);           /* parks once; fails with what interrupts it */
void *sleep_for_ever(void *argument); /* fails with what interrupts it */
void *exit_with(void *code);          /* coro_set_exit(AS_INT(code)) */

/* -- making them; all checked -- */

coro_t go(coro_fn function, void *argument);        /* spawned and detached */
coro_t start_now(coro_fn function, void *argument); /* new, and run to its first suspension */

/* -- looking at them -- */

/* What coro_get_info() says, having written every field. */
coro_info info_of(coro_t co);

#endif
