/*
 * coro.h - libcoro: coroutines on one event loop, for C and everything that can call C.
 *
 * A coroutine is a function with a stack of its own. It runs until it makes a call that has to wait (coro_sleep,
 * coro_read, coro_join, ...); then the next coroutine that can run does. Code reads as if it blocked, and a switch
 * costs nanoseconds.
 *
 *     static void *hello(void *arg) {
 *         coro_sleep(CORO_MS(100));
 *         puts("Hello world!");
 *         coro_set_exit(0);
 *         return NULL;
 *     }
 *     int main(void) {
 *         coro_detach(coro_spawn(hello, NULL));
 *         return coro_event_loop();
 *     }
 *
 * Conventions, for every function below:
 *
 *  - Errors are returned, never left in errno, and are negative: -errno for the system's (-EBADF), CORO_E... for
 *    ours. coro_strerror() gives the text, coro_error_detail() what was wrong this time and what can be done.
 *  - Times are int64_t nanoseconds on CLOCK_MONOTONIC. CORO_FOREVER is "no limit".
 *  - A coroutine is named by a coro_t: 1, 2, 3, ... on a process's first loop, from higher numbers on others; never reused.
 *    Any integer may be passed where a coro_t is wanted, from any thread and at any time: a wrong one gives an error and
 *    does nothing. 0, the thread's own stack, is -EINVAL except for coro_schedule() and where it is said; an id that was
 *    never given out is -ESRCH (or CORO_EWRONGTHREAD, if another thread may yet give it out).
 *  - A coroutine lives on one thread. Every thread may have its own loop; it gets one when it first needs it.
 *    Threads talk through coro_post().
 *  - "Suspends" in a comment means: other coroutines may run before the call returns. Such a call may be
 *    interrupted: it then returns the code it was interrupted with (CORO_ESHUTDOWN, ...), having done nothing that
 *    is not said, and leaving nothing behind. What does not say that it suspends never does. Where its time is bounded, by
 *    a timeout or by a scope (see Timeouts), it may also return -ENOMEM, as if interrupted by that.
 *  - A suspending call made on a thread's own stack, outside every coroutine, runs the loop until the call is done
 *    (see coro_set_strict_main; in a task of Swift's, whose thread must not be held up, it is CORO_EYIELDFROMMAIN). After a
 *    fork() the child has a private copy of the loop.
 *  - "Call from": "anywhere" is any thread, inside and outside coroutines. Nothing here may be called from a signal
 *    handler.
 *
 * Everything in this header can be linked: no function is a macro or an inline. Since 0.1.0 unless it says otherwise.
 */
#ifndef CORO_H
#define CORO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct addrinfo; /* <netdb.h> */

#if defined(__clang__)
#define CORO_NULLABLE _Nullable
#define CORO_NONNULL _Nonnull
#else
#define CORO_NULLABLE
#define CORO_NONNULL
#endif

#if defined(__GNUC__)
#define CORO_PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define CORO_UNUSED __attribute__((unused))
#else
#define CORO_PRINTF_LIKE(text, first)
#define CORO_UNUSED
#endif

#if defined(__clang__) && defined(__cplusplus)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#elif defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
#endif

/* ======================================================================================================== Version */

#define CORO_VERSION_MAJOR 0
#define CORO_VERSION_MINOR 1
#define CORO_VERSION_PATCH 0
/* MAJOR * 10000 + MINOR * 100 + PATCH of the header compiled against; coro_version_number() is the library's. */
#define CORO_VERSION_NUMBER 100

/* The library's version as text, "0.1.0". Call from: anywhere. */
const char *CORO_NONNULL coro_version(void);

/* The library's version as a number, to hold against CORO_VERSION_NUMBER. Call from: anywhere. */
int coro_version_number(void);

/* ========================================================================================================= Errors */

/* The coroutine is running, or runnable, or was started already: it can't be scheduled or started (again). */
#define CORO_ESCHEDULE (-5001)
/* The coroutine has ended (or was cancelled before it started), and nothing of it is left to wait for. */
#define CORO_EDEAD (-5002)
/* The descriptor was closed by coro_close() while the call waited, or before it. Or the object (a channel, a lock, a stream)
   was closed, or freed while the call waited. */
#define CORO_ECLOSED (-5003)
/* The coroutine was never started, so that waiting for it would not end. */
#define CORO_ENOTSTARTED (-5004)
/* The time given for the call ran out. */
#define CORO_ETIMEOUT (-5005)
/* Another coroutine waits already for the same thing (this descriptor, this direction): see coro_error_other(). Or somebody
   has registered the same thing (this signal). */
#define CORO_ESIMULTANEOUS (-5006)
/* The coroutine was told to end, by coro_shutdown(). */
#define CORO_ESHUTDOWN (-5007)
/* The wait was broken off on purpose, with nothing wrong: the code for coro_raise() when that is all it shall say. */
#define CORO_EWAKEUP (-5008)
/* The wait was interrupted: by coro_interrupt(), or because the time of a scope around it ran out (see Timeouts). */
#define CORO_EINTERRUPTED (-5009)
/* A suspending call where none is allowed: on a thread's own stack in strict mode or in a task of Swift's, in a destructor or a
   callback. */
#define CORO_EYIELDFROMMAIN (-5010)
/* The lock is not locked, or not by the caller; or a count would be less than zero. */
#define CORO_ELOCK (-5011)
/* Some of the functions run in parallel failed, or some members of the group. */
#define CORO_EINPARALLEL (-5012)
/* The coroutine, or the object, belongs to the loop of another thread: use coro_post(). */
#define CORO_EWRONGTHREAD (-5013)
/* The stream ended before all the bytes that were asked for had come: coro_error_progress() says how many did. */
#define CORO_EEOF (-5014)
/* The descriptor is in blocking mode, and this call can't be made on it without holding up every coroutine. */
#define CORO_EBLOCKING (-5015)
/* The loop runs already on this thread: coro_event_loop() was called from inside it. */
#define CORO_ELOOPRUNNING (-5016)
/* The coroutine failed with an error of its own language that has no code: the message says which. */
#define CORO_EFAILED (-5017)

/* The errors of getaddrinfo(3) and getnameinfo(3): EAI_... of <netdb.h>, less 5100. (EAI_MEMORY and EAI_SYSTEM are -errno.) */
#define CORO_EAI_BADFLAGS (-5101)
#define CORO_EAI_NONAME (-5102)
#define CORO_EAI_AGAIN (-5103)
#define CORO_EAI_FAIL (-5104)
#define CORO_EAI_NODATA (-5105)
#define CORO_EAI_FAMILY (-5106)
#define CORO_EAI_SOCKTYPE (-5107)
#define CORO_EAI_SERVICE (-5108)
#define CORO_EAI_ADDRFAMILY (-5109)
#define CORO_EAI_OVERFLOW (-5112)
#define CORO_EAI_IDN_ENCODE (-5205)

/* What `code` means, in a sentence without a full stop. 0 is "success"; an unknown code says so with its number.
   Ownership: the text is valid until the thread's next coro_strerror(). Call from: anywhere. */
const char *CORO_NONNULL coro_strerror(int code);

/* The symbol of `code`: "CORO_EDEAD", "EBADF"; "0" for 0, NULL for a code that has none. Call from: anywhere. */
const char *CORO_NULLABLE coro_error_name(int code);

/* More about the last call on this thread that returned an error: which coroutine or descriptor was wrong, which
   limit was met and how to raise it. "" when there is nothing to add. Ownership: valid until the next failing call on
   this thread. Call from: anywhere. */
const char *CORO_NONNULL coro_error_detail(void);

/* The other coroutine that the last error on this thread is about: who waits already (CORO_ESIMULTANEOUS), who closed the
   descriptor (CORO_ECLOSED), who owns the lock (-EBUSY, -EDEADLK, CORO_ELOCK), which member failed first (CORO_EINPARALLEL),
   whose failure a coro_join() returns, as against what the caller was interrupted with; 0 when it was no coroutine. Call from:
   anywhere. */
int64_t coro_error_other(void);

/* How many bytes the call that failed last on this thread had moved before it failed: what a coro_write() that was
   interrupted had sent, what a coro_recv_exact() that met the end had received. Call from: anywhere. */
int64_t coro_error_progress(void);

/* ===================================================================================================== Life cycle */
/*
 * A coroutine is made (coro_new), started, runs and waits in turn, and ends when its function returns; coro_spawn() makes and
 * starts it in one. Somebody joins it for its result, or it is detached. It is never ended from outside: it is told to end
 * (coro_shutdown), or something else (coro_raise, coro_interrupt), by what the call in which it waits returns.
 */

/* A coroutine's id. Positive; 0 is the thread's own stack ("main"); a negative value is an error. */
typedef int64_t coro_t;

/* What a coroutine runs. What it returns is the coroutine's result; see coro_fail() for how to end otherwise. Exceptions of C++
   are each coroutine's own, and it may suspend while they are in flight; one that nobody catches in it ends the program
   (std::terminate), with nothing unwound. */
typedef void *CORO_NULLABLE (*coro_fn)(void *CORO_NULLABLE arg);

/* Flags of coro_options. */
/* Nobody will join it: its result is thrown away, and its record with it, when it ends. */
#define CORO_DETACHED 0x1
/* It runs at once, up to its first suspension, before the call that creates it returns (see coro_start_now). */
#define CORO_START_NOW 0x2
/* The floating-point control words (rounding, exception masks, flush to zero) are its own. Costs about 2 ns a switch.
   Without it a coroutine that changes them must put them back before it suspends. */
#define CORO_SAVE_FP 0x4

/* How to create a coroutine. Start from CORO_OPTIONS_INIT or coro_options_init(): beside struct_size, zero is the default. */
typedef struct coro_options {
    size_t struct_size;                         /* sizeof(coro_options), so that the struct may grow */
    const char *CORO_NULLABLE name;             /* copied; NULL: the function's symbol if it has one, or "coro <id>" */
    size_t stack_size;                          /* bytes, the guard included, rounded up to a power of two; 0: 256 KiB;
                                                   16 KiB to 1 GiB. The guard is a quarter, at most 64 KiB */
    uint32_t flags;                             /* CORO_DETACHED | CORO_START_NOW | CORO_SAVE_FP; default none */
    uint32_t reserved;                          /* 0 */
    void (*CORO_NULLABLE release)(void *CORO_NULLABLE arg); /* called once with `arg`, when its function has returned
                                                   or it was cancelled; not when creating it failed; must not
                                                   suspend, and can't fail the coroutine any more */
} coro_options;

#define CORO_OPTIONS_INIT { sizeof(coro_options), NULL, 0, 0, 0, NULL }

/* Fills in the defaults: the same as CORO_OPTIONS_INIT. Call from: anywhere. */
void coro_options_init(coro_options *CORO_NONNULL options);

/* Creates a coroutine without starting it. options NULL: defaults (CORO_START_NOW is an error here). It is listed by
   coro_all(), and stays until it is started or shut down.
   Returns its id, or
     -EINVAL   fn is NULL, or an option is out of range
     -ENOMEM   no memory, or no more mappings: coro_error_detail() names the limit
   Call from: anywhere; it will belong to the calling thread's loop. */
coro_t coro_new(coro_fn CORO_NULLABLE fn, void *CORO_NULLABLE arg, const coro_options *CORO_NULLABLE options);

/* Creates a coroutine and queues it behind those that can run: it first runs after the caller suspends. May be called
   before the loop runs. The result is kept until somebody joins; call coro_detach() if nobody will:
   coro_detach(coro_spawn(fn, arg)). Returns and errors: as coro_new. Call from: anywhere. */
coro_t coro_spawn(coro_fn CORO_NULLABLE fn, void *CORO_NULLABLE arg);

/* coro_spawn with options. Suspends only with CORO_START_NOW, as coro_start_now. */
coro_t coro_spawn_with(coro_fn CORO_NULLABLE fn, void *CORO_NULLABLE arg, const coro_options *CORO_NULLABLE options);

/* Queues a coroutine made by coro_new().
   Returns 0, or
     CORO_ESCHEDULE     it is queued or started already, or has finished
     CORO_EDEAD         it was cancelled before it started, or has finished and was joined or detached
     CORO_EWRONGTHREAD  it belongs to another thread
     -ESRCH             there never was such a coroutine
   Call from: its thread. */
int coro_start(coro_t co);

/* Starts a coroutine made by coro_new() and runs it at once: it runs to its first suspension, or its end, before this
   returns, and the caller goes on ahead of everything else that is runnable (but when it has started a thousand and more in a
   row, it is the others' turn). Errors: as coro_start, and
     CORO_EYIELDFROMMAIN  in a callback that must not suspend
   Suspends, in that others run; but it can't be interrupted. Call from: its thread, in a coroutine or outside. */
int coro_start_now(coro_t co);

/* Makes the running coroutine (or what coro_with_timeout() runs in it) fail, once its function returns:
   `return coro_fail(-EIO, "short header");`. Whoever joins gets `code`. Nothing is cut short: this only records, so that every
   language's cleanup runs. Failing with CORO_ESHUTDOWN is the silent way out after coro_shutdown(); any other failure is told
   to the notifier as well.
   code: negative (anything else is recorded as -EINVAL). message: copied, may be NULL. Outside a coroutine it does
   nothing. Returns NULL. Call from: a coroutine. */
void *CORO_NULLABLE coro_fail(int code, const char *CORO_NULLABLE message);

/* Waits until `co` has ended. Suspends, unless it has already. Any number may join the same coroutine, and all are
   woken, in the order they came. timeout: nanoseconds, 0 only looks, CORO_FOREVER waits. *result (if not NULL) is what
   its function returned, NULL if it failed. The record of an ended coroutine is dropped by the first join that returns it.
   Returns 0 if the function returned, the code it failed with (CORO_ESHUTDOWN if it was cancelled before it started),
   with its message as coro_error_detail(), or
     CORO_ETIMEOUT     not ended within `timeout`; the coroutine is not touched, coro_is_alive() is still true
     CORO_ENOTSTARTED  nobody has started it
     CORO_EDEAD        it ended, and was detached or joined before
     -EDEADLK          it is the caller, or waits (through joins) for the caller; or nothing is left that could run
     CORO_EWRONGTHREAD, -ESRCH, -EINVAL (main, or a negative timeout), CORO_EYIELDFROMMAIN
     or the code the caller was interrupted with.
   Call from: its thread. */
int coro_join(coro_t co, void *CORO_NULLABLE *CORO_NULLABLE result, int64_t timeout);

/* Says that nobody will join `co`: its record is dropped when it ends, or now if it has. A negative `co` is returned
   as it is, so that it can be wrapped around coro_spawn(). Returns `co`, or CORO_EDEAD, CORO_EWRONGTHREAD, -ESRCH,
   -EINVAL (main). Call from: its thread. */
coro_t coro_detach(coro_t co);

/* Tells a coroutine to end. What it waits in (or next waits in, if it is running) returns CORO_ESHUTDOWN, once; it
   should clean up and return coro_fail(CORO_ESHUTDOWN, NULL). One that never ran is cancelled: it ends now, without
   running. One that has ended stays as it is. Returns 0, or CORO_EWRONGTHREAD, -ESRCH. Does not suspend and does not
   wait: join for that. Call from: its thread. */
int coro_shutdown(coro_t co);

/* Flags of coro_raise. */
/* Refuse if it is runnable already, instead of replacing what it was going to return. */
#define CORO_NO_FORCE 0x1
/* Cancel it if it has not run yet: it ends now, without running, as by coro_shutdown(). */
#define CORO_CANCEL_START 0x2

/* Makes what a coroutine waits in return `code`, once: CORO_EWAKEUP, CORO_EINTERRUPTED, or any negative value that its code
   expects. One that is runnable already returns `code` instead of what it was woken with, unless flags has CORO_NO_FORCE;
   the last one wins, also over a coro_shutdown() that it has not seen yet. Nothing else is undone: data that made it runnable
   are still there to be read.
   Returns 0, or
     CORO_ENOTSTARTED  it has not run yet, and flags lacks CORO_CANCEL_START
     CORO_ESCHEDULE    it is the caller; or it is runnable, with CORO_NO_FORCE
     CORO_EDEAD        it has ended, or was cancelled
     CORO_EWRONGTHREAD, -ESRCH, -EINVAL (code is not negative, flags has other bits, main)
   Does not suspend. Call from: its thread. */
int coro_raise(coro_t co, int code, uint32_t flags);

/* Makes what a suspended coroutine waits in return CORO_EINTERRUPTED; coro_interrupt_value() is `value` there. Never
   disturbs one that is runnable. Returns 0, or
     CORO_ESCHEDULE    it is the caller, or runnable, or queued for the first time
     CORO_ENOTSTARTED  nobody has started it
     CORO_EDEAD        it has ended, or was cancelled
     CORO_EWRONGTHREAD, -ESRCH, -EINVAL (main)
   Does not suspend. Call from: its thread. */
int coro_interrupt(coro_t co, void *CORO_NULLABLE value);

/* What coro_interrupt() was given, in the coroutine whose last wait it interrupted; NULL if that was not interrupted so. Ask
   when a call has returned CORO_EINTERRUPTED: calls that need not wait change nothing. Call from: anywhere. */
void *CORO_NULLABLE coro_interrupt_value(void);

/* Whether it has been started (or queued to) and has not ended. False for ids that never were. Call from: its thread. */
bool coro_is_alive(coro_t co);

/* `co` itself while anything is known of it (it is unstarted, alive, or ended and not joined), else CORO_EDEAD,
   CORO_EWRONGTHREAD or -ESRCH. Call from: anywhere. */
coro_t coro_ident(coro_t co);

/* Renames a coroutine. name: copied. Returns `co`, or -EINVAL (NULL), -ENOMEM, CORO_EDEAD, CORO_EWRONGTHREAD, -ESRCH.
   Call from: its thread. */
coro_t coro_set_name(coro_t co, const char *CORO_NULLABLE name);

/* Copies its name into buffer, cut to fit and always terminated when size > 0. Returns the whole length, or
   CORO_EDEAD, CORO_EWRONGTHREAD, -ESRCH. buffer NULL: only the length. Call from: its thread. */
int coro_get_name(coro_t co, char *CORO_NULLABLE buffer, size_t size);

/* Told when a coroutine fails, whether or not anybody joins it; not of CORO_ESHUTDOWN. Runs in the failing coroutine, at
   its end; message may be "". Must not suspend, and can't fail the coroutine otherwise. Returns 0; anything else means that it
   could not report, and the default does. */
typedef int (*coro_notifier)(coro_t co, int code, const char *CORO_NONNULL message);

/* Replaces this thread's notifier; NULL puts back the default, which writes one line to stderr. Returns the one before,
   NULL if that was the default. Call from: anywhere. */
coro_notifier CORO_NULLABLE coro_set_exception_notifier(coro_notifier CORO_NULLABLE notifier);

/* ========================================================================================== Scheduling and the loop */
/*
 * Who can run does so in turn, first come first served, until it waits. coro_event_loop() runs a thread's loop until it is told
 * to end; a program that needs no loop of its own for long just makes its calls in main, and they run it.
 */

/* The running coroutine, 0 on a thread's own stack. Call from: anywhere. */
coro_t coro_current(void);

/* Lets the other runnable coroutines run, and goes on after them. Suspends. Returns 0, the code it was interrupted
   with, or CORO_EYIELDFROMMAIN. Call from: anywhere. */
int coro_yield(void);

/* Goes on in the next pass of the loop: after the timers that are due and one look at the descriptors. Suspends.
   Returns: as coro_yield. Call from: anywhere. */
int coro_yield_slice(void);

/* Suspends until somebody calls coro_schedule() on the caller, and stores the value given there in *value (if not
   NULL). Returns 0, the code it was interrupted with, -EDEADLK on a thread's own stack when nothing is left that could
   wake it (coro_error_detail() says who waits for what), or CORO_EYIELDFROMMAIN. Call from: anywhere. */
int coro_park(void *CORO_NULLABLE *CORO_NULLABLE value);

/* Makes a suspended coroutine runnable: its coro_park() returns `value`; a sleeper wakes early; one that was never
   started is started (value is then not used). One that waits in another call is not disturbed. One that is interrupted
   before it runs returns the interrupt's code, and value is not delivered.
   Returns 0, or
     CORO_ESCHEDULE  it is running, or runnable already, or waits for something that only its end can give
     CORO_EDEAD, CORO_EWRONGTHREAD, -ESRCH
   Call from: its thread. */
int coro_schedule(coro_t co, void *CORO_NULLABLE value);

/* How to run the loop. */
typedef struct coro_loop_options {
    size_t struct_size;     /* sizeof(coro_loop_options) */
    int64_t poll_timeout;   /* the longest single wait for descriptors, in ns; 0: 30 s. Not a limit on the run */
    uint32_t flags;         /* CORO_LOOP_UNTIL_IDLE or CORO_LOOP_DETECT_DEADLOCK; default none */
    uint32_t reserved;      /* 0 */
} coro_loop_options;

#define CORO_LOOP_OPTIONS_INIT { sizeof(coro_loop_options), 0, 0, 0 }
/* Return 0 when nothing is left that could ever run: nothing runnable, asleep, or waiting for a descriptor. */
#define CORO_LOOP_UNTIL_IDLE 0x1
/* The same, but if coroutines are left then that wait, for each other or for a coro_schedule() that can't come any more, it
   is an error: -EDEADLK, with the first few of them as coro_error_detail(), and all of them on stderr, a line each. (What
   other threads may yet post is not known, and not waited for.) For tests, and for programs that should end by themselves. */
#define CORO_LOOP_DETECT_DEADLOCK 0x2

/* Fills in the defaults: the same as CORO_LOOP_OPTIONS_INIT. Call from: anywhere. */
void coro_loop_options_init(coro_loop_options *CORO_NONNULL options);

/* Runs this thread's loop until coro_set_exit(), and returns the code given there, so that
   `return coro_event_loop();` ends main. Waiting for nothing costs no CPU; it does not end when no coroutine is left
   (see CORO_LOOP_UNTIL_IDLE). May be called again afterwards: coroutines that were suspended go on. On the process's first
   thread it serves Dispatch's main queue too (see coro_set_serve_main_queue).
   Errors: CORO_ELOOPRUNNING when called inside a coroutine or while the loop runs; CORO_EYIELDFROMMAIN in a callback that must
   not suspend; -errno if the loop can't be set up; -EDEADLK with CORO_LOOP_DETECT_DEADLOCK only. (Exit codes are best
   positive: a negative one looks like an error.)
   Call from: a thread's own stack. */
int coro_event_loop(void);

/* coro_event_loop with options; NULL means defaults. Errors: also -EINVAL. */
int coro_event_loop_with(const coro_loop_options *CORO_NULLABLE options);

/* Makes this thread's loop return `code`. What is runnable, and what that makes runnable, runs first (for at most a
   second, should it never end); what is suspended stays so. The last call wins. Before the loop: it returns at once
   without running anything. Does not suspend. Call from: anywhere on the loop's thread. */
void coro_set_exit(int code);

/* Whether "Exiting..." is written to stderr when the loop returns after coro_set_exit(). Default: true. Returns what it
   was. Call from: anywhere; holds for the calling thread. */
bool coro_set_print_exit_string(bool on);

/* Whether coro_event_loop() is running on this thread. Call from: anywhere. */
bool coro_is_running(void);

/* Whether loops on the process's first thread serve Dispatch's main queue, where libdispatch is in the process: what is given
   to that queue (DispatchQueue.main, and so the jobs of Swift's main actor) runs between two passes, as
   coro_post_callback()'s functions do, also in the loop that a call on the thread's own stack runs. What may still be queued
   keeps no loop from being idle. While other code holds that thread (dispatch_main(), a run loop), the queue is that code's.
   Default: true. Turning it off is for programs in which another loop takes turns with this one and shall serve it alone. It
   takes a descriptor, which is libdispatch's and stays. It is not served in the child of a fork, if it was before, or if
   another thread than the first has forked. Returns what it was. Call from: anywhere; holds for the calling thread. */
bool coro_set_serve_main_queue(bool on);

/* What a suspending call does on a thread's own stack while no loop runs. false (the default): it runs the loop until
   the call is done. true: it fails with CORO_EYIELDFROMMAIN, except coro_sleep and coro_sleep_relative, which block the
   thread, and calls that need not wait. Returns what it was. Call from: anywhere; holds for the calling thread. */
bool coro_set_strict_main(bool on);

/* ======================================================================================================== Latency */
/*
 * Nothing preempts a coroutine: one that runs for long without suspending, or that makes a call which blocks its thread, keeps
 * all others of its loop waiting. It is reported on stderr while it still runs: for how long so far, which coroutine it is (as
 * coro_repr), and where it is, with its stack. When it has suspended or ended, a line says for how long it ran in all.
 *
 * A thread of libcoro's own, "coro-watchdog", finds it, by looking four times per threshold and at least every 100 ms: so
 * that the report comes later than the threshold by up to a quarter of it (100 ms at most), and a coroutine that has suspended
 * by then may not be noticed. A switch costs nothing more. There is one such thread in a process, from when a loop first runs
 * a coroutine with this turned on; it sleeps while no loop runs. What a thread does outside its loop is not watched.
 *
 * The stack of a coroutine that runs is taken by SIGURG, unless the program handles or blocks that signal. One that is blocked
 * in a system call is not disturbed: its stack is searched for what looks like return addresses, some of which may be of calls
 * that are over.
 */

/* After what time this thread's coroutines are reported: factor times 0.2 s; 0: never. Default: 1. Returns the factor before,
   -EINVAL if this one is not from 0 to 300, or -ENOMEM. Call from: anywhere; holds for the calling thread. */
int coro_set_latency_warning(int factor);

/* Told of a coroutine that was reported, when it has suspended or ended: it ran for `ns` at least. name: as coro_get_name. co 0
   and name "": it was not a coroutine, but what the loop itself called. Runs between coroutines, and must not suspend. */
typedef void (*coro_latency_reporter)(coro_t co, int64_t ns, const char *CORO_NONNULL name);

/* Has the reporter called, to write into a log perhaps, instead of the line that says for how long it ran; NULL: the line
   again. The report of one that still runs is written all the same: nothing else would tell of one that never suspends.
   Returns the reporter before; NULL: the line. Call from: anywhere; holds for the calling thread. */
coro_latency_reporter CORO_NULLABLE coro_set_latency_reporter(coro_latency_reporter CORO_NULLABLE reporter);

/* =========================================================================================================== Time */
/*
 * Nanoseconds on the monotonic clock, which setting the time of day does not move. The last functions of the section turn times
 * of the wall clock into such, and back.
 */

#define CORO_FOREVER INT64_C(9223372036854775807)
#define CORO_NS(x) ((int64_t)(x))
#define CORO_US(x) ((int64_t)((x) * INT64_C(1000)))
#define CORO_MS(x) ((int64_t)((x) * INT64_C(1000000)))
#define CORO_SECONDS(x) ((int64_t)((x) * INT64_C(1000000000)))
/* The same as constants that a foreign function interface can look up. */
extern const int64_t coro_forever;
extern const int64_t coro_nanoseconds_per_second;

/* The loop's time, in ns: read once per pass. Call from: anywhere. */
int64_t coro_now(void);

/* The time right now, in ns. Call from: anywhere. */
int64_t coro_get_now(void);

/* Sleeps for at least `ns`; 0 is one pass of the loop, as coro_yield_slice; CORO_FOREVER never ends by itself. Sleepers
   wake in order of their deadlines, and of their calls where those are equal. Suspends.
   Returns 0 (also when woken early by coro_schedule), -EINVAL for a negative time, the code it was interrupted with,
   -EDEADLK on a thread's own stack for a sleep without end that nothing is left to break off, or CORO_EYIELDFROMMAIN in a
   callback that must not suspend. Call from: anywhere. */
int coro_sleep(int64_t ns);

/* coro_sleep, by Shrapnel's name. */
int coro_sleep_relative(int64_t ns);

/* Sleeps until coro_get_now() would be at least `when`; a time gone by is one pass. Suspends. Returns: as coro_sleep, and
   CORO_EYIELDFROMMAIN on a thread's own stack in strict mode. Call from: anywhere. */
int coro_sleep_absolute(int64_t when);

/* Microseconds since 1970 by the wall clock, as of the loop's time (coro_now), and right now. The first goes by the relation
   between the two clocks that is described below. Call from: anywhere. */
int64_t coro_now_usec(void);
int64_t coro_get_usec(void);

/* From times since 1970 in microseconds, seconds, and fractional seconds to times of coro_get_now() and back, rounded down;
   what is out of range becomes the first or last time there is (NaN the first). The _safe forms leave 0 alone, for code in
   which 0 means "no time". They go by the relation between the wall clock and the loop's, which is noted down when the loop is
   made: later changes of the wall clock count after coro_update_time_relation(). Call from: anywhere. */
int64_t coro_absolute_time_to_ticks(int64_t usec);
int64_t coro_ticks_to_absolute_time(int64_t ticks);
int64_t coro_absolute_time_to_ticks_safe(int64_t usec);
int64_t coro_ticks_to_absolute_time_safe(int64_t ticks);
int64_t coro_absolute_secs_to_ticks(int64_t seconds);
int64_t coro_ticks_to_absolute_secs(int64_t ticks);
int64_t coro_absolute_fsecs_to_ticks(double seconds);
double coro_ticks_to_absolute_fsecs(int64_t ticks);

/* Looks at the wall clock again. Timers are not touched: they don't go by it. Call from: anywhere; holds for the thread. */
void coro_update_time_relation(void);

/* ======================================================================================================== Timeouts */
/*
 * A scope bounds the time of all that is done in it:
 *
 *     coro_timeout_t limit = coro_timeout_begin(CORO_SECONDS(5));
 *     ssize_t n = coro_recv_exact(fd, header, sizeof header);
 *     if (n > 0) n = coro_recv_exact(fd, body, length_of(header));
 *     n = coro_timeout_end(limit, n);
 *     if (n == CORO_ETIMEOUT) ...
 *
 * When the time runs out, the call in which the coroutine waits, or the next that would suspend, returns CORO_EINTERRUPTED,
 * once; the code in between cleans up and hands the error on; and the end of the scope whose time it was makes it
 * CORO_ETIMEOUT. Scopes nest, and each knows its own: the end of any other lets CORO_EINTERRUPTED pass. So code can tell a
 * time limit of its own (CORO_ETIMEOUT) from one that somebody around it has set.
 *
 * The one whose time runs out first interrupts first, the outer one of two that are equal. Work that is done before the
 * interruption reaches it wins: what was about to return returns, and if the scope then ends, it has not run out. But once
 * the time is up, one more event is the most that can come before it. Nobody else is touched: coroutines that were started in
 * a scope run on.
 *
 * On a thread's own stack, outside the loop, a scope also bounds plain blocking system calls: read(2) and the like
 * fail with EINTR. That takes SIGALRM, for this thread alone, between the first begin and the last end; what was installed
 * for it before is put back. What makes no system call that waits (pure computation) is not cut short; neither is a wait for
 * a mutex or condition variable of the C library, which starts again by itself and has used up the interruption then.
 */

/* A scope's name. Positive; never reused on its thread; a negative value is an error. */
typedef int64_t coro_timeout_t;

/* Begins a scope that ends by coro_timeout_end(), in this coroutine. ns: how long it may take; 0 or less: nothing may suspend
   in it; CORO_FOREVER: no limit. Costs about what reading the clock does. Returns its name, or -ENOMEM; -EAGAIN outside the
   loop if the system has no more timers to give. Does not suspend. Call from: anywhere. */
coro_timeout_t coro_timeout_begin(int64_t ns);

/* Ends a scope, and those in it that were begun and not ended. Returns CORO_ETIMEOUT if its time ran out and something was
   interrupted for it, even if `result` says that all went well; else `result`, as it is. (Also if that is CORO_ESHUTDOWN, which
   comes but once: coro_timeout_expired() tells, before.) Where CORO_ETIMEOUT takes the place of an error, coro_error_progress()
   stays what it was. -EINVAL if it is not a scope that the caller has begun. Ends nothing twice. A negative `scope` is returned
   as it is. Does not suspend. Call from: the coroutine that began it. */
int64_t coro_timeout_end(coro_timeout_t scope, int64_t result);

/* 1 if the scope's time ran out and something was interrupted for it, 0 if not (yet), -EINVAL if it is none of the caller's.
   Does not suspend. Call from: the coroutine that began it. */
int coro_timeout_expired(coro_timeout_t scope);

/* When the first of the caller's scopes runs out, on the clock of coro_get_now(): for limits that are handed to others.
   CORO_FOREVER if none will. Does not suspend. Call from: anywhere. */
int64_t coro_timeout_deadline(void);

/* Runs fn(arg), here and now, in a scope of its own. *result (if not NULL) is what it returned, NULL if it failed.
   Returns 0, the code that fn failed with by coro_fail(), with its message as coro_error_detail(), or
     CORO_ETIMEOUT  the time ran out and something in fn was interrupted for it, unless fn failed with CORO_ESHUTDOWN; if fn
                    went on regardless and returned, *result is what it returned
     -EINVAL (fn NULL), -ENOMEM, -EAGAIN: fn was not run
   Suspends if fn does. fn must return: no exception or longjmp may leave it. Call from: anywhere. */
int coro_with_timeout(int64_t ns, coro_fn CORO_NULLABLE fn, void *CORO_NULLABLE arg,
                      void *CORO_NULLABLE *CORO_NULLABLE result);

/* ======================================================================================================== Parallel */
/*
 * Some functions, known from the start, at once, and all their results. For coroutines that come by and by, see Groups.
 */

/* One of the functions for coro_in_parallel(), and what became of it. */
typedef struct coro_call {
    coro_fn CORO_NULLABLE fn;
    void *CORO_NULLABLE arg;
    void *CORO_NULLABLE result; /* out: what fn returned; NULL if it failed */
    int error;                  /* out: 0, or the code it failed with; CORO_ESHUTDOWN if it was told to end before it ran */
    char message[100];          /* out: what it said to coro_fail(), cut to fit; "" if nothing */
} coro_call;

/* How to run them. Start from CORO_PARALLEL_OPTIONS_INIT or coro_parallel_options_init(): beside struct_size, zero is the
   default. */
typedef struct coro_parallel_options {
    size_t struct_size; /* sizeof(coro_parallel_options) */
    size_t limit;       /* how many run at once at most; 0: all */
    int64_t timeout;    /* ns for all together; 0: no limit */
    void (*CORO_NULLABLE release)(void *CORO_NULLABLE arg); /* called once with each call's `arg`, whatever is returned: when
                           its function has returned, or as soon as it is certain that it never runs; must not suspend */
} coro_parallel_options;

#define CORO_PARALLEL_OPTIONS_INIT { sizeof(coro_parallel_options), 0, 0, NULL }

/* Fills in the defaults: the same as CORO_PARALLEL_OPTIONS_INIT. Call from: anywhere. */
void coro_parallel_options_init(coro_parallel_options *CORO_NONNULL options);

/* Runs all n functions, each in a coroutine of its own, started in their order, and waits until all have ended. Their outcomes
   are written into `calls`, where they stand. Suspends; n 0 is done at once. options NULL: defaults.
   Returns 0 if none failed, or
     CORO_EINPARALLEL  some did: see each call's error; coro_error_detail() lists the first
     CORO_ETIMEOUT     options->timeout ran out: the outcomes of those that had ended are there, the others' error is
                       CORO_ETIMEOUT. What runs goes on running, what had not been started (because of the limit) never is
     -EINVAL           a function is NULL, n is negative, or an option is out of range: nothing was run
     -ENOMEM           nothing was run. (A call for which memory ran out later has that as its error)
     -EDEADLK          on a thread's own stack: nothing is left that could run, and some have not ended
     CORO_EYIELDFROMMAIN: nothing was run
     or the code the caller was interrupted with: then `calls` is as it was, all are run to their end, and nobody
     gets their outcomes, but the notifier is told who fails from then on. (One that was told to end before the call, and not
     in it, runs nothing.) What `arg` points to must live as long as that: options->release says when it is over.
   Call from: anywhere. */
int coro_in_parallel(coro_call *CORO_NULLABLE calls, int n);
int coro_in_parallel_with(coro_call *CORO_NULLABLE calls, int n, const coro_parallel_options *CORO_NULLABLE options);

/* ========================================================================================================= Events */
/*
 * The simplest of what coroutines wait for each other by. The next sections have the others: locks to take turns, channels and
 * queues to hand things over, select to wait for the first of several, groups for coroutines that end together.
 */

/* Something that happens once and is remembered. Belongs to the thread that made it. */
typedef struct coro_event coro_event;

/* A new one, not set; NULL without memory. Ownership: the caller's, to coro_event_free(). Call from: anywhere. */
coro_event *CORO_NULLABLE coro_event_new(void);

/* Waits until the event is set; returns at once if it is. *value (if not NULL): what it was set with. Suspends. Any number may
   wait. Returns 0, CORO_ECLOSED (it was freed meanwhile), the code the caller was interrupted with, CORO_EWRONGTHREAD, -EINVAL
   (NULL), -EDEADLK on a thread's own stack when nothing is left that could set it, or CORO_EYIELDFROMMAIN.
   Call from: its thread. */
int coro_event_wait(coro_event *CORO_NULLABLE event, void *CORO_NULLABLE *CORO_NULLABLE value);

/* Sets it: all who wait go on, in the order they came, and get `value`, as does everybody later. Setting it again replaces
   the value. Returns 0, CORO_EWRONGTHREAD, -EINVAL (NULL). Does not suspend. Call from: its thread. */
int coro_event_set(coro_event *CORO_NULLABLE event, void *CORO_NULLABLE value);

/* Makes it as new. Those who were woken keep what they were given. Returns: as coro_event_set. Call from: its thread. */
int coro_event_reset(coro_event *CORO_NULLABLE event);

/* Whether it is set; false for NULL. Call from: its thread. */
bool coro_event_is_set(const coro_event *CORO_NULLABLE event);

/* Frees it; to be done before its thread ends. Those who wait get CORO_ECLOSED. NULL is fine. Returns 0, or CORO_EWRONGTHREAD
   (then nothing is freed). Does not suspend. Call from: its thread. */
int coro_event_free(coro_event *CORO_NULLABLE event);

/* ========================================================================================================== Locks */
/*
 * What coroutines of one thread take turns by. Each object belongs to the thread that made it; all wait first come first
 * served; and all functions of this section refuse NULL with -EINVAL and the objects of other threads with CORO_EWRONGTHREAD
 * (those that return bool: false). Where it says "suspends", the errors are also, beside those listed: the code the caller was
 * interrupted with, CORO_ECLOSED (the object was freed meanwhile), -EDEADLK on a thread's own stack when nothing is left that
 * could end the wait, and CORO_EYIELDFROMMAIN. A call that need not wait looks at none of these, and returns at once.
 *
 * What is granted to a coroutine that is interrupted before it runs is granted to the next instead.
 */

/* A number of things, of which anybody takes some and gives some back. */
typedef struct coro_semaphore coro_semaphore;

/* One of n things; NULL without memory, or if n is negative. Ownership: the caller's, to coro_semaphore_free().
   Call from: anywhere. */
coro_semaphore *CORO_NULLABLE coro_semaphore_new(int64_t n);

/* Takes k, and waits until they are there: all of them, and after those who came before, who may want more or fewer. k 0 is
   done at once. Suspends. Returns 0, or -EINVAL (k is negative). Call from: its thread. */
int coro_semaphore_acquire(coro_semaphore *CORO_NULLABLE semaphore, int64_t k);

/* The same without waiting. Returns 0, -EAGAIN (they are not there, or others wait already), -EINVAL. Does not suspend.
   Call from: its thread. */
int coro_semaphore_try_acquire(coro_semaphore *CORO_NULLABLE semaphore, int64_t k);

/* Gives k, taken before or new. Returns 0, -EINVAL (k is negative), -EOVERFLOW (there would be more than 2^63 - 1). Does not
   suspend. Call from: its thread. */
int coro_semaphore_release(coro_semaphore *CORO_NULLABLE semaphore, int64_t k);

/* How many are there. Call from: its thread. */
int64_t coro_semaphore_available(const coro_semaphore *CORO_NULLABLE semaphore);

/* How many coroutines wait for some; counts them. Call from: its thread. */
int64_t coro_semaphore_waiting(const coro_semaphore *CORO_NULLABLE semaphore);

/* Frees it; to be done before its thread ends. Those who wait get CORO_ECLOSED. NULL is fine. Returns 0, or CORO_EWRONGTHREAD
   (then nothing is freed). Does not suspend. Call from: its thread. */
int coro_semaphore_free(coro_semaphore *CORO_NULLABLE semaphore);

/* A number that is raised and lowered, and waited for to be zero: how much is still to be done. */
typedef struct coro_inverted_semaphore coro_inverted_semaphore;

/* One of value n; NULL without memory, or if n is negative. Ownership: the caller's, to coro_inverted_semaphore_free().
   Call from: anywhere. */
coro_inverted_semaphore *CORO_NULLABLE coro_inverted_semaphore_new(int64_t n);

/* Raises it by k. Returns 0, -EINVAL (k is negative), -EOVERFLOW. Never waits. Call from: its thread. */
int coro_inverted_semaphore_acquire(coro_inverted_semaphore *CORO_NULLABLE semaphore, int64_t k);

/* Lowers it by k. At zero all who wait go on, even if it is raised again before they run. Returns 0, -EINVAL (k is negative),
   CORO_ELOCK (it would be less than zero, and is left as it is). Does not suspend. Call from: its thread. */
int coro_inverted_semaphore_release(coro_inverted_semaphore *CORO_NULLABLE semaphore, int64_t k);

/* Waits until it is zero. Suspends; at zero it returns at once. Returns 0. Call from: its thread. */
int coro_inverted_semaphore_wait_zero(coro_inverted_semaphore *CORO_NULLABLE semaphore);

/* What it is. Call from: its thread. */
int64_t coro_inverted_semaphore_value(const coro_inverted_semaphore *CORO_NULLABLE semaphore);

/* As coro_semaphore_free(). */
int coro_inverted_semaphore_free(coro_inverted_semaphore *CORO_NULLABLE semaphore);

/* A lock with one owner at a time: a coroutine, or the thread's own stack. The owner may lock it again, and then unlocks it as
   often. One who unlocks it while others wait hands it to the first of them. A coroutine that ends while it owns one leaves it
   to the next, who is told so by -EOWNERDEAD. */
typedef struct coro_mutex coro_mutex;

/* One that is not locked; NULL without memory. Ownership: the caller's, to coro_mutex_free(). Call from: anywhere. */
coro_mutex *CORO_NULLABLE coro_mutex_new(void);

/* Locks it. Suspends, if another owns it. Returns 0, 1 if it had to wait, or
     -EOWNERDEAD  it is the caller's, as with 0, but who owned it before ended without unlocking it: what it protects may be
                  half done
     -EDEADLK     the wait would never end: its owner waits, for another mutex or in a join, for somebody who waits ... for
                  the caller. coro_error_detail() names them, coro_error_other() is the owner. Nothing was locked
   Call from: its thread. */
int coro_mutex_lock(coro_mutex *CORO_NULLABLE mutex);

/* The same without waiting. Returns 0, -EBUSY (coro_error_other() owns it), -EOWNERDEAD (it is the caller's). Does not suspend.
   Call from: its thread. */
int coro_mutex_try_lock(coro_mutex *CORO_NULLABLE mutex);

/* Undoes one lock. Returns 0, 1 if it was handed to somebody who waited, CORO_ELOCK (it is not locked, or coro_error_other()
   owns it). Does not suspend. Call from: its thread. */
int coro_mutex_unlock(coro_mutex *CORO_NULLABLE mutex);

/* Whether anybody owns it; one who has ended counts. Call from: its thread. */
bool coro_mutex_is_locked(const coro_mutex *CORO_NULLABLE mutex);

/* Whether `co` owns it; 0: the thread's own stack. Call from: its thread. */
bool coro_mutex_has_lock(const coro_mutex *CORO_NULLABLE mutex, coro_t co);

/* How many coroutines wait for it; counts them. Call from: its thread. */
int64_t coro_mutex_waiting(const coro_mutex *CORO_NULLABLE mutex);

/* Frees it; to be done before its thread ends. Those who wait get CORO_ECLOSED. NULL is fine. Returns 0, CORO_EWRONGTHREAD, or
   -EBUSY (another owns it, who may not even know yet): then nothing is freed. The caller may own it. Does not suspend.
   Call from: its thread. */
int coro_mutex_free(coro_mutex *CORO_NULLABLE mutex);

/* Those who wait to be told that something has changed. It remembers nothing: who comes later was not told. */
typedef struct coro_condition coro_condition;

/* A new one; NULL without memory. Ownership: the caller's, to coro_condition_free(). Call from: anywhere. */
coro_condition *CORO_NULLABLE coro_condition_new(void);

/* Waits to be woken. *value (if not NULL): what it was woken with, NULL if it was not. Suspends, always. Returns 0, or the code
   of coro_condition_raise_all(). One who was woken and is interrupted before it runs returns 0, and is interrupted in its next
   suspending call: what a wake has given is not lost. Call from: its thread. */
int coro_condition_wait(coro_condition *CORO_NULLABLE condition, void *CORO_NULLABLE *CORO_NULLABLE value);

/* The same with a mutex that the caller owns: it is unlocked wholly while the caller waits, and locked again as often as before
   when the call returns, whatever it returns. Nothing interrupts the locking; what would have is left for the caller's next
   suspending call. Returns: as coro_condition_wait, and
     CORO_ELOCK    the caller does not own the mutex: nothing was done
     -EOWNERDEAD   the mutex is locked, but who owned it meanwhile ended without unlocking it
     CORO_ECLOSED  one of the two was freed; if it was the mutex, it is gone
     -EDEADLK      locking it again would never end: as coro_mutex_lock. The mutex is not the caller's
   Where one of the last three takes the place of an interruption, that is left for the next call too. Call from: its thread. */
int coro_condition_wait_with(coro_condition *CORO_NULLABLE condition, coro_mutex *CORO_NULLABLE mutex,
                             void *CORO_NULLABLE *CORO_NULLABLE value);

/* Wakes the one who has waited longest, whose wait gives `value`. Returns 1, or 0 if nobody waits. Does not suspend.
   Call from: its thread. */
int coro_condition_wake_one(coro_condition *CORO_NULLABLE condition, void *CORO_NULLABLE value);

/* Wakes the first n. Returns how many there were, or -EINVAL (n is negative). Does not suspend. Call from: its thread. */
int64_t coro_condition_wake(coro_condition *CORO_NULLABLE condition, int64_t n, void *CORO_NULLABLE value);

/* Wakes all. Returns how many there were. Does not suspend. Call from: its thread. */
int64_t coro_condition_wake_all(coro_condition *CORO_NULLABLE condition, void *CORO_NULLABLE value);

/* Has the waits of all return `code`, which is negative. Returns how many there were, or -EINVAL. Does not suspend.
   Call from: its thread. */
int64_t coro_condition_raise_all(coro_condition *CORO_NULLABLE condition, int code);

/* How many coroutines wait; counts them. Call from: its thread. */
int64_t coro_condition_waiting(const coro_condition *CORO_NULLABLE condition);

/* As coro_semaphore_free(). */
int coro_condition_free(coro_condition *CORO_NULLABLE condition);

/* A lock that many may hold to read, or one to write. Writers come first: while one waits, nobody new gets in to read. Who
   reads may lock to read again, and the writer may do both again; each lock is unlocked once. A coroutine that ends while it
   reads reads no more; one that ends while it writes leaves what it wrote half done: until somebody else has locked it to
   write, all who lock it are told so by -EOWNERDEAD. */
typedef struct coro_rwlock coro_rwlock;

/* One that nobody holds; NULL without memory. Ownership: the caller's, to coro_rwlock_free(). Call from: anywhere. */
coro_rwlock *CORO_NULLABLE coro_rwlock_new(void);

/* Locks it to read. Suspends. Returns 0, 1 if it had to wait, -EOWNERDEAD (it is locked), -ENOMEM. Call from: its thread. */
int coro_rwlock_read_lock(coro_rwlock *CORO_NULLABLE lock);

/* Locks it to write. A reader may, if it is the only one, and goes before those who wait. Suspends. Returns 0, 1 if it had to
   wait, -EOWNERDEAD (it is locked), or -EDEADLK (the caller reads, and others do too: nothing is locked, and it still reads).
   Call from: its thread. */
int coro_rwlock_write_lock(coro_rwlock *CORO_NULLABLE lock);

/* The same without waiting. Return 0, -EOWNERDEAD (it is locked), -EBUSY, -ENOMEM (to read). Do not suspend.
   Call from: its thread. */
int coro_rwlock_try_read_lock(coro_rwlock *CORO_NULLABLE lock);
int coro_rwlock_try_write_lock(coro_rwlock *CORO_NULLABLE lock);

/* Undo one lock of the caller. When nobody writes any more, the next who waits to write gets it, or else all who wait to read.
   Return 0, or CORO_ELOCK (the caller does not hold it so). Do not suspend. Call from: its thread. */
int coro_rwlock_read_unlock(coro_rwlock *CORO_NULLABLE lock);
int coro_rwlock_write_unlock(coro_rwlock *CORO_NULLABLE lock);

/* How many coroutines wait for it; counts them. Call from: its thread. */
int64_t coro_rwlock_waiting(const coro_rwlock *CORO_NULLABLE lock);

/* As coro_mutex_free(): -EBUSY if another holds it either way. */
int coro_rwlock_free(coro_rwlock *CORO_NULLABLE lock);

/* Locks by number, as many as there are numbers: for a key, a row, a file. Only those that somebody holds or wants take memory.
   Each has one owner, who may lock it again, and then unlocks it as often. Owners go before those who own none. */
typedef struct coro_keyed_locks coro_keyed_locks;

/* New ones, none of them locked; NULL without memory. Ownership: the caller's, to coro_keyed_locks_free().
   Call from: anywhere. */
coro_keyed_locks *CORO_NULLABLE coro_keyed_locks_new(void);

/* Locks one, or n together: all, or, while it waits, none of them. Suspends. n 0 is done at once; a key given twice is locked
   twice. `keys` must not change meanwhile. Returns 0, 1 if it had to wait, or
     -EOWNERDEAD  they are locked, but a coroutine ended while it owned one of them
     -EDEADLK     the wait would never end: the owner of one waits, for others of these locks, for somebody who waits ... for
                  the caller. coro_error_detail() names them, coro_error_other() is that owner. Nothing was locked
     -ENOMEM; -EINVAL (n is negative, or keys is NULL)
   Call from: its thread. */
int coro_keyed_locks_lock(coro_keyed_locks *CORO_NULLABLE locks, uint64_t key);
int coro_keyed_locks_lock_many(coro_keyed_locks *CORO_NULLABLE locks, const uint64_t *CORO_NULLABLE keys, int n);

/* Locks one without waiting. Returns 0, -EBUSY (coro_error_other() owns it, or others wait before), -EOWNERDEAD, -ENOMEM. Does
   not suspend. Call from: its thread. */
int coro_keyed_locks_try_lock(coro_keyed_locks *CORO_NULLABLE locks, uint64_t key);

/* Undoes one lock of the caller. Returns 0, or CORO_ELOCK (it is not locked, or coro_error_other() owns it). Does not suspend.
   Call from: its thread. */
int coro_keyed_locks_unlock(coro_keyed_locks *CORO_NULLABLE locks, uint64_t key);

/* Who owns it, 0 for the thread's own stack; CORO_ELOCK if nobody does. Call from: its thread. */
coro_t coro_keyed_locks_owner(const coro_keyed_locks *CORO_NULLABLE locks, uint64_t key);

/* How many of them take memory: those that are owned or wanted. Call from: its thread. */
int64_t coro_keyed_locks_count(const coro_keyed_locks *CORO_NULLABLE locks);

/* How many coroutines wait; counts them. Call from: its thread. */
int64_t coro_keyed_locks_waiting(const coro_keyed_locks *CORO_NULLABLE locks);

/* As coro_mutex_free(): -EBUSY if another owns one of them. */
int coro_keyed_locks_free(coro_keyed_locks *CORO_NULLABLE locks);

/* ============================================================================================ Channels and queues */
/*
 * How coroutines of one thread hand things to each other. A channel copies elements, may have room for a number of them, holds
 * up those who send more, and can be closed; a fifo takes pointers, as many as come.
 */

/* Hands elements of one size from those who send to those who receive, first come first served on both sides. Belongs to the
   thread that made it. */
typedef struct coro_channel coro_channel;

/* A new one. element_size: bytes of an element; 0: there is only the fact that something was sent. capacity: how many elements
   it holds that nobody has received; 0: none, so that a send is done when somebody has received it. The memory for all of them
   is taken now. NULL without memory. Ownership: the caller's, to coro_channel_free(). Call from: anywhere. */
coro_channel *CORO_NULLABLE coro_channel_new(size_t element_size, size_t capacity);

/* Sends a copy of *element (NULL will do if an element has no bytes). Suspends until there is room, or somebody to receive it;
   until then *element is read where it is. What has been taken counts, even if the caller is interrupted before it runs: the
   call then returns 0, and the next that would suspend is interrupted.
   Returns 0; or, with nothing sent,
     CORO_ECLOSED       the channel was closed, or freed meanwhile
     -EINVAL            channel is NULL, or element
     -EDEADLK           on a thread's own stack: nothing is left that could receive it
     CORO_EWRONGTHREAD, CORO_EYIELDFROMMAIN, or the code the caller was interrupted with.
   Call from: its thread. */
int coro_channel_send(coro_channel *CORO_NULLABLE channel, const void *CORO_NULLABLE element);

/* The same without waiting: -EAGAIN if it would have to. Does not suspend. */
int coro_channel_try_send(coro_channel *CORO_NULLABLE channel, const void *CORO_NULLABLE element);

/* Receives the next element into *element; NULL throws it away. Suspends until there is one; but never once the channel was
   closed: who then goes on receiving in a loop, whatever this returns, lets nobody else run. What has been received counts, as
   for coro_channel_send().
   Returns 0; or, with *element as it was,
     CORO_ECLOSED       the channel was closed, and everything that had been sent was received; or it was freed meanwhile
     -EINVAL            channel is NULL
     -EDEADLK           on a thread's own stack: nothing is left that could send
     CORO_EWRONGTHREAD, CORO_EYIELDFROMMAIN, or the code the caller was interrupted with.
   Call from: its thread. */
int coro_channel_receive(coro_channel *CORO_NULLABLE channel, void *CORO_NULLABLE element);

/* The same without waiting: -EAGAIN if it would have to. Does not suspend. */
int coro_channel_try_receive(coro_channel *CORO_NULLABLE channel, void *CORO_NULLABLE element);

/* Says that nothing more will be sent. Those who wait to send get CORO_ECLOSED and keep their element, as does everybody who
   sends later. What the channel holds can still be received; then, and for those who wait now, receiving is CORO_ECLOSED.
   Closing it again is 0. Returns 0, CORO_EWRONGTHREAD, -EINVAL (NULL). Does not suspend. Call from: its thread. */
int coro_channel_close(coro_channel *CORO_NULLABLE channel);

/* Whether it was closed; how many elements it holds, and how many it can; how many wait to send to it and to receive from it,
   each case of a coro_select() counted. false and 0 for NULL. Call from: its thread. */
bool coro_channel_is_closed(const coro_channel *CORO_NULLABLE channel);
size_t coro_channel_length(const coro_channel *CORO_NULLABLE channel);
size_t coro_channel_capacity(const coro_channel *CORO_NULLABLE channel);
size_t coro_channel_senders(const coro_channel *CORO_NULLABLE channel);
size_t coro_channel_receivers(const coro_channel *CORO_NULLABLE channel);

/* Frees it, with the elements that nobody has received; to be done before its thread ends. Those who wait get CORO_ECLOSED.
   NULL is fine. Returns 0, or CORO_EWRONGTHREAD (then nothing is freed). Does not suspend. Call from: its thread. */
int coro_channel_free(coro_channel *CORO_NULLABLE channel);

/* A queue of pointers without a limit, and those who wait for one, first come first served. Belongs to the thread that made
   it. */
typedef struct coro_fifo coro_fifo;

/* A new one, empty. release (may be NULL) is called by coro_fifo_free() with each item that is left; it must not suspend.
   NULL without memory. Ownership: the caller's, to coro_fifo_free(). Call from: anywhere. */
coro_fifo *CORO_NULLABLE coro_fifo_new(void (*CORO_NULLABLE release)(void *CORO_NULLABLE item));

/* Puts an item (NULL is one) at the end. If somebody waits, the first of them has it. Returns 0, -ENOMEM (it is not in the
   queue), CORO_EWRONGTHREAD, -EINVAL (fifo NULL). Does not suspend. Call from: its thread. */
int coro_fifo_push(coro_fifo *CORO_NULLABLE fifo, void *CORO_NULLABLE item);

/* Puts an item in front of all others. Returns: as coro_fifo_push. */
int coro_fifo_push_front(coro_fifo *CORO_NULLABLE fifo, void *CORO_NULLABLE item);

/* Takes the first item into *item; NULL throws it away. Suspends until there is one. An item that the caller was given counts,
   even if it is interrupted before it runs: the call then returns 0, and the next that would suspend is interrupted.
   Returns 0; or, with nothing taken,
     CORO_ECLOSED       the fifo was freed meanwhile
     -EINVAL            fifo is NULL
     -EDEADLK           on a thread's own stack: nothing is left that could push
     CORO_EWRONGTHREAD, CORO_EYIELDFROMMAIN, or the code the caller was interrupted with.
   Call from: its thread. */
int coro_fifo_pop(coro_fifo *CORO_NULLABLE fifo, void *CORO_NULLABLE *CORO_NULLABLE item);

/* The same without waiting: -EAGAIN if it is empty. Does not suspend. */
int coro_fifo_try_pop(coro_fifo *CORO_NULLABLE fifo, void *CORO_NULLABLE *CORO_NULLABLE item);

/* Takes all items, but at most n, into `items`. Suspends until there is one. Returns how many; errors as coro_fifo_pop, and
   -EINVAL for items NULL or n 0. Call from: its thread. */
ssize_t coro_fifo_pop_all(coro_fifo *CORO_NULLABLE fifo, void *CORO_NULLABLE *CORO_NULLABLE items, size_t n);

/* Copies the first item to *item, and leaves it. Returns 0, -ENOENT if it is empty, CORO_EWRONGTHREAD, -EINVAL (fifo NULL).
   Does not suspend. Call from: its thread. */
int coro_fifo_top(coro_fifo *CORO_NULLABLE fifo, void *CORO_NULLABLE *CORO_NULLABLE item);

/* How many items it holds; 0 for NULL. Call from: its thread. */
size_t coro_fifo_length(const coro_fifo *CORO_NULLABLE fifo);

/* Frees it; to be done before its thread ends. Those who wait get CORO_ECLOSED; the items that are left are given to its
   release function. NULL is fine. Returns 0, or CORO_EWRONGTHREAD (then nothing is freed). Does not suspend.
   Call from: its thread. */
int coro_fifo_free(coro_fifo *CORO_NULLABLE fifo);

/* ========================================================================================================= Select */
/*
 * Waits for the first of several things:
 *
 *     coro_select_case cases[] = {
 *         {.kind = CORO_SELECT_RECEIVE, .object = messages, .element = &message},
 *         {.kind = CORO_SELECT_FD, .id = fd, .events = CORO_READ},
 *     };
 *     switch (coro_select(cases, 2, CORO_SECONDS(10))) {
 *     case 0: ...             (cases[0].error is 0, and message was received; or it is CORO_ECLOSED)
 *     case 1: ...             (coro_read(fd, ...) need not wait)
 *     case CORO_ETIMEOUT: ...
 *     }
 */

/* coro_select_case.kind */
#define CORO_SELECT_NONE 0    /* never happens: a case that is left out */
#define CORO_SELECT_SEND 1    /* *element was sent to the channel `object` */
#define CORO_SELECT_RECEIVE 2 /* *element was received from the channel `object`; element NULL throws it away */
#define CORO_SELECT_POP 3     /* `value` was taken from the fifo `object` */
#define CORO_SELECT_EVENT 4   /* the event `object` is set, with `value` */
#define CORO_SELECT_FD 5      /* the descriptor `id` can be read from or written to (events), or reports an error */
#define CORO_SELECT_CHILD 6   /* the child process `id` has ended: coro_waitpid() with WNOHANG takes its status */
#define CORO_SELECT_JOIN 7    /* the coroutine `id` has ended: coro_join() takes its result */

/* One of the things to wait for. All zeroes is a case that never happens. */
typedef struct coro_select_case {
    int32_t kind;                /* CORO_SELECT_... */
    int32_t error;               /* out: 0, or why the call that the case stands for would fail at once: CORO_ECLOSED (the
                                    channel was closed, and for RECEIVE is empty; the object was freed; the descriptor was
                                    closed), -EBADF, CORO_EDEAD (nothing of the coroutine is left), -ECHILD */
    void *CORO_NULLABLE object;  /* the channel, fifo or event */
    void *CORO_NULLABLE element; /* SEND: what is sent, which is only read. RECEIVE: where to put it */
    void *CORO_NULLABLE value;   /* out: POP, EVENT */
    int64_t id;                  /* FD, CHILD, JOIN */
    int32_t events;              /* FD: CORO_READ or CORO_WRITE */
    int32_t reserved;            /* 0 */
} coro_select_case;

/* Waits until one of the n cases can happen, does that one, and returns its index. If several can, one of them is drawn, each
   as likely as the others. The others are not touched: nothing is sent, received or taken by them, and their out fields stay
   as they were. A case that can only fail (see `error`) can happen, too. FD, CHILD and JOIN only tell: nothing is taken, and
   somebody else may be faster. A select does not meet itself: it never receives what it sends.
   Suspends unless one can happen at once. While it waits it has its place among those who wait for each thing alone, first come
   first served.
   timeout: nanoseconds, 0 only looks, CORO_FOREVER waits. The cases may be used again as they are.
   What has changed hands (SEND, RECEIVE, POP) counts, even if the caller is interrupted before it runs: the call then returns
   the index, and the next that would suspend is interrupted.
   Returns the index; or, with nothing done,
     CORO_ETIMEOUT      none could happen within `timeout`
     -EINVAL            a case is wrong: coro_error_detail() says which and why; n or timeout is negative, or cases is NULL
     CORO_ENOTSTARTED   JOIN of a coroutine that nobody has started
     CORO_ESIMULTANEOUS another coroutine waits for the same descriptor in this direction, and nothing can happen at once. (Of
                        two such cases of one select, the first is waited for)
     -EDEADLK           JOIN of the caller; or, on a thread's own stack, nothing is left that could run
     -ESRCH             JOIN of what never was a coroutine
     -ENOMEM, and what the system says if it can't wait for a descriptor (-EPERM) or a child (-EMFILE, -ENFILE, -ENOSYS)
     CORO_EWRONGTHREAD, CORO_EYIELDFROMMAIN, or the code the caller was interrupted with.
   Call from: the objects' thread. */
int coro_select(coro_select_case *CORO_NULLABLE cases, int n, int64_t timeout);

/* The same without waiting: -EAGAIN if none can happen now. Does not suspend. */
int coro_try_select(coro_select_case *CORO_NULLABLE cases, int n);

/* ========================================================================================================= Groups */
/*
 * Coroutines that end together (group), meet (barrier), do something once for all (once), or count down (wait group).
 */

/* Coroutines that belong together, and end together: a scope for them. Belongs to the thread that made it, and is to be left
 * before that ends.
 *
 *     coro_group *group = coro_group_new(NULL);
 *     for (int i = 0; i < n; i++) coro_group_spawn(group, fetch, &urls[i]);
 *     int code = coro_group_leave(group);
 *
 * When coro_group_leave() has returned, none of its members is left, whatever has become of them and of the caller. A group is
 * for one piece of work: once cancelled it stays so, and a failure is told by every coro_group_wait(). Groups nest: a member
 * may make one of its own, and its scope then ends before the member does.
 */
typedef struct coro_group coro_group;

/* Flag of coro_group_options: the first member that fails has the others told to end, as by coro_group_cancel(). */
#define CORO_GROUP_CANCEL_ON_FAILURE 0x1

/* How members run. Start from CORO_GROUP_OPTIONS_INIT or coro_group_options_init(): beside struct_size, zero is the default. */
typedef struct coro_group_options {
    size_t struct_size; /* sizeof(coro_group_options) */
    size_t limit;       /* how many run at once at most; 0: all */
    uint32_t flags;     /* CORO_GROUP_CANCEL_ON_FAILURE; default none */
    uint32_t reserved;  /* 0 */
} coro_group_options;

#define CORO_GROUP_OPTIONS_INIT { sizeof(coro_group_options), 0, 0, 0 }

/* Fills in the defaults: the same as CORO_GROUP_OPTIONS_INIT. Call from: anywhere. */
void coro_group_options_init(coro_group_options *CORO_NONNULL options);

/* A new one, without members. options NULL: defaults. NULL without memory, or if an option is out of range:
   coro_error_detail(). Ownership: the caller's, to coro_group_leave(). Call from: anywhere. */
coro_group *CORO_NULLABLE coro_group_new(const coro_group_options *CORO_NULLABLE options);

/* Creates a member: a detached coroutine, which is queued as by coro_spawn(); or, beyond the limit, when others have ended, in
   the order in which they were made. Until then it is there as one of coro_new(). Members may make others, until the
   group has been left. One may be shut down by its id, and joined while it lives; what all have made is best passed through
   `arg`. A member that fails (coro_fail) is told to the notifier as any coroutine; only if with CORO_ESHUTDOWN it has
   not failed.
   Returns its id, or the errors of coro_new(), and
     CORO_ESHUTDOWN     the group was cancelled
     CORO_EWRONGTHREAD  it belongs to another thread
   Does not suspend. Call from: its thread. */
coro_t coro_group_spawn(coro_group *CORO_NULLABLE group, coro_fn CORO_NULLABLE fn, void *CORO_NULLABLE arg);

/* coro_group_spawn with options. CORO_DETACHED changes nothing. With CORO_START_NOW it runs at once if the limit lets it, as
   by coro_start_now(); else it is queued. options->release is called with `arg` before the group knows that it has ended. */
coro_t coro_group_spawn_with(coro_group *CORO_NULLABLE group, coro_fn CORO_NULLABLE fn, void *CORO_NULLABLE arg,
                             const coro_options *CORO_NULLABLE options);

/* Waits until no member is left that has not ended. Suspends, unless there is none. Any number may wait.
   Returns 0, or
     CORO_EINPARALLEL   some have failed: coro_error_other() is the first, coro_error_detail() says how
     the code the caller was interrupted with: the members go on, and can be waited for again
     -EDEADLK           the caller is a member; or, on a thread's own stack, nothing is left that could run
     CORO_EWRONGTHREAD, -EINVAL (NULL), CORO_EYIELDFROMMAIN
   Call from: its thread, no member. */
int coro_group_wait(coro_group *CORO_NULLABLE group);

/* Tells all members to end, as by coro_shutdown(), the caller too if it is one. Those that have not been started never
   are, and no more can be made. Returns 0, CORO_EWRONGTHREAD, -EINVAL (NULL). Does not suspend and does not wait.
   Call from: its thread. */
int coro_group_cancel(coro_group *CORO_NULLABLE group);

/* Leaves the scope: waits until all members have ended, and frees the group. Interrupted, it does so all the same: every
   interruption tells the members to end (coro_group_cancel), and when they have, the last one is returned. Suspends, unless
   there are no members. Who waits for the group gets what coro_group_wait() returns at its end. NULL is fine.
   Returns 0, CORO_EINPARALLEL as coro_group_wait(), or the code the caller was interrupted with. Or it returns one of these;
   then nothing was freed, and the group is still to be left:
     CORO_ESIMULTANEOUS  another leaves it already: see coro_error_other()
     -EDEADLK            the caller is a member; or, on a thread's own stack, nothing is left that could run: cancel it first
     CORO_EYIELDFROMMAIN with members, in a callback that must not suspend or on a thread's own stack in strict mode
     CORO_EWRONGTHREAD
     on a thread's own stack: -errno if the loop can't wait, or the time of a scope can't be kept
   Call from: its thread, no member. */
int coro_group_leave(coro_group *CORO_NULLABLE group);

/* The first member that failed, and in *code (if not NULL) what it failed with; 0 and 0 if none has. Call from: its thread. */
coro_t coro_group_first_failure(const coro_group *CORO_NULLABLE group, int *CORO_NULLABLE code);

/* How many members run now, or are queued to; and how many have not ended, those that the limit holds back included. 0 for
   NULL. Call from: its thread. */
size_t coro_group_running(const coro_group *CORO_NULLABLE group);
size_t coro_group_unfinished(const coro_group *CORO_NULLABLE group);

/* A place where a number of coroutines wait for each other, again and again. Belongs to the thread that made it. */
typedef struct coro_barrier coro_barrier;

/* A new one, for n at a time. NULL without memory, or if n is 0. Ownership: the caller's, to coro_barrier_free().
   Call from: anywhere. */
coro_barrier *CORO_NULLABLE coro_barrier_new(size_t n);

/* Waits until n have come, this one included; the next n are then on their own. Suspends, unless it is the last.
   Returns 1 to the last, which goes on first; 0 to the others, in the order they came; or
     the code the caller was interrupted with: it does not count as one that has come. (Unless the last had come just before:
                   then the others have been let go, and do not notice)
     CORO_ECLOSED  it was freed meanwhile
     -EDEADLK      on a thread's own stack: nothing is left that could come
     CORO_EWRONGTHREAD, -EINVAL (NULL), CORO_EYIELDFROMMAIN
   Call from: its thread. */
int coro_barrier_wait(coro_barrier *CORO_NULLABLE barrier);

/* How many wait; 0 for NULL. Takes longer with many. Call from: its thread. */
size_t coro_barrier_waiting(const coro_barrier *CORO_NULLABLE barrier);

/* Frees it; to be done before its thread ends. Those who wait get CORO_ECLOSED. NULL is fine. Returns 0, or
   CORO_EWRONGTHREAD (then nothing is freed). Does not suspend. Call from: its thread. */
int coro_barrier_free(coro_barrier *CORO_NULLABLE barrier);

/* Something to be done once, by the first who needs it. Belongs to the thread that made it. */
typedef struct coro_once coro_once;

/* What does it: may suspend. 0 or more: it is done; negative: it is not, with this error. */
typedef int (*coro_once_fn)(void *CORO_NULLABLE arg);

/* A new one, not done; NULL without memory. Ownership: the caller's, to coro_once_free(). Call from: anywhere. */
coro_once *CORO_NULLABLE coro_once_new(void);

/* Runs fn(arg), here and now, unless it is done; who comes while another does it, waits. If that one's fn fails, the first
   that waits runs its own. Suspends if fn does, or to wait. fn must return: no exception or longjmp may leave it.
   Returns 0 when it is done, what fn returned if that is negative, with coro_error_detail() as fn left it, or
     the code the caller was interrupted with while it waited
     CORO_ECLOSED  it was freed while the caller waited
     -EDEADLK      the caller is in fn already; or, on a thread's own stack, nothing is left that could run
     CORO_EWRONGTHREAD, -EINVAL (NULL), CORO_EYIELDFROMMAIN
   Call from: its thread. */
int coro_once_run(coro_once *CORO_NULLABLE once, coro_once_fn CORO_NULLABLE fn, void *CORO_NULLABLE arg);

/* Whether it is done; false for NULL. Call from: its thread. */
bool coro_once_is_done(const coro_once *CORO_NULLABLE once);

/* Frees it; to be done before its thread ends. Those who wait get CORO_ECLOSED; who does it, goes on. NULL is fine. Returns
   0, or CORO_EWRONGTHREAD (then nothing is freed). Does not suspend. Call from: its thread. */
int coro_once_free(coro_once *CORO_NULLABLE once);

/* A count of what is still to be done, for those who wait until it is nothing. Belongs to the thread that made it. */
typedef struct coro_wait_group coro_wait_group;

/* A new one, at 0; NULL without memory. Ownership: the caller's, to coro_wait_group_free(). Call from: anywhere. */
coro_wait_group *CORO_NULLABLE coro_wait_group_new(void);

/* Adds n, which may be negative; and takes one off, for what is done. At 0 all who wait go on, in the order they came,
   whatever is added before they run. Returns 0, CORO_ELOCK (it would be negative: nothing is changed), -EOVERFLOW,
   CORO_EWRONGTHREAD, -EINVAL (NULL). Does not suspend. Call from: its thread. */
int coro_wait_group_add(coro_wait_group *CORO_NULLABLE group, int64_t n);
int coro_wait_group_done(coro_wait_group *CORO_NULLABLE group);

/* Waits until the count is 0; returns at once if it is. Suspends. Any number may wait. Returns 0, CORO_ECLOSED (it was freed
   meanwhile), the code the caller was interrupted with, CORO_EWRONGTHREAD, -EINVAL (NULL), -EDEADLK on a thread's own stack
   when nothing is left that could do it, or CORO_EYIELDFROMMAIN. Call from: its thread. */
int coro_wait_group_wait(coro_wait_group *CORO_NULLABLE group);

/* The count; 0 for NULL. Call from: its thread. */
int64_t coro_wait_group_count(const coro_wait_group *CORO_NULLABLE group);

/* Frees it; to be done before its thread ends. Those who wait get CORO_ECLOSED. NULL is fine. Returns 0, or
   CORO_EWRONGTHREAD (then nothing is freed). Does not suspend. Call from: its thread. */
int coro_wait_group_free(coro_wait_group *CORO_NULLABLE group);

/* ================================================================================================ Coroutine-locals */
/*
 * What a thread-local would be if every coroutine were a thread: coroutines of a thread share its thread-locals.
 */

/* A variable of which every coroutine, and every thread's own stack, has its own value. Never reused; negative: error. */
typedef int64_t coro_local_t;

/* Creates one. destroy (may be NULL) is called with each value but NULL that is left when its coroutine ends, or when the
   variable is freed; it must not suspend. Children do not inherit values. Returns it, or -ENOMEM. Call from: anywhere. */
coro_local_t coro_local_new(void (*CORO_NULLABLE destroy)(void *CORO_NULLABLE value));

/* Sets the caller's value; NULL is a value. One that was set before is replaced without being destroyed.
   Returns 0, -EINVAL (no such variable), -ENOMEM. Call from: anywhere. */
int coro_local_set(coro_local_t local, void *CORO_NULLABLE value);

/* Reads the caller's value into *value. Returns 0, -ENOENT if it is not set (*value is then NULL), -EINVAL for no such
   variable or value NULL. Call from: anywhere. */
int coro_local_get(coro_local_t local, void *CORO_NULLABLE *CORO_NULLABLE value);

/* Unsets the caller's value, without destroying it. Returns 0, -ENOENT if it was not set, -EINVAL. Call from: anywhere. */
int coro_local_delete(coro_local_t local);

/* Lists the variables that are set for the caller: up to n of them into `locals`. Returns how many are set.
   Call from: anywhere. */
int coro_local_list(coro_local_t *CORO_NULLABLE locals, int n);

/* Frees the variable: the values of this thread's coroutines are destroyed now, those of other threads when their
   coroutines end. Returns 0, or -EINVAL. Call from: anywhere. */
int coro_local_free(coro_local_t local);

/* ================================================================================================ Lookup and state */
/*
 * Which coroutines there are, and what each does or waits for. For people, coro_dump() shows the same of all at once.
 */

/* `co`, if it names a coroutine of this thread that has not ended; else -ESRCH, or CORO_EWRONGTHREAD. Call from: anywhere. */
coro_t coro_get_by_id(coro_t co);

/* Lists the coroutines of this thread that have not ended, unstarted ones too, by ascending id: up to n of them into
   `ids`. Returns how many there are. Call from: anywhere. */
int coro_all(coro_t *CORO_NULLABLE ids, int n);

/* How many coroutine records this thread holds: unstarted, alive, and ended but neither joined nor detached. A number
   that keeps growing is a missing coro_detach(). Call from: anywhere. */
int64_t coro_get_live_coros(void);

/* coro_info.state */
#define CORO_STATE_NEW 0      /* created, not started */
#define CORO_STATE_READY 1    /* runnable */
#define CORO_STATE_RUNNING 2
#define CORO_STATE_WAITING 3
#define CORO_STATE_ENDED 4

/* coro_info.wait_kind: what a waiting coroutine waits for */
#define CORO_WAIT_NONE 0
#define CORO_WAIT_PARK 1      /* coro_schedule() */
#define CORO_WAIT_PASS 2      /* the next pass of the loop */
#define CORO_WAIT_SLEEP 3     /* deadline */
#define CORO_WAIT_JOIN 4      /* wait_object: the coroutine */
#define CORO_WAIT_READ 5      /* wait_object: the descriptor */
#define CORO_WAIT_WRITE 6     /* wait_object: the descriptor */
#define CORO_WAIT_CHILD 7     /* wait_object: the process's pid */
#define CORO_WAIT_PARALLEL 8  /* wait_object: how many calls have not ended */
#define CORO_WAIT_EVENT 9     /* wait_object: the address of the event; so with all objects below */
#define CORO_WAIT_SEMAPHORE 10
#define CORO_WAIT_ZERO 11     /* wait_object: the inverted semaphore */
#define CORO_WAIT_MUTEX 12
#define CORO_WAIT_READ_LOCK 13
#define CORO_WAIT_WRITE_LOCK 14
#define CORO_WAIT_CONDITION 15
#define CORO_WAIT_SEND 16     /* wait_object: the channel */
#define CORO_WAIT_RECEIVE 17  /* wait_object: the channel */
#define CORO_WAIT_FIFO 18
#define CORO_WAIT_KEYS 19     /* wait_object: the keyed locks */
#define CORO_WAIT_GROUP 20
#define CORO_WAIT_BARRIER 21
#define CORO_WAIT_ONCE 22
#define CORO_WAIT_WAIT_GROUP 23
#define CORO_WAIT_BLOCKING 24 /* wait_object: a number that names the call */
#define CORO_WAIT_NAMES 25    /* wait_object: a number that names the look-up */
#define CORO_WAIT_FILE 26     /* wait_object: a number that names the call */
#define CORO_WAIT_ROOM 27     /* for room for another descriptor; wait_object: the one that it accepts from */
#define CORO_WAIT_SELECT 28   /* wait_object: how many cases */
#define CORO_WAIT_PROMISE 29

/* What is known of a coroutine. Set struct_size first. */
typedef struct coro_info {
    size_t struct_size;       /* sizeof(coro_info) */
    coro_t id;
    bool dead;                /* ended, or cancelled */
    bool started;             /* has run, or is running */
    bool scheduled;           /* runnable, not yet running */
    bool detached;
    int32_t state;            /* CORO_STATE_... */
    int32_t wait_kind;        /* CORO_WAIT_... */
    int64_t wait_object;
    int64_t deadline;         /* absolute; CORO_FOREVER: none */
    const void *CORO_NULLABLE spawn_site; /* the address after the call that created it */
    size_t stack_size;        /* bytes, the guard included */
    char name[64];            /* cut to fit */
    char waiting[96];         /* as a person reads it: "sleeping 1.2 s more", "reading fd 7", "joining #4",
                                 "waiting for process 123" */
    int64_t age;              /* ns since it was created, to the microsecond */
    int64_t run_time;         /* ns it has run, as far as that was counted: see coro_set_accounting */
    uint32_t switches;        /* how often it was switched to; begins again at 0 after 4,294,967,295 */
    uint32_t reserved;        /* 0 */
} coro_info;

/* Fills in *info. For an id whose record is gone: CORO_EDEAD, with dead and state set. Returns 0, CORO_EDEAD,
   CORO_EWRONGTHREAD, -ESRCH, -EINVAL (NULL, or a struct_size that is not one). Call from: its thread. */
int coro_get_info(coro_t co, coro_info *CORO_NULLABLE info);

/* Writes "<coro #4 name='x' dead=0 started=1 scheduled=0 at 0x...>" into buffer, cut to fit and terminated. Returns the
   whole length, or CORO_EDEAD, CORO_EWRONGTHREAD, -ESRCH. Call from: its thread. */
int coro_repr(coro_t co, char *CORO_NULLABLE buffer, size_t size);

/* ========================================================================================== Looking into the loop */
/*
 * Stacks are walked by the unwind tables that every compiler writes, so frame pointers are not needed. The first walk of a
 * process loads libgcc_s (as backtrace(3) does); where there is none, a stack is the one address where the coroutine goes on.
 * A walk needs about 6 KiB, of the thread's own stack and not of the coroutine's. Symbols are those that the dynamic linker
 * knows: link programs with -rdynamic to see theirs. C++ and Swift names are as the linker has them: c++filt and
 * `swift demangle` turn them into what was written.
 */

/* Where a coroutine is: up to n return addresses of its stack into `frames`, innermost first. The first is in the coro_...
   call that it waits in, or of the code that made that call, where the one can't be told from libcoro's own code; the last is
   in the coroutine's function. For the caller itself the first is the caller of coro_where. `co` 0 is the thread's own stack.
   Only the innermost 128 are looked at, libcoro's own included.
   Returns how many there are in what was looked at (0 for one that never ran, or has ended), or
     CORO_EDEAD, CORO_EWRONGTHREAD, -ESRCH, -ENOMEM
   Call from: its thread. */
int coro_where(coro_t co, void *CORO_NULLABLE *CORO_NULLABLE frames, int n);

/* The same as text on one line, "[coro_read+69] [serve+130] [libx.so+0x1234]": symbol and offset in bytes, or the file and
   the offset in it. Copied into buffer, cut to fit and terminated. Returns the whole length; errors: as coro_where. */
int coro_where_text(coro_t co, char *CORO_NULLABLE buffer, size_t size);

/* Writes to fd, for people, every coroutine of this thread that has not ended, by ascending id, the thread's own stack first:
   a line that says what it waits for, how old it is, how often it was switched to, for how long it has run (while that is
   counted) and where it was created; below it its stack, innermost first. Blocks the thread, if fd does; never suspends.
   Works in callbacks that must not suspend, too.
   Returns 0, -ENOMEM, or what write(2) failed with (-EAGAIN: fd is not blocking, and full), part of it being written then.
   Call from: anywhere. */
int coro_dump(int fd);

/* Whether this thread's loop counts for how long each coroutine runs: from when it is switched to until it is left, whatever
   the thread does meanwhile; by the loop's clock, so in virtual time where that is on. Default: false, because it reads the
   clock at every switch. Returns what it was; what was counted is kept. Call from: anywhere; holds for the calling thread. */
bool coro_set_accounting(bool on);

/* What there is on a thread's loop, and what has happened so far. Set struct_size first. */
typedef struct coro_stats {
    size_t struct_size;      /* sizeof(coro_stats) */
    /* What there is now. */
    int64_t coroutines;      /* records held: as coro_get_live_coros() */
    int64_t runnable;        /* waiting for their turn to run: a queue that stays long is an overloaded thread */
    int64_t fd_waiters;      /* waits for a descriptor to be read from or written to, or for a process to end */
    int64_t timers;          /* waits that end at a time: sleepers, and timeouts of other waits */
    int64_t descriptors;     /* of which the loop knows: used here, and neither closed nor given up */
    int64_t stacks_in_use;   /* by coroutines that have not ended */
    int64_t stacks_kept;     /* free, with the memory that they last used */
    int64_t stack_bytes;     /* address space mapped for stacks; memory is only what of it was touched */
    /* What has happened so far; these only grow. */
    uint64_t created;        /* coroutines; those of an ended thread whose ids this one goes on with not included */
    uint64_t passes;         /* of the loop: looks at the clock, posts, timers and descriptors */
    uint64_t batches;        /* of coroutines that ran in a row; several in one pass, where nothing else was to do */
    uint64_t switches;       /* times that a coroutine made way, by suspending or by ending */
    uint64_t polls;          /* system calls that asked which descriptors are ready */
    uint64_t events;         /* what those told of: descriptors that changed, wakes by other threads */
    uint64_t posts;          /* of other threads, taken: see coro_post */
    uint64_t accept_waits;   /* of accepting calls, because there was no room for another descriptor: see coro_accept */
    uint64_t blocking_calls; /* pieces of work handed to the thread pool: see coro_blocking */
    uint64_t file_operations; /* calls about files: reads, writes, and those of the section "Files" */
    /* What there is now of that pool, which all threads share. */
    int64_t blocking_threads; /* that are there, busy or not */
    int64_t blocking_queued;  /* pieces of work that none has begun: a queue that stays long wants more threads */
} coro_stats;

/* Fills in *stats. Takes no longer with many coroutines; a look at each descriptor. Returns 0, -EINVAL (NULL, or a
   struct_size that is not one), -ENOMEM. Call from: anywhere; it is about the calling thread's loop. */
int coro_get_stats(coro_stats *CORO_NULLABLE stats);

/* Writes a line to stderr: the caller's id, date and time, and the text: "4:\tSat Nov 21 11:20:40 2026 text\n". In one
   write(2), whatever its length, so that lines of several threads do not mix (in a pipe: up to 4096 bytes). It goes to
   descriptor 2, past stdio. Never suspends, and never fails: without memory the line is cut at 1000 bytes, and one that can't
   be written is lost. Keeps errno. text NULL: "(null)". Call from: anywhere. */
void coro_write_stderr(const char *CORO_NULLABLE text);

/* The same with a text made as by printf. */
void coro_print_stderr(const char *CORO_NULLABLE format, ...) CORO_PRINTF_LIKE(1, 2);

/* ========================================================================================================== I/O */
/*
 * POSIX calls by their POSIX names and argument order, that suspend the caller instead of the thread. The operation is
 * tried first and waited for only if it would block. One coroutine may wait to read from a descriptor and one to write to
 * it; a second of a kind gets CORO_ESIMULTANEOUS. Signals do not interrupt them (EINTR is dealt with), and sending to a
 * socket or pipe that nobody reads returns -EPIPE without SIGPIPE.
 *
 * Any descriptor will do, also one that other processes share: O_NONBLOCK is never changed on a descriptor that was not
 * made here (coro_set_nonblocking() does it on request). Regular files are always ready: see "Files" for when they suspend.
 *
 * A descriptor used here must be closed by coro_close(), which wakes those who wait for it; or, if something else has to
 * close it, first given up by coro_forget(). Both on the thread whose coroutines use it: what is known of a descriptor belongs
 * to that thread's loop, so before another thread goes on with it, it must be given up too. (One that is closed otherwise is
 * noticed if somebody has just begun to wait for it, and then only.)
 *
 * So that one with much to do does not keep others waiting, the fifth I/O call in a row that need not wait lets them run first
 * (see coro_set_selfishness).
 *
 * Common errors, not repeated below: the call's own -errno; CORO_ECLOSED; CORO_ESIMULTANEOUS; the code the caller was
 * interrupted with; CORO_EYIELDFROMMAIN. Call from: anywhere. All suspend unless they say otherwise.
 */

#define CORO_READ 1
#define CORO_WRITE 2

/* Waits until fd can be read from (CORO_READ), or written to (CORO_WRITE): data, room, the end, or an error.
   Returns 0, -EBADF, -EPERM for what can't be polled (a regular file), -EINVAL for other events. */
int coro_wait_for(int fd, int events);

/* Called in a coroutine of its own when fd is ready; events: CORO_READ, CORO_WRITE or both, what it is ready for. */
typedef void (*coro_fd_handler)(int fd, int events, void *CORO_NULLABLE arg);

/* Ended by the first event, just before its handler begins. */
#define CORO_HANDLER_ONCE 0x1

/* From now on handler(fd, events, arg) runs in a new, detached coroutine, named as "handler of fd 7", whenever fd is ready
   for one of `events` (CORO_READ, CORO_WRITE or both), beginning with what it is ready for now. There is one such coroutine
   at a time: when it has ended, fd is looked at again, so that nothing is missed; a handler that leaves data unread is run
   again at once, in turn with others, and so is one for CORO_WRITE while there is room. The coroutine may suspend, and wait
   for fd itself; other coroutines may wait for fd too, and are woken as ever. Without memory for a coroutine it is made when
   there is some. A loop that runs until idle does not go on for the sake of a handler; but one keeps a suspending call on a
   thread's own stack from being -EDEADLK. It ends by coro_unset_handler(), coro_close() or coro_forget() of fd, or with its
   thread.
   flags: CORO_HANDLER_ONCE. arg: must last as long as handlers may run.
   Returns 0, or
     -EINVAL             handler is NULL; events or flags mean nothing
     -EBADF              fd is not open
     -EPERM              a regular file: it is always ready
     CORO_ESIMULTANEOUS  fd has a handler already
     -ENOMEM, -ENOSPC (fs.epoll.max_user_watches)
   Does not suspend. */
int coro_set_handler(int fd, int events, coro_fd_handler CORO_NULLABLE handler, void *CORO_NULLABLE arg, uint32_t flags);

/* Ends what coro_set_handler() began. A handler that has begun goes on; one whose coroutine has not run yet is not called.
   Returns 0, or -ENOENT: this thread has no handler for fd. Does not suspend. */
int coro_unset_handler(int fd);

/* read(2). Returns 1 to n bytes, 0 at the end (or n is 0). */
ssize_t coro_read(int fd, void *CORO_NULLABLE buffer, size_t n);

/* write(2), all of it: returns n, or an error; coro_error_progress() then says how much went out. */
ssize_t coro_write(int fd, const void *CORO_NULLABLE buffer, size_t n);

/* recv(2). */
ssize_t coro_recv(int fd, void *CORO_NULLABLE buffer, size_t n, int flags);

/* recvfrom(2). */
ssize_t coro_recvfrom(int fd, void *CORO_NULLABLE buffer, size_t n, int flags, struct sockaddr *CORO_NULLABLE address,
                      socklen_t *CORO_NULLABLE length);

/* Reads exactly n bytes. Returns n, or CORO_EEOF if the stream ends before; coro_error_progress() bytes are in buffer. */
ssize_t coro_recv_exact(int fd, void *CORO_NULLABLE buffer, size_t n);

/* send(2); on a stream all of it, as coro_write. */
ssize_t coro_send(int fd, const void *CORO_NULLABLE buffer, size_t n, int flags);

/* sendto(2): one datagram. */
ssize_t coro_sendto(int fd, const void *CORO_NULLABLE buffer, size_t n, int flags,
                    const struct sockaddr *CORO_NULLABLE address, socklen_t length);

/* socket(2), not blocking, close-on-exec. Does not suspend. */
int coro_socket(int family, int type, int protocol);

/* socketpair(2), not blocking, close-on-exec. Does not suspend. */
int coro_socketpair(int family, int type, int protocol, int fds[CORO_NONNULL 2]);

/* pipe2(2): fds[0] to read, fds[1] to write, not blocking; flags: O_CLOEXEC, O_DIRECT. Does not suspend. */
int coro_pipe(int fds[CORO_NONNULL 2], int flags);

/* bind(2), after SO_REUSEADDR for an Internet stream socket. Does not suspend. */
int coro_bind(int fd, const struct sockaddr *CORO_NULLABLE address, socklen_t length);

/* listen(2). The loop opens its own descriptors, if it has none yet, so that it works when no more are free. Does not
   suspend. */
int coro_listen(int fd, int backlog);

/* accept(2): the new descriptor is not blocking and close-on-exec. Connections that broke before they were taken are
   passed over. Where there is no room for another descriptor (EMFILE, ENFILE, ENOBUFS, ENOMEM) the connection stays in the
   listener's queue, and the call waits for room as it does for a connection: it looks again when coro_close() has closed a
   descriptor on this thread, and each 100 ms, for those that are closed otherwise. A line on stderr tells of the shortage, once
   until there has been none for 10 s; coro_stats.accept_waits counts the waits. Errors: also CORO_EBLOCKING. */
int coro_accept(int fd, struct sockaddr *CORO_NULLABLE address, socklen_t *CORO_NULLABLE length);

/* accept4(2): the same, but flags say whether the new descriptor is close-on-exec: SOCK_CLOEXEC. It is not blocking, with or
   without SOCK_NONBLOCK. Errors: as coro_accept; -EINVAL for other flags. */
int coro_accept4(int fd, struct sockaddr *CORO_NULLABLE address, socklen_t *CORO_NULLABLE length, int flags);

/* Waits for a connection, then takes those that are pending, at most n and at most 256, into fds. Returns how many; errors
   as coro_accept, if none was taken. */
int coro_accept_many(int fd, int *CORO_NULLABLE fds, int n);

/* connect(2), to its end: 0 when the connection stands, -ECONNREFUSED and the like when not. An attempt that is interrupted
   goes on in the kernel: call it again to wait for it, or close fd. Errors: also CORO_EBLOCKING. */
int coro_connect(int fd, const struct sockaddr *CORO_NULLABLE address, socklen_t length);

/* Closes fd, and wakes both who wait for it with CORO_ECLOSED. Closing it again, while the number is unused, is 0. Does
   not suspend. */
int coro_close(int fd);

/* Gives fd up without closing it: wakes those who wait with CORO_ECLOSED, and forgets what is known of it. Does not
   suspend. Returns 0 or -EBADF. */
int coro_forget(int fd);

/* Sets O_NONBLOCK on the open file that fd refers to, for all who share it. Returns 0 or -errno. Does not suspend. */
int coro_set_nonblocking(int fd);

/* shutdown(2), dup(2) (close-on-exec), getsockname(2), getpeername(2), getsockopt(2), setsockopt(2), with errors returned.
   None suspends. */
int coro_shutdown_socket(int fd, int how);
int coro_dup(int fd);
int coro_getsockname(int fd, struct sockaddr *CORO_NULLABLE address, socklen_t *CORO_NULLABLE length);
int coro_getpeername(int fd, struct sockaddr *CORO_NULLABLE address, socklen_t *CORO_NULLABLE length);
int coro_getsockopt(int fd, int level, int option, void *CORO_NULLABLE value, socklen_t *CORO_NULLABLE length);
int coro_setsockopt(int fd, int level, int option, const void *CORO_NULLABLE value, socklen_t length);

/* How many sockets this thread's loop knows: made or used here, and neither closed nor given up. Looks at each descriptor. Does
   not suspend. */
int coro_get_live_sockets(void);

/* Whether the system has IPv6: a socket could be bound to ::1. Takes a few system calls, and a descriptor for that long; false
   also if none is free. Does not suspend. */
bool coro_has_ipv6(void);

/* How many I/O calls of a coroutine in a row may be done at once, before the next one lets others run, as coro_yield() does
   (it never waits for the descriptor on that account). 4 by default; n: 1 to 32768. On a thread's own stack, and in callbacks
   that must not suspend, it does not count.
   Returns what it was, or -EINVAL. Does not suspend. Call from: anywhere; holds for the thread's coroutines that have no number
   of their own. */
int coro_set_selfishness(int n);

/* The same for one coroutine, whose count begins anew. Returns what it was, or -EINVAL (n, main), CORO_EDEAD,
   CORO_EWRONGTHREAD, -ESRCH. Does not suspend. Call from: its thread. */
int coro_set_max_selfish_acts(coro_t co, int n);

/* A stdio stream whose reading and writing suspend: fdopen(3), to be used by one coroutine at a time. mode: as fopen.
   fclose() flushes it, and closes fd by coro_close(). Returns NULL on an error: coro_error_detail(). Does not suspend. */
FILE *CORO_NULLABLE coro_fdopen(int fd, const char *CORO_NULLABLE mode);

/* =========================================================================================== Messages and vectors */
/*
 * As in the section before, common errors included. Vectors are arrays of struct iovec, of any number of elements (no limit at
 * IOV_MAX), empty ones among them; they are never changed. A count that is negative, a vector that is NULL although it has
 * elements, and more bytes than SSIZE_MAX are -EINVAL. A socket that keeps messages apart takes at most 1024 elements for one
 * message: else -EMSGSIZE.
 */

/* readv(2): fills the elements in their order with what is there. Returns 1 byte up to all, 0 at the end (or if the vector has
   no bytes). */
ssize_t coro_readv(int fd, const struct iovec *CORO_NULLABLE vector, int count);

/* Fills the whole vector. Returns how many bytes that are, or CORO_EEOF if the stream ends before; coro_error_progress() bytes
   are in it. */
ssize_t coro_readv_exact(int fd, const struct iovec *CORO_NULLABLE vector, int count);

/* writev(2), all of it: returns how many bytes that are, or an error; coro_error_progress() then says how many went out.
   Without bytes it sends nothing, not even an empty message. */
ssize_t coro_writev(int fd, const struct iovec *CORO_NULLABLE vector, int count);

/* recvmsg(2). Descriptors that come with the message are close-on-exec; those that msg_control has no room for are closed by
   the system, which sets MSG_CTRUNC. Errors: also -EINVAL (message NULL). */
ssize_t coro_recvmsg(int fd, struct msghdr *CORO_NULLABLE message, int flags);

/* sendmsg(2); on a stream all of it, as coro_write: what is beside its bytes, as descriptors, goes with the first of them.
   Errors: also -EINVAL (message NULL). */
ssize_t coro_sendmsg(int fd, const struct msghdr *CORO_NULLABLE message, int flags);

/* Sends n bytes of data, at least one, over a Unix socket, on a stream all of it as coro_write; and with the first of them
   count descriptors, at most 253. The receiver gets descriptors of its own for the same open files.
   Returns n, or an error; coro_error_progress() says how much went out: if anything did, the descriptors have. Errors: also
     -EINVAL       data, or fds with a count, is NULL; n is 0; count is out of range
     -EBADF        fd, or one of fds, is not open
     -ETOOMANYREFS too many descriptors are on their way (more than RLIMIT_NOFILE)
   Ownership: fds stay open, and the caller's. */
ssize_t coro_send_fds(int fd, const int *CORO_NULLABLE fds, int count, const void *CORO_NULLABLE data, size_t n);

/* Receives up to n bytes of data, n at least 1, and what descriptors come with them, at most room, into fds: close-on-exec, the
   caller's to close by coro_close(). *count is how many; 0 after an error. On a stream one call gets the bytes up to those that
   the next descriptors came with.
   Returns how many bytes came, 0 at the end. Errors: also
     -EMSGSIZE  more than `room` descriptors came
     -EMFILE    this process may not have all the descriptors that came
     -EINVAL    data or count, or fds with room, is NULL; n is 0; room is negative
   After -EMSGSIZE and -EMFILE none of them is open, and coro_error_progress() bytes are in data. */
ssize_t coro_recv_fds(int fd, int *CORO_NULLABLE fds, int room, int *CORO_NULLABLE count, void *CORO_NULLABLE data, size_t n);

/* sendfile(2), all of it: sends n bytes of the regular file `in`, or those up to its end, to out. *offset: where in the file
   to begin, and where it has ended, also after an error; NULL: from the file's own position, which moves on. What of the file
   is not in memory the thread waits for; where that matters, coro_read() and coro_write() let others run meanwhile.
   Returns how many bytes went out; less than n only at the end of the file.
   Errors: also CORO_EBLOCKING (out is in blocking mode), -EINVAL (in is no regular file, n is beyond SSIZE_MAX, or out is
   O_APPEND); coro_error_progress() says how much went out. */
ssize_t coro_sendfile(int out, int in, off_t *CORO_NULLABLE offset, size_t n);

/* ========================================================================================== Names and connections */
/*
 * Names are looked up by the C library, as the system is set up to, on the thread pool (see Blocking work), of which they take
 * half of the threads at most. A numeric address is no look-up: it is dealt with at once. A caller that is interrupted goes
 * at once, and the answer is thrown away; so a bound on the time is coro_with_timeout(). In the child of a fork(), look-ups
 * of the parent fail with -ECANCELED.
 */

/* getaddrinfo(3), to which one thing is added: if another coroutine of this thread waits for the same (node, service and
   hints), this one waits for its answer. Suspends, unless node is NULL or numeric, and service too.
   Returns 0, and a list in *res; after an error *res is NULL:
     CORO_EAI_...   as getaddrinfo(3) says: CORO_EAI_NONAME (no such name), CORO_EAI_AGAIN (no name server answers), ...
     -errno         of something that it needs: -EMFILE, -ENOMEM
     -EAGAIN        no thread can be started (also -EPERM)
     -EINVAL (res is NULL), CORO_EYIELDFROMMAIN, or the code the caller was interrupted with.
   Ownership: free *res by coro_freeaddrinfo(), not by freeaddrinfo(3). Call from: anywhere. */
int coro_getaddrinfo(const char *CORO_NULLABLE node, const char *CORO_NULLABLE service,
                     const struct addrinfo *CORO_NULLABLE hints, struct addrinfo *CORO_NULLABLE *CORO_NULLABLE res);

/* Frees such a list; NULL is nothing. Call from: anywhere. */
void coro_freeaddrinfo(struct addrinfo *CORO_NULLABLE res);

/* getnameinfo(3). Suspends, unless all that is wanted is numeric (NI_NUMERICHOST, NI_NUMERICSERV). Returns 0 or an error as
   coro_getaddrinfo; CORO_EAI_OVERFLOW if a buffer is too small. Call from: anywhere. */
int coro_getnameinfo(const struct sockaddr *CORO_NULLABLE address, socklen_t length, char *CORO_NULLABLE host,
                     socklen_t host_size, char *CORO_NULLABLE service, socklen_t service_size, int flags);

/* Connects to a TCP server: looks up host, and connects to the first of its addresses that answers (RFC 8305): IPv6 and IPv4
   in turn, the next as soon as one has failed or has not answered for 250 ms. The socket is not blocking, close-on-exec, and
   has TCP_NODELAY set. A bound on the time is coro_with_timeout(). Suspends.
   Returns the socket, or an error, after which nothing is left behind:
     -ECONNREFUSED, -ETIMEDOUT, -ENETUNREACH, ...  why no address could be connected to; of several errors, the first that says
              more than that there is no way there. coro_error_detail() lists all
     -EINVAL  host is NULL, or port is not 1 to 65535
     -EMFILE, -ENFILE, -ENOMEM, an error of coro_getaddrinfo(), CORO_EYIELDFROMMAIN, or the code the caller was
     interrupted with.
   Call from: anywhere. */
int coro_tcp_connect(const char *CORO_NULLABLE host, int port);

/* A TCP server's socket, to be given to coro_accept(): bound to host, or, if that is NULL, to all addresses of IPv6 and IPv4
   (of IPv4 alone, where there is no IPv6), and listening. port 0: one that is free, see coro_tcp_port(). Of a name's addresses
   it is the first that this machine has. backlog 0 or less: as many as the system allows. The socket is not blocking,
   close-on-exec, has SO_REUSEADDR, and what it accepts has TCP_NODELAY. Suspends, if host is a name.
   Returns the socket, -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EINVAL (port), or as coro_tcp_connect. Call from: anywhere. */
int coro_tcp_listen(const char *CORO_NULLABLE host, int port, int backlog);

/* The port that a TCP or UDP socket is bound to; 0: none yet. Errors: -EBADF, -ENOTSOCK, -EAFNOSUPPORT. Does not suspend. Call
   from: anywhere. */
int coro_tcp_port(int fd);

/* Connects to a Unix stream server. path: at most 107 bytes; "@name" is an abstract one, of the machine and not of its files.
   Suspends while the server's backlog is full. Returns the socket (not blocking, close-on-exec), or -ENOENT (no such path),
   -ECONNREFUSED (nobody listens there), -ENAMETOOLONG, -EACCES, -EPROTOTYPE (no stream socket), -EINVAL (NULL or empty),
   -EMFILE, -ENFILE, -ENOMEM, CORO_EYIELDFROMMAIN, or the code the caller was interrupted with. Call from: anywhere. */
int coro_unix_connect(const char *CORO_NULLABLE path);

/* A Unix stream server's socket, as coro_tcp_listen. A socket's file that is there already is replaced if nobody listens to it,
   as one that ended without removing it has left it; removing it is the program's matter. Of servers that start at the same
   moment one has it: the directory is locked meanwhile (flock(2)), for which the thread waits at most 0.1 s. Does not suspend.
   Returns the socket, -EADDRINUSE (somebody listens, or it is another kind of file), or as coro_unix_connect.
   Call from: anywhere. */
int coro_unix_listen(const char *CORO_NULLABLE path, int backlog);

/* =============================================================================================== Buffered streams */
/*
 * Reading by lines, by delimiters and by exact lengths, and writing in small pieces, with few system calls. A stream belongs
 * to the thread that made it, and is used by one coroutine at a time: a second gets CORO_ESIMULTANEOUS. It does not own its
 * descriptor; once that is closed, calls that need it return CORO_ECLOSED, whatever its number means then.
 *
 * An interrupted call loses nothing: what has come is in the reader (or in the caller's buffer, where that is said), and what
 * has not gone out is in the writer.
 *
 * Common errors, not repeated below: CORO_ECLOSED (the descriptor was closed, or the stream freed meanwhile),
 * CORO_ESIMULTANEOUS, CORO_EWRONGTHREAD, -EINVAL (NULL, or a size above SSIZE_MAX), -ENOMEM (and nothing is lost), what
 * coro_read() or coro_write() fails with, what the producer or consumer returned, the code the caller was interrupted with,
 * CORO_EYIELDFROMMAIN. Call from: its thread. All suspend unless they say otherwise.
 */

/* What is read from: bytes come through a buffer that grows when more has to be looked at at once. */
typedef struct coro_reader coro_reader;

/* Where a reader gets its bytes, if not from a descriptor: puts 1 to n bytes into buffer and returns how many, 0 at the end
   (it may be called again after that), or a negative error, which the reader's call returns. Called on the stack of whoever
   reads; it may suspend, and must not use the reader. */
typedef ssize_t (*coro_producer)(void *CORO_NULLABLE arg, void *CORO_NONNULL buffer, size_t n);

/* A reader of fd. buffer_size: bytes; 0: 16 KiB. Returns NULL on an error: coro_error_detail(). Ownership: the caller's, to
   coro_reader_free(); fd stays the caller's. Does not suspend. Call from: anywhere. */
coro_reader *CORO_NULLABLE coro_reader_new(int fd, size_t buffer_size);

/* A reader of what producer(arg, ...) delivers. Otherwise as coro_reader_new. */
coro_reader *CORO_NULLABLE coro_reader_new_with(coro_producer CORO_NULLABLE producer, void *CORO_NULLABLE arg,
                                                size_t buffer_size);

/* Reads what there is: what the reader has, or else what comes next. Returns 1 to n bytes, 0 at the end (or n is 0). The end
   is not remembered: the next call asks again. */
ssize_t coro_reader_read(coro_reader *CORO_NULLABLE reader, void *CORO_NULLABLE buffer, size_t n);

/* Reads exactly n bytes. Returns n, or an error, CORO_EEOF if the stream ends before: then coro_error_progress() bytes are in
   buffer, and taken. */
ssize_t coro_reader_read_exact(coro_reader *CORO_NULLABLE reader, void *CORO_NULLABLE buffer, size_t n);

/* Reads up to and including the next occurrence of the delimiter, of n >= 1 bytes. limit: of the length, delimiter included;
   0: 64 KiB. *data: what was read, in the reader's memory, with a NUL behind it: valid until the next call on the reader.
   Returns its length; what is left before the end, without a delimiter; 0 at the end; or
     -EOVERFLOW  no delimiter within `limit` bytes. Nothing was taken: read on by other means, or with a larger limit. */
ssize_t coro_reader_read_until(coro_reader *CORO_NULLABLE reader, const void *CORO_NULLABLE delimiter, size_t n, size_t limit,
                               const char *CORO_NULLABLE *CORO_NULLABLE data);

/* Reads a line, newline included: coro_reader_read_until with "\n". The last line may come without one. */
ssize_t coro_reader_read_line(coro_reader *CORO_NULLABLE reader, size_t limit, const char *CORO_NULLABLE *CORO_NULLABLE line);

/* Reads all up to the end. limit: bytes; 0: 64 MiB. *data and what it returns: as coro_reader_read_until; -EOVERFLOW: there is
   more than `limit`, and nothing was taken. */
ssize_t coro_reader_read_all(coro_reader *CORO_NULLABLE reader, size_t limit, const char *CORO_NULLABLE *CORO_NULLABLE data);

/* Waits until the reader has n bytes, or the end has come, and takes nothing. *data: all that it has, valid as above, no NUL
   behind it. Returns how many those are: n or more, fewer at the end. n 0: what it has, without suspending. */
ssize_t coro_reader_peek(coro_reader *CORO_NULLABLE reader, size_t n, const char *CORO_NULLABLE *CORO_NULLABLE data);

/* Takes n of the bytes that the reader has, as if they had been read: after a peek. Returns n, or -EINVAL if it has fewer.
   Does not suspend. */
ssize_t coro_reader_consume(coro_reader *CORO_NULLABLE reader, size_t n);

/* How many bytes the reader has: what can be read without suspending; 0 for NULL. Does not suspend. */
size_t coro_reader_buffered(const coro_reader *CORO_NULLABLE reader);

/* Frees it, with what it has; to be done before its thread ends. A coroutine that waits in it for its descriptor gets
   CORO_ECLOSED; one that is in a producer gets it when that returns. NULL is fine. Returns 0. Does not suspend. */
int coro_reader_free(coro_reader *CORO_NULLABLE reader);

/* What is written to: bytes are kept until the buffer is full, or flushed. */
typedef struct coro_writer coro_writer;

/* Where a writer's bytes go, if not to a descriptor: takes 1 to n bytes of buffer and returns how many, or a negative error,
   which the writer's call returns. Called on the stack of whoever writes; it may suspend, and must not use the writer. */
typedef ssize_t (*coro_consumer)(void *CORO_NULLABLE arg, const void *CORO_NONNULL buffer, size_t n);

/* A writer to fd. As coro_reader_new. */
coro_writer *CORO_NULLABLE coro_writer_new(int fd, size_t buffer_size);

/* A writer to consumer(arg, ...). As coro_reader_new. */
coro_writer *CORO_NULLABLE coro_writer_new_with(coro_consumer CORO_NULLABLE consumer, void *CORO_NULLABLE arg,
                                                size_t buffer_size);

/* Writes n bytes: into the buffer, which is flushed when there is no more room in it. Returns n, or an error;
   coro_error_progress() says how many of them the writer has taken, which will go out in their order, and are not to be
   written again. */
ssize_t coro_writer_write(coro_writer *CORO_NULLABLE writer, const void *CORO_NULLABLE data, size_t n);

/* Writes a text made as by printf. Returns its length, or an error: as coro_writer_write, or -errno of vsnprintf(3). */
ssize_t coro_writer_print(coro_writer *CORO_NULLABLE writer, const char *CORO_NULLABLE format, ...) CORO_PRINTF_LIKE(2, 3);

/* Sends on all that the writer has. Returns 0, or an error: what has not gone out, it still has. */
int coro_writer_flush(coro_writer *CORO_NULLABLE writer);

/* How many bytes the writer has that have not gone out; 0 for NULL. Does not suspend. */
size_t coro_writer_buffered(const coro_writer *CORO_NULLABLE writer);

/* Flushes it, and frees it. Returns 0, or an error: then it is still there, with what has not gone out. NULL is fine. */
int coro_writer_close(coro_writer *CORO_NULLABLE writer);

/* Frees it without flushing; to be done before its thread ends. Who is in it gets CORO_ECLOSED, as by coro_reader_free(). NULL
   is fine. Returns 0, or -ECANCELED: it is freed, and bytes that had not gone out are lost, coro_error_progress() of them.
   Does not suspend. */
int coro_writer_free(coro_writer *CORO_NULLABLE writer);

/* ========================================================================================================== Files */
/*
 * Calls about files, directories and what is in them, by their POSIX names and argument order, with -errno returned. What
 * needs no disk (what is read is in memory) is done at once; else only the caller is suspended, while the kernel (io_uring) or
 * a thread of the pool (see "Blocking work") does it. So do coro_read() and coro_write() on files. Any number of calls may go
 * on at a time, on one descriptor too; what reads or writes where the file is at should be one at a time, as ever.
 *
 * Close a descriptor when no call on it is under way. A call that waits for a thread of the pool when coro_close() closes its
 * descriptor returns CORO_ECLOSED, and nothing is done; one that has begun goes on.
 *
 * Memory and texts that a call is given are used until it returns. An interrupted caller therefore waits for the end of what
 * can't be broken off. What was done all the same counts: the call returns its result, and the next suspending call is
 * interrupted. In the child of a fork() calls that were not done at that moment return -ECANCELED; they are done in the parent.
 * What a call may do is decided by the rights of the calling thread when it makes the call; by threads, by those of the
 * process.
 *
 * Common errors, not repeated below: the call's own -errno; -EINVAL (a path or buffer is NULL); the code the caller was
 * interrupted with; -ENOMEM; -ECANCELED; CORO_EYIELDFROMMAIN. Call from: anywhere. All suspend.
 */

/* open(2), close-on-exec. mode: of a file that is made. Returns the descriptor, for coro_close(). */
int coro_open(const char *CORO_NULLABLE path, int flags, mode_t mode);
/* The same in a directory (a descriptor, or AT_FDCWD). */
int coro_openat(int directory, const char *CORO_NULLABLE path, int flags, mode_t mode);

/* pread(2), pwrite(2): n bytes at an offset. Return how many were moved: fewer at the end of the file, or of the disk. -ESPIPE
   for what has no offsets. */
ssize_t coro_pread(int fd, void *CORO_NULLABLE buffer, size_t n, off_t offset);
ssize_t coro_pwrite(int fd, const void *CORO_NULLABLE buffer, size_t n, off_t offset);
/* preadv(2), pwritev(2). */
ssize_t coro_preadv(int fd, const struct iovec *CORO_NULLABLE vector, int count, off_t offset);
ssize_t coro_pwritev(int fd, const struct iovec *CORO_NULLABLE vector, int count, off_t offset);

/* fsync(2), fdatasync(2), ftruncate(2). Return 0. */
int coro_fsync(int fd);
int coro_fdatasync(int fd);
int coro_ftruncate(int fd, off_t length);

/* stat(2), lstat(2), fstat(2). Return 0, with *status filled in. */
int coro_stat(const char *CORO_NULLABLE path, struct stat *CORO_NULLABLE status);
int coro_lstat(const char *CORO_NULLABLE path, struct stat *CORO_NULLABLE status);
int coro_fstat(int fd, struct stat *CORO_NULLABLE status);

/* rename(2), link(2), symlink(2), unlink(2), mkdir(2), rmdir(2). Return 0. */
int coro_rename(const char *CORO_NULLABLE path, const char *CORO_NULLABLE new_path);
int coro_link(const char *CORO_NULLABLE path, const char *CORO_NULLABLE new_path);
int coro_symlink(const char *CORO_NULLABLE target, const char *CORO_NULLABLE new_path);
int coro_unlink(const char *CORO_NULLABLE path);
int coro_mkdir(const char *CORO_NULLABLE path, mode_t mode);
int coro_rmdir(const char *CORO_NULLABLE path);

/* readlink(2): not terminated. Returns the length, at most n. */
ssize_t coro_readlink(const char *CORO_NULLABLE path, char *CORO_NULLABLE buffer, size_t n);

/* scandir(3) of all entries, "." and ".." among them, sorted by name: returns how many, with *entries an array of them.
   Ownership: the caller's, to free(3) each and the array. *entries is NULL after an error. */
int coro_scandir(const char *CORO_NULLABLE path, struct dirent *CORO_NULLABLE *CORO_NULLABLE *CORO_NULLABLE entries);

/* What does the calls of this thread's coroutines about files: "io_uring", or "threads" where the kernel allows none; NULL
   without memory. (Some, as coro_scandir(), are done by threads in any case.) Ownership: a constant. Does not suspend. */
const char *CORO_NULLABLE coro_file_engine_name(void);

/* ======================================================================================================= Watching */
/*
 * Files, times and processes as descriptors that become readable.
 */

/* Watches files and directories: inotify(7). Belongs to the thread that made it. */
typedef struct coro_watch coro_watch;

/* What has happened. Set struct_size first, by CORO_WATCH_EVENT_INIT. */
typedef struct coro_watch_event {
    size_t struct_size; /* sizeof(coro_watch_event) */
    int32_t id;         /* what coro_watch_add() returned; -1 with IN_Q_OVERFLOW */
    uint32_t mask;      /* IN_... of <sys/inotify.h> */
    uint32_t cookie;    /* the same in the two events of a rename: IN_MOVED_FROM, IN_MOVED_TO; else 0 */
    uint32_t reserved;  /* 0 */
    char name[256];     /* in a directory that is watched: which of its files; else "" */
} coro_watch_event;

#define CORO_WATCH_EVENT_INIT { sizeof(coro_watch_event), 0, 0, 0, 0, "" }

/* A new one, that watches nothing. Returns NULL on an error: coro_error_detail(). Ownership: the caller's, to
   coro_watch_free(). Does not suspend. Call from: anywhere. */
coro_watch *CORO_NULLABLE coro_watch_new(void);

/* Watches path. mask: IN_... of <sys/inotify.h> (IN_MODIFY | IN_CREATE, ...). The same file again: its mask is replaced
   (IN_MASK_ADD: added to). Returns its id, 1 or more: the same for the same file, never used again after its removal; or
     -ENOSPC  no more files may be watched: see fs.inotify.max_user_watches
     -EINVAL  NULL, or a mask that means nothing
     CORO_EWRONGTHREAD, or what inotify_add_watch(2) says (-ENOENT, -EACCES, ...).
   Does not suspend. Call from: its thread. */
int coro_watch_add(coro_watch *CORO_NULLABLE watch, const char *CORO_NULLABLE path, uint32_t mask);

/* Watches that file no more. What has happened to it is still reported, and at the end IN_IGNORED. (A file that is gone is
   removed by itself, with IN_IGNORED.) Returns 0, -EINVAL (NULL, no such id), CORO_EWRONGTHREAD. Does not suspend.
   Call from: its thread. */
int coro_watch_remove(coro_watch *CORO_NULLABLE watch, int id);

/* Waits for the next event. mask IN_Q_OVERFLOW: too much has happened (see fs.inotify.max_queued_events), and events are lost:
   look at everything anew. Suspends. An interruption loses no event.
   Returns 0, or
     CORO_ECLOSED        it was freed meanwhile
     CORO_ESIMULTANEOUS  another coroutine waits already
     -EINVAL             NULL, or a struct_size that is not one
     CORO_EWRONGTHREAD, CORO_EYIELDFROMMAIN, or the code the caller was interrupted with.
   Call from: its thread. */
int coro_watch_next(coro_watch *CORO_NULLABLE watch, coro_watch_event *CORO_NULLABLE event);

/* The same without waiting: -EAGAIN if nothing has happened. Does not suspend. */
int coro_watch_try_next(coro_watch *CORO_NULLABLE watch, coro_watch_event *CORO_NULLABLE event);

/* Its descriptor, for waiting for it together with others: when it is readable, take events by coro_watch_try_next() until that
   returns -EAGAIN, for several come at once. Ownership: the watch's; don't read or close it. Returns it, or -EINVAL,
   CORO_EWRONGTHREAD. Does not suspend. Call from: its thread. */
int coro_watch_fd(coro_watch *CORO_NULLABLE watch);

/* Ends it, to be done before its thread ends; who waits gets CORO_ECLOSED. NULL is fine. Returns 0, or CORO_EWRONGTHREAD (then
   nothing is freed). Does not suspend. Call from: its thread. */
int coro_watch_free(coro_watch *CORO_NULLABLE watch);

/* A timer as a descriptor (timerfd_create(2), CLOCK_MONOTONIC, not blocking, close-on-exec), readable when it has expired: for
   select, and for other loops than this one; to sleep, use coro_sleep(). first: ns from now; CORO_FOREVER: it is not set.
   interval: ns from each expiration to the next; 0: there is but one. It goes by the system's clock, not by virtual time.
   Returns the descriptor, -EINVAL (less than 0), -EMFILE, -ENFILE, -ENOMEM. Ownership: the caller's, to coro_close(). Does not
   suspend. Call from: anywhere. */
int coro_timer_open(int64_t first, int64_t interval);

/* Sets it anew, as coro_timer_open; expirations that have not been read are forgotten. Returns 0, -EINVAL (also: not a timer),
   -EBADF, CORO_ECLOSED. Does not suspend. Call from: anywhere. */
int coro_timer_set(int fd, int64_t first, int64_t interval);

/* Waits until it has expired. Returns how many times it has since it was last read, or an error: as coro_read; -EINVAL: not a
   timer. Suspends. */
int64_t coro_timer_read(int fd);

/* A process as a descriptor (pidfd_open(2), close-on-exec), readable when it has ended: coro_wait_for(fd, CORO_READ). It need
   not be a child; the status of one is for coro_waitpid(). Returns the descriptor, -ESRCH, -EINVAL (pid less than 1), -EMFILE,
   -ENFILE, -ENOMEM, -ENOSYS (Linux before 5.3). Ownership: the caller's, to coro_close(). Does not suspend.
   Call from: anywhere. */
int coro_pidfd_open(pid_t pid);

/* ================================================================================================== Blocking work */
/*
 * Functions that block (of a database's library, of the C library) run on a pool of threads, one for the process, and suspend
 * only the coroutine that called them. Its threads are started when there is work and no free thread, end when they had
 * nothing to do for 10 seconds, are named "coro-pool", and have all signals blocked. Work is begun in the order it came;
 * what waits for a thread only costs memory. In the child of a fork() there are none of the threads, and work that was
 * not done at that moment fails with -ECANCELED there; a new pool is started when there is work. exit() waits for nothing.
 */

/* Flag of coro_blocking_options. */
/* An interrupted caller goes at once, also while the function runs, which then runs on: what it uses must not be the
   caller's, and `discard` is to give it back. */
#define CORO_BLOCKING_ABANDON 0x1

/* How to run a function on the pool. Start from CORO_BLOCKING_OPTIONS_INIT or coro_blocking_options_init(): beside struct_size,
   zero is the default. */
typedef struct coro_blocking_options {
    size_t struct_size; /* sizeof(coro_blocking_options) */
    uint32_t flags;     /* CORO_BLOCKING_...; default none */
    uint32_t reserved;  /* 0 */
    void (*CORO_NULLABLE discard)(void *CORO_NULLABLE arg, void *CORO_NULLABLE result); /* called once with `arg` and what fn
                           returned (NULL if it did not run), if the call returns an error, or its thread ends before: when fn
                           has returned, or it is certain that it never runs. On either thread; must not suspend */
} coro_blocking_options;

#define CORO_BLOCKING_OPTIONS_INIT { sizeof(coro_blocking_options), 0, 0, NULL }

/* Fills in the defaults: the same as CORO_BLOCKING_OPTIONS_INIT. Call from: anywhere. */
void coro_blocking_options_init(coro_blocking_options *CORO_NONNULL options);

/* Runs fn(arg) on a thread of the pool, and waits until it has returned; *result (unless NULL) is what it returned, NULL after
   an error. fn may do all that threads may, and coro_post(); what suspends is CORO_EYIELDFROMMAIN there. Its errno, its
   thread-locals and its signal mask are that thread's; it must return, and not end the thread. options NULL: defaults.
   Suspends.
   Returns 0, also if the caller was interrupted when fn had begun: then its next suspending call is. Or
     the code the caller was interrupted with before fn began: it never runs; or, with CORO_BLOCKING_ABANDON, meanwhile
     -ECANCELED  this is the child of a fork(), and fn runs, if it does, in the parent
     -EAGAIN     the pool has no thread, and none can be started (also -EPERM); if it has one, the work waits for that
     -ENOMEM, -EINVAL (fn is NULL; or the options mean nothing: then discard is not called)
     CORO_EYIELDFROMMAIN
   Call from: anywhere. */
int coro_blocking(coro_fn CORO_NULLABLE fn, void *CORO_NULLABLE arg, void *CORO_NULLABLE *CORO_NULLABLE result);
int coro_blocking_with(coro_fn CORO_NULLABLE fn, void *CORO_NULLABLE arg, const coro_blocking_options *CORO_NULLABLE options,
                       void *CORO_NULLABLE *CORO_NULLABLE result);

/* How many threads the pool has at most: 1 to 1024, 32 if nothing is said. Half of them (at least one) may look up names at a
   time. With fewer than there are, those end when they have done what they do. Returns what it was, or -EINVAL. Call from:
   anywhere; holds for the process. */
int coro_set_max_blocking_threads(int n);

/* ===================================================================================================== The poller */
/*
 * How a thread's loop asks the kernel which descriptors are ready: by epoll, unless io_uring is chosen, for a thread by
 * coro_set_backend() or for the process by the environment (CORO_BACKEND=io_uring or epoll, read once). What programs see is
 * the same. Where io_uring can't be had (the kernel is older than 5.19, a container or a limit forbids it), it is epoll, and
 * coro_backend_name() says why. No thread of the kernel's own polls a ring (SQPOLL), so that nothing is done with rights that
 * the thread has given up. In the child of a fork() the loop has a poller of its own, of the same backend if it can be had.
 *
 * By io_uring the kernel holds the file of a descriptor that was waited for until coro_close() or coro_forget(): after a plain
 * close(2), which is not allowed anyway, the peer does not see the end before the loop finds out, or is gone.
 */

#define CORO_BACKEND_DEFAULT 0 /* what the environment says, or else epoll */
#define CORO_BACKEND_EPOLL 1
#define CORO_BACKEND_IO_URING 2

/* Chooses the backend of this thread's loop, which must not be in use yet: nothing has waited for a descriptor or a time, and
   coro_loop_current() was not called. Returns 0, -EBUSY (it is in use), -EINVAL (no such backend), -ENOMEM. Does not suspend.
   Call from: anywhere; holds for the calling thread. */
int coro_set_backend(int backend);

/* The backend of this thread's loop, which is set up if it is not: "epoll"; "io_uring"; "epoll (io_uring: EPERM)" if it was
   to be io_uring and the kernel said that; "epoll (CORO_BACKEND: unknown)" if the environment names another; NULL if it
   can't be set up: coro_error_detail(). Ownership: a constant. Does not suspend. Call from: anywhere. */
const char *CORO_NULLABLE coro_backend_name(void);

/* ====================================================================================================== Processes */
/*
 * Other programs: waiting for a child by its pid, and starting, feeding, watching and ending programs by a handle. All of it by
 * descriptors of processes: no handler of SIGCHLD, and no thread.
 *
 *     const char *argv[] = {"sort", "-r", NULL};
 *     coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
 *     coro_process_result result = CORO_PROCESS_RESULT_INIT;
 *     options.argv = argv;
 *     if (coro_process_run(&options, "b\na\nc\n", 6, CORO_SECONDS(10), &result) == 0) puts(result.out);
 *     coro_process_result_free(&result);
 *
 * A status is what wait(2) gives: for the macros of <sys/wait.h>, or coro_process_exit_code() and its like. Where SIGCHLD is
 * ignored, or other code waits for any child (waitpid(-1)), statuses are lost: the calls then return -ECHILD.
 */

/* waitpid(2) for one child, which may have been made in any way, on any thread. Suspends until it has ended; with the option
   WNOHANG it returns 0 instead. A wait that is interrupted takes nothing: the child can still be waited for.
   Returns pid with the status in *status (which may be NULL), or
     -ECHILD            pid is no child of this process, or somebody else has taken its status
     CORO_ESIMULTANEOUS somebody waits for it already, on whichever thread (coro_error_other()), or it was made by a handle
     -EINVAL            pid is not positive, or options are others than WNOHANG
     -EMFILE, -ENFILE, -ENOMEM, -ENOSYS (Linux before 5.3): no descriptor to wait by; the child can still be waited for
     CORO_EYIELDFROMMAIN, or the code the caller was interrupted with.
   Call from: anywhere. */
pid_t coro_waitpid(pid_t pid, int *CORO_NULLABLE status, int options);

/* A process's handle. Positive; never reused; a negative value is an error. It belongs to the thread that started it. */
typedef int64_t coro_process_t;

/* coro_stdio.mode: what a standard stream of a process is */
#define CORO_STDIO_INHERIT 0 /* the same as here */
#define CORO_STDIO_NULL 1    /* /dev/null */
#define CORO_STDIO_PIPE 2    /* a pipe, of which coro_process_fd() is the other end */
#define CORO_STDIO_FD 3      /* what the descriptor `fd` is, which stays open here */
#define CORO_STDIO_FILE 4    /* the file `path`: to read it for in, created or emptied and to write it for out and err */
#define CORO_STDIO_APPEND 5  /* the file `path`, created if there is none, to write at its end: for out and err */
#define CORO_STDIO_STDOUT 6  /* the same as out: for err */

/* A standard stream of a process. All zero: CORO_STDIO_INHERIT. */
typedef struct coro_stdio {
    int32_t mode;                    /* CORO_STDIO_... */
    int32_t fd;                      /* for CORO_STDIO_FD */
    const char *CORO_NULLABLE path;  /* for CORO_STDIO_FILE and _APPEND; relative to our directory, not to cwd. To open a
                                        named pipe, the whole thread waits for its other end */
} coro_stdio;

/* Flags of coro_process_options. */
/* It leads a process group of its own: coro_process_kill() reaches all that it starts, and the terminal's ^C does not. */
#define CORO_PROCESS_GROUP 0x1
/* It leads a session of its own (setsid), without a terminal; and so also a group. */
#define CORO_PROCESS_SESSION 0x2
/* It gets every descriptor that is not close-on-exec. Without it: 0, 1 and 2, and nothing else. */
#define CORO_PROCESS_KEEP_FDS 0x4

/* How to start a program. Start from CORO_PROCESS_OPTIONS_INIT or coro_process_options_init(): beside struct_size, zero is
   the default. Nothing that it points to is used after the call. */
typedef struct coro_process_options {
    size_t struct_size;                                          /* sizeof(coro_process_options) */
    const char *CORO_NULLABLE const *CORO_NULLABLE argv;         /* the program and its arguments, and NULL; must be given */
    const char *CORO_NULLABLE program;                           /* NULL: argv[0]. Looked for in our PATH if it has no slash;
                                                                    a relative path is relative to cwd */
    const char *CORO_NULLABLE const *CORO_NULLABLE env;          /* "NAME=value", and NULL; NULL: our environment */
    const char *CORO_NULLABLE cwd;                               /* the directory it runs in; NULL: ours */
    coro_stdio in, out, err;
    uint32_t flags;                                              /* CORO_PROCESS_...; default none */
    uint32_t reserved;                                           /* 0 */
    size_t capture_limit;                                        /* coro_process_run(): bytes of out and of err; 0: 64 MiB */
    int64_t grace;                                               /* coro_process_run(): ns from SIGTERM to SIGKILL; 0: 1 s */
} coro_process_options;

#define CORO_PROCESS_OPTIONS_INIT \
    { sizeof(coro_process_options), NULL, NULL, NULL, NULL, {0, 0, NULL}, {0, 0, NULL}, {0, 0, NULL}, 0, 0, 0, 0 }

/* Fills in the defaults: the same as CORO_PROCESS_OPTIONS_INIT. Call from: anywhere. */
void coro_process_options_init(coro_process_options *CORO_NONNULL options);

/* Starts a program, and returns its handle when it runs. Its signal mask, and which signals it ignores, are the caller's. It
   does not suspend; a program that somebody has open for writing is tried again for at most 63 ms, which the thread waits.
   After an error nothing runs, and nothing is left behind; coro_error_detail() names the program, directory or file:
     -ENOENT    no such program (or not the interpreter that its first line names), directory or file
     -EACCES    the program may not be executed, the directory not be entered, or the file not be opened
     -ENOEXEC   not a program; a script has to begin with #!
     -ENOTDIR   cwd is no directory
     -E2BIG     arguments and environment are too long
     -ETXTBSY   somebody has the program open for writing
     -EBADF     CORO_STDIO_FD: the descriptor is not open
     -EAGAIN    no more processes may be made
     -EMFILE, -ENFILE, -ENOMEM, -ENOSYS (Linux before 5.3)
     -EINVAL    argv is NULL or empty, or another value means nothing
     or what open(2), posix_spawn(3) and execve(2) say.
   Ownership: coro_process_close() the handle. Call from: anywhere. */
coro_process_t coro_process_start(const coro_process_options *CORO_NULLABLE options);

/*
 * Errors of all that take a handle: -ESRCH (there never was such a handle), CORO_EDEAD (it is closed), CORO_EWRONGTHREAD. Any
 * integer may be passed. Call from: its thread. None suspends, but coro_process_wait(). In the child of a fork() the handles
 * are good for closing: waiting and killing return -ECHILD, for the processes are the parent's children.
 */

/* The process's id. After it was waited for, another process may have that. */
pid_t coro_process_pid(coro_process_t process);

/* Our end of the pipe to its standard stream 0, 1 or 2, for coro_read(), coro_write(), coro_fdopen() and the like.
   Ownership: the handle's, which closes it; it may be closed before by coro_process_close_fd(), coro_close() or fclose() of
   a coro_fdopen() stream, and coro_forget() gives it to the caller. Errors: also -EBADF (no pipe, or no more), -EINVAL. */
int coro_process_fd(coro_process_t process, int which);

/* Closes that, which the process sees as the end of its input. Returns 0, also if there is no pipe or no more; -EINVAL. */
int coro_process_close_fd(coro_process_t process, int which);

/* Waits until the process has ended, and stores its status in *status (unless NULL). Any number may wait, and later waits
   return the status again. The first that returns it also frees the process's number. Suspends.
   Returns 0, CORO_ECLOSED (the handle was closed meanwhile), -ECHILD (somebody else has taken the status), the code the
   caller was interrupted with, CORO_EYIELDFROMMAIN. */
int coro_process_wait(coro_process_t process, int *CORO_NULLABLE status);

/* Whether the process runs. false for a handle that is none. */
bool coro_process_is_alive(coro_process_t process);

/* Sends a signal, to the whole group if it leads one (CORO_PROCESS_GROUP, _SESSION); 0 only looks. What is left of a group can
   be reached until its leader has been waited for. Never reaches another process that got the same number.
   Returns 0, -ESRCH (also: it has ended, and was waited for), -EPERM, -EINVAL (no such signal). */
int coro_process_kill(coro_process_t process, int signum);

/* Closes the handle and its pipes; who waits gets CORO_ECLOSED. A process that runs runs on, and leaves no zombie: this
   thread's loop reaps it when it ends, without going on for that (CORO_LOOP_UNTIL_IDLE); if the thread has ended before, the
   next coro_process_start() on any does. Returns 0. */
int coro_process_close(coro_process_t process);

/* How a program that was run has ended. Set struct_size first, by CORO_PROCESS_RESULT_INIT. */
typedef struct coro_process_result {
    size_t struct_size;        /* sizeof(coro_process_result) */
    int32_t status;            /* as wait(2) gives it; -1: it was not started, or the status is lost */
    uint32_t reserved;
    char *CORO_NULLABLE out;   /* what it wrote, with a NUL behind it; NULL: not captured */
    size_t out_size;           /* bytes, without that NUL */
    char *CORO_NULLABLE err;
    size_t err_size;
} coro_process_result;

#define CORO_PROCESS_RESULT_INIT { sizeof(coro_process_result), -1, 0, NULL, 0, NULL, 0 }

/* Runs a program to its end: starts it, writes the n bytes of input to its standard input and closes that, captures what it
   writes, and waits until it has ended and closed its output. Suspends.
   options: as for coro_process_start(), but the program leads a group of its own, and of the streams left at
   CORO_STDIO_INHERIT in is the input (input NULL: /dev/null), out and err are captured, apart from each other (err
   CORO_STDIO_STDOUT: together). To pass one on as it is here, use CORO_STDIO_FD. timeout: nanoseconds, CORO_FOREVER for none.
   When the time is over, or it writes more than options->capture_limit, its group gets SIGTERM, and after options->grace
   SIGKILL; it is waited for, and *result has what was captured. A program that does not read its input is no error. What the
   program has left running and still holds its output is waited for like the program itself; give a timeout.
   Returns 0 if it has ended by itself, whatever its status, or
     CORO_ETIMEOUT  the time was over
     -EOVERFLOW     it wrote more than capture_limit
     -ENOMEM        no memory for what it wrote: it was ended in the same way
     -ECHILD        somebody else has taken its status, or SIGCHLD is ignored; *result has what was captured
     the code the caller was interrupted with: its group was killed (SIGKILL), and it was waited for
     -EINVAL (also: input although options->in says otherwise), CORO_EYIELDFROMMAIN, or an error of coro_process_start().
   Ownership: whatever it returns, free *result by coro_process_result_free(); what was in it before is not freed.
   Call from: anywhere. */
int coro_process_run(const coro_process_options *CORO_NULLABLE options, const void *CORO_NULLABLE input, size_t n,
                     int64_t timeout, coro_process_result *CORO_NULLABLE result);

/* Frees what is in *result, and empties it. NULL is nothing. Call from: anywhere. */
void coro_process_result_free(coro_process_result *CORO_NULLABLE result);

/* The exit code in a status, 0 to 255; -1 if a signal has ended the process. Call from: anywhere. */
int coro_process_exit_code(int status);

/* The signal that has ended the process; 0 if it exited. Call from: anywhere. */
int coro_process_term_signal(int status);

/* Writes "exited with 3", "killed by SIGKILL" or "killed by SIGSEGV, core dumped" into buffer, cut to fit and terminated.
   Returns the whole length. Call from: anywhere. */
int coro_process_describe_status(int status, char *CORO_NULLABLE buffer, size_t size);

/* ======================================================================================================== Signals */
/*
 * Signals are handled in coroutines, which may do all that coroutines may: no rule about signal handlers holds there. The
 * handler that libcoro installs (SA_RESTART, SA_ONSTACK) only counts the delivery and wakes the loop. No signal is blocked,
 * so programs that are executed inherit the mask as it was, and as ever none of the handlers. A delivery that is still to be
 * dealt with at a fork() is the parent's alone; the child has the registrations of its own loop. Of the others' signals,
 * and of those that coro_event_loop() has by default, it has what was installed before. (That takes fork(). In a child made by
 * vfork(), _Fork() or clone(), handled signals do nothing until it executes a program.)
 */

/* Called in a coroutine of its own for a delivery of signum. */
typedef void (*coro_signal_handler)(int signum, void *CORO_NULLABLE arg);

/* The next delivery's handler begins when the one before has ended; deliveries are kept meanwhile. */
#define CORO_SIGNAL_SERIAL 0x1
/* Unregistered by the first delivery, just before its handler begins: the next does what it did before coro_signal(). */
#define CORO_SIGNAL_ONCE 0x2

/* From now on each delivery of signum to the process runs handler(signum, arg) in a new, detached coroutine, named as
   "signal SIGUSR1", on the calling thread's loop, when that runs. It may suspend; without CORO_SIGNAL_SERIAL there may be
   several at once. If it fails (coro_fail), the notifier is told, and the registration goes on. Of a signal that comes again
   before the system has delivered it, the system delivers one. Without memory for a coroutine the delivery waits until
   there is some. A loop that runs until idle does not go on for the sake of a registration; but one keeps a suspending call
   on a thread's own stack from being -EDEADLK. It ends by coro_signal_unregister(), or with its thread.
   flags: CORO_SIGNAL_SERIAL | CORO_SIGNAL_ONCE. arg: must last as long as handlers may run.
   Returns 0, or
     -EINVAL             no such signal; one that can't be caught (SIGKILL, SIGSTOP) or that can't wait for a coroutine
                         (SIGSEGV, SIGBUS, SIGFPE, SIGILL); handler is NULL; flags that mean nothing
     CORO_ESIMULTANEOUS  it is registered already, by this thread or another
     -ENOMEM, or sigaction()'s -errno
   Does not suspend. Call from: anywhere. */
int coro_signal(int signum, coro_signal_handler CORO_NULLABLE handler, void *CORO_NULLABLE arg, uint32_t flags);

/* Ends what coro_signal() began. Deliveries for which no handler has begun are dropped; handlers that have begun go on. What
   was installed before is put back, unless something else has been installed since.
   Returns 0, -EINVAL (no such signal), -ENOENT (not registered), or CORO_EWRONGTHREAD (by another thread). Does not suspend.
   Call from: the thread that registered it. */
int coro_signal_unregister(int signum);

/* From now on signum makes this thread's loop write a coro_dump() to standard error: `kill -USR1 PID` shows what a program that
   seems stuck waits for. It is written between two coroutines; one that does not come to an end of its turn is reported by
   the latency warning instead. Ends by coro_signal_unregister(), or with its thread. Returns and errors: as coro_signal. Does
   not suspend. Call from: anywhere. */
int coro_dump_on_signal(int signum);

/* Whether coro_event_loop() on this thread deals with SIGINT and SIGTERM while it runs, from its next run on: either is then
   a coro_set_exit(0), unless an exit was asked for before. This holds for the first loop of the process that runs, and for a
   signal that has the system's default action and is not registered; a coro_signal() while the loop runs goes before it. One
   that comes when the loop has not yet come round to the one before ends the process, as it would without libcoro: the loop
   may be stuck. Default: true. Returns what it was. Call from: anywhere; holds for the calling thread. */
bool coro_set_install_signal_handlers(bool on);

/* ======================================================================================================== Targets */
/*
 * Any C function, with its own signature, as what a coroutine runs. A target is a function together with its prototype:
 *
 *     int resize(const char *path, int width);
 *
 *     coro_target_t t = coro_target_register("int resize(const char *path, int width = 800)", (coro_function)resize);
 *     coro_t co = coro_spawn_target(t, "a.png", 640);
 *     int size;
 *     coro_join_result(co, &size, sizeof size, CORO_FOREVER);
 *
 * A prototype is the declaration of a function as C writes it, with or without names of parameters and a `;` at the end. The
 * name of the function may be missing: `int (int, int)`; `int f()` is `int f(void)`. It has at most 64 parameters. Its
 * types may be
 *
 *  - void (as the result, or as the whole list of parameters), bool, char, all integer types in all their spellings, float,
 *    double, long double; the integer types of <stdint.h>, <stddef.h>, <sys/types.h>, <sys/socket.h> and this header; enums,
 *    which are taken as int;
 *  - pointers to anything, to functions too, and to types that libcoro does not know; a parameter that is an array or a
 *    function is a pointer, as in C;
 *  - by value, structs that coro_struct_register() was told of.
 *
 * Qualifiers and storage classes may stand wherever C lets them, and comments. Two things may stand there that are not C:
 *
 *  - `int width = 800`: the value of an argument that is not given: a number, a character, "text" (for a `const char *`), true,
 *    false or NULL. All parameters after it must have one too.
 *  - `borrowed` or `owned` as the first word of a parameter that is a pointer, with its type after it (in `owned *x` it is
 *    itself the type). A `const char *` is copied when the coroutine is made, and the copy freed when the target has ended; a
 *    borrowed one is passed as it is. An owned one, of any type, is passed as it is, and libcoro calls free(3) with it when
 *    the target has ended, or when it is cancelled before it began.
 *
 * Not taken, with the place and the reason as coro_error_detail(): variadic functions, complex numbers, 128-bit integers,
 * unions, vectors, bit-fields, functions that declare parameters the old way.
 *
 * Targets belong to the process: every thread can start any of them.
 */

/* Any function: what it really is stands in its prototype. */
typedef void (*coro_function)(void);

/* A registered target. Positive; never reused; a negative value is an error. */
typedef int64_t coro_target_t;

/* The prototype of a function, written once: CORO_TARGET(int, resize, (const char *path, int width CORO_DEFAULT(800))) stands
   for its head, in a definition or a declaration, and coro_target_register(CORO_TARGET_OF(resize)) registers it. */
#define CORO_TARGET(result, name, parameters)                                                                       \
    static const char coro_prototype_of_##name[] CORO_UNUSED = #result " " #name #parameters;                         \
    result name parameters
#define CORO_TARGET_OF(name) coro_prototype_of_##name, (coro_function)name
/* What the two additions are called where a C compiler reads too; a prototype as text may have these words as well. */
#define CORO_DEFAULT(value)
#define CORO_BORROWED
#define CORO_OWNED

/* Registers fn under the name in its prototype; a prototype without a name registers it under none. prototype: copied.
   Returns the target, or
     -EINVAL  prototype or fn is NULL, or the prototype is not one: coro_error_detail() is "line 1, column 5: ..., near '...'";
              columns count bytes
     -EEXIST  a target of this name is registered
     -ENOMEM
   Call from: anywhere. */
coro_target_t coro_target_register(const char *CORO_NULLABLE prototype, coro_function CORO_NULLABLE fn);

/* What runs a target that is no C function of its signature: the way in for other languages. arguments[i] points to the i-th
   argument, of its parameter's type, and result to room for the result (NULL if that is void), which is all zero before. It
   runs as the coroutine's function does: it may suspend, and fail by coro_fail(). */
typedef void (*coro_handler)(void *CORO_NULLABLE context, void *CORO_NULLABLE result,
                             void *CORO_NULLABLE const *CORO_NONNULL arguments);

/* Flag of coro_target_options: the target must not suspend: a call in it that would is CORO_EYIELDFROMMAIN. It has its own
   coroutine all the same. For languages whose functions can't wait on a stack of their own, as CPython's and Lua's. */
#define CORO_TARGET_NO_SUSPEND 0x1

/* How to register a target. Start from CORO_TARGET_OPTIONS_INIT or coro_target_options_init(): beside struct_size, zero is the
   default. */
typedef struct coro_target_options {
    size_t struct_size;                  /* sizeof(coro_target_options) */
    coro_handler CORO_NULLABLE handler;  /* run instead of fn */
    void *CORO_NULLABLE context;         /* passed to handler */
    void (*CORO_NULLABLE release)(void *CORO_NULLABLE context); /* called once, when the target was unregistered and all that
                                            was made of it is gone, on the thread on which that was; not when registering
                                            failed; must not suspend */
    uint32_t flags;                      /* CORO_TARGET_NO_SUSPEND; default none */
    uint32_t reserved;                   /* 0 */
    size_t stack_size;                   /* what its coroutines have at least, whoever makes them: as coro_options.stack_size;
                                            0: as usual */
} coro_target_options;

#define CORO_TARGET_OPTIONS_INIT { sizeof(coro_target_options), NULL, NULL, NULL, 0, 0, 0 }

/* Fills in the defaults: the same as CORO_TARGET_OPTIONS_INIT. Call from: anywhere. */
void coro_target_options_init(coro_target_options *CORO_NONNULL options);

/* coro_target_register with options; NULL means defaults. fn is NULL if there is a handler. Errors: also -EINVAL. */
coro_target_t coro_target_register_with(const char *CORO_NULLABLE prototype, coro_function CORO_NULLABLE fn,
                                        const coro_target_options *CORO_NULLABLE options);

/* Takes a target out of the registry: its name is free again, and nothing can be made of it any more. What was made of it
   stays: coroutines run to their end, trampolines can be called. Returns 0, or -ESRCH. Call from: anywhere. */
int coro_target_unregister(coro_target_t target);

/* The target of that name, or -ENOENT, -EINVAL (NULL). Call from: anywhere. */
coro_target_t coro_target_find(const char *CORO_NULLABLE name);

/* Lists the registered targets: up to n of them into `targets`, in the order in which they were registered. Returns how many
   there are. Call from: anywhere. */
int coro_target_list(coro_target_t *CORO_NULLABLE targets, int n);

/* Copies the prototype into buffer, in one spelling: "int resize(const char *path, int width = 800)"; cut to fit and always
   terminated when size > 0. Returns the whole length, or -ESRCH. buffer NULL: only the length. Call from: anywhere. */
int coro_target_describe(coro_target_t target, char *CORO_NULLABLE buffer, size_t size);

/* The size of its result in bytes: 0 if that is void. Or -ESRCH. Call from: anywhere. */
ssize_t coro_target_result_size(coro_target_t target);

/* Declares a struct, so that it may be passed and returned by value: coro_struct_register("point", "double x; double y;").
   It is `struct point` in prototypes, and `point`. fields: as between the braces in C; any type of a parameter, arrays with
   their length, structs that were registered before; no bit-fields, unions or alignment of its own; 64 KiB at most. It is never
   forgotten.
   Returns 0, also for the same again, or -EINVAL (with the place and the reason), -EEXIST (other fields), -ENOMEM.
   Call from: anywhere. */
int coro_struct_register(const char *CORO_NULLABLE name, const char *CORO_NULLABLE fields);

/* The size of a registered struct, and where a field begins in it; in bytes. Or -ENOENT, -EINVAL (NULL).
   Call from: anywhere. */
ssize_t coro_struct_size(const char *CORO_NULLABLE name);
ssize_t coro_struct_offset(const char *CORO_NULLABLE name, const char *CORO_NULLABLE field);

/* Kinds of coro_value. */
#define CORO_VALUE_DEFAULT 0  /* the parameter's default */
#define CORO_VALUE_SIGNED 1   /* as.i */
#define CORO_VALUE_UNSIGNED 2 /* as.u */
#define CORO_VALUE_DOUBLE 3   /* as.d */
#define CORO_VALUE_POINTER 4  /* as.p; texts too */
#define CORO_VALUE_BYTES 5    /* a struct or a long double: the `size` bytes at as.p */
#define CORO_VALUE_VOID 6     /* there is no result */

/* An argument or a result with its type, for who calls without a C compiler's help. It is converted to the parameter's type
   where nothing is lost: an integer must fit; one that is exact in a floating-point type may be passed for that; a double for a
   float is rounded. Everything else is an error: so is a number for a pointer. */
typedef struct coro_value {
    uint32_t kind; /* CORO_VALUE_... */
    uint32_t size; /* of CORO_VALUE_BYTES; else 0 */
    union {
        int64_t i;
        uint64_t u;
        double d;
        const void *CORO_NULLABLE p;
    } as;
} coro_value;

/* A value of a C type: for languages to which unions are foreign, and for CORO_ARGS. bytes: not copied. ..._value returns what
   it is given. Call from: anywhere. */
coro_value coro_value_of_signed(int64_t value);
coro_value coro_value_of_unsigned(uint64_t value);
coro_value coro_value_of_double(double value);
coro_value coro_value_of_pointer(const void *CORO_NULLABLE value);
coro_value coro_value_of_bytes(const void *CORO_NULLABLE bytes, size_t size);
coro_value coro_value_of_value(coro_value value);

/* In C11, arguments as values: coro_spawn_args(t, CORO_ARGS("a.png", 640)). From one to 16 numbers (no long double), pointers
   and texts, and coro_values, for a struct by coro_value_of_bytes(&point, sizeof point). Only valid in the call that it stands
   in. */
#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L && !defined(__cplusplus)
#define CORO_ARGS(...) ((const coro_value[]){CORO_ARGS_VALUES_(__VA_ARGS__)}), CORO_ARGS_COUNT_(__VA_ARGS__)
#define CORO_ARGS_COUNT_(...) \
    CORO_ARGS_17TH_(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define CORO_ARGS_VALUES_(...) \
    CORO_ARGS_17TH_(__VA_ARGS__, CORO_ARGS_16_, CORO_ARGS_15_, CORO_ARGS_14_, CORO_ARGS_13_, CORO_ARGS_12_, CORO_ARGS_11_, \
                    CORO_ARGS_10_, CORO_ARGS_9_, CORO_ARGS_8_, CORO_ARGS_7_, CORO_ARGS_6_, CORO_ARGS_5_, CORO_ARGS_4_, \
                    CORO_ARGS_3_, CORO_ARGS_2_, CORO_VALUE_, 0)(__VA_ARGS__)
#define CORO_ARGS_17TH_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, it, ...) it
#define CORO_ARGS_2_(x, ...) CORO_VALUE_(x), CORO_VALUE_(__VA_ARGS__)
#define CORO_ARGS_3_(x, ...) CORO_VALUE_(x), CORO_ARGS_2_(__VA_ARGS__)
#define CORO_ARGS_4_(x, ...) CORO_VALUE_(x), CORO_ARGS_3_(__VA_ARGS__)
#define CORO_ARGS_5_(x, ...) CORO_VALUE_(x), CORO_ARGS_4_(__VA_ARGS__)
#define CORO_ARGS_6_(x, ...) CORO_VALUE_(x), CORO_ARGS_5_(__VA_ARGS__)
#define CORO_ARGS_7_(x, ...) CORO_VALUE_(x), CORO_ARGS_6_(__VA_ARGS__)
#define CORO_ARGS_8_(x, ...) CORO_VALUE_(x), CORO_ARGS_7_(__VA_ARGS__)
#define CORO_ARGS_9_(x, ...) CORO_VALUE_(x), CORO_ARGS_8_(__VA_ARGS__)
#define CORO_ARGS_10_(x, ...) CORO_VALUE_(x), CORO_ARGS_9_(__VA_ARGS__)
#define CORO_ARGS_11_(x, ...) CORO_VALUE_(x), CORO_ARGS_10_(__VA_ARGS__)
#define CORO_ARGS_12_(x, ...) CORO_VALUE_(x), CORO_ARGS_11_(__VA_ARGS__)
#define CORO_ARGS_13_(x, ...) CORO_VALUE_(x), CORO_ARGS_12_(__VA_ARGS__)
#define CORO_ARGS_14_(x, ...) CORO_VALUE_(x), CORO_ARGS_13_(__VA_ARGS__)
#define CORO_ARGS_15_(x, ...) CORO_VALUE_(x), CORO_ARGS_14_(__VA_ARGS__)
#define CORO_ARGS_16_(x, ...) CORO_VALUE_(x), CORO_ARGS_15_(__VA_ARGS__)
#define CORO_VALUE_(x) \
    _Generic((x), bool: coro_value_of_unsigned, char: coro_value_of_signed, signed char: coro_value_of_signed, \
             unsigned char: coro_value_of_unsigned, short: coro_value_of_signed, unsigned short: coro_value_of_unsigned, \
             int: coro_value_of_signed, unsigned: coro_value_of_unsigned, long: coro_value_of_signed, \
             unsigned long: coro_value_of_unsigned, long long: coro_value_of_signed, \
             unsigned long long: coro_value_of_unsigned, float: coro_value_of_double, double: coro_value_of_double, \
             coro_value: coro_value_of_value, default: coro_value_of_pointer)(x)
#endif

/* Creates a coroutine that runs the target with these arguments: coro_new_... does not start it, coro_spawn_... queues it,
   coro_start_now_... runs it at once, as coro_new(), coro_spawn() and coro_start_now() do. The arguments are read before the
   call returns. It is named after its target.
   ..._target: one argument for each parameter, of its type, as C passes them to variadic functions; for a struct its address.
     Nothing can be checked and nothing left out: a double for an int, or one too few, is undefined behaviour.
   ..._named: the same, of the target of that name.
   ..._args: n values, checked. Parameters that have a default may be missing at the end.
   ..._kwargs: n values, each with the name of its parameter, in any order. Values before all others may have NULL for a name:
     they are for the first parameters. "thread_name" is the coroutine's name, unless a parameter is called so.
   Returns its id, or the errors of coro_new(), and
     -EINVAL  an argument is missing, or one too many, or unknown, or given twice, or not of the parameter's type (which nobody
              can tell of variadic ones); coro_error_detail() names the parameter
     -ERANGE  a number does not fit its parameter
     -ESRCH   no such target (-ENOENT: no target of that name)
     CORO_EYIELDFROMMAIN  coro_start_now_...: in a callback that must not suspend
   On an error what is passed for owned parameters stays the caller's.
   Suspends: only coro_start_now_..., as coro_start_now(). Call from: anywhere; it will belong to the calling thread's loop. */
coro_t coro_new_target(coro_target_t target, ...);
coro_t coro_spawn_target(coro_target_t target, ...);
coro_t coro_start_now_target(coro_target_t target, ...);
coro_t coro_new_named(const char *CORO_NULLABLE name, ...);
coro_t coro_spawn_named(const char *CORO_NULLABLE name, ...);
coro_t coro_start_now_named(const char *CORO_NULLABLE name, ...);
coro_t coro_new_args(coro_target_t target, const coro_value *CORO_NULLABLE values, int n);
coro_t coro_spawn_args(coro_target_t target, const coro_value *CORO_NULLABLE values, int n);
coro_t coro_start_now_args(coro_target_t target, const coro_value *CORO_NULLABLE values, int n);
coro_t coro_new_kwargs(coro_target_t target, const char *CORO_NULLABLE const *CORO_NULLABLE names,
                       const coro_value *CORO_NULLABLE values, int n);
coro_t coro_spawn_kwargs(coro_target_t target, const char *CORO_NULLABLE const *CORO_NULLABLE names,
                         const coro_value *CORO_NULLABLE values, int n);
coro_t coro_start_now_kwargs(coro_target_t target, const char *CORO_NULLABLE const *CORO_NULLABLE names,
                             const coro_value *CORO_NULLABLE values, int n);

/* coro_spawn_kwargs with options, and coro_new_kwargs. names NULL: no value has a name. options NULL: defaults;
   options->release must be NULL. */
coro_t coro_spawn_kwargs_with(coro_target_t target, const char *CORO_NULLABLE const *CORO_NULLABLE names,
                              const coro_value *CORO_NULLABLE values, int n, const coro_options *CORO_NULLABLE options);
coro_t coro_new_kwargs_with(coro_target_t target, const char *CORO_NULLABLE const *CORO_NULLABLE names,
                            const coro_value *CORO_NULLABLE values, int n, const coro_options *CORO_NULLABLE options);

/* coro_join() for the result of a target: its bytes, `size` of them, are stored at result, as a variable of the result's type
   has them (an int8_t is one byte). result NULL and size 0: the result is not wanted. For a coroutine that runs a coro_fn, the
   result is its pointer. If it failed, the bytes become zero. (coro_join() itself gives what fits a pointer: an integer or a
   pointer widened to it, and NULL for all other results.)
   Returns: as coro_join, and -EINVAL if the result has another size: then nothing was waited for. Suspends: as coro_join.
   Call from: its thread. */
int coro_join_result(coro_t co, void *CORO_NULLABLE result, size_t size, int64_t timeout);

/* The same with the result's type: value->kind becomes that of the result (CORO_VALUE_VOID if there is none). A struct or a
   long double is stored at value->as.p, where value->size bytes must be, if value->kind is CORO_VALUE_BYTES at the call. If it
   failed, value is as it was. Errors: as coro_join_result; -EINVAL too if value is NULL. */
int coro_join_value(coro_t co, coro_value *CORO_NULLABLE value, int64_t timeout);

/* ==================================================================================================== Trampolines */
/*
 * A target as a plain C function pointer of its signature, made at run time: to be called by whoever takes a callback,
 * qsort(3) or a library that has never heard of coroutines. A call makes a coroutine that runs the target with the arguments
 * of the call.
 *
 * Where such a function's code comes from: up to CORO_TRAMPOLINES_IN_TEXT trampolines at a time are thunks in libcoro's own
 * code, and no memory is ever both writable and executable, which systems that harden processes (SELinux's execmem,
 * systemd's MemoryDenyWriteExecute) demand. Further ones are libffi's closures, for which most builds of libffi map memory that
 * is both. Targets without trampolines need neither.
 *
 * Texts are copied and `owned` arguments freed as for any call of a target, but that CORO_TRAMPOLINE_DIRECT passes texts as
 * they are. Who calls a function can't be told of an error, so owned arguments are freed also if the call could not run its
 * target.
 */

#define CORO_TRAMPOLINES_IN_TEXT 1024

/* A trampoline. Positive; never reused; a negative value is an error. */
typedef int64_t coro_trampoline_t;

/* What a call of the function does: modes of coro_trampoline_new. */
/* Spawns the target on the calling thread's loop, detached, and returns at once what coro_trampoline_options.otherwise says.
   On a thread of the pool (see Blocking work), which has no loop, nothing is run: CORO_EYIELDFROMMAIN. */
#define CORO_TRAMPOLINE_SPAWN 1
/* Runs the target on the calling thread's loop, as coro_start_now(), waits for its end, and returns its result, with errno as
   the target left it. Suspends its caller, as if it had called the target itself: what interrupts it is raised in the target,
   or, if that has not seen it at its end, in the caller's next suspending call. The end is waited for in any case, for the
   arguments may point to the caller's stack. In a callback that must not suspend, in strict mode on a thread's own stack, and
   on a thread of the pool nothing is run: CORO_EYIELDFROMMAIN. */
#define CORO_TRAMPOLINE_CALL 2
/* Posts the call to the loop of the thread that made the trampoline, as coro_post(), where the target is spawned, detached;
   may be called on any thread, and returns at once what coro_trampoline_options.otherwise says. When that thread has ended,
   nothing is run: -ESRCH. */
#define CORO_TRAMPOLINE_POST 3
/* Runs the target there and then, in its caller, whatever that is: a closure as a C function, without a coroutine. What it
   tells coro_fail() is the caller's failure. */
#define CORO_TRAMPOLINE_DIRECT 4

/* Flag of coro_trampoline_options: the target's first parameter, which must be a pointer that is not `owned`, is not one of the
   function's: it gets options->context. So a C function with a context becomes one without. */
#define CORO_TRAMPOLINE_CONTEXT 0x1

/* How to make a trampoline. Start from CORO_TRAMPOLINE_OPTIONS_INIT or coro_trampoline_options_init(): beside struct_size, zero
   is the default. */
typedef struct coro_trampoline_options {
    size_t struct_size;           /* sizeof(coro_trampoline_options) */
    void *CORO_NULLABLE context;  /* see CORO_TRAMPOLINE_CONTEXT */
    const void *CORO_NULLABLE otherwise; /* points to what a call returns that has no result of the target to return: it only
                                     starts it, or could not, or the target failed. Of the result's type; copied; NULL: zero */
    uint32_t flags;               /* CORO_TRAMPOLINE_CONTEXT; default none */
    uint32_t reserved;            /* 0 */
} coro_trampoline_options;

#define CORO_TRAMPOLINE_OPTIONS_INIT { sizeof(coro_trampoline_options), NULL, NULL, 0, 0 }

/* Fills in the defaults: the same as CORO_TRAMPOLINE_OPTIONS_INIT. Call from: anywhere. */
void coro_trampoline_options_init(coro_trampoline_options *CORO_NONNULL options);

/* Makes a trampoline. mode: one of the above. options NULL: defaults. It keeps the target, which may be unregistered.
   Returns it, or -EINVAL (mode, an option, a target whose first parameter can't be the context), -ESRCH (no such target),
   -ENOMEM, or the errno of mapping memory for code: -EACCES where the system forbids it; CORO_TRAMPOLINE_POST: also -errno if
   the loop can't be set up. Call from: anywhere. */
coro_trampoline_t coro_trampoline_new(coro_target_t target, int mode,
                                      const coro_trampoline_options *CORO_NULLABLE options);

/* The function: cast it to the target's type (less the context). Valid until coro_trampoline_free(). NULL: no such trampoline.
   Call from: anywhere. */
coro_function CORO_NULLABLE coro_trampoline_function(coro_trampoline_t trampoline);

/* Frees a trampoline. Calls that are under way end as they would, also if one of them does this; calls that are posted are run.
   A function that is called after it was freed does nothing, says so on stderr and returns zero, as long as its place is not
   taken by another: the 256 that were freed last are kept for that. Beyond that it is undefined.
   Returns 0, or -ESRCH: it was freed, or never was. Call from: anywhere. */
int coro_trampoline_free(coro_trampoline_t trampoline);

/* What the last call that could not run its target, or whose target failed, met: a negative error, or 0 if none has. Such an
   error is told as well: that of a target to the notifier, as ever; that of a call on stderr, a line each. Or -ESRCH.
   Call from: anywhere. */
int coro_trampoline_error(coro_trampoline_t trampoline);

/* =============================================================================================== Objects that run */
/*
 * For languages where one subclasses a "thread" and overrides its method: an object is run, by what is in its slot.
 */

/* An object with a slot for what its coroutine runs. Put it first in a struct of your own, and start from CORO_RUNNABLE_INIT or
   coro_runnable_init(). */
typedef struct coro_runnable coro_runnable;
struct coro_runnable {
    size_t struct_size; /* sizeof(coro_runnable) */
    /* What the coroutine runs; read when it first runs. What it returns is the coroutine's result. NULL then: the coroutine
       fails with -EINVAL. */
    void *CORO_NULLABLE (*CORO_NULLABLE run)(coro_runnable *CORO_NONNULL self);
    /* Called once, when run has returned or the coroutine was cancelled; read then; not when creating it failed. It may free
       the object, must not suspend, and can't fail the coroutine any more. */
    void (*CORO_NULLABLE release)(coro_runnable *CORO_NONNULL self);
};

#define CORO_RUNNABLE_INIT { sizeof(coro_runnable), NULL, NULL }

/* Fills in the defaults: the same as CORO_RUNNABLE_INIT. Call from: anywhere. */
void coro_runnable_init(coro_runnable *CORO_NONNULL object);

/* Creates a coroutine that runs the object, which must live until its release is called, or, without one, until run has
   returned. coro_new_runnable does not start it; coro_spawn_runnable queues it, or runs it at once (CORO_START_NOW).
   options NULL: defaults; options->release must be NULL; the name is options->name, or "coro <id>". An object may be run by
   several
   coroutines: release is called for each.
   Returns and errors: as coro_new and coro_spawn_with; -EINVAL too if object is NULL or its struct_size is wrong. Call from:
   anywhere. */
coro_t coro_new_runnable(coro_runnable *CORO_NULLABLE object, const coro_options *CORO_NULLABLE options);
coro_t coro_spawn_runnable(coro_runnable *CORO_NULLABLE object, const coro_options *CORO_NULLABLE options);

/* The object that the running coroutine runs; NULL if it runs none. Call from: anywhere. */
coro_runnable *CORO_NULLABLE coro_current_runnable(void);

/* ======================================================================================================== Threads */
/*
 * Each thread has coroutines and objects of its own, so nothing of them needs a lock. What threads hand each other is work.
 */

/* A thread's loop, as other threads name it. Positive; never reused; a negative value is an error. */
typedef int64_t coro_loop_t;

/* This thread's loop, which is made if there is none: pass it to the threads that shall post. Call from: anywhere. */
coro_loop_t coro_loop_current(void);

/* Runs fn(arg) in a new, detached coroutine on `loop`'s thread, waking that thread if it waits. Posts of one thread run
   in their order, when that thread runs its loop.
   Returns 0, -ESRCH (no such loop, or its thread has ended), -EINVAL (fn NULL), -ENOMEM. Call from: anywhere; does not
   suspend. */
int coro_post(coro_loop_t loop, coro_fn CORO_NULLABLE fn, void *CORO_NULLABLE arg);

/* Calls fn(arg) on `loop`'s thread, on that thread's own stack between two coroutines, waking it if it waits: for what is over
   at once, as handing on what another runtime has done; no coroutine is made for it. fn must not suspend, nor run a loop
   (CORO_EYIELDFROMMAIN), nor throw. In the order of coro_post(), of which it is one more kind: while fn runs, none of the
   thread's coroutines does, and coro_current() is 0. What it posts to its own loop is for the next pass. It is called once: at
   the latest as the thread ends, so that nobody waits for ever for what it hands on, and arg can be freed there. (What it then
   posts to that loop is called too, or refused as by one whose thread has ended.) Returns and errors: as coro_post; it is not
   called where this is an error. Call from: anywhere, the loop's own thread too; does not suspend. */
int coro_post_callback(coro_loop_t loop, void (*CORO_NULLABLE fn)(void *CORO_NULLABLE arg), void *CORO_NULLABLE arg);

/* The loop of the thread that a coroutine belongs to: where to post what is to be done with it. Returns it, CORO_EDEAD (its
   thread has ended), -ESRCH (there never was such a coroutine). Whether the coroutine itself is still there only its thread
   can tell. Call from: anywhere. */
coro_loop_t coro_loop_of(coro_t co);

/* -------------------------------------------------------------------------------------------------------- Promises */
/*
 * What something outside the loop will deliver, once: another thread, a library with threads of its own, Swift's tasks. The
 * loop that coroutines wait on for it knows that it is to come, and is not idle meanwhile.
 *
 *     coro_promise *answer = coro_promise_new(NULL);
 *     ask(question, on_answer, answer);               (any thread, later: coro_promise_keep(answer, 0, text))
 *     void *text = NULL;
 *     int code = coro_promise_wait(answer, &text);
 *     coro_promise_free(answer);
 *
 * It has two sides: who keeps it, once, and who has made it, and frees it, once. The one may be done before the other. The
 * child of a fork has copies of those there are: what another thread was to keep is not kept there.
 */
typedef struct coro_promise coro_promise;

/* A new one. release (may be NULL) is called with the value that it was kept with, if that is not NULL: by coro_promise_free(),
   or by coro_promise_keep() if that comes later, on the thread that calls that; it must not suspend. NULL without memory.
   Ownership: both sides, as above. Call from: anywhere; it belongs to the calling thread's loop. */
coro_promise *CORO_NULLABLE coro_promise_new(void (*CORO_NULLABLE release)(void *CORO_NULLABLE value));

/* Keeps it: all who wait get `code`, 0 or negative, and `value`, as does everybody later. To be called exactly once, or its
   memory stays. Then `promise` is no longer the caller's. On its thread it is kept when this returns; from others the news come
   between two passes of the loop, which is woken if it waits. It may come late: after coro_promise_free(), and when the thread
   has ended. Returns 0, -EINVAL (NULL, or code is positive: then it is still to be kept), -EALREADY (it was kept before: not
   always seen). Call from: anywhere; does not suspend. */
int coro_promise_keep(coro_promise *CORO_NULLABLE promise, int code, void *CORO_NULLABLE value);

/* Waits until it is kept. Suspends, unless it is. Any number may wait; they go on in the order they came. *value (if not NULL)
   is what it was kept with, and still the promise's: there until that is freed. While anybody waits, the loop is not idle, and
   there is no deadlock. Returns its code, 0 or negative, or
     the code the caller was interrupted with, with *value NULL: the promise stays
     CORO_ECLOSED  it was freed meanwhile
     CORO_EWRONGTHREAD, -EINVAL (NULL), CORO_EYIELDFROMMAIN, on a thread's own stack: -errno if the loop can't wait
   Call from: its thread. */
int coro_promise_wait(coro_promise *CORO_NULLABLE promise, void *CORO_NULLABLE *CORO_NULLABLE value);

/* Whether it is kept, as far as its thread knows: the news come between two passes of its loop. false for NULL. Call from: its
   thread. */
bool coro_promise_is_kept(const coro_promise *CORO_NULLABLE promise);

/* The maker's side is done with it: to be called once, before its thread ends. Those who wait get CORO_ECLOSED. NULL is fine.
   Returns 0, or CORO_EWRONGTHREAD (then nothing is done). Does not suspend. Call from: its thread. */
int coro_promise_free(coro_promise *CORO_NULLABLE promise);

/* ============================================================================================ Hooks for host languages */
/*
 * An interpreter keeps state per thread: its current frame, its exceptions, how deep it is. Coroutines share a thread, so that
 * state has to be changed with each switch; and who has a global lock wants to give it up while the loop waits. See
 * docs/host-languages.md.
 *
 * The hooks hold for the calling thread. They are called with suspending forbidden (CORO_EYIELDFROMMAIN), must not throw, and
 * take what stack they need from the coroutine's. What they do to errno is undone.
 */

/* What to do when one coroutine makes way for another. Each function may be NULL. `state` points to a pointer of the
   coroutine's own for this, NULL at first; 0, the thread's own stack, has one too.

   Every switch is a leave (or end) and an enter: of one coroutine and the next, or, by way of the loop, of 0 and of who it
   runs. For the loop is run by 0: where nobody can run, 0 waits, and it is not left by that. A call that comes back without
   another
   having run is no switch. */
typedef struct coro_switch_hooks {
    size_t struct_size;          /* sizeof(coro_switch_hooks) */
    void *CORO_NULLABLE context; /* passed to all */
    /* `co` is about to be left: save what the thread has for it. Runs on its stack, and coro_current() is `co`. */
    void (*CORO_NULLABLE leave)(void *CORO_NULLABLE context, coro_t co, void *CORO_NULLABLE *CORO_NONNULL state);
    /* `co` goes on, or begins: restore it. Runs on its stack, before anything else of it; coro_current() is `co`. One that had
       begun when the hooks were set is entered without having been left: *state is NULL then. */
    void (*CORO_NULLABLE enter)(void *CORO_NULLABLE context, coro_t co, void *CORO_NULLABLE *CORO_NONNULL state);
    /* `co` has run its last: instead of leave, on its stack, after all other code of its own; free its state. It is not called
       for one that has never run, nor for one that is suspended when its thread ends, nor for 0. */
    void (*CORO_NULLABLE end)(void *CORO_NULLABLE context, coro_t co, void *CORO_NULLABLE *CORO_NONNULL state);
} coro_switch_hooks;

#define CORO_SWITCH_HOOKS_INIT { sizeof(coro_switch_hooks), NULL, NULL, NULL, NULL }

/* Fills in the defaults: the same as CORO_SWITCH_HOOKS_INIT. Call from: anywhere. */
void coro_switch_hooks_init(coro_switch_hooks *CORO_NONNULL hooks);

/* Sets this thread's switch hooks, which are copied, in the place of those it has; NULL: none, which is the default. Every
   switch of the thread then costs their calls; without them it costs nothing. The caller is not entered by this, nor left: its
   state is that which the thread has now. Where hooks take the place of others the states stay as they are; when they are taken
   away all are NULL again, and what they point to is for its owner to free. The child of a fork has them too.
   Returns 0; or, with nothing changed, -EINVAL (struct_size), -ENOMEM, CORO_EYIELDFROMMAIN (in a hook). Call from: anywhere. */
int coro_set_switch_hooks(const coro_switch_hooks *CORO_NULLABLE hooks);

/* The running coroutine's state for the switch hooks, as they see it: for who sets it at another time. Valid until it ends.
   NULL: there are no hooks. Call from: anywhere. */
void *CORO_NULLABLE *CORO_NULLABLE coro_switch_state(void);

/* What to do around the loop's wait: give up the interpreter's lock, and take it again. Each may be NULL. They are called only
   where the thread may really sleep, in pairs however the wait ends, on the thread's own stack, as 0. The loop that a call on
   that stack runs calls them too. Until when to wait has been decided before: before_wait should be short. */
typedef struct coro_poll_hooks {
    size_t struct_size;          /* sizeof(coro_poll_hooks) */
    void *CORO_NULLABLE context; /* passed to both */
    void (*CORO_NULLABLE before_wait)(void *CORO_NULLABLE context);
    void (*CORO_NULLABLE after_wait)(void *CORO_NULLABLE context);
} coro_poll_hooks;

#define CORO_POLL_HOOKS_INIT { sizeof(coro_poll_hooks), NULL, NULL, NULL }

/* Fills in the defaults: the same as CORO_POLL_HOOKS_INIT. Call from: anywhere. */
void coro_poll_hooks_init(coro_poll_hooks *CORO_NONNULL hooks);

/* Sets this thread's poll hooks, which are copied, in the place of those it has; NULL: none, which is the default. The child of
   a fork has them too. Returns 0, or -EINVAL (struct_size), -ENOMEM, CORO_EYIELDFROMMAIN (in a hook). Call from: anywhere. */
int coro_set_poll_hooks(const coro_poll_hooks *CORO_NULLABLE hooks);

/* ======================================================================================================== Testing */
/*
 * For tests of programs that use libcoro, and of libcoro itself: time that passes only when nothing can run, run orders
 * drawn from a seed, system calls that fail on demand. All hold for the calling thread, and are off by default.
 */

/* Puts this thread's loop on virtual time, which stands still while coroutines run and jumps to the next deadline when
   the loop would wait for it. It stands still too while the thread pool or the kernel works for the loop (coro_blocking(),
   files, names); and while somebody waits for a promise, and nobody can run, it passes as real time does. false: back to
   the real clock. Call from: anywhere. */
int coro_test_set_virtual_time(bool on);

/* Moves the loop's time on by ns (it never goes back), real or virtual. Returns 0, or -EINVAL. Call from: anywhere. */
int coro_test_step_time(int64_t ns);

/* Moves the loop's time on to `when`, a time of coro_get_now(); it stays as it is if that has gone by. Returns 0.
   Call from: anywhere. */
int coro_test_set_time(int64_t when);

/* Runs the runnable coroutines in an order drawn from seed, instead of first in, first out; 0: back to that. The same
   seed gives the same order. Call from: anywhere. */
int coro_test_set_order_seed(uint64_t seed);

/* Makes the n-th call from now (1 is the next) of a system call that libcoro makes fail with `error` (an errno value, as
   EMFILE). call: its name ("accept4", "epoll_ctl", "mmap", "read", ...). n 0: takes it back. Returns 0, or -EINVAL for a
   name that is not one of libcoro's. Call from: anywhere. */
int coro_test_fail_call(const char *CORO_NULLABLE call, int n, int error);

/* What coro_set_latency_warning() multiplies by, in place of 0.2 s, in ns; 0: back to that. Returns 0, or -EINVAL for less
   than 0 or more than a second. Call from: anywhere. */
int coro_test_set_latency_unit(int64_t ns);

/* What is called on the pool's threads instead of getaddrinfo(3), and gives lists for freeaddrinfo(3); NULL: back to that.
   Numeric addresses do not come to it. Holds for the process. Call from: anywhere. */
void coro_test_set_resolver(int (*CORO_NULLABLE resolver)(const char *CORO_NULLABLE node, const char *CORO_NULLABLE service,
                                                          const struct addrinfo *CORO_NULLABLE hints,
                                                          struct addrinfo *CORO_NULLABLE *CORO_NONNULL res));

/* How long a thread of the pool waits for work before it ends, in ns, instead of 10 seconds; 0: back to that. Returns 0, or
   -EINVAL. Holds for the process. Call from: anywhere. */
int coro_test_set_blocking_idle_time(int64_t ns);

/* Makes the rings of io_uring that are made from now on have room for n requests (a power of two) and twice as many answers; 0:
   as many as is usual. Holds for the process. Call from: anywhere. */
void coro_test_set_ring_size(unsigned n);

/* Makes the stacks that are mapped from now on use mprotect guards, as on kernels before 6.13. Holds for the process.
   Call from: anywhere. */
void coro_test_set_mprotect_guards(bool on);

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#ifdef __cplusplus
}
#endif

#endif /* CORO_H */
