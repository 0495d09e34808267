/* What a fork() does to the pool. */
#ifndef POOL_H
#define POOL_H

/* For the handlers of fork(): the lock is taken after the process lock, and freed before it. */
void coro_pool_before_fork(void) __attribute__((visibility("hidden")));
void coro_pool_after_fork_in_parent(void) __attribute__((visibility("hidden")));
/* The child has none of the threads, and nothing is queued there. */
void coro_pool_after_fork_in_child(void) __attribute__((visibility("hidden")));

#endif
