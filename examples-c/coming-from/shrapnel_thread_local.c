/*
 * Shrapnel's ThreadLocal: a variable of which every coroutine has a value of its own. What is missing is an error to be
 * told apart from NULL, as AttributeError was.
 *
 *     $ ./shrapnel_thread_local
 *     main has no color
 *     first is red
 *     second is blue
 *     second has no color any more
 *     first is still red
 */
#include "../must.h"

#include <errno.h>

static coro_local_t color;

static void print_color(const char *who, const char *is, const char *without) {
    void *value;
    int error = coro_local_get(color, &value);
    if (error == -ENOENT) printf("%s has no color%s\n", who, without);
    else printf("%s %s %s\n", who, is, (char *)value);
}

static void *first(void *arg) {
    MUST(coro_local_set(color, "red"));
    print_color("first", "is", "");
    MUST(coro_yield_slice()); /* the second sets and deletes its own meanwhile */
    print_color("first", "is still", "");
    return NULL;
}

static void *second(void *arg) {
    MUST(coro_local_set(color, "blue"));
    print_color("second", "is", "");
    MUST(coro_local_delete(color));
    print_color("second", "is", " any more");
    return NULL;
}

int main(void) {
    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.flags = CORO_LOOP_UNTIL_IDLE;
    color = MUST(coro_local_new(NULL));
    print_color("main", "is", "");
    MUST(coro_detach(coro_spawn(first, NULL)));
    MUST(coro_detach(coro_spawn(second, NULL)));
    MUST(coro_event_loop_with(&options));
    MUST(coro_local_free(color));
    return 0;
}
