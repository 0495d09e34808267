/* Row I7: events, which happen once and are remembered. */
#include "interleavings.h"

#include <pthread.h>

static coro_event *event;

struct waiter {
    int number, code;
    void *value;
};

static void *wait_for_event(void *of_waiter) {
    struct waiter *it = of_waiter;
    it->value = it;
    it->code = coro_event_wait(event, &it->value);
    trace("%d", it->number);
    return it;
}

enum { WAITERS = 5 };
static struct waiter waiters[WAITERS];
static coro_t ids[WAITERS];

static void start_waiters(void) {
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = (struct waiter){.number = i, .code = 1};
        ids[i] = start_now(wait_for_event, &waiters[i]);
    }
}

static void end_waiters(int code, void *value) {
    for (int i = 0; i < WAITERS; i++) {
        CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
        CHECK_EQ(waiters[i].code, code);
        CHECK(waiters[i].value == value);
    }
}

CORO_TEST(I7_an_event_is_remembered_with_its_value) {
    void *value = &value;
    event = coro_event_new();
    CHECK(!coro_event_is_set(event));
    CHECK_EQ(coro_event_set(event, "value"), 0);
    CHECK(coro_event_is_set(event));
    go(note, "ran");
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(coro_event_wait(event, &value), 0);
        CHECK_STR(value, "value");
        CHECK_EQ(coro_event_wait(event, NULL), 0);
    }
    CHECK_STR(traced(), ""); /* without suspending */
    CHECK_EQ(coro_event_set(event, NULL), 0);
    CHECK_EQ(coro_event_wait(event, &value), 0);
    CHECK(value == NULL); /* which is a value too */
    CHECK_EQ(coro_event_free(event), 0);
}

CORO_TEST(I7_all_who_wait_go_on_in_the_order_they_came) {
    event = coro_event_new();
    start_waiters();
    coro_yield();
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_event_set(event, "v"), 0);
    CHECK_STR(traced(), ""); /* setting does not suspend */
    coro_yield();
    CHECK_STR(traced(), "0 1 2 3 4 ");
    end_waiters(0, "v");
    CHECK_EQ(coro_event_free(event), 0);
    CHECK_EQ(coro_get_live_coros(), 1);
}

CORO_TEST(I7_each_gets_the_value_of_the_time_it_was_woken) {
    event = coro_event_new();
    start_waiters();
    CHECK_EQ(coro_event_set(event, "first"), 0);
    CHECK_EQ(coro_event_set(event, "second"), 0); /* set twice, before they run */
    void *value;
    CHECK_EQ(coro_event_wait(event, &value), 0);
    CHECK_STR(value, "second");
    end_waiters(0, "first");

    CHECK_EQ(coro_event_reset(event), 0);
    start_waiters();
    CHECK_EQ(coro_event_set(event, "third"), 0);
    CHECK_EQ(coro_event_reset(event), 0); /* reset before they run */
    CHECK(!coro_event_is_set(event));
    end_waiters(0, "third");

    start_waiters(); /* it is as new: they wait */
    coro_yield();
    CHECK_EQ(coro_event_set(event, "fourth"), 0);
    CHECK_EQ(coro_event_free(event), 0); /* freed before they run */
    end_waiters(0, "fourth");
}

CORO_TEST(I7_freed_while_waited_for_it_is_closed) {
    event = coro_event_new();
    start_waiters();
    CHECK_EQ(coro_event_free(event), 0);
    end_waiters(CORO_ECLOSED, NULL);
    CHECK_STR(traced(), "0 1 2 3 4 ");
    event = coro_event_new();
    CHECK(!coro_event_is_set(event)); /* whatever memory it has */
    CHECK_EQ(coro_event_free(event), 0);
}

static void *wait_and_look_at_detail(void *unused) {
    CHECK_EQ(coro_event_wait(event, NULL), CORO_ECLOSED);
    trace("%s", coro_error_detail());
    return unused;
}

CORO_TEST(I7_why_a_wait_was_closed_is_said) {
    event = coro_event_new();
    go(wait_and_look_at_detail, NULL);
    coro_yield();
    CHECK_EQ(coro_event_free(event), 0);
    coro_yield();
    CHECK_STR(traced(), "the event was freed ");
}

/* -- interrupted -- */

static void check_interleaving(bool interrupt_first, int (*interrupt)(coro_t), int code) {
    event = coro_event_new();
    start_waiters();
    if (interrupt_first) CHECK_EQ(interrupt(ids[2]), 0);
    CHECK_EQ(coro_event_set(event, "v"), 0);
    if (!interrupt_first) CHECK_EQ(interrupt(ids[2]), 0);
    for (int i = 0; i < WAITERS; i++) {
        CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
        CHECK_EQ(waiters[i].code, i == 2 ? code : 0);
        if (i == 2) CHECK(waiters[i].value == NULL);
        else CHECK_STR(waiters[i].value, "v");
    }
    CHECK(coro_event_is_set(event));
    CHECK_EQ(coro_event_free(event), 0);
}

static int raise_no_link(coro_t co) { return coro_raise(co, -ENOLINK, 0); }
static int interrupt_it(coro_t co) { return coro_interrupt(co, NULL); }

CORO_TEST(I7_interrupted_before_or_after_it_is_set) {
    for (int first = 0; first < 2; first++) {
        check_interleaving(first, coro_shutdown, CORO_ESHUTDOWN);
        check_interleaving(first, raise_no_link, -ENOLINK);
    }
    check_interleaving(true, interrupt_it, CORO_EINTERRUPTED);
}

CORO_TEST(I7_interrupted_and_freed_in_both_orders) {
    for (int first = 0; first < 2; first++) {
        event = coro_event_new();
        start_waiters();
        if (first) coro_shutdown(ids[2]);
        CHECK_EQ(coro_event_free(event), 0);
        if (!first) coro_shutdown(ids[2]);
        for (int i = 0; i < WAITERS; i++) {
            CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
            CHECK_EQ(waiters[i].code, i == 2 ? CORO_ESHUTDOWN : CORO_ECLOSED);
        }
    }
}

CORO_TEST(I7_an_interrupted_wait_leaves_the_others_in_order) {
    for (int gone = 0; gone < WAITERS; gone++) {
        char order[20] = "";
        size_t before = strlen(traced());
        event = coro_event_new();
        start_waiters();
        CHECK_EQ(coro_raise(ids[gone], CORO_EWAKEUP, 0), 0);
        CHECK_EQ(coro_join(ids[gone], NULL, CORO_FOREVER), 0);
        CHECK_EQ(coro_event_set(event, NULL), 0);
        coro_yield();
        sprintf(order, "%d ", gone);
        for (int i = 0; i < WAITERS; i++)
            if (i != gone) sprintf(order + strlen(order), "%d ", i);
        CHECK_STR(traced() + before, order);
        for (int i = 0; i < WAITERS; i++)
            if (i != gone) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
        CHECK_EQ(coro_event_free(event), 0);
    }
}

static void *make(void) { return coro_event_new(); }
static int wait_once(void *object, int index) { (void)index; return coro_event_wait(object, NULL); }
static int set_it(void *object) { return coro_event_set(object, NULL) == 0 ? 1 : -1; }
static int is_it_set(void *object) { return coro_event_is_set(object); }
static int free_it(void *object) { return coro_event_free(object); }

static const struct primitive events = {
    .name = "event", .serves = SERVES_ALL, .make = make, .wait = wait_once, .grant = set_it, .left = is_it_set, .close = free_it};

CORO_TEST(I7_all_interleavings_of_an_event) {
    check_interleavings(&events);
}

/* -- time -- */

CORO_TEST(I7_a_timeout_scope_bounds_a_wait) {
    coro_test_set_virtual_time(true);
    event = coro_event_new();
    int64_t start = coro_get_now();
    coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(3));
    CHECK_EQ(coro_event_wait(event, NULL), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, CORO_EINTERRUPTED), CORO_ETIMEOUT);
    CHECK_EQ(coro_get_now() - start, CORO_SECONDS(3));
    start_waiters();
    scope = coro_timeout_begin(0); /* in which none may suspend: one that is set needs not */
    CHECK_EQ(coro_event_wait(event, NULL), CORO_EINTERRUPTED);
    CHECK_EQ(coro_event_set(event, "v"), 0);
    CHECK_EQ(coro_event_wait(event, NULL), 0);
    CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
    end_waiters(0, "v");
    CHECK_EQ(coro_event_free(event), 0);
}

/* Its time is up in the pass in which the event is set: whatever was first, it is one of the two, and not both. */
static void *set_event(void *value) {
    CHECK_EQ(coro_event_set(event, value), 0);
    return value;
}

static void *set_event_after_3_s(void *value) {
    CHECK_EQ(coro_sleep(CORO_SECONDS(3)), 0);
    return set_event(value);
}

CORO_TEST(I7_set_at_the_end_of_the_time_it_is_one_of_the_two) {
    void *value = NULL;
    coro_test_set_virtual_time(true);
    for (int setter_first = 0; setter_first < 2; setter_first++) {
        event = coro_event_new();
        coro_t setter = 0;
        if (setter_first) setter = start_now(set_event_after_3_s, "v");
        coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(3));
        if (!setter_first) setter = coro_spawn(set_event_after_3_s, "v");
        int code = coro_event_wait(event, &value);
        CHECK_EQ(code, CORO_EINTERRUPTED); /* the timers of a pass are first, so the wait is over before the setter runs */
        CHECK(value == NULL);
        CHECK_EQ(coro_timeout_end(scope, code), CORO_ETIMEOUT);
        CHECK_EQ(coro_join(setter, NULL, CORO_FOREVER), 0);
        CHECK_EQ(coro_event_wait(event, &value), 0);
        CHECK_STR(value, "v");
        CHECK_EQ(coro_event_free(event), 0);
    }
}

/* -- misuse -- */

static void wait_where_none_may_suspend(void *unused) {
    (void)unused;
    void *value = &value;
    CHECK_EQ(coro_event_wait(event, &value), CORO_EYIELDFROMMAIN);
    CHECK(value == NULL);
    CHECK_EQ(coro_event_set(event, "v"), 0);
    CHECK_EQ(coro_event_wait(event, &value), 0); /* it need not wait */
    CHECK_STR(value, "v");
    CHECK_EQ(coro_event_reset(event), 0);
}

TEST(I7_bad_arguments_are_refused) {
    void *value = &value;
    CHECK_EQ(coro_event_wait(NULL, &value), -EINVAL);
    CHECK(value == NULL);
    CHECK_EQ(coro_event_wait(NULL, NULL), -EINVAL);
    CHECK_EQ(coro_event_set(NULL, NULL), -EINVAL);
    CHECK_EQ(coro_event_reset(NULL), -EINVAL);
    CHECK(!coro_event_is_set(NULL));
    CHECK_EQ(coro_event_free(NULL), 0);
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    CHECK(coro_event_new() == NULL);
    event = coro_event_new();
    coro_options options = CORO_OPTIONS_INIT;
    options.release = wait_where_none_may_suspend;
    CHECK_EQ(coro_join(coro_spawn_with(do_nothing, NULL, &options), NULL, CORO_FOREVER), 0);
    coro_set_strict_main(true);
    wait_where_none_may_suspend(NULL);
    CHECK_EQ(coro_event_free(event), 0);
}

TEST(I7_on_main_a_deadlock_is_an_error) {
    void *value = NULL;
    event = coro_event_new();
    CHECK_EQ(coro_event_wait(event, &value), -EDEADLK);
    go(set_event, "v");
    CHECK_EQ(coro_event_wait(event, &value), 0); /* it runs the loop */
    CHECK_STR(value, "v");
    CHECK_EQ(coro_event_free(event), 0);
}

CORO_TEST(I7_who_waits_says_so) {
    char expected[60];
    event = coro_event_new();
    start_waiters();
    coro_info info = info_of(ids[0]);
    CHECK_EQ(info.wait_kind, CORO_WAIT_EVENT);
    CHECK(info.wait_object == (int64_t)(intptr_t)event);
    snprintf(expected, sizeof expected, "waiting for event 0x%llx", (unsigned long long)(uintptr_t)event);
    CHECK_STR(info.waiting, expected);
    CHECK_EQ(coro_schedule(ids[0], NULL), CORO_ESCHEDULE); /* only the event wakes it */
    CHECK_EQ(coro_event_set(event, NULL), 0);
    end_waiters(0, NULL);
    CHECK_EQ(coro_event_free(event), 0);
}

/* -- threads -- */

static coro_loop_t loop;

static void *use_anothers_event(void *unused) {
    void *value = &value;
    CHECK_EQ(coro_event_wait(event, &value), CORO_EWRONGTHREAD);
    CHECK(value == NULL);
    CHECK_EQ(coro_event_set(event, NULL), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_event_reset(event), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_event_free(event), CORO_EWRONGTHREAD);
    CHECK_CONTAINS(coro_error_detail(), "coro_post");
    CHECK_EQ(coro_post(loop, set_event, "from afar"), 0);
    return unused;
}

CORO_TEST(I7_another_thread_sets_it_by_a_post) {
    pthread_t thread;
    event = coro_event_new();
    loop = coro_loop_current();
    start_waiters();
    CHECK_EQ(pthread_create(&thread, NULL, use_anothers_event, NULL), 0);
    for (int i = 0; i < WAITERS; i++) {
        CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
        CHECK_STR(waiters[i].value, "from afar");
    }
    pthread_join(thread, NULL);
    CHECK_EQ(coro_event_free(event), 0);
}
