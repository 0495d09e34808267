/* Rows I1-I5, I8 and I10: what is not a lock, or another thread's; no memory; where nothing may suspend. */
#include "coroutines.h"

#include <pthread.h>

static coro_semaphore *semaphore;
static coro_inverted_semaphore *inverted;
static coro_mutex *mutex;
static coro_rwlock *rwlock;
static coro_condition *condition;
static coro_keyed_locks *locks;

static void make_all(void) {
    semaphore = coro_semaphore_new(0);
    inverted = coro_inverted_semaphore_new(1);
    mutex = coro_mutex_new();
    rwlock = coro_rwlock_new();
    condition = coro_condition_new();
    locks = coro_keyed_locks_new();
}

static void forget_all(void) {
    semaphore = NULL, inverted = NULL, mutex = NULL, rwlock = NULL, condition = NULL, locks = NULL;
}

/* That every function returns `code`. */
static void check_all(int code) {
    uint64_t keys[] = {1, 2};
    void *value = &value;
    CHECK_EQ(coro_semaphore_acquire(semaphore, 1), code);
    CHECK_EQ(coro_semaphore_try_acquire(semaphore, 1), code);
    CHECK_EQ(coro_semaphore_release(semaphore, 1), code);
    CHECK_EQ(coro_semaphore_available(semaphore), code);
    CHECK_EQ(coro_semaphore_waiting(semaphore), code);
    CHECK_EQ(coro_inverted_semaphore_acquire(inverted, 1), code);
    CHECK_EQ(coro_inverted_semaphore_release(inverted, 1), code);
    CHECK_EQ(coro_inverted_semaphore_wait_zero(inverted), code);
    CHECK_EQ(coro_inverted_semaphore_value(inverted), code);
    CHECK_EQ(coro_mutex_lock(mutex), code);
    CHECK_EQ(coro_mutex_try_lock(mutex), code);
    CHECK_EQ(coro_mutex_unlock(mutex), code);
    CHECK_EQ(coro_mutex_waiting(mutex), code);
    CHECK_EQ(coro_rwlock_read_lock(rwlock), code);
    CHECK_EQ(coro_rwlock_write_lock(rwlock), code);
    CHECK_EQ(coro_rwlock_try_read_lock(rwlock), code);
    CHECK_EQ(coro_rwlock_try_write_lock(rwlock), code);
    CHECK_EQ(coro_rwlock_read_unlock(rwlock), code);
    CHECK_EQ(coro_rwlock_write_unlock(rwlock), code);
    CHECK_EQ(coro_rwlock_waiting(rwlock), code);
    CHECK_EQ(coro_condition_wait(condition, &value), code);
    CHECK(value == NULL);
    value = &value;
    CHECK_EQ(coro_condition_wait_with(condition, mutex, &value), code);
    CHECK(value == NULL);
    CHECK_EQ(coro_condition_wake_one(condition, NULL), code);
    CHECK_EQ(coro_condition_wake(condition, 1, NULL), code);
    CHECK_EQ(coro_condition_wake_all(condition, NULL), code);
    CHECK_EQ(coro_condition_raise_all(condition, -ENOLINK), code);
    CHECK_EQ(coro_condition_waiting(condition), code);
    CHECK_EQ(coro_keyed_locks_lock(locks, 1), code);
    CHECK_EQ(coro_keyed_locks_lock_many(locks, keys, 2), code);
    CHECK_EQ(coro_keyed_locks_try_lock(locks, 1), code);
    CHECK_EQ(coro_keyed_locks_unlock(locks, 1), code);
    CHECK_EQ(coro_keyed_locks_owner(locks, 1), code);
    CHECK_EQ(coro_keyed_locks_count(locks), code);
    CHECK_EQ(coro_keyed_locks_waiting(locks), code);
}

static void free_all(int code) {
    CHECK_EQ(coro_semaphore_free(semaphore), code);
    CHECK_EQ(coro_inverted_semaphore_free(inverted), code);
    CHECK_EQ(coro_mutex_free(mutex), code);
    CHECK_EQ(coro_rwlock_free(rwlock), code);
    CHECK_EQ(coro_condition_free(condition), code);
    CHECK_EQ(coro_keyed_locks_free(locks), code);
}

TEST(I1_to_I10_null_is_refused) {
    check_all(-EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "is NULL");
    CHECK(!coro_mutex_is_locked(NULL));
    CHECK(!coro_mutex_has_lock(NULL, 0));
    free_all(0);
}

static void *use_anothers(void *unused) {
    check_all(CORO_EWRONGTHREAD);
    CHECK_CONTAINS(coro_error_detail(), "coro_post");
    CHECK(!coro_mutex_is_locked(mutex));
    CHECK(!coro_mutex_has_lock(mutex, 0));
    free_all(CORO_EWRONGTHREAD);
    return unused;
}

TEST(I1_to_I10_another_threads_are_refused) {
    pthread_t thread;
    make_all();
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK_EQ(pthread_create(&thread, NULL, use_anothers, NULL), 0);
    pthread_join(thread, NULL);
    CHECK(coro_mutex_is_locked(mutex));
    CHECK(coro_mutex_has_lock(mutex, 0));
    free_all(0);
}

TEST(I1_to_I10_without_memory_there_is_none) {
    CHECK_EQ(coro_current(), 0);
    CHECK(coro_loop_current() > 0); /* the thread has its loop now */
    for (int n = 1; n <= 7; n++) { /* the read-write lock takes two */
        forget_all();
        CHECK_EQ(coro_mutex_lock(NULL), -EINVAL);
        CHECK_EQ(coro_test_fail_call("calloc", n, ENOMEM), 0);
        make_all();
        CHECK_EQ(coro_test_fail_call("calloc", 0, 0), 0);
        CHECK_STR(coro_error_detail(), ""); /* not what was wrong with another call */
        int missing = (semaphore == NULL) + (inverted == NULL) + (mutex == NULL) + (rwlock == NULL) + (condition == NULL) +
                      (locks == NULL);
        CHECK_EQ(missing, 1);
        free_all(0);
    }
}

enum { READERS = 7 };

static void *read_until_scheduled(void *unused) {
    CHECK_EQ(coro_rwlock_read_lock(rwlock), 0);
    coro_park(NULL);
    CHECK_EQ(coro_rwlock_read_unlock(rwlock), 0);
    return unused;
}

/* There is memory for six readers from the beginning. */
CORO_TEST(I4_without_memory_a_reader_is_refused) {
    coro_t ids[READERS];
    rwlock = coro_rwlock_new();
    for (int i = 0; i < 6; i++) ids[i] = start_now(read_until_scheduled, NULL);
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    CHECK_EQ(coro_rwlock_read_lock(rwlock), -ENOMEM);
    CHECK_EQ(coro_rwlock_read_lock(rwlock), 0);
    CHECK_EQ(coro_rwlock_read_unlock(rwlock), 0);
    for (int i = 0; i < 6; i++) CHECK_EQ(coro_schedule(ids[i], NULL), 0);
    for (int i = 0; i < 6; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_rwlock_free(rwlock), 0);
}

/* -- where nothing may suspend: what need not wait works -- */

static void *hold_all(void *unused) {
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK_EQ(coro_rwlock_write_lock(rwlock), 0);
    CHECK_EQ(coro_keyed_locks_lock(locks, 1), 0);
    coro_park(NULL);
    CHECK_EQ(coro_mutex_unlock(mutex), 0);
    CHECK_EQ(coro_rwlock_write_unlock(rwlock), 0);
    CHECK_EQ(coro_keyed_locks_unlock(locks, 1), 0);
    return unused;
}

TEST(I1_to_I10_in_strict_mode_only_what_waits_is_refused) {
    make_all();
    coro_t holder = start_now(hold_all, NULL);
    coro_set_strict_main(true);
    CHECK_EQ(coro_semaphore_acquire(semaphore, 1), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_inverted_semaphore_wait_zero(inverted), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_mutex_lock(mutex), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_rwlock_read_lock(rwlock), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_rwlock_write_lock(rwlock), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_condition_wait(condition, NULL), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_keyed_locks_lock(locks, 1), CORO_EYIELDFROMMAIN);
    coro_set_strict_main(false);
    CHECK_EQ(coro_schedule(holder, NULL), 0);
    CHECK_EQ(coro_join(holder, NULL, CORO_FOREVER), 0);
    coro_set_strict_main(true);
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK_EQ(coro_condition_wait_with(condition, mutex, NULL), CORO_EYIELDFROMMAIN);
    CHECK(coro_mutex_has_lock(mutex, 0));
    CHECK_EQ(coro_rwlock_read_lock(rwlock), 0);
    CHECK_EQ(coro_rwlock_write_lock(rwlock), 0);
    CHECK_EQ(coro_keyed_locks_lock(locks, 1), 0);
    CHECK_EQ(coro_semaphore_release(semaphore, 1), 0);
    CHECK_EQ(coro_semaphore_acquire(semaphore, 1), 0);
    free_all(0);
}
