/*
 * 06: Many sleepers.
 *
 * Each coroutine sleeps for as long as its number says, then prints it: the event loop sorts. A thousand would do as
 * well: a sleeper costs a stack, of which only what it uses takes memory, and no CPU.
 *
 *     $ ./06_sleep_sort 30 10 20 5 40 10
 *     5 10 10 20 30 40
 */
#include "must.h"

static void *sleep_and_print(void *arg) {
    const char *number = arg;
    MUST(coro_sleep(CORO_MS(10 * atoi(number))));
    printf("%s ", number);
    return NULL;
}

int main(int count, char **arguments) {
    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.flags = CORO_LOOP_UNTIL_IDLE; /* the loop returns when nothing is left that could run */
    for (int i = 1; i < count; i++) MUST(coro_detach(coro_spawn(sleep_and_print, arguments[i])));
    int code = (int)MUST(coro_event_loop_with(&options));
    puts("");
    return code;
}
