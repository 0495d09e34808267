/* Row C6: the time of a scope, and other interrupts in the same pass. Exactly one of them is what the call returns. */
#include "coroutines.h"

static int64_t began;

static void start_clock(void) {
    coro_test_set_virtual_time(true);
    began = coro_get_now();
}

static coro_timeout_t limit;
static int returned, ended, after;

static void *sleep_in_scope(void *argument) {
    limit = coro_timeout_begin(CORO_MS(10));
    returned = coro_sleep(CORO_SECONDS(1));
    ended = (int)coro_timeout_end(limit, returned);
    after = coro_sleep(CORO_MS(1));
    return argument;
}

static coro_t victim;
static int (*interrupt_it)(void);

static int by_shutdown(void) { return coro_shutdown(victim); }
static int by_raise(void) { return coro_raise(victim, CORO_EWAKEUP, 0); }
static int by_same_code(void) { return coro_raise(victim, CORO_EINTERRUPTED, 0); }
static int by_interrupt(void) { return coro_interrupt(victim, "value"); }

static void *interrupt_after_10_ms(void *argument) {
    CHECK_EQ(coro_sleep(CORO_MS(10)), 0);
    CHECK_EQ(interrupt_it(), AS_INT(argument));
    return NULL;
}

/* The interrupter wakes in the pass in which the scope's time is up: before its victim's timer goes off, or after. */
static void race(bool interrupter_first, int (*how)(void), int refused) {
    returned = ended = after = 1;
    interrupt_it = how;
    if (interrupter_first) go(interrupt_after_10_ms, AS_POINTER(refused));
    coro_yield();
    victim = start_now(sleep_in_scope, NULL);
    if (!interrupter_first) go(interrupt_after_10_ms, AS_POINTER(refused));
    CHECK_EQ(coro_join(victim, NULL, CORO_FOREVER), 0);
    CHECK_EQ(after, 0);
}

CORO_TEST(C6_what_told_a_coroutine_to_end_is_not_taken_for_a_timeout) {
    start_clock();
    /* The one who interrupts runs first: both were made runnable in that order, and the last word counts. */
    race(true, by_shutdown, 0);
    CHECK_EQ(returned, CORO_ESHUTDOWN);
    CHECK_EQ(ended, CORO_ESHUTDOWN);
    race(true, by_raise, 0);
    CHECK_EQ(returned, CORO_EWAKEUP);
    CHECK_EQ(ended, CORO_EWAKEUP);
    race(true, by_same_code, 0);
    CHECK_EQ(returned, CORO_EINTERRUPTED);
    CHECK_EQ(ended, CORO_EINTERRUPTED);
    race(true, by_interrupt, CORO_ESCHEDULE);
    CHECK_EQ(returned, CORO_EINTERRUPTED);
    CHECK_EQ(ended, CORO_ETIMEOUT);
    CHECK_EQ(coro_get_live_coros(), 1);
}

/* The victim has run, and sleeps in the next call: the interruption meets that. */
CORO_TEST(C6_a_timeout_that_came_first_was_first) {
    start_clock();
    returned = ended = after = 1;
    interrupt_it = by_raise;
    victim = start_now(sleep_in_scope, NULL);
    go(interrupt_after_10_ms, NULL);
    CHECK_EQ(coro_join(victim, NULL, CORO_FOREVER), 0);
    CHECK_EQ(returned, CORO_EINTERRUPTED);
    CHECK_EQ(ended, CORO_ETIMEOUT);
    CHECK_EQ(after, CORO_EWAKEUP);
}

static void *ignore_and_go_on(void *argument) {
    limit = coro_timeout_begin(CORO_MS(10));
    trace("%d", coro_sleep(CORO_SECONDS(1)));
    trace("%d", coro_timeout_expired(limit));
    trace("%d", coro_sleep(CORO_SECONDS(1)));
    trace("%d", coro_sleep(CORO_MS(1)));
    trace("%d", (int)coro_timeout_end(limit, 5));
    return argument;
}

/* Each of the two is delivered, once: the timeout, put off by the other, in the next wait. */
CORO_TEST(C6_a_timeout_that_another_interrupt_replaced_is_not_lost) {
    start_clock();
    interrupt_it = by_raise;
    go(interrupt_after_10_ms, NULL);
    coro_yield();
    victim = start_now(ignore_and_go_on, NULL);
    CHECK_EQ(coro_join(victim, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "-5008 0 -5009 0 -5005 ");
}

static void *yield_when_time_is_up(void *argument) {
    limit = coro_timeout_begin(0);
    returned = AS_INT(argument) ? coro_yield() : coro_sleep(CORO_SECONDS(1));
    ended = (int)coro_timeout_end(limit, returned);
    return NULL;
}

/* The same where the time was up before the wait began. */
CORO_TEST(C6_an_interrupt_before_a_timeout_is_delivered_is_not_taken_for_one) {
    start_clock();
    for (int yields = 0; yields < 2; yields++) {
        victim = start_now(yield_when_time_is_up, AS_POINTER(yields));
        CHECK_EQ(coro_shutdown(victim), 0);
        CHECK_EQ(coro_join(victim, NULL, CORO_FOREVER), 0);
        CHECK_EQ(returned, CORO_ESHUTDOWN);
        CHECK_EQ(ended, CORO_ESHUTDOWN);
        victim = start_now(yield_when_time_is_up, AS_POINTER(yields));
        CHECK_EQ(coro_join(victim, NULL, CORO_FOREVER), 0);
        CHECK_EQ(ended, CORO_ETIMEOUT);
    }
}

/* The time of a sleep and of the scope around it: the scope's interrupts; also a join's own limit is told apart. */
CORO_TEST(C6_a_wait_with_a_limit_of_its_own_in_a_scope) {
    start_clock();
    coro_t co = start_now(park, NULL);
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(10));
    CHECK_EQ(coro_join(co, NULL, CORO_MS(3)), CORO_ETIMEOUT);
    CHECK_EQ(coro_timeout_expired(scope), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_MS(30)), CORO_EINTERRUPTED);
    CHECK_EQ(coro_get_now() - began, CORO_MS(10));
    CHECK_EQ(coro_timeout_end(scope, 1), CORO_ETIMEOUT);
    scope = coro_timeout_begin(CORO_MS(10));
    CHECK_EQ(coro_sleep(CORO_MS(10)), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, 1), CORO_ETIMEOUT);
    scope = coro_timeout_begin(CORO_MS(10));
    CHECK_EQ(coro_join(co, NULL, CORO_MS(10)), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, 1), CORO_ETIMEOUT);
}
