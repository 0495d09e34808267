/* Functions that are made at run time: where their code is, and how a call of one arrives. */
#ifndef CORO_TRAMPOLINE_H
#define CORO_TRAMPOLINE_H

#include "coro_nullability.h"

#include <stdbool.h>
#include <stdint.h>

/* Such a function. All zero: it has no code yet, and is closed. */
typedef struct coro_entry {
    void (*_Nullable function)(void);
    void *_Nullable closure;       /* libffi's, where it writes; NULL: the code is a thunk */
    const void *_Nullable context; /* what the first argument is, */
    bool has_context;              /* if it has one that its callers don't pass */
    uint32_t uses;                 /* how many use it; the high bit: it is open */
    int32_t error;                 /* what a call met; 0: none has met anything */
} coro_entry;

/* Where its calls arrive. result: room for it and for a register at least, all zero; a result smaller than that is stored at
   its beginning, with its own size. arguments: point to the arguments, the context first if there is one. */
typedef void (*coro_entry_called)(coro_entry *_Nonnull entry, void *_Nonnull result, void *_Nullable const *_Nonnull arguments);

/* How many functions have their code in libcoro's own. */
uint32_t coro_entry_thunk_count(void);

/* Gives an entry that has none the code that is number `index` of them, or, if there are no more, has libffi allocate some.
   Returns 0 or -errno. */
int coro_entry_open(coro_entry *_Nonnull entry, uint32_t index);

/* Has the calls of the entry's function arrive at `called`, with arguments as prepared by coro_signature_prepare(). */
bool coro_entry_bind(coro_entry *_Nonnull entry, void *_Nonnull prepared, coro_entry_called _Nonnull called);

/* -- who uses it, and may its calls go on; any thread -- */

#define CORO_ENTRY_OPEN 0x80000000u

static inline void coro_entry_set_open(coro_entry *_Nonnull entry) {
    __atomic_fetch_or(&entry->uses, CORO_ENTRY_OPEN, __ATOMIC_ACQ_REL);
}

/* Returns whether nobody uses it. */
static inline bool coro_entry_close(coro_entry *_Nonnull entry) {
    return __atomic_fetch_and(&entry->uses, ~CORO_ENTRY_OPEN, __ATOMIC_ACQ_REL) == CORO_ENTRY_OPEN;
}

static inline bool coro_entry_is_open(const coro_entry *_Nonnull entry) {
    return (__atomic_load_n(&entry->uses, __ATOMIC_ACQUIRE) & CORO_ENTRY_OPEN) != 0;
}

static inline bool coro_entry_is_unused(const coro_entry *_Nonnull entry) {
    return __atomic_load_n(&entry->uses, __ATOMIC_ACQUIRE) == 0;
}

/* Begins a use. Returns whether it is open; the use has to be ended in either case. */
static inline bool coro_entry_enter(coro_entry *_Nonnull entry) {
    return (__atomic_fetch_add(&entry->uses, 1, __ATOMIC_ACQ_REL) & CORO_ENTRY_OPEN) != 0;
}

/* Ends one. Returns whether it is closed and this was the last. */
static inline bool coro_entry_leave(coro_entry *_Nonnull entry) {
    return __atomic_fetch_sub(&entry->uses, 1, __ATOMIC_ACQ_REL) == 1;
}

static inline void coro_entry_set_error(coro_entry *_Nonnull entry, int32_t error) {
    __atomic_store_n(&entry->error, error, __ATOMIC_RELEASE);
}

static inline int32_t coro_entry_error(const coro_entry *_Nonnull entry) {
    return __atomic_load_n(&entry->error, __ATOMIC_ACQUIRE);
}

#endif
