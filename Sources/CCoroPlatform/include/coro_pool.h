/* The threads that blocking work runs on: one pool for the process. */
#ifndef CORO_POOL_H
#define CORO_POOL_H

#include "coro_nullability.h"

#include <stdbool.h>
#include <stdint.h>

/* A piece of work, in the caller's memory, which stays there until `run` has begun or it was withdrawn: all else is up to
   `run`, which is called once, on a thread of the pool. */
typedef struct coro_pool_task {
    void (*_Nullable run)(struct coro_pool_task *_Nonnull task);
    struct coro_pool_task *_Nullable next; /* this and what follows is the pool's */
    struct coro_pool_task *_Nullable previous;
    uint64_t turn;
    bool is_slow; /* set by the caller: may take seconds, as a look-up of a name. Such tasks get half of the threads */
    bool is_queued;
} coro_pool_task;

typedef struct coro_pool_counts {
    int64_t threads;
    int64_t queued; /* tasks that no thread has begun */
} coro_pool_counts;

/* Queues the task; begun in the order they come. A thread is started if none is free and there may be more. 0, or -errno (the
   task is not queued): there is no thread, and none can be started. Any thread, as all that follows. */
int coro_pool_submit(coro_pool_task *_Nonnull task);

/* Takes the task out of the queue: false if it is not there, because it has begun. */
bool coro_pool_withdraw(coro_pool_task *_Nonnull task);

/* At most n threads, from now on; returns how many it was. More than that end when they have done what they do. */
int coro_pool_set_limit(int n);

/* How long a thread waits for work before it ends, in ns; returns how long it was. */
int64_t coro_pool_set_idle_time(int64_t ns);

coro_pool_counts coro_pool_count(void);

/* Whether the calling thread is one of the pool. */
bool coro_pool_is_here(void);

#endif
