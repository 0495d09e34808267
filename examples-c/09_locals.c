/*
 * 09: Coroutine-locals.
 *
 * A global variable of which every coroutine has its own value: here the user for whom it works, which log_line()
 * wants to know without being told by every caller. A value that is left at the coroutine's end is destroyed.
 *
 *     $ ./09_locals
 *     [ann] begins
 *     [bob] begins
 *     [nobody] main looks on
 *     [ann] ends
 *     (forgetting ann)
 *     [bob] ends
 *     (forgetting bob)
 */
#include "must.h"

#include <errno.h>
#include <string.h>

static coro_local_t user;

static void log_line(const char *text) {
    void *name;
    if (coro_local_get(user, &name) < 0) name = "nobody"; /* not set for the caller */
    printf("[%s] %s\n", (char *)name, text);
}

static void forget(void *value) {
    printf("(forgetting %s)\n", (char *)value);
    free(value);
}

static void *work_for(void *arg) {
    char *name = strdup(arg);
    if (name == NULL) return coro_fail(-ENOMEM, "no memory");
    MUST(coro_local_set(user, name));
    log_line("begins");
    MUST(coro_sleep(CORO_MS(50)));
    log_line("ends");
    return NULL;
}

int main(void) {
    user = MUST(coro_local_new(forget));
    coro_t ann = MUST(coro_spawn(work_for, "ann"));
    coro_t bob = MUST(coro_spawn(work_for, "bob"));
    MUST(coro_yield());
    log_line("main looks on");
    MUST(coro_join(ann, NULL, CORO_FOREVER));
    MUST(coro_join(bob, NULL, CORO_FOREVER));
    MUST(coro_local_free(user));
    return 0;
}
