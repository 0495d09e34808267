/* Dispatch's main queue, if libdispatch is in the process: what a loop on the process's first thread is to serve. */
#ifndef CORO_MAIN_QUEUE_H
#define CORO_MAIN_QUEUE_H

#include <stdbool.h>

/* Its descriptor, which can be read from when something is queued, and stays libdispatch's; -1 on another thread than the
   process's first, and where there is no libdispatch (yet). */
int coro_main_queue_find(void);

/* Whether something has been queued since this last said so. */
bool coro_main_queue_take(int descriptor);

/* Runs what is queued now, on the process's first thread. */
void coro_main_queue_run(void);

#endif
