#include "coro_thread.h"

#include <stdlib.h>

_Thread_local void *coro_thread_slot;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static void (*slot_ended)(void *);
static pthread_mutex_t process = PTHREAD_MUTEX_INITIALIZER;
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

static void after_fork_in_child(void) {
    coro_process_unlock();
    forked_child();
}

static void register_fork_handlers(void) {
    pthread_atfork(coro_process_lock, coro_process_unlock, after_fork_in_child);
}

void coro_process_at_fork(void (*child)(void)) {
    static pthread_once_t registered = PTHREAD_ONCE_INIT;
    forked_child = child;
    pthread_once(&registered, register_fork_handlers);
}
