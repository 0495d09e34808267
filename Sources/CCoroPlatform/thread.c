#include "coro_main_queue.h"
#include "coro_thread.h"
#include "pool.h"
#include "watchdog.h"

#include <stdlib.h>

_Thread_local void *coro_thread_slot;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static void (*slot_ended)(void *);
static pthread_mutex_t process = PTHREAD_MUTEX_INITIALIZER;
static void *process_shared;
static void (*forked_child)(void);

static void make_key(void) {
    if (pthread_key_create(&key, slot_ended) != 0) abort();
}

void coro_thread_slot_set(void *value, void (*ended)(void *)) {
    coro_process_lock();
    slot_ended = ended;
    coro_process_unlock();
    pthread_once(&once, make_key);
    pthread_setspecific(key, value);
    coro_thread_slot = value;
}

void coro_thread_slot_clear(void) {
    coro_thread_slot = NULL;
}

void coro_process_lock(void) {
    pthread_mutex_lock(&process);
}

void coro_process_unlock(void) {
    pthread_mutex_unlock(&process);
}

void *coro_process_shared_get(void) {
    return process_shared;
}

void coro_process_shared_set(void *shared) {
    process_shared = shared;
}

static void before_fork(void) {
    coro_watchdog_before_fork();
    coro_process_lock();
    coro_main_queue_before_fork();
    coro_pool_before_fork();
}

static void after_fork_in_parent(void) {
    coro_pool_after_fork_in_parent();
    coro_process_unlock();
    coro_watchdog_after_fork_in_parent();
}

static void after_fork_in_child(void) {
    coro_pool_after_fork_in_child();
    coro_main_queue_after_fork_in_child();
    coro_process_unlock();
    coro_watchdog_after_fork_in_child();
    if (forked_child != NULL) forked_child();
}

/* When the library is loaded: a thread that is making the first loop while another forks would be too late. */
__attribute__((constructor)) static void register_fork_handlers(void) {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

void coro_process_set_fork_child(void (*child)(void)) {
    forked_child = child;
}
