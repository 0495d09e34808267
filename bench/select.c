/* Receiving from whichever of two channels has something: the sender takes them in turn, and each element is handed over. */
#include "bench.h"

#include <stdlib.h>

enum { CHANNELS = 2 };

static coro_channel *channels[CHANNELS];

static void *sender(void *argument) {
    for (long left = *(long *)argument; left > 0; left--)
        must(coro_channel_send(channels[left % CHANNELS], &left), "coro_channel_send");
    return NULL;
}

static void *receiver(void *argument) {
    for (long left = *(long *)argument, elements[CHANNELS]; left > 0; left--) {
        coro_select_case cases[CHANNELS] = {
            {.kind = CORO_SELECT_RECEIVE, .object = channels[0], .element = &elements[0]},
            {.kind = CORO_SELECT_RECEIVE, .object = channels[1], .element = &elements[1]},
        };
        int which = coro_select(cases, CHANNELS, CORO_FOREVER);
        must(which, "coro_select");
        if (which != left % CHANNELS || elements[which] != left) abort();
    }
    return NULL;
}

static double run(long count) {
    for (int i = 0; i < CHANNELS; i++) channels[i] = coro_channel_new(sizeof(long), 0);
    coro_t other = coro_spawn(receiver, &count);
    double start = cpu_ns();
    must(coro_join(coro_spawn(sender, &count), NULL, CORO_FOREVER), "coro_join");
    must(coro_join(other, NULL, CORO_FOREVER), "coro_join");
    double took = cpu_ns() - start;
    for (int i = 0; i < CHANNELS; i++) must(coro_channel_free(channels[i]), "coro_channel_free");
    return took;
}

const struct work select_2 = {"select_2", "ns/element", run, 10000000};
