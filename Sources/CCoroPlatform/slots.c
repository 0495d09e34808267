/* The places of the process's targets. */
#include "coro_slots.h"

#include "coro_memory.h"

enum { CHUNK = 1 << CORO_SLOT_CHUNK_BITS, CHUNKS = 1 << (CORO_SLOT_INDEX_BITS - CORO_SLOT_CHUNK_BITS) };

/* Never freed: who looks for an id holds no lock. */
__attribute__((visibility("hidden"))) coro_slot *coro_slot_chunks[CHUNKS];

/* The id that the place given back last will have; its value is that of the one before. */
static int64_t unused_id;
static int64_t used_ever;

int64_t coro_slot_reserve(void) {
    if (unused_id != 0) {
        int64_t id = unused_id;
        unused_id = (int64_t)(intptr_t)coro_slot_find(id)->value;
        return id;
    }
    if (used_ever + 1 >= (int64_t)CHUNK * CHUNKS) return 0;
    coro_slot **chunk = &coro_slot_chunks[used_ever >> CORO_SLOT_CHUNK_BITS];
    if (*chunk == NULL) {
        coro_slot *slots = coro_memory_allocate(CHUNK * sizeof(coro_slot), 64);
        if (slots == NULL) return 0;
        __atomic_store_n(chunk, slots, __ATOMIC_RELEASE);
    }
    return ++used_ever;
}

void coro_slot_give_back(int64_t id) {
    coro_slot *slot = coro_slot_find(id);
    uint64_t generation = ((uint64_t)id >> CORO_SLOT_INDEX_BITS) + 1;
    if (generation > UINT32_MAX) return; /* no id is ever used again */
    slot->value = (void *)(intptr_t)unused_id;
    __atomic_store_n(&slot->word, generation << 32, __ATOMIC_RELEASE);
    unused_id = id + (INT64_C(1) << CORO_SLOT_INDEX_BITS);
}
