/*
 * jschwinger23/coroutine's pipe(flags): both ends are for coroutines, and the writer's close is the reader's end.
 *
 *     $ ./coroutine_pipe
 *     the reader waits
 *     "one"
 *     "two"
 *     the end
 */
#define _GNU_SOURCE
#include "../must.h"

#include <fcntl.h>

static void *reader(void *arg) {
    char buffer[100];
    ssize_t n;
    puts("the reader waits");
    while ((n = MUST(coro_read(*(int *)arg, buffer, sizeof buffer))) > 0) printf("\"%.*s\"\n", (int)n, buffer);
    puts("the end");
    MUST(coro_close(*(int *)arg));
    return NULL;
}

int main(void) {
    int fds[2];
    MUST(coro_pipe(fds, O_CLOEXEC));
    coro_t co = MUST(coro_new(reader, &fds[0], NULL));
    MUST(coro_start_now(co));
    MUST(coro_write(fds[1], "one", 3));
    MUST(coro_sleep(CORO_MS(10))); /* the reader takes it meanwhile */
    MUST(coro_write(fds[1], "two", 3));
    MUST(coro_close(fds[1]));
    return coro_join(co, NULL, CORO_FOREVER);
}
