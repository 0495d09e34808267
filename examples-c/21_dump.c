/*
 * 21: Where is everybody?
 *
 * coro_dump() writes every coroutine with its stack, as a debugger would: the first thing to look at when a program hangs.
 * CORO_LOOP_DETECT_DEADLOCK has the loop notice by itself when nobody can go on any more. Here a worker takes jobs from
 * somebody who waits for the worker: each waits for the other.
 *
 * To see the names of its functions, a program must be linked with -rdynamic. (The addresses are left out here.)
 *
 *     $ ./21_dump 2>&1 | sed -E 's/\+(0x)?[0-9a-f]+//g; /libc.so|_start/d; s/[0-9.]+ m?s old/N s old/'
 *     coro #0 (main): running
 *         main
 *     coro #1 (worker): parked; N s old, 1 switch, created before main
 *         coro_park
 *         take_job
 *         worker
 *     coro #2 (boss): joining #1; N s old, 1 switch, created before main, detached
 *         coro_join
 *         boss
 *     libcoro: deadlock: nothing can run any more, and these wait:
 *       #1 (worker) parked
 *       #2 (boss) joining #1
 *     main: Resource deadlock avoided: #1 (worker) parked; #2 (boss) joining #1
 */
#include "must.h"

#include <errno.h>
#include <unistd.h>

/* Not static, so that -rdynamic gives them names; not inlined, so that they have frames. */
__attribute__((noinline)) int take_job(void **job) {
    int error = coro_park(job);
    return error < 0 ? error : *job != NULL;
}

void *worker(void *arg) {
    void *job;
    while (take_job(&job) > 0) puts("working");
    return NULL;
}

void *boss(void *arg) {
    int error = coro_join(*(coro_t *)arg, NULL, CORO_FOREVER);
    return error < 0 ? coro_fail(error, "no worker") : NULL;
}

int main(void) {
    coro_t co = MUST(coro_spawn(worker, NULL));
    coro_detach(MUST(coro_spawn(boss, &co)));
    MUST(coro_yield());
    MUST(coro_dump(STDERR_FILENO));

    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.flags = CORO_LOOP_DETECT_DEADLOCK;
    int error = coro_event_loop_with(&options);
    if (error < 0) fprintf(stderr, "main: %s: %s\n", coro_strerror(error), coro_error_detail());
    return error != -EDEADLK;
}
