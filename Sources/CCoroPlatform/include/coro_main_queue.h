/* Dispatch's main queue, if libdispatch is in the process: what a loop on the process's first thread is to serve. */
#ifndef CORO_MAIN_QUEUE_H
#define CORO_MAIN_QUEUE_H

#include <stdbool.h>

/* Its descriptor, which can be read from when something is queued, and stays libdispatch's; -1 on another thread than the
   process's first, where there is no libdispatch (yet), and where the queue is that of the process this one was forked from. */
int coro_main_queue_find(void);

/* Whether something has been queued since this last said so. */
bool coro_main_queue_take(int descriptor);

/* Runs what is queued now, on the process's first thread. */
void coro_main_queue_run(void);

/* For the handlers of fork(), behind the process lock. */
void coro_main_queue_before_fork(void) __attribute__((visibility("hidden")));
void coro_main_queue_after_fork_in_child(void) __attribute__((visibility("hidden")));

#endif
