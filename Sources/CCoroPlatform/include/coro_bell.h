/* How a loop is told that something has come from outside: by another thread, or by a signal handler. */
#ifndef CORO_BELL_H
#define CORO_BELL_H

#include "coro_thread.h"

/* Two cache lines, so that looking at one flag does not meet writing the other. To be aligned to 64. (Swift imports no struct
   whose fields say so.) */
typedef struct coro_bell {
    uint32_t rung; /* something has come that the loop has not yet looked at */
    uint32_t unused[15];
    uint32_t asleep; /* the loop's thread waits for descriptors, or is about to */
    int32_t wakeup;  /* what to write to if it does; -1: not open, and the loop is not asleep */
    uint32_t unused_too[14];
} coro_bell;

/* Something has come: the loop will look for it, and is woken if it sleeps. Any thread; also in a signal handler. */
void coro_bell_ring(coro_bell *_Nonnull bell);

/* The rest is for the loop's thread. Whoever rings sets `rung` and then looks at `asleep`; the loop does the reverse. */

static inline bool coro_bell_has_rung(const coro_bell *_Nonnull bell) {
    return coro_atomic_load(&bell->rung) != 0;
}

/* on false comes before the loop looks for what has come; on true has it look again. */
static inline void coro_bell_set_rung(coro_bell *_Nonnull bell, bool on) {
    coro_atomic_exchange(&bell->rung, on);
}

static inline void coro_bell_set_asleep(coro_bell *_Nonnull bell, bool on) {
    coro_atomic_exchange(&bell->asleep, on);
}

static inline void coro_bell_set_wakeup(coro_bell *_Nonnull bell, int wakeup) {
    __atomic_store_n(&bell->wakeup, wakeup, __ATOMIC_RELEASE);
}

#endif
