/*
 * From jschwinger23/coroutine's tests: a handler of signals that sleeps, while main goes on printing.
 *
 *     $ ./coroutine_signal
 *     main: 0
 *     handler: signal 10, and to bed
 *     main: 1
 *     main: 2
 *     handler: signal 10, and to bed
 *     handler: awake
 *     main: 3
 *     main: 4
 *     handler: awake
 */
#include "../must.h"

#include <signal.h>

static void handler(int signum, void *arg) {
    printf("handler: signal %d, and to bed\n", signum);
    MUST(coro_sleep(CORO_MS(500)));
    puts("handler: awake");
}

int main(void) {
    coro_test_set_virtual_time(true); /* so that the order above is exact */
    MUST(coro_signal(SIGUSR1, handler, NULL, 0));
    for (int i = 0; i < 5; i++) {
        printf("main: %d\n", i);
        if (i == 0 || i == 2) raise(SIGUSR1); /* the second comes while the handler of the first sleeps */
        MUST(coro_sleep(CORO_MS(200)));
    }
    MUST(coro_signal_unregister(SIGUSR1));
    return 0;
}
