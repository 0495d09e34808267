/* Rows I3 and I8: mutexes. */
#include "coroutines.h"

static coro_mutex *mutex, *other;

static void *lock_it(void *name) {
    int code = coro_mutex_lock(mutex);
    trace("%s:%d", (char *)name, code);
    if (code >= 0) CHECK(coro_mutex_unlock(mutex) >= 0);
    return AS_POINTER(code);
}

CORO_TEST(I3_the_owner_locks_it_again_and_unlocks_it_as_often) {
    mutex = coro_mutex_new();
    CHECK(!coro_mutex_is_locked(mutex));
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK_EQ(coro_mutex_try_lock(mutex), 0);
    go(lock_it, "a");
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(coro_mutex_unlock(mutex), 0);
        coro_yield();
        CHECK_STR(traced(), "");
        CHECK(coro_mutex_is_locked(mutex));
        CHECK(coro_mutex_has_lock(mutex, coro_current()));
    }
    CHECK_EQ(coro_mutex_unlock(mutex), 1); /* handed on */
    CHECK(coro_mutex_is_locked(mutex));
    CHECK(!coro_mutex_has_lock(mutex, coro_current()));
    coro_yield();
    CHECK_STR(traced(), "a:1 ");
    CHECK(!coro_mutex_is_locked(mutex));
    CHECK_EQ(coro_mutex_free(mutex), 0);
}

CORO_TEST(I3_it_is_handed_to_who_waits_longest) {
    mutex = coro_mutex_new();
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    go(lock_it, "a");
    go(lock_it, "b");
    go(lock_it, "c");
    coro_yield();
    CHECK_EQ(coro_mutex_waiting(mutex), 3);
    CHECK_EQ(coro_mutex_unlock(mutex), 1);
    CHECK_EQ(coro_mutex_try_lock(mutex), -EBUSY); /* a has it, though it has not run */
    CHECK_EQ(coro_mutex_lock(mutex), 1);
    CHECK_STR(traced(), "a:1 b:1 c:1 ");
    CHECK_EQ(coro_mutex_unlock(mutex), 0);
    CHECK_EQ(coro_mutex_free(mutex), 0);
}

CORO_TEST(I3_a_hand_over_to_one_who_is_interrupted_is_the_next_ones) {
    mutex = coro_mutex_new();
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    coro_t first = start_now(lock_it, "a");
    go(lock_it, "b");
    coro_yield();
    CHECK_EQ(coro_mutex_unlock(mutex), 1);
    CHECK(coro_mutex_has_lock(mutex, first));
    CHECK_EQ(coro_raise(first, -ENOLINK, 0), 0);
    coro_yield();
    coro_yield();
    CHECK_STR(traced(), "a:-67 b:1 ");
    CHECK(!coro_mutex_is_locked(mutex));
    CHECK_EQ(coro_mutex_free(mutex), 0);
}

static void *use_anothers(void *owner) {
    CHECK_EQ(coro_mutex_unlock(mutex), CORO_ELOCK);
    CHECK_EQ(coro_error_other(), AS_INT(owner));
    CHECK_CONTAINS(coro_error_detail(), "locked by #");
    CHECK_EQ(coro_mutex_try_lock(mutex), -EBUSY);
    CHECK_EQ(coro_error_other(), AS_INT(owner));
    CHECK_EQ(coro_mutex_free(mutex), -EBUSY);
    CHECK_EQ(coro_error_other(), AS_INT(owner));
    CHECK(coro_mutex_has_lock(mutex, AS_INT(owner)));
    return NULL;
}

CORO_TEST(I8_only_the_owner_unlocks) {
    mutex = coro_mutex_new();
    CHECK_EQ(coro_mutex_unlock(mutex), CORO_ELOCK);
    CHECK_CONTAINS(coro_error_detail(), "not locked");
    CHECK_EQ(coro_error_other(), 0);
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK_EQ(coro_join(coro_spawn(use_anothers, AS_POINTER(coro_current())), NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_mutex_unlock(mutex), 0);
    CHECK_EQ(coro_mutex_unlock(mutex), CORO_ELOCK);
    CHECK_EQ(coro_mutex_free(mutex), 0);
}

CORO_TEST(I3_freed_by_its_owner_it_is_closed_to_those_who_wait) {
    mutex = coro_mutex_new();
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    go(lock_it, "a");
    go(lock_it, "b");
    coro_yield();
    CHECK_EQ(coro_mutex_free(mutex), 0);
    coro_yield();
    CHECK_STR(traced(), "a:-5003 b:-5003 ");
    CHECK_STR(coro_error_detail(), "the mutex was freed");
}

CORO_TEST(I3_who_waits_says_for_whom) {
    char expected[100];
    mutex = coro_mutex_new();
    coro_set_name(coro_current(), "owner");
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    coro_t waiter = start_now(lock_it, "a");
    coro_info info = info_of(waiter);
    CHECK_EQ(info.wait_kind, CORO_WAIT_MUTEX);
    CHECK(info.wait_object == (int64_t)(intptr_t)mutex);
    snprintf(expected, sizeof expected, "locking mutex 0x%llx, locked by #%lld (owner)", (unsigned long long)(uintptr_t)mutex,
             (long long)coro_current());
    CHECK_STR(info.waiting, expected);
    CHECK_EQ(coro_schedule(waiter, NULL), CORO_ESCHEDULE);
    CHECK_EQ(coro_mutex_unlock(mutex), 1);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_mutex_free(mutex), 0);
}

/* The thread's own stack owns it as a coroutine does. */
TEST(I3_the_threads_own_stack_is_an_owner_too) {
    mutex = coro_mutex_new();
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK(coro_mutex_has_lock(mutex, 0));
    coro_t waiter = coro_spawn(lock_it, "a");
    CHECK_EQ(coro_yield(), 0);
    coro_info info = info_of(waiter);
    CHECK_CONTAINS(info.waiting, "locked by the thread's own stack");
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), -EDEADLK); /* nothing else is left */
    CHECK_EQ(coro_mutex_unlock(mutex), 1);
    CHECK_EQ(coro_mutex_lock(mutex), 1); /* which runs the loop */
    CHECK_STR(traced(), "a:1 ");
    CHECK_EQ(coro_mutex_unlock(mutex), 0);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_mutex_free(mutex), 0);
}

static void *lock_and_park(void *of_mutex) {
    CHECK_EQ(coro_mutex_lock(of_mutex), 0);
    coro_park(NULL);
    CHECK_EQ(coro_mutex_unlock(of_mutex), 0);
    return NULL;
}

TEST(I3_on_main_a_deadlock_is_an_error) {
    mutex = coro_mutex_new();
    coro_t owner = start_now(lock_and_park, mutex);
    CHECK_EQ(coro_mutex_lock(mutex), -EDEADLK);
    CHECK_CONTAINS(coro_error_detail(), "parked");
    CHECK_EQ(coro_mutex_waiting(mutex), 0);
    CHECK_EQ(coro_schedule(owner, NULL), 0);
    CHECK_EQ(coro_join(owner, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK_EQ(coro_mutex_free(mutex), 0);
}

/* -- circles -- */

static void *lock_other_then_it(void *name) {
    CHECK_EQ(coro_mutex_lock(other), 0);
    int code = coro_mutex_lock(mutex);
    trace("%s:%d", (char *)name, code);
    if (code >= 0) CHECK(coro_mutex_unlock(mutex) >= 0);
    CHECK(coro_mutex_unlock(other) >= 0);
    return NULL;
}

CORO_TEST(I3_a_wait_that_closes_a_circle_is_refused) {
    char part[100];
    mutex = coro_mutex_new();
    other = coro_mutex_new();
    coro_set_name(coro_current(), "first");
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    coro_t second = start_now(lock_other_then_it, "b");
    CHECK_EQ(coro_mutex_lock(other), -EDEADLK);
    CHECK_EQ(coro_error_other(), second);
    snprintf(part, sizeof part, "the wait would never end: #%lld (", (long long)second);
    CHECK_CONTAINS(coro_error_detail(), part);
    snprintf(part, sizeof part, ", locked by #%lld (first)", (long long)coro_current());
    CHECK_CONTAINS(coro_error_detail(), part);
    CHECK_EQ(coro_mutex_waiting(other), 0);
    CHECK_EQ(coro_mutex_unlock(mutex), 1); /* giving way helps */
    CHECK_EQ(coro_mutex_lock(other), 1);
    CHECK_STR(traced(), "b:1 ");
    CHECK_EQ(coro_mutex_unlock(other), 0);
    CHECK_EQ(coro_mutex_free(mutex), 0);
    CHECK_EQ(coro_mutex_free(other), 0);
}

static coro_t joined;

static void *join_with_lock(void *unused) {
    CHECK_EQ(coro_mutex_lock(other), 0);
    CHECK_EQ(coro_join(joined, NULL, CORO_FOREVER), 0);
    CHECK(coro_mutex_unlock(other) >= 0);
    return unused;
}

/* mutex is ours; one waits for it; another joins that one, holding the one we want. */
CORO_TEST(I3_a_circle_may_go_through_a_join) {
    mutex = coro_mutex_new();
    other = coro_mutex_new();
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    joined = start_now(lock_it, "b");
    coro_t joiner = start_now(join_with_lock, NULL);
    CHECK_EQ(coro_mutex_lock(other), -EDEADLK);
    CHECK_CONTAINS(coro_error_detail(), "joining #");
    CHECK_EQ(coro_mutex_unlock(mutex), 1);
    CHECK_EQ(coro_mutex_lock(other), 1);
    CHECK_EQ(coro_mutex_unlock(other), 0);
    CHECK_EQ(coro_join(joiner, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_mutex_free(mutex), 0);
    CHECK_EQ(coro_mutex_free(other), 0);
}

static void *wait_in_a_circle_of_others(void *unused) {
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    coro_yield();
    CHECK_EQ(coro_join(joined, NULL, CORO_FOREVER), CORO_EINTERRUPTED);
    CHECK(coro_mutex_unlock(mutex) >= 0);
    return unused;
}

/* One that others have closed does not keep the search going for ever. */
CORO_TEST(I3_a_circle_of_others_is_not_searched_for_ever) {
    coro_test_set_virtual_time(true);
    mutex = coro_mutex_new();
    coro_t owner = start_now(wait_in_a_circle_of_others, NULL);
    joined = start_now(lock_it, "b");
    coro_yield();
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(1));
    CHECK_EQ(coro_mutex_lock(mutex), CORO_EINTERRUPTED); /* the owner joins one who waits for the owner */
    CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
    CHECK_EQ(coro_interrupt(owner, NULL), 0);
    CHECK_EQ(coro_join(owner, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_join(joined, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_mutex_free(mutex), 0);
}
