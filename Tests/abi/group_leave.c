/* Row I13: when a group has been left, none of its members is left, whatever has become of them and of the caller. */
#include "groups.h"

static coro_group *group;
static coro_t caller;
static int left_with, others;

/* A scope: three that sleep for ever, unless others were put in before. */
static void *leave_scope(void *unused) {
    if (coro_group_unfinished(group) == 0)
        for (int i = 0; i < 3; i++) CHECK(coro_group_spawn(group, sleep_for_ever, NULL) > 0);
    left_with = coro_group_leave(group);
    CHECK_EQ(coro_get_live_coros(), 2 + others); /* the test, and this */
    trace("left");
    return unused;
}

static void start_scope(coro_group *of_group) {
    group = of_group;
    left_with = 1;
    caller = start_now(leave_scope, NULL);
    coro_yield();
}

static void check_left_with(int code) {
    CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0);
    CHECK_EQ(left_with, code);
    CHECK_EQ(coro_get_live_coros(), 1);
}

/* -- the caller is interrupted: the members are told to end, and it returns when they have -- */

CORO_TEST(I13_whatever_interrupts_who_leaves_ends_the_members) {
    start_scope(coro_group_new(NULL));
    CHECK_EQ(coro_shutdown(caller), 0);
    check_left_with(CORO_ESHUTDOWN);
    start_scope(coro_group_new(NULL));
    CHECK_EQ(coro_raise(caller, -ENOLINK, 0), 0);
    check_left_with(-ENOLINK);
    start_scope(new_group(1, 0)); /* and of three two have not been started */
    CHECK_EQ(coro_interrupt(caller, NULL), 0);
    check_left_with(CORO_EINTERRUPTED);
}

/* Interrupted before it has got so far. */
static void *shut_down_self_and_leave(void *unused) {
    CHECK_EQ(coro_shutdown(coro_current()), 0);
    return leave_scope(unused);
}

CORO_TEST(I13_left_by_one_that_was_told_to_end_before) {
    group = coro_group_new(NULL);
    caller = start_now(shut_down_self_and_leave, NULL);
    check_left_with(CORO_ESHUTDOWN);
}

/* Members that clean up slowly: they are told once, and waited for. */
static void *clean_up(void *milliseconds) {
    int code = coro_sleep(CORO_FOREVER);
    trace("told %d", code);
    CHECK_EQ(coro_sleep(CORO_MS(AS_INT(milliseconds))), 0);
    trace("%d", AS_INT(milliseconds));
    return coro_fail(code, NULL);
}

CORO_TEST(I13_members_that_clean_up_are_waited_for) {
    coro_test_set_virtual_time(true);
    coro_group *slow = coro_group_new(NULL);
    for (int i = 2; i > 0; i--) CHECK(coro_group_spawn(slow, clean_up, AS_POINTER(10 * i)) > 0);
    start_scope(slow);
    CHECK_EQ(coro_shutdown(caller), 0);
    check_left_with(CORO_ESHUTDOWN);
    CHECK_STR(traced(), "told -5007 told -5007 10 20 left ");
}

static void *clean_up_and_insist(void *unused) {
    for (int i = 0; i < 3; i++) trace("%d", coro_sleep(CORO_FOREVER));
    return unused;
}

/* Every interruption tells them again; the last one counts. */
CORO_TEST(I13_members_that_do_not_end_are_told_again) {
    coro_group *stubborn = coro_group_new(NULL);
    CHECK(coro_group_spawn(stubborn, clean_up_and_insist, NULL) > 0);
    start_scope(stubborn);
    CHECK_EQ(coro_shutdown(caller), 0);
    coro_yield();
    CHECK_EQ(left_with, 1);
    CHECK_EQ(coro_raise(caller, CORO_EWAKEUP, 0), 0);
    coro_yield();
    CHECK_EQ(left_with, 1);
    CHECK_EQ(coro_raise(caller, -ENOLINK, 0), 0);
    check_left_with(-ENOLINK);
    CHECK_STR(traced(), "-5007 -5007 -5007 left ");
}

/* The last member ends, and then the caller is interrupted, before it runs. */
CORO_TEST(I13_interrupted_when_all_have_ended_already) {
    coro_group *one = coro_group_new(NULL);
    coro_t member = coro_group_spawn(one, sleep_for_ever, NULL);
    start_scope(one);
    CHECK_EQ(coro_shutdown(member), 0);
    coro_yield();
    check_left_with(0);

    coro_group *cancelled = new_group(1, 0);
    coro_t runs = coro_group_spawn(cancelled, sleep_for_ever, NULL);
    start_scope(cancelled);
    CHECK_EQ(coro_shutdown(runs), 0);
    CHECK_EQ(coro_shutdown(caller), 0);
    check_left_with(CORO_ESHUTDOWN);
}

static void *spawn_forever(void *into) {
    int code;
    while ((code = coro_yield()) == 0) CHECK(coro_group_spawn(into, do_nothing, NULL) > 0);
    CHECK_EQ(coro_group_spawn(into, do_nothing, NULL), CORO_ESHUTDOWN); /* so that there is an end */
    return coro_fail(code, NULL);
}

CORO_TEST(I13_members_cannot_go_on_making_members_once_cancelled) {
    coro_group *growing = coro_group_new(NULL);
    CHECK(coro_group_spawn(growing, spawn_forever, growing) > 0);
    start_scope(growing);
    for (int i = 0; i < 10; i++) coro_yield();
    CHECK_EQ(left_with, 1);
    CHECK_EQ(coro_shutdown(caller), 0);
    check_left_with(CORO_ESHUTDOWN);
}

/* -- a scope of time -- */

CORO_TEST(I13_a_scope_of_time_ends_the_members) {
    coro_test_set_virtual_time(true);
    int64_t start = coro_get_now();
    group = coro_group_new(NULL);
    CHECK(coro_group_spawn(group, clean_up, AS_POINTER(500)) > 0);
    coro_timeout_t limit = coro_timeout_begin(CORO_SECONDS(1));
    int code = coro_group_leave(group);
    CHECK_EQ(code, CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(limit, code), CORO_ETIMEOUT);
    CHECK_EQ(coro_get_now() - start, CORO_MS(1500)); /* it is waited for beyond the limit */
    CHECK_STR(traced(), "told -5007 500 ");
    CHECK_EQ(coro_get_live_coros(), 1);
}

CORO_TEST(I13_two_scopes_of_time_and_the_outer_runs_out_later) {
    coro_test_set_virtual_time(true);
    group = coro_group_new(NULL);
    CHECK(coro_group_spawn(group, clean_up, AS_POINTER(5000)) > 0);
    coro_timeout_t outer = coro_timeout_begin(CORO_SECONDS(2)), inner = coro_timeout_begin(CORO_SECONDS(1));
    int code = coro_group_leave(group);
    CHECK_EQ(code, CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(inner, code), CORO_ETIMEOUT);
    CHECK_STR(traced(), "told -5007 5000 "); /* told once */
    code = coro_sleep(CORO_SECONDS(1)); /* what comes next notices that the outer one is over too */
    CHECK_EQ(code, CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(outer, code), CORO_ETIMEOUT);
}

/* -- nested -- */

static void *inner_scope(void *unused) {
    coro_group *inner = coro_group_new(NULL);
    for (int i = 0; i < 3; i++) CHECK(coro_group_spawn(inner, sleep_for_ever, NULL) > 0);
    int code = coro_group_leave(inner);
    trace("inner");
    return code < 0 ? coro_fail(code, NULL) : unused;
}

CORO_TEST(I13_a_shutdown_reaches_the_innermost_of_nested_scopes) {
    coro_group *outer = coro_group_new(NULL);
    for (int i = 0; i < 3; i++) CHECK(coro_group_spawn(outer, inner_scope, NULL) > 0);
    start_scope(outer);
    CHECK_EQ(coro_get_live_coros(), 2 + 3 + 9);
    CHECK_EQ(coro_shutdown(caller), 0);
    check_left_with(CORO_ESHUTDOWN);
    CHECK_STR(traced(), "inner inner inner left ");
}

/* -- others wait for it, and leave it -- */

static void *wait_too(void *unused) {
    trace("%d", coro_group_wait(group));
    return unused;
}

static void *leave_too(void *unused) {
    CHECK_EQ(coro_group_leave(group), CORO_ESIMULTANEOUS);
    CHECK_EQ(coro_error_other(), caller);
    return unused;
}

CORO_TEST(I13_who_waits_while_another_leaves_is_served) {
    coro_group *one = coro_group_new(NULL);
    coro_t member = coro_group_spawn(one, sleep_for_ever, NULL);
    start_scope(one);
    go(wait_too, NULL);
    go(leave_too, NULL);
    coro_yield();
    others = 1;
    CHECK_EQ(coro_shutdown(member), 0);
    coro_yield();
    coro_yield();
    CHECK_STR(traced(), "left 0 ");
    check_left_with(0);
}

/* The group is freed before the one that waited for it has run. */
CORO_TEST(I13_left_before_those_who_wait_have_run) {
    coro_set_exception_notifier(trace_failure);
    for (uint64_t seed = 0; seed < 20; seed++) {
        coro_test_set_order_seed(seed);
        group = coro_group_new(NULL);
        coro_t waiters[5];
        CHECK(coro_group_spawn(group, fail_with, AS_POINTER(EIO)) > 0);
        for (int i = 0; i < 5; i++) waiters[i] = start_now(wait_too, NULL);
        CHECK_EQ(coro_group_leave(group), CORO_EINPARALLEL);
        for (int i = 0; i < 5; i++) CHECK_EQ(coro_join(waiters[i], NULL, CORO_FOREVER), 0);
    }
}

/* -- a member cancels all, itself too -- */

static void *cancel_all(void *unused) {
    CHECK_EQ(coro_group_cancel(group), 0);
    int code = coro_sleep(CORO_FOREVER);
    trace("itself %d", code);
    return code < 0 ? coro_fail(code, NULL) : unused;
}

CORO_TEST(I13_a_member_cancels_all) {
    coro_group *some = new_group(2, 0);
    CHECK(coro_group_spawn(some, sleep_for_ever, NULL) > 0);
    CHECK(coro_group_spawn(some, cancel_all, NULL) > 0);
    CHECK(coro_group_spawn(some, note, "never") > 0);
    start_scope(some);
    check_left_with(0);
    CHECK_STR(traced(), "itself -5007 left ");
}

/* -- on a thread's own stack -- */

static void *park_twice(void *unused) {
    trace("%d", coro_park(NULL));
    trace("%d", coro_park(NULL));
    return unused;
}

TEST(I13_on_main_a_deadlock_leaves_the_group_as_it_is) {
    group = coro_group_new(NULL);
    CHECK(coro_group_spawn(group, park_twice, NULL) > 0);
    CHECK_EQ(coro_group_wait(group), -EDEADLK);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(coro_group_leave(group), -EDEADLK);
        CHECK_EQ(coro_group_unfinished(group), 1);
        CHECK_EQ(coro_group_cancel(group), 0);
    }
    CHECK_EQ(coro_group_leave(group), 0);
    CHECK_STR(traced(), "-5007 -5007 ");
}

TEST(I13_on_main_a_scope_of_time_ends_the_members) {
    coro_test_set_virtual_time(true);
    group = coro_group_new(NULL);
    for (int i = 0; i < 3; i++) CHECK(coro_group_spawn(group, sleep_for_ever, NULL) > 0);
    coro_timeout_t limit = coro_timeout_begin(CORO_SECONDS(1));
    CHECK_EQ(coro_timeout_end(limit, coro_group_leave(group)), CORO_ETIMEOUT);
    CHECK_EQ(coro_get_live_coros(), 0);
}

TEST(I13_in_strict_mode_main_cannot_leave_members) {
    coro_set_strict_main(true);
    group = coro_group_new(NULL);
    CHECK(coro_group_spawn(group, note, "member") > 0);
    CHECK_EQ(coro_group_leave(group), CORO_EYIELDFROMMAIN);
    run_until_idle();
    CHECK_EQ(coro_group_leave(group), 0); /* it need not wait */
    CHECK_STR(traced(), "member ");
}

/* -- without memory for a timer it ends as if interrupted, and still waits -- */

CORO_TEST(I13_without_memory_for_a_timer_the_members_end) {
    if (is_watched()) test_skip("the allocator is another");
    group = coro_group_new(NULL);
    CHECK(coro_group_spawn(group, sleep_for_ever, NULL) > 0);
    coro_yield();
    coro_timeout_t limit = coro_timeout_begin(CORO_SECONDS(1000));
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    int code = coro_group_leave(group);
    coro_test_fail_call("calloc", 0, 0);
    CHECK_EQ(code, -ENOMEM);
    CHECK_EQ(coro_timeout_end(limit, 0), 0);
    CHECK_EQ(coro_get_live_coros(), 1);
}
