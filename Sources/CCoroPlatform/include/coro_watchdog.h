/* The watchdog: the process's one thread that looks at what its loops do, and what it takes to look. */
#ifndef CORO_WATCHDOG_H
#define CORO_WATCHDOG_H

#include "coro_nullability.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -- what a loop shows of itself -- */

/* Outside: the thread's own code runs, or no loop. Waits: it sleeps in the poller. */
enum coro_loop_activity { CORO_LOOP_OUTSIDE, CORO_LOOP_RUNS, CORO_LOOP_WAITS };

/* What does not change for as long as one coroutine runs, or one piece of the loop's own code. */
typedef struct coro_slice {
    const void *_Nullable current;
    uint64_t batches;
    int32_t budget;
    uint32_t starts;
    uint32_t activity;
} coro_slice;

/* Who ran for too long, and since when, as far as is known. */
typedef struct coro_overrun {
    const void *_Nullable coroutine; /* its control block, which may be another's by now */
    int64_t id;                      /* 0: it was the loop's own code */
    const void *_Nullable function;
    char name[64];                   /* the one it was given, cut to fit; "" if it was given none */
    int64_t since;
} coro_overrun;

/* Part of a loop's runtime. The loop's thread writes the first part and the watchdog reads it, both without a lock. */
typedef struct coro_loop_watch {
    /* Where the runtime keeps who runs, the batches so far, the switches that are left in this one, and the coroutines started
       at once. */
    void *_Nullable const *_Nullable current;
    const uint64_t *_Nullable batches;
    int32_t *_Nullable budget;
    const uint32_t *_Nullable starts;
    uint32_t activity;  /* in the two low bits; the others count its changes */
    int64_t threshold;  /* ns; 0: it is not watched */
    int32_t thread;     /* its id in the system */
    bool interruptible; /* a signal can be handled on it: it has a stack for that */

    /* The watchdog's own. */
    coro_slice slice; /* at its last look */
    int64_t since;    /* when that was first seen; 0: not yet */
    bool reported;

    /* What the watchdog has reported, for the loop to finish when it comes round. */
    uint32_t has_overrun;
    coro_overrun overrun;
} coro_loop_watch;

/* All of a slice at one time: it is one if the next look finds the same. */
coro_slice coro_watch_look(const coro_loop_watch *_Nonnull watch);

static inline enum coro_loop_activity coro_slice_activity(coro_slice slice) {
    return (enum coro_loop_activity)(slice.activity & 3);
}

/* That it runs is said with a full fence: a watchdog that falls asleep sees that the loop runs, or the loop that it sleeps. */
static inline void coro_watch_set_activity(coro_loop_watch *_Nonnull watch, enum coro_loop_activity activity) {
    uint32_t next = ((watch->activity | 3) + 1) | (uint32_t)activity;
    if (activity == CORO_LOOP_RUNS) {
        __atomic_exchange_n(&watch->activity, next, __ATOMIC_SEQ_CST);
    } else {
        __atomic_store_n(&watch->activity, next, __ATOMIC_RELEASE);
    }
}

static inline int64_t coro_watch_threshold(const coro_loop_watch *_Nonnull watch) {
    return __atomic_load_n(&watch->threshold, __ATOMIC_RELAXED);
}

/* A full fence, for the same reason. */
static inline void coro_watch_set_threshold(coro_loop_watch *_Nonnull watch, int64_t ns) {
    __atomic_exchange_n(&watch->threshold, ns, __ATOMIC_SEQ_CST);
}

/* More switches than a batch ever has. The watchdog takes them away to end one, so that what was left can still be known. */
enum { CORO_BATCH_ENDED = 1 << 24 };

/* The switches that are left, whether or not the watchdog has ended the batch. */
static inline int32_t coro_batch_left(int32_t budget) {
    return budget > -CORO_BATCH_ENDED / 2 ? budget : budget + CORO_BATCH_ENDED;
}

/* The watchdog has filled in `overrun`. The switch that ends the slice ends the batch with it, so that the loop can say when
   that was. (Should it count down at this very moment, the batch goes on: the slice has ended.) */
static inline void coro_watch_hand_over(coro_loop_watch *_Nonnull watch) {
    int32_t seen = watch->slice.budget, ended = coro_batch_left(seen) - CORO_BATCH_ENDED;
    __atomic_store_n(&watch->has_overrun, 1, __ATOMIC_SEQ_CST);
    __atomic_compare_exchange_n(watch->budget, &seen, ended, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    watch->slice.budget = ended;
}

static inline bool coro_watch_has_overrun(const coro_loop_watch *_Nonnull watch) {
    return __atomic_load_n(&watch->has_overrun, __ATOMIC_ACQUIRE) != 0;
}

/* Takes it back, or over: false if the other side has been quicker. */
static inline bool coro_watch_take_overrun(coro_loop_watch *_Nonnull watch) {
    return __atomic_exchange_n(&watch->has_overrun, 0, __ATOMIC_SEQ_CST) != 0;
}

/* The calling thread's id in the system. */
int32_t coro_watch_thread_id(void);
/* Whether signals are handled on a stack of their own on the calling thread. */
bool coro_watch_has_signal_stack(void);

/* -- the thread -- */

/* Whether there is one, and whether it sleeps for as long as no loop runs. One that could not be started counts as awake:
   it is not tried again at every pass. */
enum coro_watchdog_state { CORO_WATCHDOG_NONE, CORO_WATCHDOG_ASLEEP, CORO_WATCHDOG_AWAKE };
extern uint32_t coro_watchdog_state __attribute__((visibility("hidden")));

static inline bool coro_watchdog_is_awake(void) {
    return __atomic_load_n(&coro_watchdog_state, __ATOMIC_SEQ_CST) == CORO_WATCHDOG_AWAKE;
}

/* Starts the thread, which calls run(), if there is none; wakes it if it sleeps. Where none can be made there is none. */
void coro_watchdog_alert(void (*_Nonnull run)(void));
/* Wakes it if it sleeps. */
void coro_watchdog_wake(void);

/* For the watchdog, which no fork() interrupts but in these (and in coro_watchdog_write): it lets the time pass; */
void coro_watchdog_pause(int64_t ns);
/* it says that it will sleep, looks at the loops once more, and then sleeps until it is woken, or does not; */
void coro_watchdog_will_sleep(void);
void coro_watchdog_sleep(void);
/* it says, behind the process lock, that it ends. */
void coro_watchdog_will_end(void);

/* -- where a thread is -- */

enum { CORO_PLACE_FRAMES = 32 };

typedef struct coro_place {
    int32_t count;   /* of frames, the innermost first; 0: nothing could be found out */
    int32_t certain; /* how many of them are beyond doubt: those after them were found by searching the stack */
    bool blocked;
    int64_t call;    /* the number of the system call in which; negative: in none, but waiting for a page of memory, say */
    const void *_Nullable frames[CORO_PLACE_FRAMES];
} coro_place;

/* Finds out where another thread of this process is. One that runs is interrupted by SIGURG for the time it takes to walk
   its stack, if that is said to be possible and the program uses the signal for nothing. One that is blocked is not disturbed,
   because a signal would end some system calls early: what looks like a return address between its stack pointer and the top
   of the stack [bottom, top) is taken for one. (NULL, NULL: nothing is searched.) */
void coro_watchdog_locate(int32_t thread, bool interruptible, const void *_Nullable bottom, const void *_Nullable top,
                          coro_place *_Nonnull place);

/* Copies what can be read of size bytes, wherever they are; returns how many. */
size_t coro_watchdog_peek(void *_Nonnull to, const void *_Nullable from, size_t size);

/* Room for the watchdog's report: of the size that a pipe takes in one piece. */
enum coro_watchdog_text_size { CORO_WATCHDOG_TEXT_SIZE = 4096 };
char *_Nonnull coro_watchdog_text(void);

/* Writes to the program's stderr, which `thread` has open too: the watchdog has no descriptors of its own. */
void coro_watchdog_write(int32_t thread, const char *_Nonnull text, size_t n);

/* coro_system_date(), for which a fork() waits: the C library's lock on time zones would stay locked in the child. */
void coro_watchdog_date(char *_Nonnull text);

/* The file that the address is in, without its folder, and the offset there; NULL if it is in none. */
const char *_Nullable coro_watchdog_module(const void *_Nullable address, uintptr_t *_Nonnull offset);

#endif
