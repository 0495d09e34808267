/*
 * 03: The status of the process.
 *
 * The loop does not end when one coroutine ends, nor when all do: it ends with coro_set_exit(). What can run at that
 * moment still runs; what waits stays where it is and goes down with the process.
 *
 *     $ ./03_exit_status; echo "status $?"
 *     the clock ticks
 *     the clock ticks
 *     the judge has seen enough
 *     what could run still ran
 *     status 3
 */
#include "must.h"

static void *last_words(void *arg) {
    puts("what could run still ran");
    return NULL;
}

static void *clock_that_never_stops(void *arg) {
    do {
        puts("the clock ticks");
    } while (coro_sleep(CORO_MS(200)) == 0);
    return coro_fail(CORO_ESHUTDOWN, NULL);
}

static void *judge(void *arg) {
    MUST(coro_sleep(CORO_MS(300)));
    puts("the judge has seen enough");
    MUST(coro_detach(coro_spawn(last_words, NULL)));
    coro_set_exit(3);
    return NULL;
}

int main(void) {
    coro_set_print_exit_string(false);
    MUST(coro_detach(coro_spawn(clock_that_never_stops, NULL)));
    MUST(coro_detach(coro_spawn(judge, NULL)));
    return coro_event_loop();
}
