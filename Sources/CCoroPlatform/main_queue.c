#define _GNU_SOURCE
#include "coro_main_queue.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What libdispatch has for CoreFoundation's run loop. Weak, for programs that have it linked in; where it is a library that
   comes later than this one, it is looked up. */
extern int _dispatch_get_main_queue_handle_4CF(void) __attribute__((weak));
extern void _dispatch_main_queue_callback_4CF(void *) __attribute__((weak));

static void (*run_queue)(void *);

/* Whether the descriptor has been asked for in this process, or one that it was forked from. */
static bool is_known;
/* Whether the queue is that of the process that this one was forked from: whose news must not be taken away. */
static bool is_of_parent;
static bool first_thread_forks;

static bool is_first_thread(void) {
    return syscall(SYS_gettid) == getpid();
}

int coro_main_queue_find(void) {
    if (is_of_parent || !is_first_thread()) return -1;
    int (*get_handle)(void) = _dispatch_get_main_queue_handle_4CF;
    run_queue = _dispatch_main_queue_callback_4CF;
    if (get_handle == NULL) *(void **)&get_handle = dlsym(RTLD_DEFAULT, "_dispatch_get_main_queue_handle_4CF");
    if (run_queue == NULL) *(void **)&run_queue = dlsym(RTLD_DEFAULT, "_dispatch_main_queue_callback_4CF");
    if (get_handle == NULL || run_queue == NULL) return -1;
    is_known = true;
    return get_handle();
}

void coro_main_queue_before_fork(void) {
    first_thread_forks = is_first_thread();
}

/* Another thread than the first is the first one now, but for libdispatch. */
void coro_main_queue_after_fork_in_child(void) {
    is_of_parent = is_of_parent || is_known || !first_thread_forks;
}

bool coro_main_queue_take(int descriptor) {
    uint64_t count;
    ssize_t size;
    do size = read(descriptor, &count, sizeof count);
    while (size < 0 && errno == EINTR);
    return size == sizeof count;
}

void coro_main_queue_run(void) {
    run_queue(NULL);
}
