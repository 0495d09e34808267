/* What tests of groups need. */
#ifndef GROUPS_H
#define GROUPS_H

#include "coroutines.h"

coro_group *new_group(size_t limit, uint32_t flags);

void *sleep_ms(void *milliseconds);  /* and then traces how many */
void *yield_and_note(void *text);    /* yields, and then traces it */
void *fail_with(void *number);       /* fails with -number, and says "it failed" */

/* A notifier: traces the code. */
int trace_failure(coro_t co, int code, const char *message);

#endif
