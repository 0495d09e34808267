/* Row I14: barriers, things done once, and wait groups. */
#include "coroutines.h"

#include <pthread.h>

/* -- barriers -- */

static coro_barrier *barrier;
static int serials;

static void *come(void *number) {
    int code = coro_barrier_wait(barrier);
    trace("%d:%d", AS_INT(number), code);
    serials += code == 1;
    return code < 0 ? coro_fail(code, NULL) : NULL;
}

CORO_TEST(I14_a_barrier_lets_all_go_when_the_last_has_come) {
    barrier = coro_barrier_new(3);
    CHECK_EQ(coro_barrier_waiting(barrier), 0);
    for (int i = 0; i < 2; i++) go(come, AS_POINTER(i));
    coro_yield();
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_barrier_waiting(barrier), 2);
    CHECK_EQ(coro_barrier_wait(barrier), 1); /* without suspending */
    CHECK_EQ(coro_barrier_waiting(barrier), 0);
    CHECK_STR(traced(), "");
    coro_yield();
    CHECK_STR(traced(), "0:0 1:0 ");
    CHECK_EQ(coro_barrier_free(barrier), 0);
}

static void *come_often(void *rounds) {
    for (int i = 0; i < AS_INT(rounds); i++) {
        int code = coro_barrier_wait(barrier);
        CHECK(code == 0 || code == 1);
        serials += code;
        CHECK_EQ(serials, i + 1); /* nobody is a round ahead */
    }
    return NULL;
}

CORO_TEST(I14_a_barrier_is_used_again_and_again_and_has_one_serial_of_each) {
    enum { COMERS = 50, ROUNDS = 200 };
    for (uint64_t seed = 0; seed < 3; seed++) {
        coro_t ids[COMERS];
        coro_test_set_order_seed(seed);
        serials = 0;
        barrier = coro_barrier_new(COMERS);
        for (int i = 0; i < COMERS; i++) ids[i] = coro_spawn(come_often, AS_POINTER(ROUNDS));
        for (int i = 0; i < COMERS; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
        CHECK_EQ(serials, ROUNDS);
        CHECK_EQ(coro_barrier_free(barrier), 0);
    }
}

CORO_TEST(I14_a_barrier_for_one_stops_nobody) {
    barrier = coro_barrier_new(1);
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_barrier_wait(barrier), 1);
    CHECK_EQ(coro_barrier_free(barrier), 0);
}

/* Who is interrupted has not come: one that comes before it has run must not take its place for filled. */
CORO_TEST(I14_who_is_interrupted_at_a_barrier_has_not_come) {
    barrier = coro_barrier_new(3);
    coro_t ids[4];
    for (int i = 0; i < 2; i++) ids[i] = start_now(come, AS_POINTER(i));
    CHECK_EQ(coro_shutdown(ids[0]), 0);
    CHECK_EQ(coro_barrier_waiting(barrier), 1);
    ids[2] = start_now(come, AS_POINTER(2));
    CHECK_EQ(coro_barrier_waiting(barrier), 2);
    coro_yield();
    CHECK_STR(traced(), "0:-5007 ");
    ids[3] = start_now(come, AS_POINTER(3));
    for (int i = 0; i < 4; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), i == 0 ? CORO_ESHUTDOWN : 0);
    CHECK_STR(traced(), "0:-5007 3:1 1:0 2:0 ");
    CHECK_EQ(coro_barrier_free(barrier), 0);
}

CORO_TEST(I14_a_barrier_that_is_freed_is_closed) {
    barrier = coro_barrier_new(3);
    coro_t ids[2];
    for (int i = 0; i < 2; i++) ids[i] = start_now(come, AS_POINTER(i));
    CHECK_EQ(coro_barrier_free(barrier), 0);
    for (int i = 0; i < 2; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), CORO_ECLOSED);
}

/* -- once -- */

static coro_once *once;
static int runs;

static int do_slowly(void *result) {
    runs++;
    int code = coro_yield();
    if (code < 0) return code;
    return AS_INT(result);
}

static void *need(void *result) {
    int code = coro_once_run(once, do_slowly, result);
    trace("%d", code);
    return code < 0 ? coro_fail(code, NULL) : NULL;
}

CORO_TEST(I14_what_is_done_once_is_done_by_the_first_and_the_others_wait) {
    once = coro_once_new();
    CHECK(!coro_once_is_done(once));
    coro_t ids[5];
    for (int i = 0; i < 5; i++) ids[i] = coro_spawn(need, AS_POINTER(7)); /* what is positive is done too */
    for (int i = 0; i < 5; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
    CHECK_EQ(runs, 1);
    CHECK(coro_once_is_done(once));
    CHECK_EQ(coro_once_run(once, do_slowly, NULL), 0);
    CHECK_EQ(runs, 1);
    CHECK_STR(traced(), "0 0 0 0 0 ");
    CHECK_EQ(coro_once_free(once), 0);
}

CORO_TEST(I14_what_has_failed_is_done_by_the_next) {
    once = coro_once_new();
    coro_t ids[4];
    for (int i = 0; i < 4; i++) ids[i] = coro_spawn(need, AS_POINTER(i < 2 ? -EIO : 0));
    coro_yield();
    go(need, AS_POINTER(-EPERM)); /* comes late, and does not go before them */
    for (int i = 0; i < 4; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), i < 2 ? -EIO : 0);
    coro_yield();
    CHECK_EQ(runs, 3);
    CHECK_STR(traced(), "-5 -5 0 0 0 ");
    CHECK(coro_once_is_done(once));
    CHECK_EQ(coro_once_free(once), 0);
}

CORO_TEST(I14_if_who_does_it_is_interrupted_the_next_does) {
    once = coro_once_new();
    coro_t ids[3];
    for (int i = 0; i < 3; i++) ids[i] = start_now(need, NULL);
    CHECK_EQ(coro_shutdown(ids[0]), 0);
    CHECK_EQ(coro_join(ids[0], NULL, CORO_FOREVER), CORO_ESHUTDOWN);
    for (int i = 1; i < 3; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
    CHECK_EQ(runs, 2);
    CHECK_EQ(coro_once_free(once), 0);
}

static int fail_when_told(void *runner) {
    CHECK_EQ(coro_park(NULL), 0);
    coro_shutdown(*(coro_t *)runner);
    return -EIO;
}

static void *need_and_fail(void *next) { return coro_fail(coro_once_run(once, fail_when_told, next), NULL); }

/* It is its turn, and it is interrupted before it runs: the turn is the next one's. */
CORO_TEST(I14_a_turn_that_comes_with_an_interruption_is_passed_on) {
    once = coro_once_new();
    coro_t ids[3];
    ids[0] = start_now(need_and_fail, &ids[1]);
    for (int i = 1; i < 3; i++) ids[i] = start_now(need, NULL);
    CHECK_EQ(coro_schedule(ids[0], NULL), 0);
    CHECK_EQ(coro_join(ids[0], NULL, CORO_FOREVER), -EIO);
    CHECK_EQ(coro_shutdown(ids[1]), 0);
    CHECK_EQ(coro_join(ids[1], NULL, CORO_FOREVER), CORO_ESHUTDOWN);
    CHECK_EQ(coro_join(ids[2], NULL, CORO_FOREVER), 0);
    CHECK_EQ(runs, 1);
    CHECK_EQ(coro_once_free(once), 0);
}

static int again(void *unused) {
    CHECK_EQ(coro_once_run(once, again, unused), -EDEADLK);
    return coro_sleep(-1); /* an error of its own, with what there is to say about it */
}

CORO_TEST(I14_who_does_it_cannot_wait_for_itself) {
    once = coro_once_new();
    CHECK_EQ(coro_once_run(once, again, NULL), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "negative");
    CHECK_EQ(coro_once_free(once), 0);
}

static int free_it(void *unused) {
    (void)unused;
    CHECK_EQ(coro_once_free(once), 0);
    return 0;
}

CORO_TEST(I14_freed_by_the_one_that_does_it) {
    once = coro_once_new();
    CHECK_EQ(coro_once_run(once, free_it, NULL), 0);
}

static void *fail_and_free(void *unused) {
    CHECK_EQ(coro_once_run(once, do_slowly, AS_POINTER(-EIO)), -EIO);
    CHECK_EQ(coro_once_free(once), 0);
    return unused;
}

/* It was to be the next, and it is freed before it runs: it does not do it. */
CORO_TEST(I14_a_turn_that_comes_with_the_end_is_none) {
    once = coro_once_new();
    coro_t failing = start_now(fail_and_free, NULL), next = start_now(need, NULL);
    CHECK_EQ(coro_join(next, NULL, CORO_FOREVER), CORO_ECLOSED);
    CHECK_EQ(coro_join(failing, NULL, CORO_FOREVER), 0);
    CHECK_EQ(runs, 1);
}

/* -- wait groups -- */

static coro_wait_group *work;

static void *do_some(void *unused) {
    coro_sleep(CORO_MS(1));
    CHECK_EQ(coro_wait_group_done(work), 0);
    return unused;
}

static void *wait_for_all(void *unused) {
    int code = coro_wait_group_wait(work);
    trace("%d", code);
    return code < 0 ? coro_fail(code, NULL) : unused;
}

CORO_TEST(I14_a_wait_group_waits_for_all_that_was_added) {
    coro_test_set_virtual_time(true);
    work = coro_wait_group_new();
    CHECK_EQ(coro_wait_group_wait(work), 0); /* nothing is to be done */
    for (int round = 0; round < 3; round++) { /* again and again */
        CHECK_EQ(coro_wait_group_add(work, 1000), 0);
        CHECK_EQ(coro_wait_group_count(work), 1000);
        coro_t waiter = start_now(wait_for_all, NULL);
        for (int i = 0; i < 1000; i++) go(do_some, NULL);
        CHECK_EQ(coro_wait_group_wait(work), 0);
        CHECK_EQ(coro_wait_group_count(work), 0);
        CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    }
    CHECK_EQ(coro_wait_group_free(work), 0);
}

CORO_TEST(I14_at_zero_all_go_on_whatever_is_added_then) {
    work = coro_wait_group_new();
    CHECK_EQ(coro_wait_group_add(work, 2), 0);
    coro_t ids[3];
    for (int i = 0; i < 3; i++) ids[i] = start_now(wait_for_all, NULL);
    CHECK_EQ(coro_wait_group_add(work, -2), 0);
    CHECK_EQ(coro_wait_group_add(work, 1), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_wait_group_count(work), 1);
    CHECK_EQ(coro_wait_group_free(work), 0);
}

CORO_TEST(I14_a_count_out_of_range_is_an_error_and_changes_nothing) {
    work = coro_wait_group_new();
    CHECK_EQ(coro_wait_group_done(work), CORO_ELOCK);
    CHECK_EQ(coro_wait_group_add(work, INT64_MIN), CORO_ELOCK);
    CHECK_EQ(coro_wait_group_add(work, INT64_MAX), 0);
    CHECK_EQ(coro_wait_group_add(work, 1), -EOVERFLOW);
    CHECK_EQ(coro_wait_group_count(work), INT64_MAX);
    CHECK_EQ(coro_wait_group_add(work, -INT64_MAX), 0);
    CHECK_EQ(coro_wait_group_wait(work), 0);
    CHECK_EQ(coro_wait_group_free(work), 0);
}

CORO_TEST(I14_a_wait_group_that_is_freed_is_closed) {
    work = coro_wait_group_new();
    CHECK_EQ(coro_wait_group_add(work, 1), 0);
    coro_t waiter = start_now(wait_for_all, NULL);
    CHECK_EQ(coro_wait_group_free(work), 0);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), CORO_ECLOSED);
}

/* -- all of them -- */

static void check_wait(coro_t co, int kind, const void *object, const char *words) {
    coro_info info = info_of(co);
    CHECK_EQ(info.wait_kind, kind);
    CHECK_EQ(info.wait_object, (intptr_t)object);
    CHECK_CONTAINS(info.waiting, words);
}

CORO_TEST(I14_who_waits_says_for_what) {
    barrier = coro_barrier_new(2);
    once = coro_once_new();
    work = coro_wait_group_new();
    CHECK_EQ(coro_wait_group_add(work, 1), 0);
    coro_t at = start_now(come, NULL), with = start_now(wait_for_all, NULL);
    coro_t first = start_now(need, NULL), second = start_now(need, NULL);
    check_wait(at, CORO_WAIT_BARRIER, barrier, "waiting at barrier 0x");
    check_wait(with, CORO_WAIT_WAIT_GROUP, work, "waiting for wait group 0x");
    check_wait(second, CORO_WAIT_ONCE, once, "waiting for once 0x");
    CHECK_EQ(coro_barrier_wait(barrier), 1);
    CHECK_EQ(coro_wait_group_done(work), 0);
    coro_t ids[] = {at, with, first, second};
    for (int i = 0; i < 4; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_barrier_free(barrier) + coro_once_free(once) + coro_wait_group_free(work), 0);
}

TEST(I14_on_main_a_deadlock_is_an_error) {
    barrier = coro_barrier_new(2);
    work = coro_wait_group_new();
    once = coro_once_new();
    CHECK_EQ(coro_wait_group_add(work, 1), 0);
    CHECK_EQ(coro_barrier_wait(barrier), -EDEADLK);
    CHECK_EQ(coro_barrier_waiting(barrier), 0);
    CHECK_EQ(coro_wait_group_wait(work), -EDEADLK);
    go(come, NULL);
    CHECK_EQ(coro_barrier_wait(barrier), 0); /* it runs the loop */
    CHECK_EQ(coro_once_run(once, do_slowly, NULL), 0);
    CHECK_EQ(coro_barrier_free(barrier) + coro_once_free(once) + coro_wait_group_free(work), 0);
}

static void *use_anothers(void *group) {
    CHECK_EQ(coro_barrier_wait(barrier), CORO_EWRONGTHREAD);
    CHECK_CONTAINS(coro_error_detail(), "the barrier belongs to another thread");
    CHECK_EQ(coro_barrier_free(barrier), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_once_run(once, do_slowly, NULL), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_once_free(once), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_wait_group_add(work, 1), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_wait_group_wait(work), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_wait_group_free(work), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_group_spawn(group, do_nothing, NULL), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_group_wait(group), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_group_cancel(group), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_group_leave(group), CORO_EWRONGTHREAD);
    return NULL;
}

CORO_TEST(I14_they_belong_to_a_thread) {
    pthread_t thread;
    coro_group *group = coro_group_new(NULL);
    barrier = coro_barrier_new(2);
    once = coro_once_new();
    work = coro_wait_group_new();
    CHECK_EQ(pthread_create(&thread, NULL, use_anothers, group), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(coro_group_leave(group), 0);
    CHECK_EQ(coro_barrier_free(barrier) + coro_once_free(once) + coro_wait_group_free(work), 0);
}

CORO_TEST(I14_misuse_is_an_error) {
    CHECK(coro_barrier_new(0) == NULL);
    CHECK_CONTAINS(coro_error_detail(), "0");
    CHECK_EQ(coro_barrier_wait(NULL), -EINVAL);
    CHECK_EQ(coro_barrier_waiting(NULL), 0);
    CHECK_EQ(coro_barrier_free(NULL), 0);
    once = coro_once_new();
    CHECK_EQ(coro_once_run(once, NULL, NULL), -EINVAL);
    CHECK_EQ(coro_once_run(NULL, do_slowly, NULL), -EINVAL);
    CHECK(!coro_once_is_done(NULL));
    CHECK_EQ(coro_once_free(once), 0);
    CHECK_EQ(coro_once_free(NULL), 0);
    CHECK_EQ(coro_wait_group_add(NULL, 1), -EINVAL);
    CHECK_EQ(coro_wait_group_done(NULL), -EINVAL);
    CHECK_EQ(coro_wait_group_wait(NULL), -EINVAL);
    CHECK_EQ(coro_wait_group_count(NULL), 0);
    CHECK_EQ(coro_wait_group_free(NULL), 0);
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    CHECK(coro_barrier_new(2) == NULL);
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    CHECK(coro_once_new() == NULL);
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    CHECK(coro_wait_group_new() == NULL);
}
