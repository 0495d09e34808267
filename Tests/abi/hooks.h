/* Hooks that trace what they are called for: "leave:a", by the name of the coroutine; that of 0 is "main". */
#ifndef HOOKS_H
#define HOOKS_H

#include "coroutines.h"

void set_traced_hooks(void);
void unset_hooks(void);

/* A new, detached, queued coroutine with a name. */
coro_t go_named(const char *name, coro_fn function);

/* Yields once; traces "runs:<name>" before, and "ends:<name>" after. */
void *run_and_end(void *unused);

#endif
