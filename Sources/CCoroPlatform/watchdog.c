/* The watchdog's thread: starting it, its sleep, and what a fork does to it. */
#define _GNU_SOURCE
#include "watchdog.h"
#include "coro_tools.h"
#include "system_call.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint32_t coro_watchdog_state;
static void (*run_watchdog)(void);

coro_slice coro_watch_look(const coro_loop_watch *watch) {
    coro_slice slice = {0};
    slice.activity = __atomic_load_n(&watch->activity, __ATOMIC_SEQ_CST);
    slice.batches = __atomic_load_n(watch->batches, __ATOMIC_RELAXED);
    slice.starts = __atomic_load_n(watch->starts, __ATOMIC_RELAXED);
    slice.budget = __atomic_load_n(watch->budget, __ATOMIC_RELAXED);
    slice.current = __atomic_load_n(watch->current, __ATOMIC_ACQUIRE);
    return slice;
}

int32_t coro_watch_thread_id(void) {
    return (int32_t)syscall(SYS_gettid);
}

bool coro_watch_has_signal_stack(void) {
    stack_t current;
    return sigaltstack(NULL, &current) == 0 && !(current.ss_flags & SS_DISABLE);
}

void coro_futex_wait(const uint32_t *word, uint32_t value, const struct timespec *limit) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, limit, NULL, 0);
}

void coro_futex_wake(const uint32_t *word) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* -- descriptors -- */

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2
#endif

/* Whether the watchdog has a table of descriptors of its own: empty, but for what it opens for a moment. */
static bool apart;

static bool knows(long result) {
    return result >= 0 || (errno != ENOSYS && errno != EPERM);
}

/* As long as two threads share one table of descriptors, the kernel counts each use of each of them: that made a round trip
   through pipes slower by an eighth. So the watchdog leaves the program's table to the program, and what it opens takes
   nobody's numbers. It needs a way to the program's stderr then (Linux 5.11 has all of this). */
static void leave_descriptors(void) {
    apart = !coro_tools_on_valgrind() && knows(syscall(SYS_pidfd_open, 0, 0)) && knows(syscall(SYS_pidfd_getfd, -1, 0, 0)) &&
            syscall(SYS_close_range, 0, ~0U, CLOSE_RANGE_UNSHARE) == 0;
}

static int open_stderr(int32_t thread) {
    int process = (int)syscall(SYS_pidfd_open, getpid(), 0);
    int copy = (int)syscall(SYS_pidfd_getfd, process, 2, 0);
    if (process >= 0) close(process);
    if (copy >= 0) return copy;
    /* A process whose first thread has ended has no descriptors in that sense; its other threads have. */
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/fd/2", thread);
    return open(path, O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
}

void coro_watchdog_write(int32_t thread, const char *text, size_t n) {
    int fd = apart ? open_stderr(thread) : 2;
    if (fd < 0) return;
    coro_watchdog_allow_fork();
    coro_system_write_all(fd, text, n);
    coro_watchdog_forbid_fork();
    if (apart) close(fd);
}

/* -- the thread -- */

static void *watchdog(void *unused) {
    pthread_setname_np(pthread_self(), "coro-watchdog");
    leave_descriptors();
    coro_watchdog_forbid_fork();
    run_watchdog();
    coro_watchdog_allow_fork();
    return unused;
}

/* It has all signals blocked, so that none of the program's are handled on it. */
static void start(void) {
    enum { STACK_SIZE = 256 * 1024 }; /* touched only as far as needed; the C library keeps all thread-locals on it */
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    if (CORO_FAULT(pthread_create) || pthread_attr_init(&attributes) != 0) return;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    (void)!pthread_create(&thread, &attributes, watchdog, NULL); /* without one nothing is reported, and all else goes on */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

static bool change_state(uint32_t from, uint32_t to) {
    return __atomic_compare_exchange_n(&coro_watchdog_state, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void coro_watchdog_alert(void (*run)(void)) {
    if (change_state(CORO_WATCHDOG_NONE, CORO_WATCHDOG_AWAKE)) {
        __atomic_store_n(&run_watchdog, run, __ATOMIC_RELAXED); /* the same for all */
        start();
    } else {
        coro_watchdog_wake();
    }
}

void coro_watchdog_wake(void) {
    if (change_state(CORO_WATCHDOG_ASLEEP, CORO_WATCHDOG_AWAKE)) coro_futex_wake(&coro_watchdog_state);
}

void coro_watchdog_pause(int64_t ns) {
    struct timespec left = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    coro_watchdog_allow_fork();
    clock_nanosleep(CLOCK_MONOTONIC, 0, &left, NULL);
    coro_watchdog_forbid_fork();
}

void coro_watchdog_will_sleep(void) {
    __atomic_exchange_n(&coro_watchdog_state, CORO_WATCHDOG_ASLEEP, __ATOMIC_SEQ_CST);
}

void coro_watchdog_sleep(void) {
    coro_watchdog_allow_fork();
    while (__atomic_load_n(&coro_watchdog_state, __ATOMIC_SEQ_CST) == CORO_WATCHDOG_ASLEEP)
        coro_futex_wait(&coro_watchdog_state, CORO_WATCHDOG_ASLEEP, NULL);
    coro_watchdog_forbid_fork();
}

void coro_watchdog_will_end(void) {
    __atomic_exchange_n(&coro_watchdog_state, CORO_WATCHDOG_NONE, __ATOMIC_SEQ_CST);
}

/* -- fork -- */

/* A fork may not come into what the watchdog does: what the C library, the dynamic loader or Swift's runtime keeps locked at
   that moment would stay so in the child. So the watchdog holds this but where it waits, and a loop does for the C library. */
static pthread_mutex_t unforkable = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static _Thread_local bool fork_holds_it;

void coro_watchdog_forbid_fork(void) {
    pthread_mutex_lock(&unforkable);
}

void coro_watchdog_allow_fork(void) {
    pthread_mutex_unlock(&unforkable);
}

/* Not for ever: who forks may hold what the watchdog waits for (the dynamic loader's lock, in a library's constructor). */
void coro_watchdog_before_fork(void) {
    struct timespec limit;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += 1;
    fork_holds_it = pthread_mutex_clocklock(&unforkable, CLOCK_MONOTONIC, &limit) == 0;
}

void coro_watchdog_after_fork_in_parent(void) {
    if (fork_holds_it) pthread_mutex_unlock(&unforkable);
}

/* The thread is not there in the child, which starts one of its own when it needs it. */
void coro_watchdog_after_fork_in_child(void) {
    unforkable = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    coro_watchdog_state = CORO_WATCHDOG_NONE;
    coro_place_forked();
}

char *coro_watchdog_text(void) {
    static char text[CORO_WATCHDOG_TEXT_SIZE];
    return text;
}

void coro_watchdog_date(char *text) {
    coro_watchdog_forbid_fork();
    coro_system_date(text);
    coro_watchdog_allow_fork();
}
