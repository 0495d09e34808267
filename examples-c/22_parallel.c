/*
 * 22: Functions in parallel.
 *
 * coro_in_parallel() runs functions in a coroutine each, and goes on when all have ended. Outcomes stand in the order of
 * the functions, whoever was first; one that fails spoils nothing for the others. A limit says how many run at once, a
 * timeout when to stop waiting: who runs then runs on, who had not begun never does.
 *
 *     $ ./22_parallel
 *     all well, after 30 ms: 3*3=9 1*1=1 2*2=4
 *     one fails: CORO_EINPARALLEL, after 20 ms: 1*1=1 ERANGE(9 is too much) 2*2=4
 *     two at once: after 40 ms: 3*3=9 1*1=1 2*2=4 1*1=1
 *     a limit of time: CORO_ETIMEOUT, after 15 ms: 1*1=1 CORO_ETIMEOUT
 *     and the straggler ends, after 30 ms
 */
#include "must.h"

#include <errno.h>

/* Takes 10 ms for each unit of its number. */
static void *square(void *arg) {
    intptr_t n = (intptr_t)arg;
    if (n > 8) {
        char message[40];
        snprintf(message, sizeof message, "%d is too much", (int)n);
        return coro_fail(-ERANGE, message);
    }
    MUST(coro_sleep(CORO_MS(10 * n)));
    return (void *)(n * n);
}

static int64_t began;

static int milliseconds(void) {
    return (int)((coro_get_now() - began) / CORO_MS(1));
}

static void print_calls(const coro_call *calls, int n) {
    for (int i = 0; i < n; i++) {
        int number = (int)(intptr_t)calls[i].arg;
        if (calls[i].error == 0) printf(" %d*%d=%d", number, number, (int)(intptr_t)calls[i].result);
        else if (calls[i].message[0] != '\0') printf(" %s(%s)", coro_error_name(calls[i].error), calls[i].message);
        else printf(" %s", coro_error_name(calls[i].error));
    }
    puts("");
}

int main(void) {
    coro_parallel_options options = CORO_PARALLEL_OPTIONS_INIT;
    coro_test_set_virtual_time(true); /* so that the times above are exact */

    began = coro_get_now();
    coro_call three[] = {{.fn = square, .arg = (void *)3}, {.fn = square, .arg = (void *)1}, {.fn = square, .arg = (void *)2}};
    MUST(coro_in_parallel(three, 3));
    printf("all well, after %d ms:", milliseconds());
    print_calls(three, 3);

    began = coro_get_now();
    coro_call odd[] = {{.fn = square, .arg = (void *)1}, {.fn = square, .arg = (void *)9}, {.fn = square, .arg = (void *)2}};
    int error = coro_in_parallel(odd, 3); /* says that some failed; which, and with what, is in their calls */
    printf("one fails: %s, after %d ms:", coro_error_name(error), milliseconds());
    print_calls(odd, 3);

    began = coro_get_now();
    coro_call four[] = {{.fn = square, .arg = (void *)3}, {.fn = square, .arg = (void *)1},
                        {.fn = square, .arg = (void *)2}, {.fn = square, .arg = (void *)1}};
    options.limit = 2;
    MUST(coro_in_parallel_with(four, 4, &options));
    printf("two at once: after %d ms:", milliseconds());
    print_calls(four, 4);

    began = coro_get_now();
    coro_call late[] = {{.fn = square, .arg = (void *)1}, {.fn = square, .arg = (void *)3}};
    options = (coro_parallel_options){.struct_size = sizeof options, .timeout = CORO_MS(15)};
    error = coro_in_parallel_with(late, 2, &options);
    printf("a limit of time: %s, after %d ms:", coro_error_name(error), milliseconds());
    print_calls(late, 2);
    while (coro_get_live_coros() > 0) MUST(coro_sleep(CORO_MS(1)));
    printf("and the straggler ends, after %d ms\n", milliseconds());
    return 0;
}
