/*
 * 18: Signals.
 *
 * coro_signal() has a signal handled in a coroutine. What must never be done in a signal handler is all right there: print,
 * allocate, sleep. The others go on meanwhile. Here it is CORO_SIGNAL_SERIAL: of two signals, the second waits for the end
 * of the first one's handler. SIGINT and SIGTERM, if nobody else wants them, end the loop.
 *
 *     $ ./18_signals; echo "status $?"
 *     work 1
 *     reload 1 begins
 *     work 2
 *     work 3
 *     reload 1 ends
 *     reload 2 begins
 *     work 4
 *     work 5
 *     reload 2 ends
 *     work 6
 *     Exiting...
 *     status 0
 */
#include "must.h"

#include <signal.h>

static int reloads;

static void reload(int signum, void *arg) {
    int number = ++reloads;
    printf("reload %d begins\n", number);
    MUST(coro_sleep(CORO_MS(250)));
    printf("reload %d ends\n", number);
}

static void *work(void *arg) {
    for (int i = 1; i <= 6; i++) {
        MUST(coro_sleep(CORO_MS(100)));
        printf("work %d\n", i);
        if (i == 1) { /* as `kill -USR1` from a terminal would */
            raise(SIGUSR1);
            raise(SIGUSR1);
        }
    }
    raise(SIGTERM);
    return NULL;
}

int main(void) {
    coro_test_set_virtual_time(true); /* so that the lines above come in this order on a slow machine, too: see 16 */
    MUST(coro_signal(SIGUSR1, reload, NULL, CORO_SIGNAL_SERIAL));
    MUST(coro_detach(coro_spawn(work, NULL)));
    return coro_event_loop();
}
