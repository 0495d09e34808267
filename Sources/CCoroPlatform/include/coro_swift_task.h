/* Tasks of Swift Concurrency, if that is in the process. */
#ifndef CORO_SWIFT_TASK_H
#define CORO_SWIFT_TASK_H

#include "coro_nullability.h"

#include <stdbool.h>
#include <stddef.h>

/* The function that tells a thread's task; NULL while it is not known. Behind this one's back it is never changed again. */
extern void *_Nullable (*_Nullable coro_swift_task_current)(void) __attribute__((visibility("hidden")));

/* Looks for Swift Concurrency, which may have come since this last did. */
void coro_swift_task_look(void);

/* Whether this thread's code, its coroutines' too, was called by a task. */
static inline bool coro_swift_task_is_here(void) {
    void *(*current)(void) = __atomic_load_n(&coro_swift_task_current, __ATOMIC_ACQUIRE);
    return current != NULL && current() != NULL;
}

#endif
