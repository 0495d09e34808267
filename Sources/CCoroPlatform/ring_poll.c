/* Readiness by a ring: one request for each descriptor, which answers at each change until it is withdrawn. */
#define _GNU_SOURCE
#include "ring.h"
#include "system_call.h"

#include <poll.h>

/* The token of answers that nobody looks at. No descriptor is negative. */
#define NOBODY ((uint64_t)(uint32_t)-2)

static const uint32_t both_directions = POLLIN | POLLOUT | POLLRDHUP | POLLPRI;

int coro_ring_poll_add(coro_ring *ring, int fd, uint64_t token) {
    int error;
    struct io_uring_sqe *request = coro_ring_request(ring, &error);
    if (request == NULL) return error;
    request->opcode = IORING_OP_POLL_ADD;
    request->fd = fd;
    request->len = IORING_POLL_ADD_MULTI;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    request->poll32_events = both_directions << 16 | both_directions >> 16;
#else
    request->poll32_events = both_directions;
#endif
    request->user_data = token;
    return 0;
}

bool coro_ring_withdraw(coro_ring *ring, uint64_t token, int *error) {
    struct io_uring_sqe *request = coro_ring_request(ring, error);
    if (request == NULL) return false;
    request->opcode = IORING_OP_ASYNC_CANCEL;
    request->addr = token;
    request->cancel_flags = IORING_ASYNC_CANCEL_ALL;
    request->user_data = NOBODY;
    request->flags = IOSQE_CQE_SKIP_SUCCESS;
    return true;
}

/* The number may mean another file by now, while the request still holds the one before. */
int coro_ring_poll_renew(coro_ring *ring, int fd, uint64_t token) {
    int error;
    return coro_ring_withdraw(ring, token, &error) ? coro_ring_poll_add(ring, fd, token) : error;
}

int coro_ring_poll_remove(coro_ring *ring, uint64_t token) {
    int error;
    return coro_ring_withdraw(ring, token, &error) ? coro_ring_enter(ring, 0, 0) : error;
}

/* A socket that has data says "urgent" too, whether they are or not. */
static bool is_urgent(uint64_t token) {
    struct pollfd one = {.fd = (int)(uint32_t)token, .events = POLLPRI};
    return poll(&one, 1, 0) > 0 && (one.revents & POLLPRI);
}

/* What the kernel says to itself of a call that a signal has broken off (ERESTARTSYS and the like); some requests tell it. */
static bool is_restart(int result) {
    return result <= -512 && result >= -516;
}

static coro_poll_event event_of(const struct io_uring_cqe *answer) {
    coro_poll_event event = {.token = answer->user_data, .result = answer->res};
    if (event.token & CORO_POLL_OPERATION_BIT) {
        if (is_restart(event.result)) event.result = -EINTR;
        return event;
    }
    uint32_t bits = answer->res < 0 ? 0 : (uint32_t)answer->res;
    event.result = answer->res < 0 ? answer->res : 0;
    event.events = (bits & (POLLIN | POLLRDHUP | POLLHUP | POLLERR) ? CORO_POLL_READ : 0) |
                   (bits & (POLLOUT | POLLHUP | POLLERR) ? CORO_POLL_WRITE : 0) |
                   (bits & (POLLRDHUP | POLLHUP | POLLERR) ? CORO_POLL_HANGUP : 0) |
                   (bits & POLLPRI && is_urgent(event.token) ? CORO_POLL_URGENT : 0) |
                   (answer->flags & IORING_CQE_F_MORE ? 0 : CORO_POLL_ENDED);
    return event;
}

int coro_ring_poll_wait(coro_ring *ring, coro_poll_event *events, int n, int64_t timeout) {
    bool waits = timeout != 0 && !coro_ring_has_answers(ring);
    if (waits || coro_ring_needs_enter(ring)) {
        int error = coro_ring_enter(ring, waits, timeout);
        /* No memory for what was requested: it is tried again. */
        if (error < 0 && error != -EAGAIN && error != -EBUSY) return error;
    }
    int count = 0;
    struct io_uring_cqe answer;
    while (count < n && coro_ring_take(ring, &answer)) {
        bool is_withdrawn = answer.res == -ECANCELED && !(answer.user_data & CORO_POLL_OPERATION_BIT);
        if (is_withdrawn || answer.user_data == NOBODY) continue;
        events[count++] = event_of(&answer);
    }
    return count;
}
