/*
 * Everything that can happen to those who wait for something, in every order: it is granted, a waiter is interrupted, a
 * waiter's time runs out, it is closed. Up to four of these happen to two and to three waiters, and between any two of them
 * the waiters may have run or not. Whatever the order, nothing is lost and nobody hangs:
 *
 *  - each waiter has one outcome: it was served, interrupted, out of time, or told that it was closed;
 *  - what was given is what they took and what is left;
 *  - nobody waits for what is there; and when it is closed, nobody waits at all.
 *
 * A primitive is described by a few functions; a test is one line:
 *
 *     CORO_TEST(I7_all_interleavings_of_an_event) { check_interleavings(&events); }
 */
#ifndef INTERLEAVINGS_H
#define INTERLEAVINGS_H

#include "coroutines.h"

enum { MOST_WAITERS = 3 };

enum serves {
    SERVES_ONE,    /* each thing given is for one waiter, who takes it away: semaphores, queues */
    SERVES_ALL,    /* what is given is for all who wait then: events, wait groups */
    SERVES_IN_TURN /* one at a time, who gives it back in `wait`: locks. Once given, all get it in the end */
};

struct primitive {
    const char *name;
    enum serves serves;
    /* Whether a waiter that was given something and then interrupted keeps it: its wait succeeds, and the interruption stays
       for its next suspending call. Otherwise the wait returns the interruption, and what was given is another's. */
    bool keeps;
    /* How many things each waiter takes; 0: one. */
    int units[MOST_WAITERS];

    /* A new one, of which nobody can have anything yet. */
    void *(*make)(void);
    /* What waiter `index` (from 0) does, in a coroutine: waits. 0 or more: it was served. */
    int (*wait)(void *object, int index);
    /* Gives one thing. Returns how many were really given: 0 if nobody wanted it and it is not kept, or if there is no more.
       Does not suspend. */
    int (*grant)(void *object);
    /* How many things are there for whoever comes, now that all have run. A primitive that serves all or in turn: 1 if one
       that comes now would not wait, else 0. Does not suspend. */
    int (*left)(void *object);
    /* Frees it. Returns what that returns; those who wait get CORO_ECLOSED. A lock that one of them holds may refuse it, with
       -EBUSY. */
    int (*close)(void *object);
};

/* In a coroutine of a test, with nothing else going on. Puts the loop on virtual time. */
void check_interleavings(const struct primitive *primitive);

#endif
