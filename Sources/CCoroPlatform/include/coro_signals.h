/*
 * Signals: the handler that counts them and tells a loop, and which loop has which signal.
 *
 * The handler runs on any thread and at any time, so what it looks at is never freed: a slot for each signal. A slot is
 * changed behind the process lock only; who takes a loop out of one waits until no handler can be looking at it.
 */
#ifndef CORO_SIGNALS_H
#define CORO_SIGNALS_H

#include "coro_bell.h"

/* What can be done about a signal. */
enum coro_signal_kind {
    CORO_SIGNAL_KIND_NONE,        /* there is no such number */
    CORO_SIGNAL_KIND_USUAL,
    CORO_SIGNAL_KIND_UNCATCHABLE, /* SIGKILL, SIGSTOP */
    CORO_SIGNAL_KIND_FAULT,       /* of the instruction that runs: it can't go on before the fault is dealt with */
    CORO_SIGNAL_KIND_RESERVED,    /* libc's own */
};
enum coro_signal_kind coro_system_signal_kind(int number);

/* "USR1"; a real-time signal is "RTMIN" and *above it. number: one that exists. */
const char *_Nonnull coro_system_signal_name(int number, int *_Nonnull above);

/* -- who has a signal; all behind the process lock, for numbers of the usual kind -- */

/* Whose loop's it is, or NULL. *by_default: only as long as the program does not want it. */
coro_bell *_Nullable coro_system_signal_owner(int number, bool *_Nonnull by_default);

/* Gives a signal that nobody has, or somebody by default only, to a loop. 0 or -errno. */
int coro_system_signal_claim(int number, coro_bell *_Nonnull loop);

/* Ends that: it goes back to the loop that has it by default, or else what was installed before is put back, unless somebody
   has installed something else since. Deliveries that nobody has taken are dropped. */
void coro_system_signal_release(int number);

/* Gives a signal whose action is the system's default to a loop by default, if nobody has it. Returns whether it did. If such
   a signal comes when there is one that the loop has not taken, the loop is stuck: it then does what it does by default. */
bool coro_system_signal_hold_default(int number, coro_bell *_Nonnull loop);

/* Ends that. Returns whether there was a delivery that the loop has not taken. */
bool coro_system_signal_drop_default(int number, coro_bell *_Nonnull loop);

/* In the child of a fork: what was delivered to the parent is not the child's; what other loops had is put back, and sent
   again if it came meanwhile. So is what the child's own loop (kept; NULL: it has none) had by default: whether that goes on in
   the child nobody knows, and who kills a child that does something else means it. */
void coro_system_signals_after_fork(coro_bell *_Nullable kept);

/* -- for the loop that has it -- */

/* How many deliveries there were since this was called last. */
uint32_t coro_system_signal_take(int number);
/* Whether there were any that `loop` has by default. */
bool coro_system_signal_take_default(int number, const coro_bell *_Nonnull loop);

/* raise(3) */
void coro_system_signal_raise(int number);

/* The two that end a program. */
enum coro_default_signal { CORO_SIGNAL_INTERRUPT = 2, CORO_SIGNAL_TERMINATE = 15 };

#endif
