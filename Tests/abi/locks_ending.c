/* Rows I3, I4 and I10: coroutines that end while they hold a lock. Nobody hangs, and the next is told. */
#include "coroutines.h"

static coro_mutex *mutex;
static coro_rwlock *rwlock;
static coro_keyed_locks *locks;

static void *end_with_mutex(void *yields) {
    CHECK(coro_mutex_lock(mutex) >= 0);
    for (int i = 0; i < AS_INT(yields); i++) coro_yield();
    return NULL;
}

static void *lock_mutex(void *name) {
    int code = coro_mutex_lock(mutex);
    trace("%s:%d", (char *)name, code);
    if (code != CORO_ECLOSED && code != CORO_ESHUTDOWN) CHECK(coro_mutex_unlock(mutex) >= 0);
    return NULL;
}

CORO_TEST(I3_an_owner_that_ends_leaves_it_to_who_waits) {
    mutex = coro_mutex_new();
    coro_t owner = start_now(end_with_mutex, AS_POINTER(2));
    go(lock_mutex, "a");
    go(lock_mutex, "b");
    CHECK_EQ(coro_join(owner, NULL, CORO_FOREVER), 0);
    coro_yield();
    coro_yield();
    CHECK_STR(traced(), "a:-130 b:1 "); /* -EOWNERDEAD, once */
    CHECK_CONTAINS(coro_error_detail(), "ended while it held it");
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK_EQ(coro_mutex_free(mutex), 0);
}

CORO_TEST(I3_an_owner_that_has_ended_is_noticed_later_too) {
    mutex = coro_mutex_new();
    for (int detached = 0; detached < 2; detached++) {
        coro_t owner = coro_spawn(end_with_mutex, 0);
        if (detached) coro_detach(owner);
        coro_yield();
        CHECK(coro_mutex_is_locked(mutex));
        CHECK(!coro_mutex_has_lock(mutex, owner));
        CHECK_EQ(coro_mutex_unlock(mutex), CORO_ELOCK);
        CHECK_CONTAINS(coro_error_detail(), "has ended");
        CHECK_EQ(detached ? coro_mutex_lock(mutex) : coro_mutex_try_lock(mutex), -EOWNERDEAD);
        CHECK(coro_mutex_has_lock(mutex, coro_current()));
        CHECK_EQ(coro_mutex_lock(mutex), 0);
        for (int i = 0; i < 2; i++) CHECK_EQ(coro_mutex_unlock(mutex), 0);
        CHECK_EQ(coro_mutex_lock(mutex), 0);
        CHECK_EQ(coro_mutex_unlock(mutex), 0);
        if (!detached) CHECK_EQ(coro_join(owner, NULL, CORO_FOREVER), 0);
    }
    go(end_with_mutex, 0);
    coro_yield();
    CHECK_EQ(coro_mutex_free(mutex), 0);
}

/* Control blocks are used again: one that has the block of the owner that ended does not own what that did. */
CORO_TEST(I3_the_next_coroutine_of_its_memory_is_not_the_owner) {
    mutex = coro_mutex_new();
    go(end_with_mutex, 0);
    coro_yield();
    go(lock_mutex, "next");
    coro_yield();
    CHECK_STR(traced(), "next:-130 ");
    CHECK_EQ(coro_mutex_free(mutex), 0);
}

CORO_TEST(I3_an_inheritor_that_is_interrupted_leaves_it_to_the_next) {
    mutex = coro_mutex_new();
    for (int others = 0; others < 2; others++) {
        go(end_with_mutex, AS_POINTER(1));
        coro_yield();
        coro_t heir = start_now(lock_mutex, "a");
        if (others) start_now(lock_mutex, "b");
        coro_yield(); /* the owner ends */
        CHECK(coro_mutex_has_lock(mutex, heir));
        CHECK_EQ(coro_shutdown(heir), 0); /* before it has run */
        CHECK_EQ(coro_join(heir, NULL, CORO_FOREVER), 0);
        if (!others) CHECK_EQ(coro_mutex_lock(mutex), -EOWNERDEAD);
        if (!others) CHECK_EQ(coro_mutex_unlock(mutex), 0);
    }
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK_STR(traced(), "a:-5007 a:-5007 b:-130 ");
    CHECK_EQ(coro_mutex_free(mutex), 0);
}

/* -- read-write locks -- */

static void *end_with_read_lock(void *yields) {
    CHECK(coro_rwlock_read_lock(rwlock) >= 0);
    CHECK_EQ(coro_rwlock_read_lock(rwlock), 0);
    for (int i = 0; i < AS_INT(yields); i++) coro_yield();
    return NULL;
}

static void *end_with_write_lock(void *yields) {
    CHECK(coro_rwlock_write_lock(rwlock) >= 0);
    for (int i = 0; i < AS_INT(yields); i++) coro_yield();
    return NULL;
}

static void *lock_to_write(void *name) {
    int code = coro_rwlock_write_lock(rwlock);
    trace("%s:%d", (char *)name, code);
    CHECK_EQ(coro_rwlock_write_unlock(rwlock), 0);
    return NULL;
}

static void *lock_to_read(void *name) {
    int code = coro_rwlock_read_lock(rwlock);
    trace("%s:%d", (char *)name, code);
    CHECK_EQ(coro_rwlock_read_unlock(rwlock), 0);
    return NULL;
}

CORO_TEST(I4_a_reader_that_ends_reads_no_more) {
    rwlock = coro_rwlock_new();
    go(end_with_read_lock, AS_POINTER(2));
    coro_yield();
    go(lock_to_write, "a"); /* it waits */
    for (int i = 0; i < 4; i++) coro_yield();
    CHECK_STR(traced(), "a:1 ");
    go(end_with_read_lock, 0);
    coro_yield();
    CHECK_EQ(coro_rwlock_write_lock(rwlock), 0); /* noticed later */
    CHECK_EQ(coro_rwlock_free(rwlock), 0);
}

/* Not longer for each than for one: else this would take minutes. */
CORO_TEST(I4_many_readers_that_end_read_no_more) {
    enum { READERS = 200000 };
    rwlock = coro_rwlock_new();
    for (int i = 0; i < READERS; i++) {
        go(end_with_read_lock, AS_POINTER(0));
        if (i % 1000 == 0) coro_yield();
    }
    for (int i = 0; i < 4; i++) coro_yield();
    CHECK_EQ(coro_rwlock_try_write_lock(rwlock), 0);
    CHECK_EQ(coro_rwlock_write_unlock(rwlock), 0);
    CHECK_EQ(coro_rwlock_free(rwlock), 0);
}

CORO_TEST(I4_a_writer_that_ends_leaves_it_half_done_until_the_next_has_written) {
    rwlock = coro_rwlock_new();
    for (int waited = 0; waited < 2; waited++) {
        size_t before = strlen(traced());
        go(end_with_write_lock, AS_POINTER(2 * waited));
        coro_yield();
        for (int i = 0; i < 2; i++) go(lock_to_read, "r");
        for (int i = 0; i < 4; i++) coro_yield();
        CHECK_STR(traced() + before, "r:-130 r:-130 ");
        CHECK_EQ(coro_rwlock_try_read_lock(rwlock), -EOWNERDEAD);
        CHECK_EQ(coro_rwlock_read_unlock(rwlock), 0);
        CHECK_EQ(waited ? coro_rwlock_write_lock(rwlock) : coro_rwlock_try_write_lock(rwlock), -EOWNERDEAD);
        CHECK_EQ(coro_rwlock_write_unlock(rwlock), 0);
        CHECK_EQ(coro_rwlock_read_lock(rwlock), 0);
        CHECK_EQ(coro_rwlock_read_unlock(rwlock), 0);
    }
    go(end_with_write_lock, 0);
    coro_yield();
    CHECK_EQ(coro_rwlock_free(rwlock), 0);
}

/* -- keyed locks -- */

static void *end_with_keys(void *yields) {
    uint64_t keys[] = {1, 2, 3};
    CHECK_EQ(coro_keyed_locks_lock_many(locks, keys, 3), 0);
    for (int i = 0; i < AS_INT(yields); i++) coro_yield();
    return NULL;
}

static void *lock_two(void *name) {
    uint64_t keys[] = {1, 2};
    int code = coro_keyed_locks_lock_many(locks, keys, 2);
    trace("%s:%d", (char *)name, code);
    for (int i = 0; i < 2; i++) CHECK_EQ(coro_keyed_locks_unlock(locks, keys[i]), 0);
    return NULL;
}

CORO_TEST(I10_an_owner_of_keys_that_ends_leaves_them) {
    locks = coro_keyed_locks_new();
    go(end_with_keys, AS_POINTER(2));
    coro_yield();
    go(lock_two, "a");
    go(lock_two, "b");
    for (int i = 0; i < 4; i++) coro_yield();
    CHECK_STR(traced(), "a:-130 b:1 ");
    CHECK_EQ(coro_keyed_locks_count(locks), 1); /* 3, which nobody has asked for since */
    CHECK_EQ(coro_keyed_locks_try_lock(locks, 3), -EOWNERDEAD);
    CHECK_EQ(coro_keyed_locks_owner(locks, 3), coro_current());
    CHECK_EQ(coro_keyed_locks_unlock(locks, 3), 0);
    CHECK_EQ(coro_keyed_locks_count(locks), 0);
    go(end_with_keys, 0);
    coro_yield();
    CHECK_EQ(coro_keyed_locks_lock(locks, 1), -EOWNERDEAD);
    CHECK_EQ(coro_keyed_locks_free(locks), 0); /* others of them have owners that have ended */
}
