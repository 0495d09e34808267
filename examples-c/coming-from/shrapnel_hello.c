/*
 * Shrapnel's first program. The loop runs until somebody calls coro_set_exit(), here as there.
 *
 *     $ ./shrapnel_hello; echo "status $?"
 *     Hello world!
 *     Exiting...
 *     status 0
 */
#include <coro.h>
#include <stdio.h>

static void *hello(void *unused) {
    puts("Hello world!");
    coro_set_exit(0); /* ends the loop, which returns this 0 to main */
    return NULL;
}

int main(void) {
    coro_detach(coro_spawn(hello, NULL));
    return coro_event_loop();
}
