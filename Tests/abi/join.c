/* Rows A15-A17: waiting for a coroutine's end. */
#include "coroutines.h"

static void *sleep_for_a_while(void *argument) {
    int code = coro_sleep(CORO_SECONDS(AS_INT(argument)));
    return code < 0 ? coro_fail(code, "told to end") : argument;
}

static coro_t start_parked(void) {
    coro_t co = coro_new(park, "parked", NULL);
    CHECK_EQ(coro_start_now(co), 0);
    return co;
}

struct joiner {
    coro_t target;
    int64_t timeout;
    const char *name;
    coro_t id;
};

/* Joins, and notes "name:code:result". */
static void *join(void *argument) {
    struct joiner *joiner = argument;
    void *result = joiner;
    int code = coro_join(joiner->target, &result, joiner->timeout);
    trace("%s:%d:%s", joiner->name, code, result ? (char *)result : "-");
    return NULL;
}

static void start_joiner(struct joiner *joiner) {
    joiner->id = coro_new(join, joiner, NULL);
    coro_detach(joiner->id);
    CHECK_EQ(coro_start_now(joiner->id), 0);
}

CORO_TEST(A15_join_of_an_ended_one_returns_at_once) {
    coro_t co = coro_spawn(note, "a");
    coro_yield();
    coro_spawn(note, "b");
    void *result = NULL;
    CHECK_EQ(coro_join(co, &result, CORO_FOREVER), 0);
    CHECK_STR(result, "a");
    CHECK_STR(traced(), "a ");
}

CORO_TEST(A15_many_joiners_wake_in_order_and_all_get_the_result) {
    enum { COUNT = 200 };
    static struct joiner joiners[COUNT];
    static char names[COUNT][8], expected[4096];
    coro_t co = start_parked();
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "%d", i);
        joiners[i] = (struct joiner){co, CORO_FOREVER, names[i], 0};
        start_joiner(&joiners[i]);
        CHECK_EQ(info_of(joiners[i].id).wait_kind, CORO_WAIT_JOIN);
        CHECK_EQ(info_of(joiners[i].id).wait_object, co);
        snprintf(expected + strlen(expected), 32, "%d:0:parked ", i);
    }
    coro_schedule(co, NULL);
    coro_yield();
    coro_yield();
    CHECK_STR(traced(), expected);
    CHECK_EQ(coro_join(co, NULL, 0), CORO_EDEAD);
}

/* The record is gone with the first join that returns it, even while others are on their way with it. */
CORO_TEST(A15_the_first_join_to_return_drops_the_record) {
    coro_t co = start_parked();
    struct joiner first = {co, CORO_FOREVER, "1st", 0}, second = {co, CORO_FOREVER, "2nd", 0};
    start_joiner(&first);
    start_joiner(&second);
    coro_schedule(co, NULL);
    coro_yield();
    /* co has ended, and its joiners are runnable behind us. */
    CHECK_STR(traced(), "");
    CHECK(!coro_is_alive(co));
    void *result = NULL;
    CHECK_EQ(coro_join(co, &result, 0), 0);
    CHECK_STR(result, "parked");
    CHECK_EQ(coro_join(co, &result, 0), CORO_EDEAD);
    CHECK(result == NULL);
    CHECK_EQ(coro_ident(co), CORO_EDEAD);
    coro_yield();
    CHECK_STR(traced(), "1st:0:parked 2nd:0:parked ");
}

TEST(A15_join_from_main_drives_the_loop) {
    coro_test_set_virtual_time(true);
    void *result = NULL;
    coro_t co = coro_spawn(sleep_for_a_while, AS_POINTER(5));
    int64_t before = coro_get_now();
    CHECK_EQ(coro_join(co, &result, CORO_FOREVER), 0);
    CHECK_EQ(AS_INT(result), 5);
    CHECK_EQ(coro_get_now() - before, CORO_SECONDS(5));
}

TEST(A15_join_of_a_cancelled_one_is_shutdown) {
    coro_t co = coro_new(note, "a", NULL);
    coro_shutdown(co);
    void *result = &co;
    CHECK_EQ(coro_join(co, &result, CORO_FOREVER), CORO_ESHUTDOWN);
    CHECK(result == NULL);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), CORO_EDEAD);
}

static void *fail_like_an_interruption(void *unused) {
    (void)unused;
    return coro_fail(CORO_EINTERRUPTED, NULL);
}

static void *join_and_tell_whose(void *target) {
    CHECK_EQ(coro_join(*(coro_t *)target, NULL, CORO_FOREVER), CORO_EINTERRUPTED);
    return AS_POINTER(coro_error_other());
}

/* The code alone may be either's. */
CORO_TEST(A15_a_failure_is_told_from_an_interruption) {
    coro_t failing = coro_spawn(fail_like_an_interruption, NULL), parked = start_parked();
    void *whose = NULL;
    coro_t joiner = coro_spawn(join_and_tell_whose, &failing);
    CHECK_EQ(coro_join(joiner, &whose, CORO_FOREVER), 0);
    CHECK_EQ(AS_INT(whose), failing);
    joiner = coro_new(join_and_tell_whose, &parked, NULL);
    CHECK_EQ(coro_start_now(joiner), 0);
    CHECK_EQ(coro_interrupt(joiner, NULL), 0);
    CHECK_EQ(coro_join(joiner, &whose, CORO_FOREVER), 0);
    CHECK_EQ(AS_INT(whose), 0);
    CHECK_EQ(coro_shutdown(parked), 0);
    coro_detach(parked);
}

CORO_TEST(A15_a_joiner_that_is_interrupted_leaves_and_the_others_stay) {
    coro_t co = start_parked();
    struct joiner joiners[] = {{co, CORO_FOREVER, "a", 0}, {co, CORO_FOREVER, "b", 0}, {co, CORO_FOREVER, "c", 0}};
    for (int i = 0; i < 3; i++) start_joiner(&joiners[i]);
    coro_shutdown(joiners[1].id);
    coro_yield();
    CHECK_STR(traced(), "b:-5007:- ");
    CHECK(coro_is_alive(co));
    coro_schedule(co, NULL);
    coro_yield();
    coro_yield();
    CHECK_STR(traced(), "b:-5007:- a:0:parked c:0:parked ");
}

static void *join_myself(void *argument) {
    (void)argument;
    CHECK_EQ(coro_join(coro_current(), NULL, CORO_FOREVER), -EDEADLK);
    CHECK_EQ(coro_join(coro_current(), NULL, 0), -EDEADLK);
    CHECK_EQ(coro_join(coro_current(), NULL, 1), -EDEADLK);
    CHECK(strlen(coro_error_detail()) > 0);
    return "went on";
}

TEST(A15_self_join_is_a_deadlock_error) {
    void *result = NULL;
    CHECK_EQ(coro_join(coro_spawn(join_myself, NULL), &result, CORO_FOREVER), 0);
    CHECK_STR(result, "went on");
}

/* a joins b joins c joins a: the last one, which would close the ring, is refused, and the others get their results. */
CORO_TEST(A15_a_join_cycle_is_a_deadlock_error) {
    struct joiner a = {0, CORO_FOREVER, "a", 0}, b = {0, CORO_SECONDS(100), "b", 0}, c = {0, CORO_FOREVER, "c", 0};
    a.id = coro_new(join, &a, NULL);
    b.id = coro_new(join, &b, NULL);
    c.id = coro_new(join, &c, NULL);
    a.target = b.id;
    b.target = c.id;
    c.target = a.id;
    coro_start(a.id);
    coro_start(b.id);
    coro_start(c.id);
    coro_detach(c.id);
    CHECK_EQ(coro_join(a.id, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "c:-35:- b:0:- a:0:- ");
}

TEST(A15_join_on_main_of_what_nothing_can_wake_is_a_deadlock_error) {
    coro_t co = start_parked();
    void *result = &co;
    CHECK_EQ(coro_join(co, &result, CORO_FOREVER), -EDEADLK);
    CHECK(result == NULL);
    CHECK(coro_is_alive(co));
    /* The failed join left nothing behind. */
    CHECK_EQ(coro_schedule(co, NULL), 0);
    CHECK_EQ(coro_join(co, &result, CORO_FOREVER), 0);
    CHECK_STR(result, "parked");
}

TEST(A15_join_of_what_is_no_coroutine) {
    const struct { coro_t id; int code; } cases[] = {
        {0, -EINVAL}, {-1, -ESRCH}, {INT64_MIN, -ESRCH}, {INT64_MAX, -ESRCH}, {1000, -ESRCH}, {CORO_EDEAD, -ESRCH}};
    coro_spawn(note, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *result = &result;
        CHECK_EQ(coro_join(cases[i].id, &result, CORO_FOREVER), cases[i].code);
        CHECK(result == NULL);
    }
}

TEST(A16_a_timeout_leaves_the_target_alone) {
    coro_test_set_virtual_time(true);
    coro_t co = coro_spawn(sleep_for_a_while, AS_POINTER(10));
    int64_t start = coro_get_now();
    void *result = &co;
    CHECK_EQ(coro_join(co, &result, CORO_SECONDS(3)), CORO_ETIMEOUT);
    CHECK(result == NULL);
    CHECK_EQ(coro_get_now() - start, CORO_SECONDS(3));
    CHECK(coro_is_alive(co));
    CHECK_EQ(info_of(co).deadline, start + CORO_SECONDS(10));
    CHECK_EQ(coro_join(co, NULL, CORO_SECONDS(3)), CORO_ETIMEOUT);
    CHECK_EQ(coro_get_now() - start, CORO_SECONDS(6));
    CHECK_EQ(coro_join(co, &result, CORO_SECONDS(1000)), 0);
    CHECK_EQ(AS_INT(result), 10);
    CHECK_EQ(coro_get_now() - start, CORO_SECONDS(10));
    /* The timer of the join that was in time is gone: nothing moves the time on any more. */
    run_until_idle();
    CHECK_EQ(coro_get_now() - start, CORO_SECONDS(10));
}

CORO_TEST(A16_timeout_zero_only_looks) {
    coro_t co = coro_spawn(note, "ran");
    CHECK_EQ(coro_join(co, NULL, 0), CORO_ETIMEOUT);
    CHECK_STR(traced(), "");
    coro_yield();
    void *result = NULL;
    CHECK_EQ(coro_join(co, &result, 0), 0);
    CHECK_STR(result, "ran");
}

CORO_TEST(A16_a_negative_timeout_is_refused) {
    coro_t co = start_parked(), ended = coro_new(note, "a", NULL);
    coro_start_now(ended);
    CHECK_EQ(coro_join(co, NULL, -1), -EINVAL);
    CHECK_EQ(coro_join(co, NULL, INT64_MIN), -EINVAL);
    CHECK_EQ(coro_join(ended, NULL, -1), -EINVAL);
    CHECK_EQ(coro_join(ended, NULL, 0), 0);
}

/* Deadlines that don't fit are "never", not "long ago". */
TEST(A16_huge_timeouts_never_run_out_early) {
    coro_test_set_virtual_time(true);
    const int64_t timeouts[] = {INT64_MAX, INT64_MAX - 1, INT64_MAX / 2, CORO_SECONDS(292) * 365 * 86400};
    for (size_t i = 0; i < sizeof timeouts / sizeof *timeouts; i++) {
        coro_t co = coro_spawn(sleep_for_a_while, AS_POINTER(1000000));
        CHECK_EQ(coro_join(co, NULL, timeouts[i]), 0);
    }
}

static void *sleep_until(void *argument) {
    coro_sleep_absolute(*(int64_t *)argument);
    return "slept";
}

/* The target ends and the join's time runs out in the same pass: one of the two, and the result is not lost. */
TEST(A16_end_and_timeout_at_the_same_time) {
    coro_test_set_virtual_time(true);
    for (int target_first = 0; target_first < 2; target_first++) {
        int64_t when = coro_get_now() + CORO_SECONDS(1);
        coro_t co = coro_spawn(sleep_until, &when);
        if (target_first) coro_yield();
        int code = coro_join(co, NULL, CORO_SECONDS(1));
        CHECK(code == 0 || code == CORO_ETIMEOUT);
        if (code == CORO_ETIMEOUT) {
            void *result = NULL;
            CHECK_EQ(coro_join(co, &result, CORO_FOREVER), 0);
            CHECK_STR(result, "slept");
        }
        CHECK_EQ(coro_ident(co), CORO_EDEAD);
    }
    CHECK_EQ(coro_get_live_coros(), 0);
}

CORO_TEST(A16_one_joiner_of_many_times_out) {
    coro_test_set_virtual_time(true);
    int64_t when = coro_get_now() + CORO_SECONDS(2);
    coro_t co = coro_spawn(sleep_until, &when);
    struct joiner joiners[] = {{co, CORO_FOREVER, "a", 0}, {co, CORO_SECONDS(1), "b", 0}, {co, CORO_SECONDS(3), "c", 0}};
    coro_yield();
    for (int i = 0; i < 3; i++) start_joiner(&joiners[i]);
    void *result = NULL;
    CHECK_EQ(coro_join(co, &result, CORO_FOREVER), 0);
    CHECK_STR(result, "slept");
    CHECK_STR(traced(), "b:-5005:- a:0:slept c:0:slept ");
    CHECK_EQ(coro_get_live_coros(), 1);
}

TEST(A17_join_of_an_unstarted_one_is_an_error) {
    coro_t co = coro_new(note, "a", NULL);
    void *result = &co;
    CHECK_EQ(coro_join(co, &result, CORO_FOREVER), CORO_ENOTSTARTED);
    CHECK(result == NULL);
    CHECK_EQ(coro_join(co, NULL, 0), CORO_ENOTSTARTED);
    CHECK_EQ(coro_join(co, NULL, 1), CORO_ENOTSTARTED);
    CHECK_CONTAINS(coro_error_detail(), "coro_start");
    CHECK_EQ(coro_start(co), 0);
    CHECK_EQ(coro_join(co, &result, CORO_FOREVER), 0);
    CHECK_STR(result, "a");
}
