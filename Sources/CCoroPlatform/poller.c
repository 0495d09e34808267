#include "coro_poller.h"
#include "ring.h"
#include "system_call.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum coro_poller_backend coro_poller_backend_wanted(void) {
    enum { UNREAD = -1 };
    static int wanted = UNREAD;
    int answer = __atomic_load_n(&wanted, __ATOMIC_RELAXED);
    if (answer == UNREAD) {
        const char *name = getenv("CORO_BACKEND");
        answer = name == NULL || *name == 0      ? CORO_POLLER_DEFAULT
                 : strcmp(name, "epoll") == 0    ? CORO_POLLER_EPOLL
                 : strcmp(name, "io_uring") == 0 ? CORO_POLLER_IO_URING
                                                 : CORO_POLLER_UNKNOWN;
        __atomic_store_n(&wanted, answer, __ATOMIC_RELAXED);
    }
    return (enum coro_poller_backend)answer;
}

static int open_epoll(coro_poller *poller, uint64_t token) {
    poller->epoll = coro_epoll_create();
    return poller->epoll < 0 ? poller->epoll : coro_epoll_add_level(poller->epoll, poller->wakeup, token);
}

static int open_ring(coro_poller *poller, uint64_t token) {
    int error = coro_ring_open(&poller->ring);
    return error < 0 ? error : coro_ring_poll_add(poller->ring, poller->wakeup, token);
}

int coro_poller_open(coro_poller *poller, enum coro_poller_backend backend, uint64_t token) {
    poller->epoll = -1;
    poller->ring = NULL;
    poller->fallback = poller->ring_error = 0;
    poller->is_substitute = backend == CORO_POLLER_UNKNOWN;
    poller->wakeup = coro_system_wakeup_create();
    if (poller->wakeup < 0) return poller->wakeup;
    if (backend == CORO_POLLER_IO_URING) poller->fallback = open_ring(poller, token);
    int error = poller->ring ? 0 : open_epoll(poller, token);
    if (error < 0) coro_poller_close(poller);
    return error;
}

static void close_descriptors(coro_poller *poller) {
    if (poller->epoll >= 0) close(poller->epoll);
    if (poller->wakeup >= 0) close(poller->wakeup);
    poller->epoll = poller->wakeup = -1;
    poller->ring = NULL;
}

void coro_poller_close(coro_poller *poller) {
    if (poller->ring) coro_ring_close(poller->ring);
    close_descriptors(poller);
}

void coro_poller_abandon(coro_poller *poller) {
    if (poller->ring) coro_ring_abandon(poller->ring);
    close_descriptors(poller);
}

/* Constants, so that they stay valid. */
#define NAME_FALLBACK(error) \
    case -error: return "epoll (io_uring: " #error ")";

const char *coro_poller_name(const coro_poller *poller) {
    if (poller->is_substitute) return "epoll (CORO_BACKEND: unknown)";
    switch (poller->fallback) {
    case 0: return poller->epoll >= 0 ? "epoll" : "io_uring";
        NAME_FALLBACK(EPERM)
        NAME_FALLBACK(EACCES)
        NAME_FALLBACK(ENOSYS)
        NAME_FALLBACK(ENOMEM)
        NAME_FALLBACK(EMFILE)
        NAME_FALLBACK(ENFILE)
        NAME_FALLBACK(EAGAIN)
    default: return "epoll (io_uring: refused)";
    }
}

/* The backend is io_uring if there is no epoll: by epoll there may be a ring too, which is for files alone. */
static bool by_ring(const coro_poller *poller) {
    return poller->epoll < 0;
}

int coro_poller_add(coro_poller *poller, int fd, uint64_t token) {
    return by_ring(poller) ? coro_ring_poll_add(poller->ring, fd, token) : coro_epoll_add(poller->epoll, fd, token);
}

int coro_poller_add_level(coro_poller *poller, int fd, uint64_t token) {
    return by_ring(poller) ? coro_ring_poll_add(poller->ring, fd, token) : coro_epoll_add_level(poller->epoll, fd, token);
}

int coro_poller_renew(coro_poller *poller, int fd, uint64_t token) {
    return by_ring(poller) ? coro_ring_poll_renew(poller->ring, fd, token) : coro_epoll_renew(poller->epoll, fd, token);
}

int coro_poller_remove(coro_poller *poller, int fd, uint64_t token) {
    return by_ring(poller) ? coro_ring_poll_remove(poller->ring, token) : coro_epoll_remove(poller->epoll, fd);
}

int coro_poller_wait(coro_poller *poller, coro_poll_event *events, int n, int64_t timeout) {
    return by_ring(poller) ? coro_ring_poll_wait(poller->ring, events, n, timeout)
                           : coro_epoll_wait(poller->epoll, events, n, timeout);
}

int coro_poller_clear_wakeup(coro_poller *poller, const coro_poll_event *event) {
    coro_system_wakeup_clear(poller->wakeup);
    if (!(event->events & CORO_POLL_ENDED)) return 0;
    return event->result < 0 ? event->result : coro_ring_poll_add(poller->ring, poller->wakeup, event->token);
}
