/* Row L1: a C main and a Swift library in one process, on one loop. */
#include "swift_half.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_EQ(actual, expected) check_eq((actual), (expected), #actual, __LINE__)

static void check_eq(int64_t actual, int64_t expected, const char *what, int line) {
    if (actual == expected) return;
    fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, line, what, (long long)actual, (long long)expected);
    exit(1);
}

static int join(coro_t co) {
    return coro_join(co, NULL, CORO_SECONDS(10));
}

static void *sleep_for(void *arg) {
    int error = coro_sleep((intptr_t)arg);
    return error < 0 ? coro_fail(error, NULL) : NULL;
}

static coro_t spawn_sleeper(int64_t ns) {
    return coro_spawn(sleep_for, (void *)(intptr_t)ns);
}

static void c_joins_swift(void) {
    CHECK_EQ(join(swift_spawn(WORK_ANSWER)), 0);
    CHECK_EQ(join(swift_spawn(WORK_FAIL)), CORO_ECLOSED);
    CHECK_EQ(join(swift_spawn(WORK_THROW)), CORO_EFAILED);
    CHECK_EQ(strstr(coro_error_detail(), "OddError") != NULL, true);
}

static void swift_joins_c(void) {
    CHECK_EQ(join(swift_spawn_joiner(spawn_sleeper(CORO_MS(5)), CORO_SECONDS(10))), 0);
    CHECK_EQ(swift_result(), 0);
}

static void timeouts(void) {
    coro_t swift = swift_spawn(WORK_FOREVER), c = spawn_sleeper(CORO_FOREVER);
    CHECK_EQ(coro_join(swift, NULL, CORO_MS(5)), CORO_ETIMEOUT);
    CHECK_EQ(coro_is_alive(swift), true);
    CHECK_EQ(join(swift_spawn_joiner(c, CORO_MS(5))), 0);
    CHECK_EQ(swift_result(), CORO_ETIMEOUT);
    CHECK_EQ(coro_is_alive(c), true);

    /* Each ends the other's. */
    CHECK_EQ(coro_shutdown(swift), 0);
    CHECK_EQ(join(swift), CORO_ESHUTDOWN);
    CHECK_EQ(swift_cleanups(), 1);
    CHECK_EQ(join(swift_spawn_killer(c)), 0);
    CHECK_EQ(swift_result(), 0);
    CHECK_EQ(join(c), CORO_ESHUTDOWN);
}

/* Each interrupts the other's, and sees why. */
static void interrupting(void) {
    coro_t swift = swift_spawn(WORK_NOTE);
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(coro_interrupt(swift, (void *)ANSWER), 0);
    CHECK_EQ(join(swift), 0);
    CHECK_EQ(swift_interruption(), CORO_EINTERRUPTED);
    CHECK_EQ(swift_interrupt_value(), ANSWER);

    swift = swift_spawn(WORK_NOTE);
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(coro_raise(swift, CORO_EWAKEUP, 0), 0);
    CHECK_EQ(join(swift), 0);
    CHECK_EQ(swift_interruption(), CORO_EWAKEUP);
    CHECK_EQ(swift_interrupt_value(), 0);

    coro_t c = spawn_sleeper(CORO_FOREVER);
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(join(swift_spawn_interrupter(c)), 0);
    CHECK_EQ(swift_result(), 0);
    CHECK_EQ(join(c), CORO_EINTERRUPTED);
}

static int64_t outer_limit(int64_t outer, int64_t inner, int *swift) {
    coro_timeout_t scope = coro_timeout_begin(outer);
    *swift = swift_sleep_within(inner, CORO_FOREVER);
    return coro_timeout_end(scope, 0);
}

/* Time limits of both languages around each other, on one stack. */
static void limits(void) {
    int swift;
    CHECK_EQ(swift_sleep_within(CORO_MS(5), CORO_FOREVER), CORO_ETIMEOUT);
    CHECK_EQ(outer_limit(CORO_MS(5), CORO_SECONDS(1000), &swift), CORO_ETIMEOUT);
    CHECK_EQ(swift, CORO_EINTERRUPTED);
    CHECK_EQ(outer_limit(CORO_SECONDS(1000), CORO_MS(5), &swift), 0);
    CHECK_EQ(swift, CORO_ETIMEOUT);
}

static void cancelling(void) {
    coro_t swift = swift_spawn(WORK_FOREVER);
    CHECK_EQ(coro_shutdown(swift), 0); /* before it ever ran: there is nothing to clean up */
    CHECK_EQ(join(swift), CORO_ESHUTDOWN);
    CHECK_EQ(swift_cleanups(), 1);

    /* Who joins is ended too, and the one that was joined is left alone. */
    coro_t c = spawn_sleeper(CORO_MS(20)), joiner = swift_spawn_joiner(c, CORO_SECONDS(10));
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(coro_shutdown(joiner), 0);
    CHECK_EQ(join(joiner), 0);
    CHECK_EQ(swift_result(), CORO_ESHUTDOWN);
    CHECK_EQ(join(c), 0);
}

static void waking(void) {
    coro_t swift = swift_spawn(WORK_PARK);
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(coro_schedule(swift, (void *)ANSWER), 0);
    CHECK_EQ(join(swift), 0);
    CHECK_EQ(swift_woken_with(), ANSWER);
}

static void one_list(void) {
    coro_t c = spawn_sleeper(CORO_FOREVER), swift = swift_spawn(WORK_FOREVER), ids[10];
    CHECK_EQ(coro_all(ids, 10), 3);
    CHECK_EQ(ids[0], coro_current());
    CHECK_EQ(ids[1], c);
    CHECK_EQ(ids[2], swift);
    CHECK_EQ(swift_count_all(), 3);
    CHECK_EQ(coro_shutdown(c), 0);
    CHECK_EQ(coro_shutdown(swift), 0);
    CHECK_EQ(join(c), CORO_ESHUTDOWN);
    CHECK_EQ(join(swift), CORO_ESHUTDOWN);
}

static int ignore_failure(coro_t co, int code, const char *message) {
    (void)co, (void)code, (void)message;
    return 0;
}

static void *run(void *arg) {
    (void)arg;
    c_joins_swift();
    swift_joins_c();
    timeouts();
    interrupting();
    limits();
    cancelling();
    waking();
    one_list();
    swift_drop_all();
    CHECK_EQ(coro_get_live_coros(), 1); /* this one: nothing was left behind */
    coro_set_exit(0);
    return NULL;
}

int main(void) {
    coro_set_exception_notifier(ignore_failure);
    coro_set_print_exit_string(false);
    CHECK_EQ(coro_detach(coro_spawn(run, NULL)), 1);
    return coro_event_loop();
}
