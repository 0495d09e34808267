/*
 * 02: Start and join.
 *
 * coro_new() makes a coroutine without running it. coro_start_now() runs it at once, up to the first call in which it
 * waits; then main goes on. coro_join() waits for its end.
 *
 *     $ ./02_start_join
 *     12
 *     56
 *     34
 *
 * With coro_start() in place of coro_start_now() the coroutine would first run when main waits: 56, 12, 34.
 */
#include "must.h"

static void *f(void *arg) {
    int64_t *pause = arg;
    puts("12");
    MUST(coro_sleep(*pause));
    puts("34");
    return NULL;
}

int main(void) {
    int64_t pause = CORO_MS(100);
    coro_t co = MUST(coro_new(f, &pause, NULL));
    MUST(coro_start_now(co));
    puts("56");
    MUST(coro_join(co, NULL, CORO_FOREVER));
    return 0;
}
