/*
 * 15: Who is there, and what do they wait for?
 *
 * coro_all() lists the coroutines, coro_get_info() says what is known of one. This is the first thing to build into a
 * long-running program: it answers "why does it hang?" without a debugger.
 *
 *     $ sleep 1 | ./15_who
 *     #1 reader: reading fd 0
 *     #2 sleeper: sleeping
 *     #3 friend: joining #2
 *     #4 patient: parked
 *     #5 unborn: not started
 *     #6 who: running
 */
#include "must.h"

#include <unistd.h>

enum { MOST = 100 };

static void *read_stdin(void *arg) {
    char c;
    MUST(coro_read(STDIN_FILENO, &c, 1));
    return NULL;
}

static void *sleep_forever(void *arg) {
    MUST(coro_sleep(CORO_FOREVER));
    return NULL;
}

static void *join(void *arg) {
    MUST(coro_join(*(coro_t *)arg, NULL, CORO_FOREVER));
    return NULL;
}

static void *park(void *arg) {
    MUST(coro_park(NULL));
    return NULL;
}

static void *print_all(void *arg) {
    coro_t ids[MOST];
    int count = coro_all(ids, MOST);
    for (int i = 0; i < count && i < MOST; i++) {
        coro_info info = {.struct_size = sizeof info};
        if (coro_get_info(ids[i], &info) < 0) continue;
        printf("#%lld %s: %s\n", (long long)info.id, info.name, info.waiting);
    }
    return NULL;
}

static coro_t spawn_named(const char *name, coro_fn fn, void *arg) {
    coro_options options = CORO_OPTIONS_INIT;
    options.name = name;
    return MUST(coro_spawn_with(fn, arg, &options));
}

int main(void) {
    spawn_named("reader", read_stdin, NULL);
    coro_t sleeper = spawn_named("sleeper", sleep_forever, NULL);
    spawn_named("friend", join, &sleeper);
    spawn_named("patient", park, NULL);
    coro_t unborn = MUST(coro_new(park, NULL, NULL));
    MUST(coro_set_name(unborn, "unborn"));
    coro_t who = spawn_named("who", print_all, NULL);
    MUST(coro_join(who, NULL, CORO_FOREVER));
    return 0;
}
