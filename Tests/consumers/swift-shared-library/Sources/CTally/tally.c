#include "tally.h"

static void *count(void *number) {
    int error = coro_sleep(CORO_MS(10));
    return error < 0 ? coro_fail(error, "") : number;
}

coro_t tally_start(long number) { return coro_spawn(count, (void *)number); }

int tally_wait(coro_t co) { return coro_join(co, NULL, CORO_FOREVER); }

int tally_count(void) { return coro_all(NULL, 0); }
