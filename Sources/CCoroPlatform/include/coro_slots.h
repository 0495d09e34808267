/* Where every thread finds the process's targets by their ids, without a lock. */
#ifndef CORO_SLOTS_H
#define CORO_SLOTS_H

#include "coro_nullability.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The place of one: it stays where it is and is used again, by another with another generation. An id is the generation above
   20 bits that count the places from 1 on. */
typedef struct coro_slot {
    uint64_t word; /* the generation above 32 bits: whether it can be taken, and how many hold it */
    void *_Nullable value;
} coro_slot;

#define CORO_SLOT_INDEX_BITS 20
#define CORO_SLOT_CHUNK_BITS 9
#define CORO_SLOT_IS_OPEN (UINT64_C(1) << 31)

/* Behind the process lock: the id of a place that is not in use; 0 without memory, or if all are in use. */
int64_t coro_slot_reserve(void);
/* Behind it, too: the place is not in use any more. */
void coro_slot_give_back(int64_t id);

/* The place of an id, whoever has it now; NULL if there is none. */
static inline coro_slot *_Nullable coro_slot_find(int64_t id) {
    extern __attribute__((visibility("hidden"))) coro_slot *coro_slot_chunks[];
    uint64_t index = ((uint64_t)id & ((1u << CORO_SLOT_INDEX_BITS) - 1)) - 1;
    if (id <= 0 || index >> CORO_SLOT_INDEX_BITS != 0) return NULL;
    coro_slot *chunk = __atomic_load_n(&coro_slot_chunks[index >> CORO_SLOT_CHUNK_BITS], __ATOMIC_ACQUIRE);
    return chunk == NULL ? NULL : chunk + (index & ((1u << CORO_SLOT_CHUNK_BITS) - 1));
}

/* From now on it can be taken; the caller holds it. */
static inline void coro_slot_open(int64_t id, void *_Nonnull value) {
    coro_slot *slot = coro_slot_find(id);
    slot->value = value;
    __atomic_store_n(&slot->word, (uint64_t)id >> CORO_SLOT_INDEX_BITS << 32 | CORO_SLOT_IS_OPEN | 1, __ATOMIC_RELEASE);
}

/* Takes hold of what has that id; NULL if it can't be taken (any more). */
static inline void *_Nullable coro_slot_take(int64_t id) {
    coro_slot *slot = coro_slot_find(id);
    if (slot == NULL) return NULL;
    uint64_t word = __atomic_load_n(&slot->word, __ATOMIC_RELAXED);
    do {
        if (word >> 32 != (uint64_t)id >> CORO_SLOT_INDEX_BITS || !(word & CORO_SLOT_IS_OPEN)) return NULL;
    } while (!__atomic_compare_exchange_n(&slot->word, &word, word + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    return slot->value;
}

/* Nobody can take it any more. false: so it was before. */
static inline bool coro_slot_close(int64_t id) {
    coro_slot *slot = coro_slot_find(id);
    if (slot == NULL) return false;
    uint64_t word = __atomic_load_n(&slot->word, __ATOMIC_RELAXED);
    do {
        if (word >> 32 != (uint64_t)id >> CORO_SLOT_INDEX_BITS || !(word & CORO_SLOT_IS_OPEN)) return false;
    } while (!__atomic_compare_exchange_n(&slot->word, &word, word & ~CORO_SLOT_IS_OPEN, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return true;
}

/* For who holds it: holds it once more. */
static inline void coro_slot_hold(int64_t id) {
    __atomic_fetch_add(&coro_slot_find(id)->word, 1, __ATOMIC_RELAXED);
}

/* Lets go of it. true: the caller was the last, and it was closed. */
static inline bool coro_slot_leave(int64_t id) {
    return (uint32_t)__atomic_sub_fetch(&coro_slot_find(id)->word, 1, __ATOMIC_ACQ_REL) == 0;
}

#endif
