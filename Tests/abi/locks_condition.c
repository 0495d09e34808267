/* Row I5: conditions, alone and with a mutex. */
#include "coroutines.h"

static coro_condition *condition;
static coro_mutex *mutex;

static void *wait_for_it(void *name) {
    void *value = &value;
    int code = coro_condition_wait(condition, &value);
    trace("%s:%d:%s", (char *)name, code, value == NULL ? "-" : (char *)value);
    return AS_POINTER(code);
}

static void start_waiters(const char *names) {
    static const char *const all[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < strlen(names); i++) start_now(wait_for_it, (void *)all[i]);
}

CORO_TEST(I5_each_is_woken_with_its_value) {
    condition = coro_condition_new();
    CHECK_EQ(coro_condition_wake_one(condition, "lost"), 0); /* nobody waits: it is not remembered */
    CHECK_EQ(coro_condition_wake_all(condition, "lost"), 0);
    CHECK_EQ(coro_condition_wake(condition, 3, "lost"), 0);
    start_waiters("abcde");
    CHECK_EQ(coro_condition_waiting(condition), 5);
    CHECK_EQ(coro_condition_wake_one(condition, "one"), 1);
    CHECK_EQ(coro_condition_wake(condition, 0, "none"), 0);
    CHECK_EQ(coro_condition_wake(condition, 2, "two"), 2);
    CHECK_EQ(coro_condition_waiting(condition), 2);
    CHECK_STR(traced(), "");
    coro_yield();
    CHECK_STR(traced(), "a:0:one b:0:two c:0:two ");
    CHECK_EQ(coro_condition_wake_all(condition, "all"), 2);
    CHECK_EQ(coro_condition_wake(condition, INT64_MAX, "none"), 0);
    coro_yield();
    CHECK_STR(traced(), "a:0:one b:0:two c:0:two d:0:all e:0:all ");
    CHECK_EQ(coro_condition_free(condition), 0);
}

CORO_TEST(I5_raise_all_interrupts_all) {
    condition = coro_condition_new();
    CHECK_EQ(coro_condition_raise_all(condition, -ENOLINK), 0);
    start_waiters("abc");
    CHECK_EQ(coro_condition_raise_all(condition, 0), -EINVAL);
    CHECK_EQ(coro_condition_raise_all(condition, 5), -EINVAL);
    CHECK_EQ(coro_condition_raise_all(condition, -ENOLINK), 3);
    coro_yield();
    CHECK_STR(traced(), "a:-67:- b:-67:- c:-67:- ");
    CHECK_EQ(coro_condition_free(condition), 0);
}

static void *wait_then_yield(void *unused) {
    wait_for_it("w");
    trace("next:%d", coro_yield());
    return unused;
}

CORO_TEST(I5_a_wake_is_not_lost_by_an_interruption) {
    condition = coro_condition_new();
    coro_t waiter = start_now(wait_then_yield, NULL);
    CHECK_EQ(coro_condition_wake_one(condition, "value"), 1);
    CHECK_EQ(coro_shutdown(waiter), 0); /* before it runs */
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    waiter = start_now(wait_then_yield, NULL);
    CHECK_EQ(coro_shutdown(waiter), 0);
    CHECK_EQ(coro_condition_wake_one(condition, "value"), 0); /* it waits no more */
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "w:0:value next:-5007 w:-5007:- next:0 ");
    CHECK_EQ(coro_condition_free(condition), 0);
}

CORO_TEST(I5_freed_it_is_closed_to_those_who_wait) {
    condition = coro_condition_new();
    start_waiters("ab");
    CHECK_EQ(coro_condition_free(condition), 0);
    coro_yield();
    CHECK_STR(traced(), "a:-5003:- b:-5003:- ");
    CHECK_STR(coro_error_detail(), "the condition was freed");
    CHECK_EQ(coro_condition_wake(NULL, -1, NULL), -EINVAL);
    condition = coro_condition_new();
    CHECK_EQ(coro_condition_wake(condition, -1, NULL), -EINVAL);
    coro_t waiter = start_now(wait_for_it, "a");
    coro_info info = info_of(waiter);
    CHECK_EQ(info.wait_kind, CORO_WAIT_CONDITION);
    CHECK(info.wait_object == (int64_t)(intptr_t)condition);
    CHECK_CONTAINS(info.waiting, "waiting for condition 0x");
    CHECK_EQ(coro_condition_free(condition), 0);
}

/* -- with a mutex -- */

static void *wait_locked(void *name) {
    void *value = &value;
    CHECK(coro_mutex_lock(mutex) >= 0);
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    int code = coro_condition_wait_with(condition, mutex, &value);
    trace("%s:%d:%s", (char *)name, code, value == NULL ? "-" : (char *)value);
    if (code == CORO_ECLOSED || code == -EDEADLK) return NULL;
    for (int i = 0; i < 2; i++) {
        CHECK(coro_mutex_has_lock(mutex, coro_current()));
        CHECK(coro_mutex_unlock(mutex) >= 0);
    }
    CHECK(!coro_mutex_has_lock(mutex, coro_current()));
    trace("next:%d", coro_yield());
    return NULL;
}

static void make_both(void) {
    condition = coro_condition_new();
    mutex = coro_mutex_new();
}

static void free_both(void) {
    CHECK_EQ(coro_condition_free(condition), 0);
    CHECK_EQ(coro_mutex_free(mutex), 0);
}

CORO_TEST(I5_a_mutex_is_unlocked_wholly_while_it_waits) {
    make_both();
    coro_t waiter = start_now(wait_locked, "w");
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK_EQ(coro_condition_wake_one(condition, "value"), 1);
    coro_yield();
    coro_yield();
    CHECK_STR(traced(), ""); /* it waits for the mutex */
    CHECK_EQ(info_of(waiter).wait_kind, CORO_WAIT_MUTEX);
    CHECK_EQ(coro_mutex_unlock(mutex), 1);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "w:0:value next:0 ");
    free_both();
}

CORO_TEST(I5_it_is_handed_to_who_waits_for_it) {
    make_both();
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    coro_t second = start_now(wait_locked, "b"); /* waits for the mutex */
    go(wait_for_it, "c");
    CHECK_EQ(coro_mutex_waiting(mutex), 1);
    coro_yield();
    CHECK_EQ(coro_mutex_unlock(mutex), 1);
    coro_yield(); /* the second waits for the condition now */
    CHECK_EQ(coro_condition_wake_all(condition, "v"), 2);
    CHECK_EQ(coro_join(second, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "c:0:v b:0:v next:0 ");
    free_both();
}

/* The first interruption ends the wait; those that come while it locks are left for the next call, the last of them counts. */
CORO_TEST(I5_nothing_interrupts_the_locking) {
    coro_test_set_virtual_time(true);
    for (int woken = 0; woken < 2; woken++) {
        size_t before = strlen(traced());
        make_both();
        coro_t waiter = start_now(wait_locked, "w");
        CHECK_EQ(coro_mutex_lock(mutex), 0);
        if (woken) CHECK_EQ(coro_condition_wake_one(condition, "value"), 1);
        else CHECK_EQ(coro_raise(waiter, -ENOLINK, 0), 0);
        for (int i = 0; i < 3; i++) {
            coro_yield();
            CHECK_EQ(coro_raise(waiter, -EPIPE - i, 0), 0);
        }
        coro_yield();
        CHECK_EQ(coro_mutex_waiting(mutex), 1);
        CHECK_STR(traced() + before, "");
        CHECK_EQ(coro_mutex_unlock(mutex), 1);
        CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
        CHECK_STR(traced() + before, woken ? "w:0:value next:-34 " : "w:-67:- next:-34 ");
        free_both();
    }
}

/* A scope whose time runs out while it locks waits with its interruption until it has. */
static void *wait_in_scope(void *ns) {
    coro_timeout_t scope = coro_timeout_begin(AS_INT(ns));
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    trace("%d", coro_condition_wait_with(condition, mutex, NULL));
    CHECK_EQ(coro_mutex_unlock(mutex), 0);
    trace("%d", (int)coro_timeout_end(scope, 0));
    return NULL;
}

CORO_TEST(I5_a_timeout_ends_the_wait_and_not_the_locking) {
    coro_test_set_virtual_time(true);
    for (int woken = 0; woken < 2; woken++) {
        size_t before = strlen(traced());
        make_both();
        coro_t waiter = start_now(wait_in_scope, AS_POINTER(CORO_MS(1)));
        CHECK_EQ(coro_mutex_lock(mutex), 0);
        if (woken) CHECK_EQ(coro_condition_wake_one(condition, NULL), 1);
        CHECK_EQ(coro_sleep(CORO_MS(2)), 0);
        CHECK_EQ(coro_mutex_waiting(mutex), 1);
        CHECK_EQ(coro_mutex_unlock(mutex), 1);
        CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
        CHECK_STR(traced() + before, woken ? "0 0 " : "-5009 -5005 ");
        free_both();
    }
}

static void *interrupt_with_value(void *co) {
    coro_yield();
    CHECK_EQ(coro_interrupt(AS_INT(co), "why"), 0);
    return NULL;
}

CORO_TEST(I5_the_value_of_an_interruption_is_there_after_the_locking) {
    make_both();
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    go(interrupt_with_value, AS_POINTER(coro_current()));
    CHECK_EQ(coro_condition_wait_with(condition, mutex, NULL), CORO_EINTERRUPTED);
    CHECK_STR(coro_interrupt_value(), "why");
    CHECK_EQ(coro_mutex_unlock(mutex), 0);
    free_both();
}

CORO_TEST(I8_waiting_takes_a_mutex_that_the_caller_owns) {
    make_both();
    CHECK_EQ(coro_condition_wait_with(condition, mutex, NULL), CORO_ELOCK);
    CHECK_EQ(coro_condition_wait_with(condition, NULL, NULL), -EINVAL);
    CHECK_EQ(coro_condition_wait_with(NULL, mutex, NULL), -EINVAL);
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK_EQ(coro_shutdown(coro_current()), 0);
    CHECK_EQ(coro_condition_wait_with(condition, mutex, NULL), CORO_ESHUTDOWN); /* before it waits: it still owns it */
    CHECK_EQ(coro_mutex_unlock(mutex), 0);
    free_both();
}

CORO_TEST(I5_one_of_the_two_is_freed_meanwhile) {
    make_both();
    coro_t waiter = start_now(wait_locked, "w");
    CHECK_EQ(coro_mutex_free(mutex), 0);
    CHECK_EQ(coro_condition_wake_one(condition, "value"), 1);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "w:-5003:value ");
    CHECK_STR(coro_error_detail(), "the mutex was freed");
    mutex = coro_mutex_new();
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    go(wait_for_it, "a");
    coro_yield();
    CHECK_EQ(coro_condition_free(condition), 0);
    CHECK_EQ(coro_mutex_unlock(mutex), 0);
    coro_yield();
    CHECK_EQ(coro_mutex_free(mutex), 0);
}

static coro_mutex *other;

static void *lock_both(void *unused) {
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    trace("other:%d", coro_mutex_lock(other)); /* its owner waits for the condition: that is no circle yet */
    CHECK(coro_mutex_unlock(other) >= 0);
    CHECK(coro_mutex_unlock(mutex) >= 0);
    return unused;
}

CORO_TEST(I5_locking_again_that_would_close_a_circle_is_refused) {
    make_both();
    other = coro_mutex_new();
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK_EQ(coro_mutex_lock(other), 0);
    coro_t rival = coro_spawn(lock_both, NULL);
    go(interrupt_with_value, AS_POINTER(coro_current()));
    CHECK_EQ(coro_condition_wait_with(condition, mutex, NULL), -EDEADLK);
    CHECK(!coro_mutex_has_lock(mutex, coro_current()));
    CHECK_EQ(coro_yield(), CORO_EINTERRUPTED); /* what had ended the wait */
    CHECK_EQ(coro_mutex_unlock(other), 1);
    CHECK_EQ(coro_join(rival, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "other:1 ");
    CHECK_EQ(coro_mutex_free(other), 0);
    free_both();
}

static void *end_with_mutex(void *unused) {
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK_EQ(coro_condition_wake_one(condition, "value"), 1);
    return unused;
}

CORO_TEST(I5_who_owned_it_meanwhile_may_have_ended) {
    make_both();
    coro_t waiter = start_now(wait_locked, "w");
    go(end_with_mutex, NULL);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "w:-130:value next:0 ");
    free_both();
}

static void *take_it(void *unused) {
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK_EQ(coro_condition_wake_one(condition, "value"), 1);
    coro_park(NULL);
    CHECK_EQ(coro_mutex_unlock(mutex), 0);
    return unused;
}

TEST(I5_on_main_a_deadlock_is_an_error) {
    void *value = NULL;
    make_both();
    CHECK_EQ(coro_mutex_lock(mutex), 0);
    CHECK_EQ(coro_condition_wait_with(condition, mutex, &value), -EDEADLK); /* nobody will wake it */
    CHECK(coro_mutex_has_lock(mutex, 0));
    coro_t taker = coro_spawn(take_it, NULL);
    CHECK_EQ(coro_condition_wait_with(condition, mutex, &value), -EDEADLK); /* nobody will unlock the mutex */
    CHECK_STR(value, "value");
    CHECK(!coro_mutex_has_lock(mutex, 0));
    CHECK_CONTAINS(coro_error_detail(), "parked");
    CHECK_EQ(coro_schedule(taker, NULL), 0);
    CHECK_EQ(coro_join(taker, NULL, CORO_FOREVER), 0);
    free_both();
}
