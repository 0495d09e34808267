/*
 * 08: Timeouts, shutdown and cleanup.
 *
 * Nothing ends a coroutine from outside. coro_shutdown() asks: the call in which it waits returns CORO_ESHUTDOWN, and
 * the coroutine cleans up and returns like any other function. One that has not run yet has nothing to clean up, and
 * is cancelled; `release` gives its argument back in both cases.
 *
 *     $ ./08_shutdown
 *     worker: has taken a page
 *     join with a timeout: CORO_ETIMEOUT, alive: yes
 *     worker: has freed its page
 *     release: for the worker
 *     join after shutdown: CORO_ESHUTDOWN, alive: no
 *     release: for the late one
 */
#include "must.h"

#include <errno.h>

static void *worker(void *arg) {
    char *page = malloc(4096);
    if (page == NULL) return coro_fail(-ENOMEM, "no memory");
    printf("%s: has taken a page\n", (char *)arg);

    int error = coro_sleep(CORO_FOREVER); /* stands for waiting for work */

    free(page);
    printf("%s: has freed its page\n", (char *)arg);
    return error < 0 ? coro_fail(error, NULL) : NULL;
}

static void release(void *arg) {
    printf("release: for the %s\n", (char *)arg);
}

int main(void) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = release;

    coro_t co = MUST(coro_spawn_with(worker, "worker", &options));
    int error = coro_join(co, NULL, CORO_MS(50));
    printf("join with a timeout: %s, alive: %s\n", coro_error_name(error), coro_is_alive(co) ? "yes" : "no");

    MUST(coro_shutdown(co));
    error = coro_join(co, NULL, CORO_FOREVER);
    printf("join after shutdown: %s, alive: %s\n", coro_error_name(error), coro_is_alive(co) ? "yes" : "no");

    co = MUST(coro_spawn_with(worker, "late one", &options));
    MUST(coro_shutdown(co)); /* before it ever ran: it never prints */
    MUST(coro_detach(co));
    return 0;
}
