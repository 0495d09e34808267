/*
 * Two workers take jobs from a fifo, and an inverted semaphore says when all are done.
 *
 *     $ ./shrapnel_fifo
 *     ann did job 1
 *     ben did job 2
 *     ann did job 3
 *     all are done
 */
#include "../must.h"

static coro_fifo *jobs;
static coro_inverted_semaphore *todo;

static void *worker(void *name) {
    void *job;
    while (coro_fifo_pop(jobs, &job) == 0) { /* CORO_ECLOSED when the fifo is freed */
        MUST(coro_sleep(CORO_MS(10)));
        printf("%s did %s\n", (char *)name, (char *)job);
        MUST(coro_inverted_semaphore_release(todo, 1));
    }
    return NULL;
}

static void *start(void *unused) {
    char *names[] = {"job 1", "job 2", "job 3"};
    MUST(coro_detach(coro_spawn(worker, "ann")));
    MUST(coro_detach(coro_spawn(worker, "ben")));
    for (int i = 0; i < 3; i++) {
        MUST(coro_inverted_semaphore_acquire(todo, 1));
        MUST(coro_fifo_push(jobs, names[i]));
    }
    MUST(coro_inverted_semaphore_wait_zero(todo));
    puts("all are done");
    MUST(coro_fifo_free(jobs));
    coro_set_exit(0);
    return NULL;
}

int main(void) {
    coro_set_print_exit_string(false);
    jobs = coro_fifo_new(NULL);
    todo = coro_inverted_semaphore_new(0);
    if (!jobs || !todo) return EXIT_FAILURE; /* no memory */
    MUST(coro_detach(coro_spawn(start, NULL)));
    int status = coro_event_loop();
    MUST(coro_inverted_semaphore_free(todo));
    return status;
}
