/* Rows I1 and I2: semaphores, and inverted ones. */
#include "coroutines.h"

static coro_semaphore *semaphore;

static void *acquire(void *count) {
    int code = coro_semaphore_acquire(semaphore, AS_INT(count));
    trace("%d:%d", AS_INT(count), code);
    return AS_POINTER(code);
}

CORO_TEST(I1_what_is_there_is_taken_without_waiting) {
    semaphore = coro_semaphore_new(3);
    CHECK_EQ(coro_semaphore_available(semaphore), 3);
    go(note, "ran");
    CHECK_EQ(coro_semaphore_acquire(semaphore, 2), 0);
    CHECK_EQ(coro_semaphore_available(semaphore), 1);
    CHECK_EQ(coro_semaphore_try_acquire(semaphore, 2), -EAGAIN);
    CHECK_EQ(coro_semaphore_try_acquire(semaphore, 1), 0);
    CHECK_EQ(coro_semaphore_acquire(semaphore, 0), 0);
    CHECK_EQ(coro_semaphore_try_acquire(semaphore, 0), 0);
    CHECK_EQ(coro_semaphore_release(semaphore, 0), 0);
    CHECK_EQ(coro_semaphore_release(semaphore, 5), 0); /* new ones too */
    CHECK_EQ(coro_semaphore_available(semaphore), 5);
    CHECK_STR(traced(), ""); /* without suspending */
    CHECK_EQ(coro_semaphore_free(semaphore), 0);
}

CORO_TEST(I1_they_are_served_in_the_order_they_came_whatever_they_want) {
    semaphore = coro_semaphore_new(0);
    go(acquire, AS_POINTER(3));
    go(acquire, AS_POINTER(1));
    go(acquire, AS_POINTER(2));
    coro_yield();
    CHECK_EQ(coro_semaphore_waiting(semaphore), 3);
    CHECK_EQ(coro_semaphore_release(semaphore, 2), 0);
    coro_yield();
    CHECK_STR(traced(), ""); /* there is enough for the second and for the third, but not for the first */
    CHECK_EQ(coro_semaphore_available(semaphore), 2);
    CHECK_EQ(coro_semaphore_release(semaphore, 2), 0);
    CHECK_STR(traced(), ""); /* releasing does not suspend */
    CHECK_EQ(coro_semaphore_available(semaphore), 0);
    coro_yield();
    CHECK_STR(traced(), "3:0 1:0 ");
    CHECK_EQ(coro_semaphore_release(semaphore, 2), 0);
    coro_yield();
    CHECK_STR(traced(), "3:0 1:0 2:0 ");
    CHECK_EQ(coro_semaphore_free(semaphore), 0);
}

CORO_TEST(I1_nobody_goes_past_one_that_waits) {
    semaphore = coro_semaphore_new(1);
    go(acquire, AS_POINTER(2));
    coro_yield();
    CHECK_EQ(coro_semaphore_try_acquire(semaphore, 1), -EAGAIN); /* there is one */
    go(acquire, AS_POINTER(1));
    coro_yield();
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_semaphore_release(semaphore, 1), 0);
    CHECK_EQ(coro_semaphore_release(semaphore, 1), 0);
    coro_yield();
    CHECK_STR(traced(), "2:0 1:0 ");
    CHECK_EQ(coro_semaphore_free(semaphore), 0);
}

CORO_TEST(I1_a_large_request_that_leaves_lets_those_behind_it_go) {
    coro_test_set_virtual_time(true);
    for (int timeout = 0; timeout < 2; timeout++) {
        semaphore = coro_semaphore_new(1);
        coro_timeout_t scope = coro_timeout_begin(timeout ? CORO_MS(5) : CORO_FOREVER);
        coro_t large = timeout ? 0 : start_now(acquire, AS_POINTER(4));
        coro_t small = timeout ? coro_spawn(acquire, AS_POINTER(1)) : start_now(acquire, AS_POINTER(1));
        if (timeout) CHECK_EQ(coro_semaphore_acquire(semaphore, 4), CORO_EINTERRUPTED);
        else CHECK_EQ(coro_shutdown(large), 0);
        CHECK_EQ(coro_join(small, NULL, CORO_MS(1)), 0);
        if (!timeout) CHECK_EQ(coro_join(large, NULL, CORO_FOREVER), 0);
        CHECK_EQ(coro_timeout_end(scope, 0), timeout ? CORO_ETIMEOUT : 0);
        CHECK_EQ(coro_semaphore_available(semaphore), 0);
        CHECK_EQ(coro_semaphore_free(semaphore), 0);
    }
}

CORO_TEST(I1_a_grant_to_one_who_is_interrupted_is_the_next_ones) {
    semaphore = coro_semaphore_new(0);
    coro_t first = start_now(acquire, AS_POINTER(2));
    go(acquire, AS_POINTER(1));
    coro_yield();
    CHECK_EQ(coro_semaphore_release(semaphore, 2), 0);
    CHECK_EQ(coro_shutdown(first), 0);
    coro_yield();
    coro_yield();
    CHECK_STR(traced(), "2:-5007 1:0 ");
    CHECK_EQ(coro_semaphore_available(semaphore), 1);
    CHECK_EQ(coro_semaphore_free(semaphore), 0);
}

CORO_TEST(I1_freed_it_is_closed_to_those_who_wait) {
    semaphore = coro_semaphore_new(1);
    coro_t ids[] = {start_now(acquire, AS_POINTER(2)), start_now(acquire, AS_POINTER(3))};
    CHECK_EQ(coro_semaphore_free(semaphore), 0);
    for (int i = 0; i < 2; i++) {
        void *code;
        CHECK_EQ(coro_join(ids[i], &code, CORO_FOREVER), 0);
        CHECK_EQ(AS_INT(code), CORO_ECLOSED);
    }
    CHECK_STR(coro_error_detail(), "the semaphore was freed");
}

CORO_TEST(I1_counts_that_are_none_are_refused) {
    CHECK(coro_semaphore_new(-1) == NULL);
    semaphore = coro_semaphore_new(INT64_MAX - 1);
    CHECK_EQ(coro_semaphore_acquire(semaphore, -1), -EINVAL);
    CHECK_EQ(coro_semaphore_try_acquire(semaphore, INT64_MIN), -EINVAL);
    CHECK_EQ(coro_semaphore_release(semaphore, -1), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "negative");
    CHECK_EQ(coro_semaphore_release(semaphore, 2), -EOVERFLOW);
    CHECK_EQ(coro_semaphore_available(semaphore), INT64_MAX - 1); /* nothing was done */
    CHECK_EQ(coro_semaphore_release(semaphore, 1), 0);
    CHECK_EQ(coro_semaphore_acquire(semaphore, INT64_MAX), 0);
    CHECK_EQ(coro_semaphore_free(semaphore), 0);
}

CORO_TEST(I1_who_waits_says_so) {
    char expected[80];
    semaphore = coro_semaphore_new(0);
    coro_t waiter = start_now(acquire, AS_POINTER(1));
    coro_info info = info_of(waiter);
    CHECK_EQ(info.wait_kind, CORO_WAIT_SEMAPHORE);
    CHECK(info.wait_object == (int64_t)(intptr_t)semaphore);
    snprintf(expected, sizeof expected, "acquiring semaphore 0x%llx", (unsigned long long)(uintptr_t)semaphore);
    CHECK_STR(info.waiting, expected);
    CHECK_EQ(coro_schedule(waiter, NULL), CORO_ESCHEDULE); /* only a release wakes it */
    CHECK_EQ(coro_semaphore_release(semaphore, 1), 0);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_semaphore_free(semaphore), 0);
}

/* What is woken without a value has none: nothing is left of what is kept of a wait. */
CORO_TEST(I1_a_wait_that_has_no_time_leaves_no_value) {
    coro_test_set_virtual_time(true);
    semaphore = coro_semaphore_new(0);
    coro_timeout_t scope = coro_timeout_begin(0);
    CHECK_EQ(coro_semaphore_acquire(semaphore, 1), CORO_EINTERRUPTED);
    CHECK(coro_interrupt_value() == NULL);
    CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
    CHECK_EQ(coro_semaphore_waiting(semaphore), 0);
    CHECK_EQ(coro_semaphore_free(semaphore), 0);
}

/* -- inverted -- */

static coro_inverted_semaphore *work;

static void *wait_zero(void *name) {
    int code = coro_inverted_semaphore_wait_zero(work);
    trace("%s:%d", (char *)name, code);
    return AS_POINTER(code);
}

CORO_TEST(I2_all_go_on_at_zero) {
    work = coro_inverted_semaphore_new(0);
    CHECK_EQ(coro_inverted_semaphore_wait_zero(work), 0);
    CHECK_EQ(coro_inverted_semaphore_acquire(work, 2), 0);
    CHECK_EQ(coro_inverted_semaphore_acquire(work, 1), 0);
    CHECK_EQ(coro_inverted_semaphore_value(work), 3);
    go(wait_zero, "a");
    go(wait_zero, "b");
    coro_yield();
    CHECK_EQ(coro_inverted_semaphore_release(work, 2), 0);
    CHECK_EQ(coro_inverted_semaphore_release(work, 0), 0);
    coro_yield();
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_inverted_semaphore_release(work, 1), 0);
    coro_yield();
    CHECK_STR(traced(), "a:0 b:0 ");
    CHECK_EQ(coro_inverted_semaphore_free(work), 0);
}

CORO_TEST(I2_also_if_it_is_raised_again_before_they_run) {
    work = coro_inverted_semaphore_new(1);
    go(wait_zero, "a");
    coro_yield();
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(coro_inverted_semaphore_release(work, 1), 0);
        CHECK_EQ(coro_inverted_semaphore_acquire(work, 1), 0);
        if (i == 0) go(wait_zero, "b"); /* for the next zero */
    }
    coro_yield();
    CHECK_STR(traced(), "a:0 ");
    coro_yield();
    CHECK_EQ(coro_inverted_semaphore_release(work, 1), 0);
    coro_yield();
    CHECK_STR(traced(), "a:0 b:0 ");
    CHECK_EQ(coro_inverted_semaphore_free(work), 0);
}

CORO_TEST(I2_what_can_not_be_is_refused) {
    CHECK(coro_inverted_semaphore_new(-1) == NULL);
    work = coro_inverted_semaphore_new(2);
    CHECK_EQ(coro_inverted_semaphore_release(work, 3), CORO_ELOCK);
    CHECK_CONTAINS(coro_error_detail(), "is 2, and -3 would make it negative");
    CHECK_EQ(coro_inverted_semaphore_value(work), 2);
    CHECK_EQ(coro_inverted_semaphore_acquire(work, -1), -EINVAL);
    CHECK_EQ(coro_inverted_semaphore_release(work, -1), -EINVAL);
    CHECK_EQ(coro_inverted_semaphore_acquire(work, INT64_MAX), -EOVERFLOW);
    CHECK_EQ(coro_inverted_semaphore_value(work), 2);
    coro_t waiter = start_now(wait_zero, "a");
    coro_info info = info_of(waiter);
    CHECK_EQ(info.wait_kind, CORO_WAIT_ZERO);
    CHECK_CONTAINS(info.waiting, "waiting for the zero of 0x");
    CHECK_EQ(coro_inverted_semaphore_free(work), 0);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "a:-5003 ");
}
