/*
 * Shrapnel's in_parallel([(function, args), ...]): all at once, results in the order of the list; InParallelError, with
 * what became of each, when some failed.
 *
 *     $ ./shrapnel_in_parallel
 *     [4, 5, 6]
 *     InParallelError: [success 4, failure EIO "disk on fire", success 6]
 *     after 2 s: CORO_ETIMEOUT
 *     after 7 s: [4, 5, 6]
 */
#include "../must.h"

#include <errno.h>

static void *sleep_and_return(void *number) {
    int error = coro_sleep_relative(CORO_SECONDS(5));
    return error < 0 ? coro_fail(error, NULL) : number;
}

static void *burn(void *number) {
    return coro_fail(-EIO, "disk on fire");
}

/* The three of them. */
static void *list(void *arg) {
    coro_call calls[3];
    for (int i = 0; i < 3; i++) calls[i] = (coro_call){.fn = sleep_and_return, .arg = (void *)(intptr_t)(i + 4)};
    int error = coro_in_parallel(calls, 3);
    if (error < 0) return coro_fail(error, NULL);
    printf("[%d, %d, %d]\n", (int)(intptr_t)calls[0].result, (int)(intptr_t)calls[1].result, (int)(intptr_t)calls[2].result);
    return NULL;
}

static void *run(void *arg) {
    list(NULL);

    coro_call calls[] = {{.fn = sleep_and_return, .arg = (void *)4}, {.fn = burn}, {.fn = sleep_and_return, .arg = (void *)6}};
    if (coro_in_parallel(calls, 3) == CORO_EINPARALLEL) {
        const char *separator = "InParallelError: [";
        for (int i = 0; i < 3; i++, separator = ", ") {
            if (calls[i].error == 0) printf("%ssuccess %d", separator, (int)(intptr_t)calls[i].result);
            else printf("%sfailure %s \"%s\"", separator, coro_error_name(calls[i].error), calls[i].message);
        }
        puts("]");
    }

    /* A limit interrupts the wait; what runs in parallel runs on. */
    int error = coro_with_timeout(CORO_SECONDS(2), list, NULL, NULL);
    printf("after 2 s: %s\n", coro_error_name(error));
    printf("after 7 s: ");
    MUST(coro_with_timeout(CORO_SECONDS(7), list, NULL, NULL));
    coro_set_exit(0);
    return NULL;
}

int main(void) {
    coro_set_print_exit_string(false);
    coro_test_set_virtual_time(true); /* none of these seconds is waited for */
    MUST(coro_detach(coro_spawn(run, NULL)));
    return coro_event_loop();
}
