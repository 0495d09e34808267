/*
 * 04: Without coro_event_loop().
 *
 * main may wait too: a suspending call made outside every coroutine runs the loop until that call is done. Handy in
 * tools and tests, where main knows what it waits for. A library that would rather have this be an error says so with
 * coro_set_strict_main(true).
 *
 *     $ ./04_implicit_loop
 *     main: I sleep, and others run
 *     worker: one
 *     worker: two
 *     main: awake, and nobody runs while I do not wait
 *     main: the worker's end waits for this join
 *     worker: three
 *     strict: this call may suspend, which is not allowed here
 */
#include "must.h"

static void *worker(void *arg) {
    puts("worker: one");
    MUST(coro_sleep(CORO_MS(100)));
    puts("worker: two");
    MUST(coro_sleep(CORO_MS(200)));
    puts("worker: three");
    return NULL;
}

int main(void) {
    coro_t co = MUST(coro_spawn(worker, NULL));
    puts("main: I sleep, and others run");
    MUST(coro_sleep(CORO_MS(200)));
    puts("main: awake, and nobody runs while I do not wait");
    puts("main: the worker's end waits for this join");
    MUST(coro_join(co, NULL, CORO_FOREVER));

    coro_set_strict_main(true);
    int error = coro_yield();
    printf("strict: %s\n", coro_strerror(error));
    return error == CORO_EYIELDFROMMAIN ? 0 : 1;
}
