/* Rows A19-A24 and C6, and known bugs 54, 55, 58 and 62: interrupts, by themselves and together with what they meet. */
#include "coroutines.h"
#include "net.h"

/* -- what is refused -- */

CORO_TEST(A19_only_errors_can_be_raised_and_unknown_flags_are_refused) {
    const int codes[] = {0, 1, 5009, INT32_MAX};
    const uint32_t flags[] = {4, 8, 0x80000000u, CORO_NO_FORCE | 4, UINT32_MAX};
    coro_t co = start_now(park, "value");
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(coro_raise(co, codes[i], 0), -EINVAL);
        CHECK_CONTAINS(coro_error_detail(), "negative");
    }
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(coro_raise(co, CORO_EWAKEUP, flags[i]), -EINVAL);
        CHECK_CONTAINS(coro_error_detail(), "flags");
    }
    CHECK_EQ(info_of(co).wait_kind, CORO_WAIT_PARK);
    CHECK_EQ(coro_schedule(co, NULL), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
}

CORO_TEST(A21_an_error_says_which_coroutine_and_what_to_do) {
    char number[32];
    coro_t co = coro_new(park, NULL, NULL);
    snprintf(number, sizeof number, "#%lld ", (long long)co);
    CHECK_EQ(coro_raise(co, CORO_EWAKEUP, 0), CORO_ENOTSTARTED);
    CHECK_CONTAINS(coro_error_detail(), number);
    CHECK_CONTAINS(coro_error_detail(), "CORO_CANCEL_START");
    CHECK_EQ(coro_error_other(), co);
    CHECK_EQ(coro_interrupt(co, NULL), CORO_ENOTSTARTED);
    CHECK_CONTAINS(coro_error_detail(), number);
    CHECK_EQ(coro_shutdown(co), 0);
}

/* -- which code -- */

static void *tell_code(void *argument) {
    int code = coro_park(NULL);
    trace("%d:%s", code, coro_interrupt_value() ? (char *)coro_interrupt_value() : "-");
    return code < 0 ? coro_fail(code, "as told") : argument;
}

static int notified;
static int note_failure(coro_t co, int code, const char *message) {
    (void)co, (void)message;
    notified = code;
    return 0;
}

/* Row A24: a code is what the two agree upon; only CORO_ESHUTDOWN is no failure to tell of. */
CORO_TEST(A24_any_negative_code_is_delivered_as_it_is) {
    const int codes[] = {CORO_EWAKEUP, CORO_EINTERRUPTED, -1, -ECANCELED, -4711, INT32_MIN, CORO_ESHUTDOWN};
    coro_set_exception_notifier(note_failure);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        notified = 0;
        coro_t co = start_now(tell_code, NULL);
        CHECK_EQ(coro_raise(co, codes[i], CORO_NO_FORCE), 0);
        CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), codes[i]);
        CHECK_STR(coro_error_detail(), "as told");
        CHECK_EQ(notified, codes[i] == CORO_ESHUTDOWN ? 0 : codes[i]);
    }
    CHECK_STR(traced(), "-5008:- -5009:- -1:- -125:- -4711:- -2147483648:- -5007:- ");
}

/* Today's Shrapnel, not the one of old/test/test_multiple_interrupts.py, whose first interrupt won. */
CORO_TEST(A19_the_last_raise_wins) {
    coro_set_exception_notifier(note_failure);
    for (int order = 0; order < 6; order++) {
        coro_t co = start_now(tell_code, NULL);
        CHECK_EQ(order % 2 ? coro_interrupt(co, "value") : coro_schedule(co, "value"), 0);
        CHECK_EQ(coro_raise(co, -3, 0), 0);
        CHECK_EQ(coro_raise(co, -4, CORO_NO_FORCE), CORO_ESCHEDULE);
        CHECK_EQ(coro_interrupt(co, "late"), CORO_ESCHEDULE);
        if (order >= 2) CHECK_EQ(coro_shutdown(co), 0);
        if (order >= 4) CHECK_EQ(coro_raise(co, CORO_EINTERRUPTED, CORO_CANCEL_START), 0);
        CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), order >= 4 ? CORO_EINTERRUPTED : order >= 2 ? CORO_ESHUTDOWN : -3);
    }
    CHECK_STR(traced(), "-3:- -3:- -5007:- -5007:- -5009:- -5009:- ");
}

static void *sleep_1_s_each(void *argument) {
    int64_t *start = argument;
    for (int i = 0; i < 4; i++) {
        int code = coro_sleep(CORO_SECONDS(1));
        trace("%d@%lld", code, (long long)(coro_get_now() - *start) / 1000000);
    }
    return NULL;
}

/* Four at 2.5 s, and four at exactly 3.5 s, when the sleep that began then is over. */
CORO_TEST(A19_several_raises_at_once_are_one) {
    coro_test_set_virtual_time(true);
    int64_t start = coro_get_now();
    coro_t co = start_now(sleep_1_s_each, &start);
    const int64_t times[] = {CORO_SECONDS(2.5), CORO_SECONDS(3.5)};
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(coro_sleep_absolute(start + times[i]), 0);
        for (int code = -1; code >= -4; code--) CHECK_EQ(coro_raise(co, code, 0), 0);
    }
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "0@1000 0@2000 -4@2500 -4@3500 ");
}

/* -- test_interrupt.py -- */

static void *sleep_until(void *of_deadline) {
    trace("sleep:%d", coro_sleep_absolute(*(int64_t *)of_deadline));
    trace("next:%d", coro_sleep(CORO_MS(1)));
    return NULL;
}

struct interrupter {
    int64_t deadline;
    coro_t victim;
    uint32_t flags;
};

static void *raise_at(void *argument) {
    struct interrupter *it = argument;
    CHECK_EQ(coro_sleep_absolute(it->deadline), 0);
    trace("raise:%d", coro_raise(it->victim, CORO_EWAKEUP, it->flags));
    return NULL;
}

/* Row C6: sleeper and interrupter share one deadline, so that in one pass both are runnable, in either order. */
CORO_TEST(C6_a_sleep_at_its_end_and_an_interrupt_are_one_outcome) {
    coro_test_set_virtual_time(true);
    for (int i = 0; i < 4; i++) {
        struct interrupter it = {coro_get_now() + CORO_MS(10), 0, i < 2 ? 0 : CORO_NO_FORCE};
        bool sleeper_first = i % 2;
        size_t before = strlen(traced());
        coro_t interrupter = 0;
        if (!sleeper_first) interrupter = start_now(raise_at, &it);
        it.victim = start_now(sleep_until, &it.deadline);
        if (sleeper_first) interrupter = start_now(raise_at, &it);
        CHECK_EQ(coro_join(it.victim, NULL, CORO_FOREVER), 0);
        CHECK_EQ(coro_join(interrupter, NULL, CORO_FOREVER), 0);
        /* A sleeper that ran first is told in its next call. Another's sleep was over: it gives way, if it is forced to. */
        CHECK_STR(traced() + before, sleeper_first ? "sleep:0 raise:0 next:-5008 "
                                     : i < 2       ? "raise:0 sleep:-5008 next:0 "
                                                   : "raise:-5001 sleep:0 next:0 ");
    }
}

CORO_TEST(A19_a_value_and_then_a_raise_before_it_runs_gives_the_raise) {
    coro_set_exception_notifier(note_failure);
    coro_t co = start_now(tell_code, NULL);
    CHECK_EQ(coro_schedule(co, "value"), 0);
    CHECK_EQ(coro_raise(co, CORO_EWAKEUP, 0), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), CORO_EWAKEUP);
    CHECK_STR(traced(), "-5008:- ");
}

CORO_TEST(A19_a_raise_breaks_off_a_sleep_within_a_pass) {
    int64_t long_sleep = INT64_MAX - 1;
    coro_t co = start_now(sleep_until, &long_sleep);
    CHECK_EQ(coro_raise(co, CORO_EWAKEUP, 0), 0);
    CHECK_EQ(coro_yield_slice(), 0);
    CHECK_STR(traced(), "sleep:-5008 ");
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
}

static void check_flags(coro_t co, bool dead, bool scheduled) {
    coro_info info = info_of(co);
    CHECK_EQ(info.dead, dead);
    CHECK_EQ(info.scheduled, scheduled);
    CHECK_EQ(info.started, false);
}

CORO_TEST(A20_one_that_has_not_run_is_cancelled_only_on_request) {
    for (int queued = 0; queued < 2; queued++) {
        coro_t co = queued ? coro_spawn(tell_code, NULL) : coro_new(tell_code, NULL, NULL);
        check_flags(co, false, queued);
        CHECK_EQ(coro_raise(co, CORO_EWAKEUP, 0), CORO_ENOTSTARTED);
        check_flags(co, false, queued);
        CHECK_EQ(coro_raise(co, CORO_EWAKEUP, CORO_CANCEL_START), 0);
        check_flags(co, true, false);
        CHECK_EQ(coro_raise(co, CORO_EWAKEUP, CORO_CANCEL_START), CORO_EDEAD);
        CHECK_EQ(coro_shutdown(co), 0);
        CHECK(coro_get_by_id(co) < 0);
        CHECK_EQ(coro_join(co, NULL, 0), CORO_ESHUTDOWN);
    }
    CHECK_EQ(coro_yield(), 0);
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_get_live_coros(), 1);
}

/* -- A23: the value -- */

static void *look_at_value(void *argument) {
    char *value = NULL;
    CHECK(coro_interrupt_value() == NULL);
    CHECK_EQ(coro_park((void **)&value), CORO_EINTERRUPTED);
    CHECK(value == NULL); /* that is coro_schedule()'s */
    CHECK_STR(coro_interrupt_value(), "one");
    coro_join(coro_current(), NULL, 0); /* what does not suspend changes nothing */
    CHECK_STR(coro_interrupt_value(), "one");
    CHECK_EQ(coro_park((void **)&value), 0);
    CHECK(coro_interrupt_value() == NULL);
    CHECK_EQ(coro_sleep(CORO_SECONDS(1000)), CORO_EINTERRUPTED);
    CHECK(coro_interrupt_value() == NULL); /* raised, with no value */
    CHECK_EQ(coro_sleep(CORO_SECONDS(1000)), CORO_EINTERRUPTED);
    CHECK_STR(coro_interrupt_value(), "two");
    CHECK_EQ(coro_with_timeout(0, sleep_for_ever, NULL, NULL), CORO_ETIMEOUT);
    CHECK(coro_interrupt_value() == NULL);
    return argument;
}

CORO_TEST(A23_the_value_is_that_of_the_last_interrupt) {
    coro_t co = start_now(look_at_value, NULL);
    CHECK_EQ(coro_interrupt(co, "one"), 0);
    CHECK(coro_interrupt_value() == NULL); /* ours */
    coro_yield();
    CHECK_EQ(coro_schedule(co, "not an interrupt"), 0);
    coro_yield();
    CHECK_EQ(coro_raise(co, CORO_EINTERRUPTED, 0), 0);
    coro_yield();
    CHECK_EQ(coro_interrupt(co, "two"), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK(coro_interrupt_value() == NULL);
}

TEST(A23_outside_a_loop_there_is_no_value) {
    CHECK(coro_interrupt_value() == NULL);
    coro_yield();
    CHECK(coro_interrupt_value() == NULL);
}

/* -- one wait, and what comes for it at the same time: known bugs 54, 55, 58 and 62 -- */

static int fds[2];
static coro_event *event;
static coro_t target;
static char byte;

static int wait_to_read(void) { return (int)coro_read(fds[0], &byte, 1); }
static int wait_for_event(void) { return coro_event_wait(event, NULL); }
static int wait_for_end(void) { return coro_join(target, NULL, CORO_FOREVER); }
static void give_byte(void) { CHECK_EQ(write(fds[1], "x", 1), 1); }
static void set_event(void) { coro_event_set(event, NULL); }
static void end_target(void) {
    coro_schedule(target, NULL);
    coro_yield(); /* it ends, and its joiners are woken */
}

static const struct wait {
    int (*wait)(void);
    void (*give)(void);
    int result; /* if it is given what it waits for */
} waits[] = {{wait_to_read, give_byte, 1}, {wait_for_event, set_event, 0}, {wait_for_end, end_target, 0}};

static int seen, seen_again;

static void *wait_twice(void *of_wait) {
    const struct wait *way = of_wait;
    seen = way->wait();
    CHECK_EQ(coro_yield_slice(), 0);
    seen_again = way->wait(); /* what an interrupt was in the way of is still there */
    return NULL;
}

/* Given what it waits for, and interrupted, before it runs: one of the two at a time, and neither is lost. */
CORO_TEST(A22_a_result_and_an_interrupt_at_once_are_both_seen_once) {
    for (int i = 0; i < 6; i++) {
        const struct wait *way = &waits[i / 2];
        bool given_first = i % 2;
        unix_pair(fds);
        event = coro_event_new();
        target = start_now(park, NULL);
        coro_t co = start_now(wait_twice, (void *)way);
        seen = seen_again = -1;
        if (given_first) way->give();
        CHECK_EQ(coro_raise(co, CORO_EWAKEUP, 0), 0);
        if (!given_first) way->give();
        CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
        CHECK_EQ(seen, CORO_EWAKEUP);
        CHECK_EQ(seen_again, way->result);
        coro_shutdown(target);
        coro_join(target, NULL, CORO_FOREVER);
        coro_event_free(event);
        coro_close(fds[0]);
        coro_close(fds[1]);
    }
    CHECK_EQ(coro_get_live_coros(), 1);
}

static void *read_and_shut_down_other(void *of_ids) {
    coro_t *ids = of_ids;
    int me = ids[0] == coro_current() ? 0 : 1;
    int got = (int)coro_read(fds[me], &byte, 1);
    trace("%d", got);
    coro_shutdown(ids[!me]);
    return NULL;
}

/* test_poller.py::interrupted_fired: two readers are ready in one look at the descriptors; the first shuts down the other. */
CORO_TEST(A22_an_earlier_event_of_a_batch_ends_the_waiter_of_a_later_one) {
    coro_t ids[2];
    int other[2];
    unix_pair(fds);
    other[0] = fds[0], other[1] = fds[1];
    for (int i = 0; i < 2; i++) ids[i] = coro_spawn(read_and_shut_down_other, ids);
    coro_yield();
    CHECK_EQ(write(other[0], "x", 1), 1);
    CHECK_EQ(write(other[1], "x", 1), 1);
    for (int i = 0; i < 2; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "1 -5007 ");
}
