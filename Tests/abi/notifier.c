/* Row A14: the notifier, which is told of failures. It may use the library, but not suspend. */
#include "coroutines.h"
#include "net.h"

#include <pthread.h>

static void *fail(void *message) {
    return coro_fail(-EIO, message);
}

static int told, told_code;
static coro_t told_of;

static int tell(coro_t co, int code, const char *message) {
    told++;
    told_of = co;
    told_code = code;
    trace("%s", message);
    return 0;
}

static int tell_other(coro_t co, int code, const char *message) {
    (void)co, (void)code;
    trace("other:%s", message);
    return 0;
}

static int cannot(coro_t co, int code, const char *message) {
    (void)co, (void)code, (void)message;
    return 1;
}

TEST(A14_it_can_be_replaced_and_the_one_before_is_returned) {
    CHECK(coro_set_exception_notifier(NULL) == NULL); /* the default is there from the start */
    CHECK(coro_set_exception_notifier(tell) == NULL);
    go(fail, "a");
    run_until_idle();
    CHECK(coro_set_exception_notifier(tell_other) == tell);
    go(fail, "b");
    run_until_idle();
    CHECK(coro_set_exception_notifier(tell) == tell_other);
    CHECK(coro_set_exception_notifier(NULL) == tell);
    CHECK(coro_set_exception_notifier(NULL) == NULL);
    CHECK_STR(traced(), "a other:b ");
}

static void fail_and_fall_back(void) {
    coro_set_exception_notifier(tell);
    coro_set_exception_notifier(NULL);
    go(fail, "by default");
    coro_set_exception_notifier(cannot);
    go(fail, "because it could not");
    run_until_idle();
}

TEST(A14_the_default_takes_over_from_none_and_from_one_that_can_not) {
    char output[1000];
    CHECK_EQ(run_in_child(fail_and_fall_back, output, sizeof output), 0);
    CHECK_CONTAINS(output, "EIO");
    CHECK_CONTAINS(output, "because it could not\n");
    CHECK_EQ(told, 0);
}

static void *replace_while_it_waits(void *unused) {
    coro_set_exception_notifier(tell_other);
    return unused;
}

static int replace_itself(coro_t co, int code, const char *message) {
    CHECK(coro_set_exception_notifier(tell) == replace_itself);
    return tell_other(co, code, message);
}

TEST(A14_the_one_that_is_set_when_it_fails_is_told) {
    coro_set_exception_notifier(tell);
    go(replace_while_it_waits, NULL);
    go(fail, "a");
    run_until_idle();
    coro_set_exception_notifier(replace_itself);
    go(fail, "b");
    go(fail, "c");
    run_until_idle();
    CHECK_STR(traced(), "other:a other:b c ");
}

static void *fail_elsewhere(void *unused) {
    CHECK(coro_set_exception_notifier(tell_other) == NULL); /* each thread has its own */
    go(fail, "a");
    run_until_idle();
    return unused;
}

TEST(A14_it_is_the_threads) {
    pthread_t thread;
    coro_set_exception_notifier(tell);
    CHECK_EQ(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    CHECK(coro_set_exception_notifier(NULL) == tell);
    CHECK_STR(traced(), "other:a ");
}

/* -- what it may do -- */

static int ends[2];
static coro_t parked;
static coro_event *event;

static int use_the_library(coro_t co, int code, const char *message) {
    char name[20], byte;
    CHECK_EQ(coro_current(), co);
    CHECK(coro_is_alive(co));
    CHECK_EQ(info_of(co).state, CORO_STATE_RUNNING);
    CHECK_EQ(coro_set_name(co, "failed"), co);
    CHECK_EQ(coro_get_name(co, name, sizeof name), 6);
    go(note, "spawned");
    CHECK_EQ(coro_schedule(parked, NULL), 0);
    CHECK_EQ(coro_event_set(event, NULL), 0);
    CHECK_EQ(coro_start(INT64_MAX), -ESRCH); /* its own errors are nobody's */
    CHECK_EQ(coro_shutdown(co), 0);
    for (int i = 0; i < 20; i++) { /* what need not wait */
        CHECK_EQ(coro_write(ends[1], "x", 1), 1);
        CHECK_EQ(coro_read(ends[0], &byte, 1), 1);
    }
    CHECK_EQ(coro_event_wait(event, NULL), 0);
    CHECK_EQ(coro_join(co, NULL, 0), -EDEADLK);
    coro_fail(-EPERM, "its own failure");
    CHECK_STR(message, "short header");
    return tell(co, code, message);
}

TEST(A14_it_may_use_the_library) {
    coro_set_exception_notifier(use_the_library);
    CHECK_EQ(coro_pipe(ends, 0), 0);
    event = coro_event_new();
    parked = start_now(park, NULL);
    coro_t co = coro_spawn(fail, "short header");
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), -EIO);
    CHECK_STR(coro_error_detail(), "short header");
    CHECK_EQ(told_of, co);
    CHECK_EQ(told_code, -EIO);
    CHECK_EQ(coro_join(parked, NULL, CORO_FOREVER), 0);
    run_until_idle();
    CHECK_STR(traced(), "short header spawned ");
    CHECK_EQ(coro_get_live_coros(), 0);
    CHECK_EQ(coro_event_free(event), 0);
}

static int try_to_suspend(coro_t co, int code, const char *message) {
    char byte;
    coro_call call = {.fn = do_nothing};
    coro_t new = coro_new(do_nothing, NULL, NULL);
    CHECK_EQ(coro_yield(), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_yield_slice(), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_sleep(1), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_park(NULL), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_join(parked, NULL, CORO_FOREVER), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_start_now(new), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_read(ends[0], &byte, 1), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_event_wait(event, NULL), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_in_parallel(&call, 1), CORO_EYIELDFROMMAIN);
    CHECK_CONTAINS(coro_error_detail(), "notifiers");
    CHECK_EQ(coro_shutdown(new), 0);
    coro_detach(new);
    return tell(co, code, message);
}

/* Were it to wait, the coroutine would not end, and who joins it would wait for that. */
TEST(A14_it_must_not_suspend) {
    coro_set_exception_notifier(try_to_suspend);
    CHECK_EQ(coro_pipe(ends, 0), 0);
    event = coro_event_new();
    parked = start_now(park, NULL);
    CHECK_EQ(coro_join(coro_spawn(fail, "a"), NULL, CORO_FOREVER), -EIO);
    CHECK_EQ(told, 1);
    CHECK_EQ(coro_yield(), 0); /* and afterwards all is as before */
    CHECK_EQ(coro_schedule(parked, NULL), 0);
    CHECK_EQ(coro_join(parked, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_event_free(event), 0);
    CHECK_EQ(coro_get_live_coros(), 0);
}
