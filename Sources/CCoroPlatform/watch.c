/* Files and times as descriptors. */
#include "system_call.h"

#include <sys/inotify.h>
#include <sys/timerfd.h>

int coro_system_watcher_create(void) {
    return (int)CORO_CALL(inotify_init1, inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}

int coro_system_watcher_add(int watcher, const char *path, uint32_t mask) {
    return (int)CORO_CALL(inotify_add_watch, inotify_add_watch(watcher, path, mask));
}

int coro_system_watcher_remove(int watcher, int id) {
    return (int)CORO_CALL(inotify_rm_watch, inotify_rm_watch(watcher, id));
}

int coro_system_timer_create(void) {
    return (int)CORO_CALL(timerfd_create, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
}

static struct timespec timespec_of(int64_t ns) {
    return (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
}

int coro_system_timer_set(int fd, int64_t first, int64_t interval) {
    if (first == INT64_MAX) interval = 0;
    struct itimerspec times = {.it_interval = timespec_of(interval)};
    /* A first time of 0 would turn it off. */
    if (first != INT64_MAX) times.it_value = timespec_of(first > 0 ? first : 1);
    return (int)CORO_CALL(timerfd_settime, timerfd_settime(fd, 0, &times, NULL));
}
