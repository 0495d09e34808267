#define _GNU_SOURCE
#include "coro_signals.h"
#include "system_call.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Static_assert(CORO_SIGNAL_INTERRUPT == SIGINT && CORO_SIGNAL_TERMINATE == SIGTERM, "as everywhere on Linux");

enum { SLOTS = 65 };

static struct slot {
    coro_bell *owner;    /* whose loop takes the deliveries */
    coro_bell *fallback; /* who has it by default, now or when it is released */
    uint32_t by_default; /* owner has it by default */
    uint32_t deliveries; /* not yet taken */
    uint32_t handling;   /* handlers in progress */
    struct sigaction previous;
} slots[SLOTS];

/* The process whose deliveries are in the slots. */
static pid_t process;
/* How many threads are in fork(), before the child has put the slots right. */
static uint32_t forking;
/* Whether one of the signals had by default has come that the loop has not taken. */
static uint32_t asked;

#define LOAD(place) __atomic_load_n(&(place), __ATOMIC_SEQ_CST)
#define STORE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_SEQ_CST)
#define EXCHANGE(place, value) __atomic_exchange_n(&(place), (value), __ATOMIC_SEQ_CST)

/* -- the handler: nothing below may do what is not safe in one -- */

/* The child of a fork has its first signal, or is putting the slots right. It has one thread. */
static void forget_parents_deliveries(void) {
    if (process == getpid()) return;
    STORE(process, getpid());
    STORE(asked, 0);
    for (int number = 1; number < SLOTS; number++) STORE(slots[number].deliveries, 0);
}

/* Whether what happens now happens to the process that has the slots. A child of vfork() runs in its parent's memory. */
static bool is_in_own_process(void) {
    if (LOAD(process) == getpid()) return true;
    if (LOAD(forking) == 0) return false;
    forget_parents_deliveries();
    return true;
}

static void do_default(int number) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(number, &action, NULL);
    raise(number); /* it is blocked until the handler returns */
}

static bool is_default(int number) {
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_DFL;
}

static void deliver(int number) {
    struct slot *slot = &slots[number];
    coro_bell *owner = LOAD(slot->owner);
    if (owner == NULL) {
        /* It was given up while this came. If nobody has anything installed, let it come now instead. (Somebody who has may
           have called this handler, and would call it again.) */
        if (is_default(number)) raise(number);
    } else if (LOAD(slot->by_default) && EXCHANGE(asked, 1)) {
        do_default(number);
    } else {
        __atomic_fetch_add(&slot->deliveries, 1, __ATOMIC_SEQ_CST);
        coro_bell_ring(owner);
    }
}

static void handle(int number) {
    int before = errno;
    if (is_in_own_process()) {
        /* Counted before the owner is looked at: whoever takes the owner away looks at the count after that. */
        __atomic_fetch_add(&slots[number].handling, 1, __ATOMIC_SEQ_CST);
        deliver(number);
        __atomic_fetch_sub(&slots[number].handling, 1, __ATOMIC_SEQ_CST);
    }
    errno = before;
}

/* -- the slots -- */

/* Waits until no handler can know of an owner before the present one. No handler waits for anything. */
static void settle(struct slot *slot) {
    const struct timespec moment = {.tv_nsec = 20000};
    while (LOAD(slot->handling) != 0) nanosleep(&moment, NULL);
}

static void set_owner(struct slot *slot, coro_bell *owner, bool by_default) {
    STORE(slot->by_default, by_default);
    STORE(slot->owner, owner);
    settle(slot);
    /* What came meanwhile may have rung for the owner before. */
    if (owner != NULL && LOAD(slot->deliveries) > 0) coro_bell_ring(owner);
}

static int install(int number, coro_bell *owner, bool by_default) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    STORE(process, getpid());
    STORE(slots[number].deliveries, 0);
    set_owner(&slots[number], owner, by_default);
    struct sigaction before;
    int error = (int)CORO_CALL_ONCE(sigaction, sigaction(number, &action, &before));
    if (error < 0) set_owner(&slots[number], NULL, false);
    /* Ours: somebody who had replaced us has put us back after we had left. */
    if (error == 0 && before.sa_handler != handle) slots[number].previous = before;
    return error;
}

/* Returns how many deliveries nobody has taken. */
static uint32_t uninstall(int number) {
    struct sigaction now;
    if (sigaction(number, NULL, &now) == 0 && now.sa_handler == handle) sigaction(number, &slots[number].previous, NULL);
    set_owner(&slots[number], NULL, false);
    return EXCHANGE(slots[number].deliveries, 0);
}

static uint32_t give_up(int number) {
    struct slot *slot = &slots[number];
    if (slot->fallback == NULL) return uninstall(number);
    uint32_t dropped = EXCHANGE(slot->deliveries, 0);
    set_owner(slot, slot->fallback, true);
    return dropped;
}

coro_bell *coro_system_signal_owner(int number, bool *by_default) {
    *by_default = slots[number].by_default;
    return slots[number].owner;
}

int coro_system_signal_claim(int number, coro_bell *loop) {
    if (slots[number].owner == NULL) return install(number, loop, false);
    STORE(asked, 0);
    set_owner(&slots[number], loop, false);
    return 0;
}

void coro_system_signal_release(int number) {
    give_up(number);
}

bool coro_system_signal_hold_default(int number, coro_bell *loop) {
    struct slot *slot = &slots[number];
    if (slot->owner != NULL || !is_default(number) || install(number, loop, true) < 0) return false;
    slot->fallback = loop;
    return true;
}

bool coro_system_signal_drop_default(int number, coro_bell *loop) {
    struct slot *slot = &slots[number];
    if (slot->fallback != loop) return false;
    slot->fallback = NULL;
    if (!slot->by_default) return false; /* the program has it, and puts back what was there before us */
    STORE(asked, 0);
    return uninstall(number) > 0;
}

uint32_t coro_system_signal_take(int number) {
    return LOAD(slots[number].deliveries) == 0 ? 0 : EXCHANGE(slots[number].deliveries, 0);
}

bool coro_system_signal_take_default(int number, const coro_bell *loop) {
    struct slot *slot = &slots[number];
    if (LOAD(slot->owner) != loop || !LOAD(slot->by_default) || coro_system_signal_take(number) == 0) return false;
    STORE(asked, 0);
    return true;
}

void coro_system_signal_raise(int number) {
    raise(number);
}

/* -- fork -- */

static void begin_fork(void) {
    __atomic_fetch_add(&forking, 1, __ATOMIC_SEQ_CST);
}

static void end_fork(void) {
    __atomic_fetch_sub(&forking, 1, __ATOMIC_SEQ_CST);
}

static void begin_in_child(void) {
    forget_parents_deliveries();
    STORE(forking, 0);
}

/* Also for a process that makes its first loop after a fork: a later child of its vfork() is not one of fork(). */
__attribute__((constructor)) static void register_fork_handlers(void) {
    pthread_atfork(begin_fork, end_fork, begin_in_child);
}

void coro_system_signals_after_fork(coro_bell *kept) {
    begin_in_child(); /* which may not have come yet */
    for (int number = 1; number < SLOTS; number++) {
        struct slot *slot = &slots[number];
        STORE(slot->handling, 0); /* other threads may have been in handlers */
        slot->fallback = NULL;
        if (slot->owner == NULL || (slot->owner == kept && !slot->by_default)) continue;
        if (give_up(number) > 0) raise(number);
    }
}

/* -- which there are -- */

enum coro_signal_kind coro_system_signal_kind(int number) {
    if (number < 1 || number >= SLOTS || number > SIGRTMAX) return CORO_SIGNAL_KIND_NONE;
    switch (number) {
    case SIGKILL: case SIGSTOP: return CORO_SIGNAL_KIND_UNCATCHABLE;
    case SIGSEGV: case SIGBUS: case SIGFPE: case SIGILL: return CORO_SIGNAL_KIND_FAULT;
    default: return number >= 32 && number < SIGRTMIN ? CORO_SIGNAL_KIND_RESERVED : CORO_SIGNAL_KIND_USUAL;
    }
}

const char *coro_system_signal_name(int number, int *above) {
    const char *name = sigabbrev_np(number);
    *above = name == NULL ? number - SIGRTMIN : 0;
    return name == NULL ? "RTMIN" : name;
}
