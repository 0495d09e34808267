/* What tests of coro_select() need. */
#ifndef SELECT_H
#define SELECT_H

#include "coroutines.h"

/* One call of a coroutine with two cases, and its result. */
struct select_call {
    coro_select_case cases[2];
    int index;
};

static inline coro_select_case sending(coro_channel *channel, void *element) {
    return (coro_select_case){.kind = CORO_SELECT_SEND, .object = channel, .element = element};
}

static inline coro_select_case receiving(coro_channel *channel, void *element) {
    return (coro_select_case){.kind = CORO_SELECT_RECEIVE, .object = channel, .element = element};
}

static inline coro_select_case popping(coro_fifo *fifo) {
    return (coro_select_case){.kind = CORO_SELECT_POP, .object = fifo};
}

static inline coro_select_case on_event(coro_event *event) {
    return (coro_select_case){.kind = CORO_SELECT_EVENT, .object = event};
}

static inline coro_select_case joining(coro_t co) {
    return (coro_select_case){.kind = CORO_SELECT_JOIN, .id = co};
}

static inline coro_select_case readable(int fd) {
    return (coro_select_case){.kind = CORO_SELECT_FD, .id = fd, .events = CORO_READ};
}

static inline coro_select_case writable(int fd) {
    return (coro_select_case){.kind = CORO_SELECT_FD, .id = fd, .events = CORO_WRITE};
}

static inline coro_select_case child(pid_t pid) {
    return (coro_select_case){.kind = CORO_SELECT_CHILD, .id = pid};
}

#endif
