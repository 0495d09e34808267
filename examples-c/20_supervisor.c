/*
 * 20: A supervisor.
 *
 * It keeps programs running: one coroutine for each starts it, waits for its end, and starts it again, after a pause that
 * doubles as long as it fails. When all is to end, coro_shutdown() reaches each of them wherever it waits: it tells its
 * program to end, kills it if it does not, and says how it went. No program is left behind, nor anything that one started.
 *
 *     $ ./20_supervisor
 *     web: started
 *     flaky: started
 *     stubborn: started
 *     flaky: exited with 1, again in 100 ms
 *     flaky: started
 *     flaky: exited with 1, again in 200 ms
 *     flaky: started
 *     flaky: exited with 1, given up
 *     shutting down
 *     web: killed by SIGTERM
 *     stubborn: does not end
 *     stubborn: killed by SIGKILL
 */
#include "must.h"

#include <signal.h>

enum { MOST_FAILURES = 3 };

typedef struct service {
    const char *name, *script;
    coro_t supervisor;
} service;

static coro_process_t start(const service *service) {
    const char *argv[] = {"sh", "-c", service->script, NULL};
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
    options.argv = argv;
    options.in.mode = CORO_STDIO_NULL;
    options.flags = CORO_PROCESS_GROUP; /* so that what it starts ends with it */
    return MUST(coro_process_start(&options));
}

static void *wait_for(void *arg) {
    int error = coro_process_wait(*(coro_process_t *)arg, NULL);
    return error < 0 ? coro_fail(error, NULL) : NULL;
}

/* Tells it to end, and kills it if it has not after a while. Returns its status. */
static int stop(const service *service, coro_process_t process) {
    int status;
    coro_t waiter = MUST(coro_spawn(wait_for, &process));
    MUST(coro_process_kill(process, SIGTERM));
    if (coro_join(waiter, NULL, CORO_MS(300)) == CORO_ETIMEOUT) {
        printf("%s: does not end\n", service->name);
        MUST(coro_process_kill(process, SIGKILL));
        MUST(coro_join(waiter, NULL, CORO_FOREVER));
    }
    MUST(coro_process_wait(process, &status)); /* it is kept: this does not wait */
    return status;
}

static void *supervise(void *arg) {
    const service *service = arg;
    int64_t pause = CORO_MS(100);
    for (int failures = 0;;) {
        int status;
        char how[64];
        coro_process_t process = start(service);
        printf("%s: started\n", service->name);
        bool shutdown = coro_process_wait(process, &status) == CORO_ESHUTDOWN;
        if (shutdown) status = stop(service, process);
        MUST(coro_process_close(process));

        coro_process_describe_status(status, how, sizeof how);
        failures += coro_process_exit_code(status) != 0;
        if (shutdown || failures == MOST_FAILURES) {
            printf("%s: %s%s\n", service->name, how, shutdown ? "" : ", given up");
            return NULL;
        }
        printf("%s: %s, again in %d ms\n", service->name, how, (int)(pause / CORO_MS(1)));
        if (coro_sleep(pause) < 0) return NULL;
        pause *= 2;
    }
}

int main(void) {
    service services[] = {
        {.name = "web", .script = "sleep 1000"},
        {.name = "flaky", .script = "sleep 0.1; exit 1"},
        {.name = "stubborn", .script = "trap '' TERM; while :; do sleep 0.1; done"},
    };
    enum { COUNT = sizeof services / sizeof *services };
    for (int i = 0; i < COUNT; i++) services[i].supervisor = MUST(coro_spawn(supervise, &services[i]));

    MUST(coro_join(services[1].supervisor, NULL, CORO_FOREVER)); /* until the flaky one is given up */
    puts("shutting down");
    for (int i = 0; i < COUNT; i++) {
        if (coro_is_alive(services[i].supervisor)) MUST(coro_shutdown(services[i].supervisor));
    }
    for (int i = 0; i < COUNT; i++) {
        if (i != 1) MUST(coro_join(services[i].supervisor, NULL, CORO_FOREVER));
    }
    return 0;
}
