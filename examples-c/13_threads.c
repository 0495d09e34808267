/*
 * 13: Work from another thread.
 *
 * A loop and its coroutines belong to one thread. Another thread (one that computes, or that is inside a library which
 * blocks) hands work over with coro_post(): a function that runs there as a coroutine, and may wait like any other.
 *
 *     $ ./13_threads
 *     loop: 10! = 3628800
 *     loop: 15! = 1307674368000
 *     loop: 20! = 2432902008176640000
 *     loop: that was all
 */
#include "must.h"

#include <pthread.h>

struct result {
    int n;
    int64_t factorial;
};

static void *show(void *arg) {
    struct result *result = arg;
    printf("loop: %d! = %lld\n", result->n, (long long)result->factorial);
    free(result);
    return NULL;
}

static void *finish(void *arg) {
    puts("loop: that was all");
    coro_set_exit(0);
    return NULL;
}

static void *compute(void *arg) {
    coro_loop_t loop = *(coro_loop_t *)arg;
    for (int n = 10; n <= 20; n += 5) {
        struct result *result = malloc(sizeof *result);
        if (result == NULL) abort();
        *result = (struct result){n, 1};
        for (int i = 2; i <= n; i++) result->factorial *= i;
        MUST(coro_post(loop, show, result)); /* which owns the result from here on */
    }
    MUST(coro_post(loop, finish, NULL));
    return NULL;
}

int main(void) {
    pthread_t thread;
    coro_loop_t loop = MUST(coro_loop_current());
    coro_set_print_exit_string(false);
    if (pthread_create(&thread, NULL, compute, &loop) != 0) return 1;
    int code = coro_event_loop();
    if (pthread_join(thread, NULL) != 0) return 1;
    return code;
}
