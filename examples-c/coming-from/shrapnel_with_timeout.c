/*
 * Shrapnel's with_timeout(delta, function, *args): a function that is interrupted if it does not finish in time; its
 * value and its errors otherwise. The last one runs outside the event loop.
 *
 *     $ ./shrapnel_with_timeout
 *     counted to 3
 *     timed out; the function has cleaned up
 *     the function failed: Connection refused
 *     without the loop: timed out
 */
#include "../must.h"

#include <errno.h>
#include <unistd.h>

static void *count(void *arg) {
    int last = *(int *)arg;
    for (int i = 0; i < last; i++) {
        int error = coro_sleep_relative(CORO_MS(10));
        if (error < 0) return coro_fail(error, NULL); /* cleans up, and hands the interruption on */
    }
    return arg;
}

static void *refuse(void *arg) {
    return coro_fail(-ECONNREFUSED, NULL);
}

static void *with_timeouts(void *arg) {
    int few = 3, many = 1000000;
    void *result;

    MUST(coro_with_timeout(CORO_SECONDS(1000), count, &few, &result));
    printf("counted to %d\n", *(int *)result);

    if (coro_with_timeout(CORO_MS(50), count, &many, &result) == CORO_ETIMEOUT) {
        puts("timed out; the function has cleaned up");
    }

    int error = coro_with_timeout(CORO_SECONDS(1000), refuse, NULL, NULL);
    printf("the function failed: %s\n", coro_strerror(error));
    coro_set_exit(0);
    return NULL;
}

static void *read_plainly(void *arg) {
    char c;
    if (read(*(int *)arg, &c, 1) < 0) return coro_fail(-errno, NULL);
    return NULL;
}

int main(void) {
    int fds[2];
    coro_set_print_exit_string(false);
    MUST(coro_detach(coro_spawn(with_timeouts, NULL)));
    MUST(coro_event_loop());

    if (pipe(fds) < 0) return 1;
    int error = coro_with_timeout(CORO_MS(50), read_plainly, &fds[0], NULL);
    printf("without the loop: %s\n", error == CORO_ETIMEOUT ? "timed out" : coro_strerror(error));
    return 0;
}
