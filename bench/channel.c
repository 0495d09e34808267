/* Numbers through channels. A round trip goes through two that hold nothing: each element is handed from one coroutine to
   another, and there is a switch for each. Through one that holds some, one coroutine sends and another receives. */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>

enum { CAPACITY = 100 };

static coro_channel *there, *back;

static coro_channel *channel(size_t capacity) {
    coro_channel *made = coro_channel_new(sizeof(long), capacity);
    if (made == NULL) must(-ENOMEM, "coro_channel_new");
    return made;
}

static void *echo(void *argument) {
    long element;
    while (coro_channel_receive(there, &element) == 0) must(coro_channel_send(back, &element), "coro_channel_send");
    return argument;
}

static void *caller(void *argument) {
    for (long left = *(long *)argument, answer; left > 0; left--) {
        must(coro_channel_send(there, &left), "coro_channel_send");
        must(coro_channel_receive(back, &answer), "coro_channel_receive");
        if (answer != left) abort();
    }
    must(coro_channel_close(there), "coro_channel_close");
    return NULL;
}

static void *sender(void *argument) {
    for (long left = *(long *)argument; left > 0; left--) must(coro_channel_send(there, &left), "coro_channel_send");
    must(coro_channel_close(there), "coro_channel_close");
    return NULL;
}

static void *receiver(void *argument) {
    long element, expected = *(long *)argument;
    while (coro_channel_receive(there, &element) == 0)
        if (element != expected--) abort();
    if (expected != 0) abort();
    return NULL;
}

/* Runs the two until both have ended. */
static double run(coro_fn first, coro_fn second, size_t capacity, long count) {
    there = channel(capacity);
    back = channel(capacity);
    coro_t other = coro_spawn(second, &count);
    double start = cpu_ns();
    must(coro_join(coro_spawn(first, &count), NULL, CORO_FOREVER), "coro_join");
    must(coro_join(other, NULL, CORO_FOREVER), "coro_join");
    double took = cpu_ns() - start;
    must(coro_channel_free(there), "coro_channel_free");
    must(coro_channel_free(back), "coro_channel_free");
    return took;
}

static double run_roundtrip(long count) {
    return run(caller, echo, 0, count);
}

static double run_buffered(long count) {
    return run(sender, receiver, CAPACITY, count);
}

const struct work channel_roundtrip = {"channel_roundtrip", "ns/round trip", run_roundtrip, 10000000};
const struct work channel_buffered = {"channel_buffered", "ns/element", run_buffered, 20000000};
