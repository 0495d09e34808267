/* Rows A18, A22 and D9: coro_shutdown of a coroutine in every state, delivered once, leaving nothing behind. */
#include "coroutines.h"
#include "net.h"

/* -- the ways to wait -- */

static int pipe_ends[2], full_socket[2];
static int listener, connecting;
static struct address full_backlog;
static coro_event *event;
static coro_t join_target;
static char byte;

static int wait_in_sleep(void) { return coro_sleep(CORO_SECONDS(1000)); }
static int wait_in_sleep_0(void) { return coro_sleep(0); }
static int wait_in_sleep_past(void) { return coro_sleep_absolute(-1); }
static int wait_for_ever(void) { return coro_sleep(CORO_FOREVER); }
static int wait_in_park(void) { return coro_park(NULL); }
static int wait_in_yield(void) { return coro_yield(); }
static int wait_in_slice(void) { return coro_yield_slice(); }
static int wait_in_join(void) { return coro_join(join_target, NULL, CORO_FOREVER); }
static int wait_in_timed_join(void) { return coro_join(join_target, NULL, CORO_SECONDS(1000)); }
static int wait_in_read(void) { return (int)coro_read(pipe_ends[0], &byte, 1); }
static int wait_in_wait_for(void) { return coro_wait_for(pipe_ends[0], CORO_READ); }
static int wait_in_write(void) { return (int)coro_write(full_socket[0], &byte, 1); }
static int wait_in_accept(void) { return coro_accept(listener, NULL, NULL); }
static int wait_in_connect(void) {
    return coro_connect(connecting, (struct sockaddr *)&full_backlog.storage, full_backlog.length);
}
static int wait_in_event(void) { return coro_event_wait(event, NULL); }
static int wait_in_parallel(void) { return coro_in_parallel(&(coro_call){.fn = do_nothing}, 1); }

static const struct way {
    const char *name;
    int (*wait)(void);
    int kind; /* as coro_info tells */
} ways[] = {
    {"sleep", wait_in_sleep, CORO_WAIT_SLEEP},         {"sleep 0", wait_in_sleep_0, CORO_WAIT_PASS},
    {"sleep past", wait_in_sleep_past, CORO_WAIT_PASS}, {"for ever", wait_for_ever, CORO_WAIT_SLEEP},
    {"park", wait_in_park, CORO_WAIT_PARK},             {"yield", wait_in_yield, CORO_WAIT_NONE},
    {"slice", wait_in_slice, CORO_WAIT_PASS},           {"join", wait_in_join, CORO_WAIT_JOIN},
    {"timed join", wait_in_timed_join, CORO_WAIT_JOIN}, {"read", wait_in_read, CORO_WAIT_READ},
    {"wait_for", wait_in_wait_for, CORO_WAIT_READ},     {"write", wait_in_write, CORO_WAIT_WRITE},
    {"accept", wait_in_accept, CORO_WAIT_READ},         {"connect", wait_in_connect, CORO_WAIT_SLEEP},
    {"event", wait_in_event, CORO_WAIT_EVENT},          {"parallel", wait_in_parallel, CORO_WAIT_PARALLEL},
};
enum { WAYS = sizeof ways / sizeof *ways };

static void prepare(void) {
    static char block[4096];
    join_target = start_now(park, NULL);
    CHECK_EQ(coro_pipe(pipe_ends, 0), 0);
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, full_socket), 0);
    while (send(full_socket[0], block, sizeof block, MSG_DONTWAIT) > 0) {}
    while (send(full_socket[0], block, 1, MSG_DONTWAIT) > 0) {}
    struct address at;
    listener = make_listener(AF_INET, SOCK_STREAM, 1, &at);
    make_listener(AF_UNIX, SOCK_STREAM, 0, &full_backlog);
    do {
        connecting = coro_socket(AF_UNIX, SOCK_STREAM, 0);
    } while (connect(connecting, (struct sockaddr *)&full_backlog.storage, full_backlog.length) == 0);
    event = coro_event_new();
}

struct visit {
    const struct way *way;
    int code;
    bool ended;
};

static void *visit(void *argument) {
    struct visit *visit = argument;
    visit->code = visit->way->wait();
    /* It was delivered once: the next waits are undisturbed. */
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(coro_sleep(0), 0);
    CHECK_EQ(coro_sleep(1), 0);
    visit->ended = true;
    return NULL;
}

CORO_TEST(A18_a_waiting_one_is_interrupted_once_whatever_it_waits_in) {
    prepare();
    for (int i = 0; i < WAYS; i++) {
        struct visit it = {&ways[i], 1, false};
        coro_t co = start_now(visit, &it);
        if (info_of(co).wait_kind != ways[i].kind) test_fail(__FILE__, __LINE__, "%s: %s", ways[i].name, info_of(co).waiting);
        CHECK_EQ(coro_shutdown(co), 0);
        CHECK_EQ(it.code, 1);
        CHECK(info_of(co).scheduled);
        CHECK_EQ(coro_shutdown(co), 0); /* again, before it ran: still one */
        CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
        if (it.code != CORO_ESHUTDOWN) test_fail(__FILE__, __LINE__, "%s returned %d", ways[i].name, it.code);
        CHECK(it.ended);
    }
    CHECK_EQ(coro_get_live_coros(), 2);
}

/* Row A22: the wait that was interrupted left no timer, no place among the joiners, and no waiter of the descriptor. */
CORO_TEST(A22_an_interrupted_wait_leaves_nothing_behind) {
    prepare();
    coro_test_set_virtual_time(true);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < WAYS; i++) {
            /* The next visit of the same descriptor gets no CORO_ESIMULTANEOUS. */
            struct visit it = {&ways[i], 1, false};
            coro_t co = start_now(visit, &it);
            CHECK_EQ(coro_shutdown(co), 0);
            CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
            CHECK_EQ(it.code, CORO_ESHUTDOWN);
        }
    }
    /* Nobody is woken by what they waited for. */
    CHECK_EQ(write(pipe_ends[1], "x", 1), 1);
    CHECK_EQ(coro_schedule(join_target, NULL), 0);
    CHECK_EQ(coro_join(join_target, NULL, CORO_FOREVER), 0);
    /* And no timer is left: with this the only one, virtual time goes straight to it. */
    int64_t start = coro_get_now();
    CHECK_EQ(coro_sleep(CORO_SECONDS(5000)), 0);
    CHECK_EQ(coro_get_now() - start, CORO_SECONDS(5000));
    CHECK_EQ(coro_read(pipe_ends[0], &byte, 1), 1);
    CHECK_EQ(coro_get_live_coros(), 1);
}

static void *visit_told_to_end(void *argument) {
    CHECK_EQ(coro_shutdown(coro_current()), 0);
    CHECK(coro_is_alive(coro_current()));
    /* What need not wait is not interrupted, and does not use the interrupt up. */
    CHECK_EQ(coro_join(join_target, NULL, 0), CORO_ETIMEOUT);
    coro_t child = start_now(park, "");
    coro_shutdown(child);
    return visit(argument);
}

/* The running one, told by itself: whatever it waits in next returns at once (known bug 63). */
CORO_TEST(A18_the_running_one_is_interrupted_in_its_next_wait) {
    prepare();
    for (int i = 0; i < WAYS; i++) {
        struct visit it = {&ways[i], 1, false};
        coro_t co = coro_spawn(visit_told_to_end, &it);
        CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
        if (it.code != CORO_ESHUTDOWN) test_fail(__FILE__, __LINE__, "%s returned %d", ways[i].name, it.code);
        CHECK(it.ended);
    }
}

static void *end_although_told(void *argument) {
    coro_shutdown(coro_current());
    return argument;
}

TEST(A18_one_that_ends_before_it_waits_keeps_its_result) {
    void *result = NULL;
    CHECK_EQ(coro_join(coro_spawn(end_although_told, "done"), &result, CORO_FOREVER), 0);
    CHECK_STR(result, "done");
}

static void *start_child_that_tells_us(void *argument);
static coro_t teller_target;
static void *tell(void *argument) {
    coro_shutdown(teller_target);
    return argument;
}
static void *start_child_that_tells_us(void *argument) {
    teller_target = coro_current();
    /* Starting is not interrupted, but what was delivered meanwhile is not lost. */
    CHECK_EQ(coro_start_now(coro_new(tell, NULL, NULL)), 0);
    CHECK_EQ(coro_sleep(CORO_SECONDS(1000)), CORO_ESHUTDOWN);
    CHECK_EQ(coro_yield(), 0);
    return argument;
}

TEST(A18_one_told_by_what_it_starts_is_interrupted_in_its_next_wait) {
    CHECK_EQ(coro_join(coro_spawn(start_child_that_tells_us, NULL), NULL, CORO_FOREVER), 0);
}

static void *park_for_value(void *argument) {
    void *value = argument;
    int code = coro_park(&value);
    trace("%d:%s", code, value ? (char *)value : "-");
    trace("%d", coro_yield());
    return NULL;
}

CORO_TEST(A18_a_value_and_then_shutdown_gives_shutdown) {
    coro_t co = start_now(park_for_value, "untouched");
    CHECK_EQ(coro_schedule(co, "value"), 0);
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_schedule(co, "late"), CORO_ESCHEDULE);
    coro_join(co, NULL, CORO_FOREVER);
    CHECK_STR(traced(), "-5007:- 0 ");
}

CORO_TEST(A18_shutdown_and_then_a_value_gives_shutdown) {
    coro_t co = start_now(park_for_value, "untouched");
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_schedule(co, "value"), CORO_ESCHEDULE);
    coro_join(co, NULL, CORO_FOREVER);
    CHECK_STR(traced(), "-5007:- 0 ");
}

static void *never(void *argument) {
    trace("ran");
    return argument;
}

static void *join_it(void *argument) {
    trace("joined:%d", coro_join(*(coro_t *)argument, NULL, CORO_FOREVER));
    return NULL;
}

CORO_TEST(A18_one_that_never_ran_is_cancelled_and_its_joiners_woken) {
    coro_t unstarted = coro_new(never, NULL, NULL), queued = coro_new(never, NULL, NULL);
    CHECK_EQ(coro_start(queued), 0);
    coro_t joiner = start_now(join_it, &queued);
    CHECK_EQ(coro_shutdown(unstarted), 0);
    CHECK_EQ(coro_shutdown(queued), 0);
    CHECK(info_of(unstarted).dead && !info_of(unstarted).started);
    CHECK(info_of(queued).dead && !info_of(queued).started && !info_of(queued).scheduled);
    CHECK_EQ(coro_schedule(queued, NULL), CORO_EDEAD);
    CHECK_EQ(coro_start(queued), CORO_EDEAD);
    CHECK_EQ(coro_shutdown(queued), 0);
    coro_join(joiner, NULL, CORO_FOREVER);
    coro_yield();
    CHECK_STR(traced(), "joined:-5007 ");
}

/* Cancelled in every place of the queue: first, middle, last, all. */
CORO_TEST(A18_cancelling_in_the_queue_keeps_the_rest_in_order) {
    for (unsigned victims = 0; victims < 32; victims++) {
        coro_t ids[5];
        char order[64];
        int before = (int)strlen(traced()), length = 0;
        for (int i = 0; i < 5; i++) ids[i] = coro_spawn(never, NULL);
        for (int i = 0; i < 5; i++)
            if (victims >> i & 1) coro_shutdown(ids[i]);
        coro_yield();
        for (int i = 0; i < 5; i++) {
            CHECK_EQ(coro_join(ids[i], NULL, 0), victims >> i & 1 ? CORO_ESHUTDOWN : 0);
            if (!(victims >> i & 1)) length += snprintf(order + length, sizeof order - (size_t)length, "ran ");
        }
        CHECK_EQ(strlen(traced()) - (size_t)before, length);
    }
    CHECK_EQ(coro_get_live_coros(), 1);
}

CORO_TEST(A18_the_dead_stay_as_they_are) {
    coro_t co = coro_spawn(never, "result");
    coro_yield();
    CHECK_EQ(coro_shutdown(co), 0);
    void *result = NULL;
    CHECK_EQ(coro_join(co, &result, 0), 0);
    CHECK_STR(result, "result");
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_shutdown(co + 1), -ESRCH);
    CHECK_EQ(coro_shutdown(-1), -ESRCH);
    CHECK_EQ(coro_shutdown(INT64_MAX), -ESRCH);
}

static void *keep_going(void *argument) {
    int *count = argument;
    while (*count < 3) *count += coro_park(NULL) == CORO_ESHUTDOWN;
    return NULL;
}

/* One that ignores it can be told again, and is told again. */
CORO_TEST(A18_each_shutdown_after_a_delivery_is_another) {
    int count = 0;
    coro_t co = start_now(keep_going, &count);
    for (int i = 1; i <= 3; i++) {
        coro_shutdown(co);
        coro_yield();
        CHECK_EQ(count, i);
    }
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
}

static void *shut_down_then_end(void *argument) {
    coro_park(NULL);
    coro_shutdown(*(coro_t *)argument);
    return "result";
}

static void *end_then(void *argument) {
    coro_park(NULL);
    return argument;
}

/* Interrupt and end of the target in one pass, in both orders: the joiner gets one of the two, and the result is not lost. */
CORO_TEST(A22_a_joiner_interrupted_as_its_target_ends_loses_nothing) {
    void *result = NULL;
    coro_t target = start_now(end_then, "result"), joiner = start_now(join_it, &target);
    coro_schedule(target, NULL);
    coro_yield(); /* the target ends, and the joiner is runnable behind us */
    CHECK(info_of(joiner).scheduled);
    coro_shutdown(joiner);
    coro_join(joiner, NULL, CORO_FOREVER);
    CHECK_STR(traced(), "joined:-5007 ");
    CHECK_EQ(coro_join(target, &result, 0), 0);
    CHECK_STR(result, "result");

    coro_t other_joiner;
    target = start_now(shut_down_then_end, &other_joiner);
    other_joiner = start_now(join_it, &target);
    coro_schedule(target, NULL);
    coro_join(other_joiner, NULL, CORO_FOREVER);
    CHECK_STR(traced(), "joined:-5007 joined:-5007 ");
    CHECK_EQ(coro_join(target, &result, 0), 0);
    CHECK_STR(result, "result");
    CHECK_EQ(coro_get_live_coros(), 1);
}

static void *clean_up_when_told(void *argument) {
    int code = coro_park(NULL);
    /* Cleaning up may wait. */
    int cleaned = coro_sleep(CORO_MS(1));
    trace("%s:%d:%d", (char *)argument, code, cleaned);
    return coro_fail(code, NULL);
}

TEST(A22_cleanup_may_wait) {
    coro_t co = start_now(clean_up_when_told, "x");
    coro_shutdown(co);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), CORO_ESHUTDOWN);
    CHECK_STR(traced(), "x:-5007:0 ");
}

static void *fail_then_wait(void *argument) {
    const struct way *way = argument;
    CHECK_EQ(coro_start(INT64_MAX), -ESRCH);
    CHECK_EQ(way->wait(), CORO_ESHUTDOWN);
    if (strcmp(coro_error_detail(), "") != 0) test_fail(__FILE__, __LINE__, "%s: \"%s\"", way->name, coro_error_detail());
    CHECK_EQ(coro_error_other(), 0);
    return NULL;
}

/* What an error is about is that error: nothing is left of an earlier one. */
CORO_TEST(A22_a_wait_that_is_broken_off_has_no_detail_of_an_earlier_error) {
    prepare();
    for (int i = 0; i < WAYS; i++) {
        coro_t co = start_now(fail_then_wait, (void *)&ways[i]);
        coro_shutdown(co);
        CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    }
}

CORO_TEST(A22_an_interrupted_call_has_no_detail_of_an_earlier_error) {
    prepare();
    for (int i = 0; i < WAYS; i++) {
        CHECK_EQ(coro_start(INT64_MAX), -ESRCH);
        CHECK_CONTAINS(coro_error_detail(), "never was");
        coro_shutdown(coro_current());
        CHECK_EQ(ways[i].wait(), CORO_ESHUTDOWN);
        if (strcmp(coro_error_detail(), "") != 0)
            test_fail(__FILE__, __LINE__, "%s: \"%s\"", ways[i].name, coro_error_detail());
        CHECK_EQ(coro_error_other(), 0);
    }
}

/* Rows D4 and D9: the time of a scope interrupts whatever waits, at once or in the middle, and leaves nothing behind. */
CORO_TEST(D9_a_scope_interrupts_every_wait_and_leaves_nothing_behind) {
    prepare();
    coro_test_set_virtual_time(true);
    for (int i = 0; i < 4 * WAYS; i++) {
        const struct way *way = &ways[i % WAYS];
        bool ends_by_itself = way->kind == CORO_WAIT_NONE || way->kind == CORO_WAIT_PASS || way->kind == CORO_WAIT_PARALLEL;
        bool has_time = i / WAYS % 2 && !ends_by_itself;
        int64_t start = coro_get_now();
        coro_timeout_t scope = coro_timeout_begin(has_time ? CORO_MS(10) : 0);
        int code = way->wait();
        if (code != CORO_EINTERRUPTED) test_fail(__FILE__, __LINE__, "%s returned %d", way->name, code);
        CHECK_EQ(coro_timeout_end(scope, code), CORO_ETIMEOUT);
        CHECK_EQ(coro_get_now() - start, has_time ? CORO_MS(10) : 0);
        CHECK_EQ(coro_yield_slice(), 0);
    }
    CHECK_EQ(coro_get_live_coros(), 2);
    int64_t start = coro_get_now();
    CHECK_EQ(coro_sleep(CORO_SECONDS(5000)), 0);
    CHECK_EQ(coro_get_now() - start, CORO_SECONDS(5000));
}
