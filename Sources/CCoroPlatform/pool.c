/* The thread pool for blocking work: threads that are started when there is work for them, and end when there is none. */
#define _GNU_SOURCE
#include "coro_pool.h"
#include "pool.h"
#include "system_call.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

/* Threads that wait cost nothing but memory, and a queue behind slow calls costs time: so more than a few (with four, as some
   have, four slow look-ups of names stop all reading of files). Not hundreds: work that computes shall not be spread so. */
enum { DEFAULT_LIMIT = 32 };

typedef struct queue {
    coro_pool_task *first, *last;
    int64_t count;
} queue;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;
    queue quick, slow;
    uint64_t last_turn;
    int threads, idle, running_slow;
    int limit;
    int64_t idle_time;
    uint32_t forks; /* how often the process was forked: threads of before are not the pool's */
} pool = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .work = PTHREAD_COND_INITIALIZER,
    .limit = DEFAULT_LIMIT,
    .idle_time = 10000000000,
};

static _Thread_local bool is_here;

bool coro_pool_is_here(void) {
    return is_here;
}

/* -- the queues; all behind the lock, but for what is exported -- */

static queue *queue_of(const coro_pool_task *task) {
    return task->is_slow ? &pool.slow : &pool.quick;
}

static void append(coro_pool_task *task) {
    queue *into = queue_of(task);
    task->turn = ++pool.last_turn;
    task->is_queued = true;
    task->next = NULL;
    task->previous = into->last;
    if (into->last != NULL) into->last->next = task;
    else into->first = task;
    into->last = task;
    into->count++;
}

static void take_out(coro_pool_task *task) {
    queue *from = queue_of(task);
    task->is_queued = false;
    if (task->previous != NULL) task->previous->next = task->next;
    else from->first = task->next;
    if (task->next != NULL) task->next->previous = task->previous;
    else from->last = task->previous;
    from->count--;
}

static int slow_limit(void) {
    return pool.limit < 2 ? 1 : pool.limit / 2;
}

/* How many queued tasks may begin as soon as there is a thread for them. */
static int64_t count_ready(void) {
    int64_t slow = slow_limit() - pool.running_slow;
    if (slow < 0) slow = 0;
    return pool.quick.count + (pool.slow.count < slow ? pool.slow.count : slow);
}

/* The next task to begin, taken out of its queue; NULL: none. */
static coro_pool_task *take_next(void) {
    coro_pool_task *task = pool.quick.first, *slow = pool.slow.first;
    if (slow != NULL && pool.running_slow < slow_limit() && (task == NULL || slow->turn < task->turn)) task = slow;
    if (task != NULL) take_out(task);
    return task;
}

/* -- the threads -- */

static void *work(void *unused);

/* They have all signals blocked, so that none of the program's are handled on them. */
static int start_thread(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    int error = CORO_FAULT(pthread_create);
    if (error || (error = pthread_attr_init(&attributes)) != 0) return -error;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, work, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error == 0) pool.threads++;
    return -error;
}

/* Sees to it that what may begin does. A thread that was woken and has not come yet is still idle, its task still queued. */
static int provide(void) {
    int error = 0;
    int64_t ready = count_ready();
    if (ready == 0) return 0;
    if (ready > pool.idle && pool.threads < pool.limit) error = start_thread();
    if (pool.idle > 0) pthread_cond_signal(&pool.work);
    return error;
}

/* Waits for work. false: there was none for long. */
static bool wait_for_work(void) {
    struct timespec limit;
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += pool.idle_time / 1000000000;
    limit.tv_nsec += pool.idle_time % 1000000000;
    if (limit.tv_nsec >= 1000000000) {
        limit.tv_sec++;
        limit.tv_nsec -= 1000000000;
    }
    pool.idle++;
    int error = pthread_cond_clockwait(&pool.work, &pool.lock, CLOCK_MONOTONIC, &limit);
    pool.idle--;
    return error == 0;
}

/* Returns false in the child of a fork that the task has made: it has none of the pool's threads, this one least. */
static bool run(coro_pool_task *task) {
    bool is_slow = task->is_slow;
    uint32_t forks = pool.forks;
    if (is_slow) pool.running_slow++;
    pthread_mutex_unlock(&pool.lock);
    task->run(task);
    pthread_mutex_lock(&pool.lock);
    if (pool.forks != forks) return false;
    if (is_slow) {
        pool.running_slow--;
        provide(); /* another slow one may begin, and this thread may have an older task to do first */
    }
    return true;
}

static void *work(void *unused) {
    coro_pool_task *task;
    bool is_ours = true, is_needed = true;
    pthread_setname_np(pthread_self(), "coro-pool");
    is_here = true;
    pthread_mutex_lock(&pool.lock);
    while (is_ours && is_needed) {
        if (pool.threads > pool.limit) break;
        if ((task = take_next()) != NULL) is_ours = run(task);
        else is_needed = wait_for_work() || count_ready() > 0;
    }
    if (is_ours) {
        pool.threads--;
        provide(); /* who was woken may be the one that ends */
    }
    pthread_mutex_unlock(&pool.lock);
    return unused;
}

int coro_pool_submit(coro_pool_task *task) {
    pthread_mutex_lock(&pool.lock);
    append(task);
    int error = provide();
    if (pool.threads > 0) error = 0;
    else take_out(task);
    pthread_mutex_unlock(&pool.lock);
    return error;
}

bool coro_pool_withdraw(coro_pool_task *task) {
    pthread_mutex_lock(&pool.lock);
    bool was_queued = task->is_queued;
    if (was_queued) take_out(task);
    pthread_mutex_unlock(&pool.lock);
    return was_queued;
}

/* -- settings and counts -- */

int coro_pool_set_limit(int n) {
    pthread_mutex_lock(&pool.lock);
    int before = pool.limit;
    pool.limit = n;
    for (int64_t missing = count_ready() - pool.idle; missing > 0 && pool.threads < n && start_thread() == 0;) missing--;
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.lock);
    return before;
}

int64_t coro_pool_set_idle_time(int64_t ns) {
    pthread_mutex_lock(&pool.lock);
    int64_t before = pool.idle_time;
    pool.idle_time = ns;
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.lock);
    return before;
}

coro_pool_counts coro_pool_count(void) {
    pthread_mutex_lock(&pool.lock);
    coro_pool_counts counts = {pool.threads, pool.quick.count + pool.slow.count};
    pthread_mutex_unlock(&pool.lock);
    return counts;
}

/* -- fork -- */

void coro_pool_before_fork(void) {
    pthread_mutex_lock(&pool.lock);
}

void coro_pool_after_fork_in_parent(void) {
    pthread_mutex_unlock(&pool.lock);
}

void coro_pool_after_fork_in_child(void) {
    pool.quick = pool.slow = (queue){NULL, NULL, 0};
    pool.threads = pool.idle = pool.running_slow = 0;
    pool.forks++;
    pool.work = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    pthread_mutex_unlock(&pool.lock);
}
