/*
 * 30: A pipeline.
 *
 * Stages that work at the same time, with channels between them: one counts, three workers square, one prints. A channel has
 * room for few elements, so nobody runs far ahead. Closing is how a stage ends: when it closes the channel after it, the next
 * stage gets what is left and then CORO_ECLOSED; when it closes the one before it, the stage before can't send any more. So
 * an end goes through the whole pipeline, from the front or from the back, and the group has ended when all have.
 *
 *     $ ./30_pipeline
 *     all of them: 1 4 9 16 25 36 49 64 81 100 121 144
 *     counted to 12
 *     the first three: 1 4 9
 *     counted to 7
 */
#include "must.h"

enum { WORKERS = 3, LAST = 12, ROOM = 1 };

typedef struct pipeline {
    coro_channel *numbers, *squares; /* both of int64_t */
    int wanted, counted;
} pipeline;

/* Whether a send or receive was done; if not, the channel is closed. */
static bool done(int code) {
    if (code != CORO_ECLOSED) MUST(code);
    return code == 0;
}

static void *count(void *arg) {
    pipeline *it = arg;
    for (int64_t n = 1; n <= LAST && done(coro_channel_send(it->numbers, &n)); n++) it->counted = (int)n;
    MUST(coro_channel_close(it->numbers)); /* again, if it was the workers who closed it: that is no error */
    return NULL;
}

static void *work(void *arg) {
    pipeline *it = arg;
    int64_t n;
    while (done(coro_channel_receive(it->numbers, &n))) {
        MUST(coro_sleep(CORO_MS(10))); /* stands for work that waits for something */
        n *= n;
        if (!done(coro_channel_send(it->squares, &n))) break;
    }
    return NULL;
}

/* A stage of several workers ends when the last of them does: a group of their own says when. */
static void *square(void *arg) {
    pipeline *it = arg;
    coro_group *workers = coro_group_new(NULL);
    if (workers == NULL) abort();
    for (int i = 0; i < WORKERS; i++) MUST(coro_group_spawn(workers, work, it));
    MUST(coro_group_leave(workers));
    MUST(coro_channel_close(it->numbers));
    MUST(coro_channel_close(it->squares));
    return NULL;
}

static void *print(void *arg) {
    pipeline *it = arg;
    int64_t n;
    for (int i = 0; i < it->wanted && done(coro_channel_receive(it->squares, &n)); i++) printf(" %d", (int)n);
    puts("");
    MUST(coro_channel_close(it->squares)); /* no more is wanted */
    return NULL;
}

static void run(const char *what, int wanted) {
    pipeline it = {.numbers = coro_channel_new(sizeof(int64_t), ROOM), .squares = coro_channel_new(sizeof(int64_t), ROOM)};
    coro_group *stages = coro_group_new(NULL);
    if (!it.numbers || !it.squares || !stages) abort();
    it.wanted = wanted;
    printf("%s:", what);
    MUST(coro_group_spawn(stages, count, &it));
    MUST(coro_group_spawn(stages, square, &it));
    MUST(coro_group_spawn(stages, print, &it));
    MUST(coro_group_leave(stages)); /* `it` is on this stack: nobody uses it any more */
    printf("counted to %d\n", it.counted);
    MUST(coro_channel_free(it.squares));
    MUST(coro_channel_free(it.numbers));
}

int main(void) {
    coro_test_set_virtual_time(true);
    run("all of them", LAST);
    run("the first three", 3);
    return 0;
}
