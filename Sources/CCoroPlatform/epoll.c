#define _GNU_SOURCE
#include "coro_poller.h"
#include "coro_process.h"
#include "system_call.h"

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int coro_epoll_create(void) {
    return coro_system_move_above_standard((int)CORO_CALL(epoll_create1, epoll_create1(EPOLL_CLOEXEC)));
}

static int control(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return (int)CORO_CALL(epoll_ctl, epoll_ctl(epoll, operation, fd, &event));
}

static const uint32_t both_directions = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;

int coro_epoll_add(int epoll, int fd, uint64_t token) {
    return control(epoll, EPOLL_CTL_ADD, fd, both_directions, token);
}

int coro_epoll_renew(int epoll, int fd, uint64_t token) {
    return control(epoll, EPOLL_CTL_MOD, fd, both_directions, token);
}

int coro_epoll_add_level(int epoll, int fd, uint64_t token) {
    return control(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, token);
}

int coro_epoll_remove(int epoll, int fd) {
    return control(epoll, EPOLL_CTL_DEL, fd, 0, 0);
}

/* epoll_pwait2 (Linux 5.11) takes nanoseconds. Older kernels get milliseconds, rounded up: late by less than one, never
   early, and never a spin for the rest. */
static int wait_events(int epoll, struct epoll_event *events, int n, int64_t timeout) {
    static int milliseconds_only;
    if (timeout > 0 && !__atomic_load_n(&milliseconds_only, __ATOMIC_RELAXED)) {
        struct timespec limit = {.tv_sec = timeout / 1000000000, .tv_nsec = timeout % 1000000000};
        int result = (int)CORO_CALL_ONCE(epoll_pwait2, syscall(SYS_epoll_pwait2, epoll, events, n, &limit, NULL, 0));
        if (result != -ENOSYS && result != -EPERM) return result;
        __atomic_store_n(&milliseconds_only, 1, __ATOMIC_RELAXED);
    }
    int64_t rounded = timeout / 1000000 + (timeout % 1000000 > 0);
    int milliseconds = timeout < 0 ? -1 : rounded > INT32_MAX ? INT32_MAX : (int)rounded;
    int result = epoll_wait(epoll, events, n, milliseconds);
    return result < 0 ? -errno : result;
}

int coro_epoll_wait(int epoll, coro_poll_event *events, int n, int64_t timeout) {
    struct epoll_event raw[CORO_POLL_MAX_EVENTS];
    int fault = CORO_FAULT(epoll_wait);
    int count = fault ? -fault : wait_events(epoll, raw, n < CORO_POLL_MAX_EVENTS ? n : CORO_POLL_MAX_EVENTS, timeout);
    for (int i = 0; i < count; i++) {
        uint32_t bits = raw[i].events;
        events[i].token = raw[i].data.u64;
        events[i].result = 0;
        events[i].events = (bits & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR) ? CORO_POLL_READ : 0) |
                           (bits & (EPOLLOUT | EPOLLHUP | EPOLLERR) ? CORO_POLL_WRITE : 0) |
                           (bits & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) ? CORO_POLL_HANGUP : 0) |
                           (bits & EPOLLPRI ? CORO_POLL_URGENT : 0);
    }
    return count == -EINTR ? 0 : count;
}
