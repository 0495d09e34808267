/*
 * The program on the page of jschwinger23/coroutine: start() runs the function up to its first wait, before it returns.
 * There is no event loop to start: join() in main runs it.
 *
 *     $ ./coroutine_start_join
 *     12
 *     56
 *     34
 */
#include <coro.h>
#include <stdio.h>

static void *f(void *x) {
    puts("12");
    coro_sleep(*(int64_t *)x);
    puts("34");
    return NULL;
}

int main(void) {
    int64_t x = CORO_SECONDS(0.1);
    coro_t co = coro_new(f, &x, NULL);
    coro_start_now(co);
    puts("56");
    return coro_join(co, NULL, CORO_FOREVER);
}
