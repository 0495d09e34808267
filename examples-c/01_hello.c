/*
 * 01: Hello world.
 *
 * Every program has this frame: spawn a first coroutine, then run the event loop, which runs until somebody calls
 * coro_set_exit(). The code given there becomes the status of the process.
 *
 *     $ ./01_hello; echo "status $?"
 *     Hello world!
 *     Exiting...
 *     status 0
 *
 * "Exiting..." is the loop's, on stderr; coro_set_print_exit_string(false) turns it off.
 */
#include "must.h"

static void *hello(void *arg) {
    puts("Hello world!");
    coro_set_exit(0);
    return NULL;
}

int main(void) {
    /* Detached: nobody will ask for its result. */
    MUST(coro_detach(coro_spawn(hello, NULL)));
    return coro_event_loop();
}
