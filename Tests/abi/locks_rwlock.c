/* Row I4: read-write locks. */
#include "coroutines.h"

static coro_rwlock *lock;

static void *read_it(void *name) {
    int code = coro_rwlock_read_lock(lock);
    trace("%s:%d", (char *)name, code);
    if (code >= 0) coro_yield();
    if (code >= 0) CHECK_EQ(coro_rwlock_read_unlock(lock), 0);
    return NULL;
}

static void *write_it(void *name) {
    int code = coro_rwlock_write_lock(lock);
    trace("%s:%d", (char *)name, code);
    if (code >= 0) coro_yield();
    if (code >= 0) CHECK_EQ(coro_rwlock_write_unlock(lock), 0);
    return NULL;
}

static void let_run(void) {
    for (int i = 0; i < 12; i++) coro_yield();
}

CORO_TEST(I4_many_read_one_writes) {
    lock = coro_rwlock_new();
    go(read_it, "r");
    go(read_it, "s");
    go(write_it, "w");
    go(write_it, "v");
    coro_yield();
    CHECK_STR(traced(), "r:0 s:0 ");
    CHECK_EQ(coro_rwlock_waiting(lock), 2);
    CHECK_EQ(coro_rwlock_try_write_lock(lock), -EBUSY);
    coro_yield();
    coro_yield();
    CHECK_STR(traced(), "r:0 s:0 w:1 ");
    CHECK_EQ(coro_rwlock_try_read_lock(lock), -EBUSY);
    let_run();
    CHECK_STR(traced(), "r:0 s:0 w:1 v:1 ");
    CHECK_EQ(coro_rwlock_free(lock), 0);
}

CORO_TEST(I4_writers_come_first) {
    lock = coro_rwlock_new();
    CHECK_EQ(coro_rwlock_read_lock(lock), 0);
    go(write_it, "w");
    coro_yield();
    go(read_it, "r"); /* waits behind the writer */
    go(write_it, "v");
    coro_yield();
    CHECK_EQ(coro_rwlock_waiting(lock), 3);
    CHECK_EQ(coro_rwlock_read_lock(lock), 0); /* one who reads may again */
    CHECK_EQ(coro_rwlock_read_unlock(lock), 0);
    coro_yield();
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_rwlock_read_unlock(lock), 0);
    let_run();
    CHECK_STR(traced(), "w:1 v:1 r:1 ");
    CHECK_EQ(coro_rwlock_free(lock), 0);
}

CORO_TEST(I4_all_readers_go_on_when_nobody_writes) {
    lock = coro_rwlock_new();
    CHECK_EQ(coro_rwlock_write_lock(lock), 0);
    go(read_it, "r");
    go(read_it, "s");
    coro_yield();
    CHECK_EQ(coro_rwlock_write_unlock(lock), 0);
    CHECK_EQ(coro_rwlock_try_read_lock(lock), 0);
    CHECK_EQ(coro_rwlock_try_write_lock(lock), -EBUSY); /* two others read, though they have not run */
    coro_yield();
    CHECK_STR(traced(), "r:1 s:1 ");
    let_run();
    CHECK_EQ(coro_rwlock_try_write_lock(lock), 0); /* the one reader */
    CHECK_EQ(coro_rwlock_write_unlock(lock), 0);
    CHECK_EQ(coro_rwlock_read_unlock(lock), 0);
    CHECK_EQ(coro_rwlock_free(lock), 0);
}

/* Whoever leaves, and however: the readers behind a writer go on when it no longer waits. */
CORO_TEST(I4_readers_behind_a_writer_that_leaves_go_on) {
    coro_test_set_virtual_time(true);
    for (int timeout = 0; timeout < 2; timeout++) {
        size_t before = strlen(traced());
        lock = coro_rwlock_new();
        CHECK_EQ(coro_rwlock_read_lock(lock), 0);
        coro_t writer = start_now(write_it, "w");
        coro_t reader = start_now(read_it, "r");
        if (timeout) CHECK_EQ(coro_raise(writer, CORO_ETIMEOUT, 0), 0);
        else CHECK_EQ(coro_shutdown(writer), 0);
        CHECK_EQ(coro_join(reader, NULL, CORO_MS(1)), 0); /* while we read */
        CHECK_STR(traced() + before, timeout ? "w:-5005 r:1 " : "w:-5007 r:1 ");
        CHECK_EQ(coro_join(writer, NULL, CORO_FOREVER), 0);
        CHECK_EQ(coro_rwlock_read_unlock(lock), 0);
        CHECK_EQ(coro_rwlock_free(lock), 0);
    }
}

static void *lock_then_park(void *writes) {
    int code = writes != NULL ? coro_rwlock_write_lock(lock) : coro_rwlock_read_lock(lock);
    CHECK_EQ(code, -ENOLINK);
    coro_park(NULL); /* its end would release what it held */
    return NULL;
}

CORO_TEST(I4_what_is_granted_to_one_who_is_interrupted_is_not_kept) {
    for (int writes = 0; writes < 2; writes++) {
        lock = coro_rwlock_new();
        CHECK_EQ(coro_rwlock_write_lock(lock), 0);
        coro_t waiter = start_now(lock_then_park, AS_POINTER(writes));
        CHECK_EQ(coro_rwlock_write_unlock(lock), 0);
        CHECK_EQ(coro_rwlock_try_write_lock(lock), -EBUSY); /* it was granted */
        CHECK_EQ(coro_raise(waiter, -ENOLINK, 0), 0);
        coro_yield();
        CHECK_EQ(coro_rwlock_try_write_lock(lock), 0);
        CHECK_EQ(coro_schedule(waiter, NULL), 0);
        CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
        CHECK_EQ(coro_rwlock_free(lock), 0);
    }
}

CORO_TEST(I4_one_owner_may_mix_both_in_any_order) {
    lock = coro_rwlock_new();
    CHECK_EQ(coro_rwlock_write_lock(lock), 0);
    go(write_it, "w"); /* another writer waits */
    coro_yield();
    CHECK_EQ(coro_rwlock_read_lock(lock), 0);
    CHECK_EQ(coro_rwlock_write_lock(lock), 0);
    CHECK_EQ(coro_rwlock_try_write_lock(lock), 0);
    CHECK_EQ(coro_rwlock_try_read_lock(lock), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_rwlock_write_unlock(lock), 0);
    CHECK_EQ(coro_rwlock_write_unlock(lock), CORO_ELOCK);
    CHECK_EQ(coro_rwlock_write_lock(lock), 0); /* the one reader may write, ahead of the writer who waits for it */
    CHECK_EQ(coro_rwlock_write_unlock(lock), 0);
    CHECK_EQ(coro_rwlock_read_unlock(lock), 0);
    coro_yield();
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_rwlock_read_unlock(lock), 0);
    CHECK_EQ(coro_rwlock_read_unlock(lock), CORO_ELOCK);
    coro_yield();
    CHECK_STR(traced(), "w:1 ");
    let_run();
    CHECK_EQ(coro_rwlock_free(lock), 0);
}

static void *read_then_write(void *unused) {
    CHECK_EQ(coro_rwlock_read_lock(lock), 0);
    coro_yield();
    CHECK_EQ(coro_rwlock_write_lock(lock), -EDEADLK);
    CHECK_CONTAINS(coro_error_detail(), "others");
    CHECK_EQ(coro_rwlock_try_write_lock(lock), -EBUSY);
    CHECK_EQ(coro_rwlock_read_unlock(lock), 0); /* it still reads */
    return unused;
}

CORO_TEST(I4_of_two_readers_none_can_wait_to_write) {
    lock = coro_rwlock_new();
    CHECK_EQ(coro_rwlock_read_lock(lock), 0);
    coro_t upgrader = start_now(read_then_write, NULL);
    CHECK_EQ(coro_rwlock_write_lock(lock), -EDEADLK);
    CHECK_EQ(coro_join(upgrader, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_rwlock_write_lock(lock), 0);
    CHECK_EQ(coro_rwlock_write_unlock(lock), 0);
    CHECK_EQ(coro_rwlock_read_unlock(lock), 0);
    CHECK_EQ(coro_rwlock_free(lock), 0);
}

static void *unlock_anothers(void *unused) {
    CHECK_EQ(coro_rwlock_write_unlock(lock), CORO_ELOCK);
    CHECK_EQ(coro_rwlock_read_unlock(lock), CORO_ELOCK);
    CHECK_EQ(coro_rwlock_free(lock), -EBUSY);
    return unused;
}

CORO_TEST(I8_only_who_holds_a_read_write_lock_unlocks_it) {
    lock = coro_rwlock_new();
    CHECK_EQ(coro_rwlock_read_unlock(lock), CORO_ELOCK);
    CHECK_EQ(coro_rwlock_write_unlock(lock), CORO_ELOCK);
    CHECK_EQ(coro_rwlock_read_lock(lock), 0);
    CHECK_EQ(coro_join(coro_spawn(unlock_anothers, NULL), NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_rwlock_write_unlock(lock), CORO_ELOCK);
    CHECK_EQ(coro_rwlock_write_lock(lock), 0);
    CHECK_EQ(coro_join(coro_spawn(unlock_anothers, NULL), NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_rwlock_free(lock), 0); /* its owner may */
}

CORO_TEST(I4_freed_it_is_closed_to_all_who_wait) {
    lock = coro_rwlock_new();
    CHECK_EQ(coro_rwlock_write_lock(lock), 0);
    go(read_it, "r");
    go(write_it, "w");
    coro_yield();
    CHECK_EQ(coro_rwlock_free(lock), 0);
    coro_yield();
    CHECK_STR(traced(), "w:-5003 r:-5003 ");
    CHECK_STR(coro_error_detail(), "the read-write lock was freed");
}

CORO_TEST(I4_who_waits_says_so) {
    char expected[80];
    lock = coro_rwlock_new();
    CHECK_EQ(coro_rwlock_write_lock(lock), 0);
    coro_t ids[] = {start_now(read_it, "r"), start_now(write_it, "w")};
    for (int i = 0; i < 2; i++) {
        coro_info info = info_of(ids[i]);
        CHECK_EQ(info.wait_kind, i == 0 ? CORO_WAIT_READ_LOCK : CORO_WAIT_WRITE_LOCK);
        CHECK(info.wait_object == (int64_t)(intptr_t)lock);
        snprintf(expected, sizeof expected, "%s-locking 0x%llx", i == 0 ? "read" : "write",
                 (unsigned long long)(uintptr_t)lock);
        CHECK_STR(info.waiting, expected);
    }
    CHECK_EQ(coro_rwlock_write_unlock(lock), 0);
    for (int i = 0; i < 2; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_rwlock_free(lock), 0);
}

enum { READERS = 1000 };

CORO_TEST(I4_a_thousand_readers) {
    coro_t ids[READERS];
    lock = coro_rwlock_new();
    CHECK_EQ(coro_rwlock_write_lock(lock), 0);
    for (int i = 0; i < READERS; i++) ids[i] = start_now(read_it, "r");
    CHECK_EQ(coro_rwlock_waiting(lock), READERS);
    CHECK_EQ(coro_rwlock_write_unlock(lock), 0);
    CHECK_EQ(coro_rwlock_write_lock(lock), 1); /* when all have read */
    for (int i = 0; i < READERS; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_rwlock_free(lock), 0);
}
