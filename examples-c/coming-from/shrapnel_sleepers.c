/*
 * From Shrapnel's tutorial: a thousand coroutines, each of which sleeps for some random time of up to 15 seconds.
 *
 *     $ ./shrapnel_sleepers
 *     1000 coroutines have slept: none too short, each woken in its turn
 *     the last one woke in the 15th second
 */
#include "../must.h"

enum { SLEEPERS = 1000 };

static int awake, early, out_of_turn;
static int64_t began, last;

static void *sleeper(void *arg) {
    int64_t time = *(int64_t *)arg;
    MUST(coro_sleep_relative(time));
    int64_t woke = coro_get_now();
    if (woke < began + time) early += 1;
    if (woke < last) out_of_turn += 1;
    last = woke;
    if (++awake == SLEEPERS) coro_set_exit(0);
    return NULL;
}

int main(void) {
    static int64_t times[SLEEPERS];
    coro_test_set_virtual_time(true); /* without it, this takes 15 seconds */
    coro_set_print_exit_string(false);
    srandom(1);
    began = coro_get_now();
    for (int i = 0; i < SLEEPERS; i++) {
        times[i] = CORO_MS(random() % 15000);
        MUST(coro_detach(coro_spawn(sleeper, &times[i])));
    }
    int code = coro_event_loop();
    printf("%d coroutines have slept: %s too short, %s woken in its turn\n", awake, early == 0 ? "none" : "some",
           out_of_turn == 0 ? "each" : "not each");
    printf("the last one woke in the %dth second\n", (int)((last - began) / CORO_SECONDS(1)) + 1);
    return code;
}
