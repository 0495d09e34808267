/* Threads: the slot in which a thread finds its runtime, and the process's locks. */
#ifndef CORO_THREAD_H
#define CORO_THREAD_H

#include "coro_nullability.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Initial-exec: one instruction instead of a call. It takes 8 bytes of the static TLS that glibc keeps in reserve for
   libraries opened later. Threads never hand coroutines over, so the compiler may keep its address across a switch. */
extern _Thread_local void *_Nullable coro_thread_slot __attribute__((visibility("hidden"), tls_model("initial-exec")));

static inline __attribute__((always_inline)) void *_Nullable coro_thread_slot_get(void) {
    return coro_thread_slot;
}

/* Sets the slot. The first time on a thread it also has ended(value) called when the thread ends. */
void coro_thread_slot_set(void *_Nullable value, void (*_Nonnull ended)(void *_Nullable value));

/* Empties the slot of a thread that ends. */
void coro_thread_slot_clear(void);

/* The lock of everything that threads share. Held for a few instructions, never across a switch. A fork() waits for it, so
   that the child does not inherit it locked. */
void coro_process_lock(void);
void coro_process_unlock(void);

/* What is behind that lock: Swift's own global variables are initialised when first used, behind a lock that a fork() does not
   wait for. */
void *_Nullable coro_process_shared_get(void);
void coro_process_shared_set(void *_Nonnull shared);

/* What to call in the child of every fork(), after the lock is free again. */
void coro_process_set_fork_child(void (*_Nonnull child)(void));

/* Flags between threads. The exchange is a full fence: of two threads that each set a flag and then look at the other's,
   one at least sees it. */
static inline uint32_t coro_atomic_exchange(uint32_t *_Nonnull flag, uint32_t value) {
    return __atomic_exchange_n(flag, value, __ATOMIC_SEQ_CST);
}

static inline uint32_t coro_atomic_load(const uint32_t *_Nonnull flag) {
    return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

#endif
