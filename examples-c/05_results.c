/*
 * 05: Results and failures.
 *
 * What a coroutine's function returns is its result, and coro_join() fetches it. `return coro_fail(code, message)` ends
 * it with an error instead. Whoever joins gets the error; and so that none is lost, the notifier is told of it too: by
 * default a line on stderr, here our own. (Of CORO_ESHUTDOWN it is not told: that was asked for.)
 *
 *     $ ./05_results
 *     7 * 7 = 49
 *     notifier: "read_disk" failed with EIO, "the disk is full of eels"
 *     join: EIO, "the disk is full of eels"
 */
#include "must.h"

#include <errno.h>

static void *square(void *arg) {
    intptr_t n = (intptr_t)arg;
    MUST(coro_yield()); /* stands for some work that waits */
    return (void *)(n * n);
}

static void *read_disk(void *arg) {
    return coro_fail(-EIO, "the disk is full of eels");
}

static int print_failure(coro_t co, int code, const char *message) {
    char name[64];
    MUST(coro_get_name(co, name, sizeof name));
    printf("notifier: \"%s\" failed with %s, \"%s\"\n", name, coro_error_name(code), message);
    return 0; /* told; anything else would make the default tell it */
}

int main(void) {
    void *result;
    coro_set_exception_notifier(print_failure);

    coro_t co = MUST(coro_spawn(square, (void *)7));
    MUST(coro_join(co, &result, CORO_FOREVER));
    printf("7 * 7 = %d\n", (int)(intptr_t)result);

    coro_options options = CORO_OPTIONS_INIT;
    options.name = "read_disk";
    co = MUST(coro_spawn_with(read_disk, NULL, &options));
    int error = coro_join(co, NULL, CORO_FOREVER);
    printf("join: %s, \"%s\"\n", coro_error_name(error), coro_error_detail());
    return 0;
}
