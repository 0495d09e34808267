/* What the two files of the watchdog share. */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include "coro_watchdog.h"

#include <time.h>

void coro_futex_wait(const uint32_t *word, uint32_t value, const struct timespec *limit) __attribute__((visibility("hidden")));
void coro_futex_wake(const uint32_t *word) __attribute__((visibility("hidden")));

/* A fork() waits between these, for a second at most. The watchdog runs between them, but for where it waits. */
void coro_watchdog_forbid_fork(void) __attribute__((visibility("hidden")));
void coro_watchdog_allow_fork(void) __attribute__((visibility("hidden")));

/* For the handlers of fork(), before that takes the process lock, and after it has freed it. */
void coro_watchdog_before_fork(void) __attribute__((visibility("hidden")));
void coro_watchdog_after_fork_in_parent(void) __attribute__((visibility("hidden")));
void coro_watchdog_after_fork_in_child(void) __attribute__((visibility("hidden")));

/* In the child of a fork: a signal handler that was set for a moment is taken back. */
void coro_place_forked(void) __attribute__((visibility("hidden")));

#endif
