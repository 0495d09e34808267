/* What the tests of trampolines share. */
#ifndef TRAMPOLINES_H
#define TRAMPOLINES_H

#include "coroutines.h"

/* A trampoline of a function that is registered for it, and unregistered at once: it keeps its target. Both checked. */
coro_trampoline_t trampoline_to(const char *prototype, coro_function fn, int mode);
coro_trampoline_t trampoline_with_context(const char *prototype, coro_function fn, int mode, void *context);
coro_trampoline_t trampoline_otherwise(const char *prototype, coro_function fn, int mode, const void *otherwise);

/* Its function, cast to that type. */
#define FUNCTION(type, trampoline) ((type)function_of(trampoline))
coro_function function_of(coro_trampoline_t trampoline);

/* Registers a handler; the target's release adds one to *released. */
coro_target_t handler_target(const char *prototype, coro_handler handler, int *released);

/* Has what is queued and posted run to its end, if it waits for nothing that takes longer than 10 ms. */
void run_what_is_queued(void);

/* How many mappings of this process are executable: those whose rights are `rights` ("rwx", "r-x"). */
int count_mappings(const char *rights);

#endif
