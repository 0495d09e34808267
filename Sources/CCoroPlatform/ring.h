/* A ring of io_uring: requests to the kernel, and its answers, through memory that both share. No thread of the kernel's polls
   it (SQPOLL): what is requested is done with the rights that the thread has when it is submitted. For one thread. */
#ifndef CORO_RING_H
#define CORO_RING_H

#include "coro_poller.h"

#include <linux/io_uring.h>

typedef struct coro_ring coro_ring;

/* 0 or -errno; then there is none. */
int coro_ring_open(coro_ring **ring);
/* Withdraws all requests and waits until no file is held by them. */
void coro_ring_close(coro_ring *ring);
/* In the child of a fork. */
void coro_ring_abandon(coro_ring *ring);

/* A request to fill in, all zero, which is made with the next coro_ring_enter(); NULL if there is no room and none can be
   made, with the error. */
struct io_uring_sqe *coro_ring_request(coro_ring *ring, int *error);
/* Submits what is requested, has the kernel finish what it can, and waits up to timeout ns (negative: for ever) for `least`
   answers. 0 or -errno; early on a signal. */
int coro_ring_enter(coro_ring *ring, unsigned least, int64_t timeout);
/* Submits what is requested; on an error the last request is taken back. */
int coro_ring_submit(coro_ring *ring);
/* Whether there is anything to submit, or to be had by entering the kernel. */
bool coro_ring_needs_enter(const coro_ring *ring);
/* Takes the next answer out; false: there is none. */
bool coro_ring_take(coro_ring *ring, struct io_uring_cqe *answer);
bool coro_ring_has_answers(const coro_ring *ring);

/* Has answers ring an eventfd, while that is on; at first it is off. 0 or -errno. */
int coro_ring_notify(coro_ring *ring, int eventfd);
/* True: it is on, or need not be, and there are answers. */
bool coro_ring_set_notifying(coro_ring *ring, bool on);

/* Requests that those with this token end. false: there is no room, with the error. */
bool coro_ring_withdraw(coro_ring *ring, uint64_t token, int *error);

/* The poller's operations. */
int coro_ring_poll_add(coro_ring *ring, int fd, uint64_t token);
int coro_ring_poll_renew(coro_ring *ring, int fd, uint64_t token);
int coro_ring_poll_remove(coro_ring *ring, uint64_t token);
int coro_ring_poll_wait(coro_ring *ring, coro_poll_event *events, int n, int64_t timeout);

#endif
