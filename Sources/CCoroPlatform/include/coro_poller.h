/*
 * The poller: which descriptors are ready. One interface of a few operations over two backends: epoll, and io_uring, whose ring
 * also does what blocks the thread otherwise. Calls return -errno, and can be made to fail on demand.
 */
#ifndef CORO_POLLER_H
#define CORO_POLLER_H

#include "coro_nullability.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum coro_poll_bits {
    CORO_POLL_READ = 1,
    CORO_POLL_WRITE = 2,
    CORO_POLL_HANGUP = 4,
    CORO_POLL_URGENT = 8,
    CORO_POLL_ENDED = 16, /* the registration is over: `result` is the error that has ended it, or 0 */
};

typedef struct coro_poll_event {
    uint64_t token;
    uint32_t events; /* CORO_POLL_... */
    int32_t result;
} coro_poll_event;

/* Who waits for at most so many events at a time. */
enum { CORO_POLL_MAX_EVENTS = 256 };

/* -- epoll -- */

int coro_epoll_create(void);
/* Registers fd, edge-triggered, both directions, under token. */
int coro_epoll_add(int epoll, int fd, uint64_t token);
/* Sets the token again, which reports once more what is ready: -ENOENT if it is not registered. */
int coro_epoll_renew(int epoll, int fd, uint64_t token);
/* Registers fd level-triggered, to read. */
int coro_epoll_add_level(int epoll, int fd, uint64_t token);
int coro_epoll_remove(int epoll, int fd);
/* Waits up to timeout ns (negative: for ever) for up to n events, n at most CORO_POLL_MAX_EVENTS. Comes back early on a signal. */
int coro_epoll_wait(int epoll, coro_poll_event *_Nonnull events, int n, int64_t timeout);

/* -- either -- */

/* CORO_POLLER_UNKNOWN: one was asked for that there is none of. It is epoll, which coro_poller_name() tells. */
enum coro_poller_backend { CORO_POLLER_DEFAULT, CORO_POLLER_EPOLL, CORO_POLLER_IO_URING, CORO_POLLER_UNKNOWN };

/* What the environment (CORO_BACKEND) asks for: read once. */
enum coro_poller_backend coro_poller_backend_wanted(void);

struct coro_ring;

typedef struct coro_poller {
    int epoll;                         /* -1: none */
    int wakeup;                        /* an eventfd that wakes whoever waits; -1: not open */
    struct coro_ring *_Nullable ring;  /* the backend if there is no epoll, or else for files alone, and made when needed */
    int fallback;                      /* why it is epoll although it was to be io_uring: -errno, or 0 */
    bool is_substitute;                /* it is epoll because what was asked for is unknown */
    int ring_error;                    /* why there is no ring for files: -errno, or 0 */
} coro_poller;

/* A token with this bit is one of an operation of the ring; the others are the caller's choice. */
#define CORO_POLL_OPERATION_BIT (UINT64_C(1) << 63)

/* Opens one by that backend; by epoll where io_uring can't be had, which `fallback` tells. The wakeup is registered under
   `token`. On an error nothing is open. */
int coro_poller_open(coro_poller *_Nonnull poller, enum coro_poller_backend backend, uint64_t token);
void coro_poller_close(coro_poller *_Nonnull poller);
/* In the child of a fork: lets go of what is the parent's. */
void coro_poller_abandon(coro_poller *_Nonnull poller);
/* "epoll", "io_uring", "epoll (io_uring: EPERM)"; a constant. */
const char *_Nonnull coro_poller_name(const coro_poller *_Nonnull poller);

/* As the functions of epoll above. By io_uring all but the last return 0 at once, and an error comes as CORO_POLL_ENDED. What is
   removed is let go of before this returns: it holds no file that is then closed. A token without the operation's bit. */
int coro_poller_add(coro_poller *_Nonnull poller, int fd, uint64_t token);
/* To read; level-triggered by epoll. */
int coro_poller_add_level(coro_poller *_Nonnull poller, int fd, uint64_t token);
int coro_poller_renew(coro_poller *_Nonnull poller, int fd, uint64_t token);
int coro_poller_remove(coro_poller *_Nonnull poller, int fd, uint64_t token);
int coro_poller_wait(coro_poller *_Nonnull poller, coro_poll_event *_Nonnull events, int n, int64_t timeout);
/* The wakeup was reported; events: with which bits. 0 or -errno. */
int coro_poller_clear_wakeup(coro_poller *_Nonnull poller, const coro_poll_event *_Nonnull event);

/* An eventfd, and writing to it. */
int coro_system_wakeup_create(void);
void coro_system_wakeup_ring(int fd);
void coro_system_wakeup_clear(int fd);

/* The rings that are made from now on have room for so many requests, and twice as many answers; 0: as many as is usual. For
   tests. */
void coro_ring_set_size(unsigned entries);

#endif
