/* Row I12: waiting for the first of several things, and for one alone. */
#include "select.h"

static coro_channel *a, *b;

static void *select_two(void *of_call) {
    struct select_call *call = of_call;
    call->index = coro_select(call->cases, 2, CORO_FOREVER);
    trace("=%d", call->index);
    return NULL;
}

static void make_channels(size_t capacity) {
    a = coro_channel_new(sizeof(int), capacity);
    b = coro_channel_new(sizeof(int), capacity);
}

/* Nobody waits at either of them any more. */
static void free_channels(void) {
    CHECK_EQ(coro_channel_senders(a) + coro_channel_receivers(a), 0);
    CHECK_EQ(coro_channel_senders(b) + coro_channel_receivers(b), 0);
    CHECK_EQ(coro_channel_free(a), 0);
    CHECK_EQ(coro_channel_free(b), 0);
    CHECK_EQ(coro_get_live_coros(), 1);
}

static void put(coro_channel *channel, int element) {
    CHECK_EQ(coro_channel_try_send(channel, &element), 0);
}

static int get(coro_channel *channel) {
    int element = -1;
    CHECK_EQ(coro_channel_try_receive(channel, &element), 0);
    return element;
}

CORO_TEST(I12_what_is_ready_happens_at_once) {
    int x = -1, y = -1, sent = 4;
    make_channels(1);
    go(note, "ran");
    coro_select_case cases[] = {receiving(a, &x), receiving(b, &y)};
    CHECK_EQ(coro_try_select(cases, 2), -EAGAIN);
    CHECK_EQ(coro_select(cases, 2, 0), CORO_ETIMEOUT);
    put(b, 3);
    cases[1].error = 77;
    CHECK_EQ(coro_select(cases, 2, CORO_FOREVER), 1);
    CHECK_EQ(cases[1].error, 0);
    CHECK_EQ(y, 3);
    CHECK_EQ(x, -1);
    coro_select_case sends[] = {receiving(b, &y), sending(a, &sent)};
    CHECK_EQ(coro_try_select(sends, 2), 1);
    CHECK_EQ(get(a), 4);
    CHECK_STR(traced(), "");
    coro_yield();
    free_channels();
}

CORO_TEST(I12_the_first_that_happens_ends_all_waits) {
    int x = -1, y = -1;
    make_channels(0);
    struct select_call call = {.cases = {receiving(a, &x), receiving(b, &y)}};
    for (int which = 0; which < 2; which++) {
        coro_t co = start_now(select_two, &call);
        CHECK_EQ(coro_channel_receivers(a), 1);
        CHECK_EQ(coro_channel_receivers(b), 1);
        put(which ? b : a, 5);
        CHECK_EQ(coro_channel_receivers(a) + coro_channel_receivers(b), 0);
        CHECK_EQ(coro_channel_try_send(which ? a : b, &(int){6}), -EAGAIN); /* nothing else happens */
        CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
        CHECK_EQ(call.index, which);
        CHECK_EQ(call.cases[which].error, 0);
    }
    CHECK_EQ(x, 5);
    CHECK_EQ(y, 5);
    free_channels();
}

CORO_TEST(I12_a_send_that_waits_is_received) {
    int x = 8, y = -1;
    make_channels(0);
    struct select_call call = {.cases = {sending(a, &x), receiving(b, &y)}};
    coro_t co = start_now(select_two, &call);
    CHECK_EQ(get(a), 8);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_EQ(call.index, 0);
    free_channels();
}

CORO_TEST(I12_a_send_moves_into_a_buffer_in_its_turn) {
    int x = 8, y = -1;
    make_channels(1);
    put(a, 7);
    struct select_call call = {.cases = {sending(a, &x), receiving(b, &y)}};
    coro_t co = start_now(select_two, &call);
    CHECK_EQ(coro_channel_senders(a), 1);
    CHECK_EQ(get(a), 7);
    CHECK_EQ(get(a), 8);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_EQ(call.index, 0);
    free_channels();
}

CORO_TEST(I12_two_selects_meet) {
    int x = 1, y = -1, u = 2, v = -1;
    make_channels(0);
    struct select_call one = {.cases = {sending(a, &x), receiving(b, &y)}};
    struct select_call two = {.cases = {receiving(a, &v), sending(b, &u)}};
    coro_t first = start_now(select_two, &one), second = start_now(select_two, &two);
    CHECK_EQ(coro_join(first, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_join(second, NULL, CORO_FOREVER), 0);
    CHECK_EQ(one.index, two.index); /* the same channel for both */
    CHECK(one.index == 0 ? v == 1 && y == -1 : y == 2 && v == -1);
    free_channels();
}

CORO_TEST(I12_a_select_does_not_meet_itself) {
    coro_test_set_virtual_time(true);
    int x = 1, y = -1;
    make_channels(0);
    coro_select_case cases[] = {sending(a, &x), receiving(a, &y)};
    CHECK_EQ(coro_try_select(cases, 2), -EAGAIN);
    CHECK_EQ(coro_select(cases, 2, CORO_MS(1)), CORO_ETIMEOUT);
    struct select_call call = {.cases = {cases[0], cases[1]}};
    coro_t co = start_now(select_two, &call);
    CHECK_EQ(coro_channel_senders(a) + coro_channel_receivers(a), 2);
    int other = 3; /* but it meets another that does the same */
    coro_select_case others[] = {sending(a, &other), receiving(a, &other)};
    int index = coro_select(others, 2, CORO_FOREVER);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_EQ(call.index, 1 - index);
    CHECK_EQ(index == 0 ? y : other, index == 0 ? 3 : 1);
    free_channels();
}

CORO_TEST(I12_one_of_two_cases_that_are_the_same) {
    int x = -1, y = -1;
    make_channels(0);
    struct select_call call = {.cases = {receiving(a, &x), receiving(a, &y)}};
    coro_t co = start_now(select_two, &call);
    CHECK_EQ(coro_channel_receivers(a), 2);
    put(a, 1);
    CHECK_EQ(coro_channel_try_send(a, &(int){2}), -EAGAIN);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_EQ(x, 1);
    CHECK_EQ(y, -1);
    free_channels();
}

CORO_TEST(I12_a_closed_channel_is_ready) {
    int x = -1, y = -1;
    make_channels(1);
    put(a, 1);
    coro_channel_close(a);
    coro_select_case cases[] = {receiving(a, &x), receiving(b, &y)};
    CHECK_EQ(coro_select(cases, 2, CORO_FOREVER), 0);
    CHECK_EQ(cases[0].error, 0);
    CHECK_EQ(x, 1); /* what it holds, first */
    CHECK_EQ(coro_select(cases, 2, CORO_FOREVER), 0);
    CHECK_EQ(cases[0].error, CORO_ECLOSED);
    cases[0] = sending(a, &x);
    CHECK_EQ(coro_select(cases, 2, CORO_FOREVER), 0);
    CHECK_EQ(cases[0].error, CORO_ECLOSED);
    cases[0].kind = CORO_SELECT_NONE; /* left out from now on */
    CHECK_EQ(coro_try_select(cases, 2), -EAGAIN);
    free_channels();
}

CORO_TEST(I12_a_close_ends_the_wait) {
    int x = -1, y = -1;
    for (int frees = 0; frees < 2; frees++) {
        make_channels(0);
        struct select_call call = {.cases = {receiving(a, &x), sending(b, &y)}};
        coro_t co = start_now(select_two, &call);
        CHECK_EQ(frees ? coro_channel_free(b) : coro_channel_close(b), 0);
        CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
        CHECK_EQ(call.index, 1);
        CHECK_EQ(call.cases[1].error, CORO_ECLOSED);
        if (frees) b = coro_channel_new(1, 0);
        free_channels();
    }
}

CORO_TEST(I12_an_item_and_an_event_come_with_their_value) {
    coro_fifo *fifo = coro_fifo_new(NULL);
    coro_event *event = coro_event_new();
    struct select_call call = {.cases = {popping(fifo), on_event(event)}};
    coro_fifo_push(fifo, "item"); /* at once */
    CHECK_EQ(coro_select(call.cases, 2, CORO_FOREVER), 0);
    CHECK_STR(call.cases[0].value, "item");
    coro_event_set(event, "value");
    CHECK_EQ(coro_select(call.cases, 2, CORO_FOREVER), 1);
    CHECK_STR(call.cases[1].value, "value");
    coro_event_reset(event);
    coro_t co = start_now(select_two, &call); /* and after a wait */
    coro_fifo_push(fifo, "later");
    coro_event_set(event, "too late");
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_EQ(call.index, 0);
    CHECK_STR(call.cases[0].value, "later");
    coro_event_reset(event);
    co = start_now(select_two, &call);
    coro_event_set(event, "set");
    coro_fifo_push(fifo, "stays");
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_EQ(call.index, 1);
    CHECK_STR(call.cases[1].value, "set");
    CHECK_EQ(coro_fifo_length(fifo), 1);
    CHECK_EQ(coro_fifo_free(fifo), 0);
    CHECK_EQ(coro_event_free(event), 0);
}

CORO_TEST(I12_a_coroutine_ends) {
    coro_t one = start_now(park, "result"), two = start_now(park, NULL);
    struct select_call call = {.cases = {joining(one), joining(two)}};
    CHECK_EQ(coro_try_select(call.cases, 2), -EAGAIN);
    coro_t co = start_now(select_two, &call);
    CHECK_EQ(coro_schedule(one, NULL), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_EQ(call.index, 0);
    CHECK_EQ(coro_select(call.cases, 2, CORO_FOREVER), 0); /* only looked at: still to be joined */
    void *result;
    CHECK_EQ(coro_join(one, &result, 0), 0);
    CHECK_STR(result, "result");
    CHECK_EQ(coro_select(call.cases, 2, CORO_FOREVER), 0);
    CHECK_EQ(call.cases[0].error, CORO_EDEAD);
    CHECK_EQ(coro_schedule(two, NULL), 0);
    CHECK_EQ(coro_join(two, NULL, CORO_FOREVER), 0);
    coro_t unstarted = coro_new(do_nothing, NULL, NULL);
    coro_select_case cases[] = {joining(unstarted)};
    CHECK_EQ(coro_select(cases, 1, CORO_FOREVER), CORO_ENOTSTARTED);
    CHECK_CONTAINS(coro_error_detail(), "case 0: ");
    CHECK_EQ(coro_shutdown(unstarted), 0);
    CHECK_EQ(coro_select(cases, 1, CORO_FOREVER), 0);
    CHECK_EQ(coro_join(unstarted, NULL, 0), CORO_ESHUTDOWN);
    cases[0].id = coro_current();
    CHECK_EQ(coro_select(cases, 1, CORO_FOREVER), -EDEADLK);
    cases[0].id = 1 << 30;
    CHECK_EQ(coro_select(cases, 1, CORO_FOREVER), -ESRCH);
    CHECK_EQ(coro_get_live_coros(), 1);
}

CORO_TEST(I12_the_time_runs_out) {
    coro_test_set_virtual_time(true);
    int x;
    make_channels(0);
    coro_select_case cases[] = {receiving(a, &x), {0}};
    int64_t start = coro_get_now();
    CHECK_EQ(coro_select(cases, 2, CORO_MS(3)), CORO_ETIMEOUT);
    CHECK_EQ(coro_get_now() - start, CORO_MS(3));
    CHECK_EQ(coro_select(NULL, 0, CORO_MS(3)), CORO_ETIMEOUT); /* nothing but the time */
    CHECK_EQ(coro_get_now() - start, CORO_MS(6));
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(2));
    CHECK_EQ(coro_select(cases, 2, CORO_MS(3)), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, -1), CORO_ETIMEOUT);
    scope = coro_timeout_begin(0); /* the time is up before it begins */
    CHECK_EQ(coro_select(cases, 2, CORO_FOREVER), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, -1), CORO_ETIMEOUT);
    free_channels();
}

static void *select_then_yield(void *of_call) {
    select_two(of_call);
    CHECK_EQ(coro_yield(), CORO_ESHUTDOWN);
    return NULL;
}

CORO_TEST(I12_what_has_happened_counts_whatever_interrupts_it_later) {
    int x = -1, y = -1;
    make_channels(0);
    struct select_call call = {.cases = {receiving(a, &x), receiving(b, &y)}};
    coro_t co = start_now(select_then_yield, &call);
    put(b, 9);
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_EQ(call.index, 1);
    CHECK_EQ(y, 9);
    co = start_now(select_two, &call);
    CHECK_EQ(coro_interrupt(co, NULL), 0);
    CHECK_EQ(coro_channel_try_send(a, &x), -EAGAIN); /* it has left at once */
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_EQ(call.index, CORO_EINTERRUPTED);
    free_channels();
}

CORO_TEST(I12_bad_cases_are_told_before_anything_is_done) {
    int x = 1;
    make_channels(1);
    coro_select_case cases[] = {sending(a, &x), receiving(NULL, &x)};
    CHECK_EQ(coro_select(cases, 2, CORO_FOREVER), -EINVAL);
    CHECK_STR(coro_error_detail(), "case 1: object is NULL");
    CHECK_EQ(coro_channel_length(a), 0);
    cases[1] = sending(b, NULL);
    CHECK_EQ(coro_try_select(cases, 2), -EINVAL);
    CHECK_STR(coro_error_detail(), "case 1: element is NULL");
    cases[1].kind = 99;
    CHECK_EQ(coro_try_select(cases, 2), -EINVAL);
    cases[1] = popping(NULL);
    CHECK_EQ(coro_try_select(cases, 2), -EINVAL);
    cases[1] = on_event(NULL);
    CHECK_EQ(coro_try_select(cases, 2), -EINVAL);
    cases[1] = joining(0);
    CHECK_EQ(coro_try_select(cases, 2), -EINVAL);
    cases[1] = (coro_select_case){.kind = CORO_SELECT_CHILD};
    CHECK_EQ(coro_try_select(cases, 2), -EINVAL);
    cases[1] = (coro_select_case){.kind = CORO_SELECT_FD, .id = 0, .events = 3};
    CHECK_EQ(coro_try_select(cases, 2), -EINVAL);
    CHECK_EQ(coro_select(cases, -1, 0), -EINVAL);
    CHECK_EQ(coro_select(NULL, 1, 0), -EINVAL);
    CHECK_EQ(coro_select(cases, 0, -1), -EINVAL);
    CHECK_EQ(coro_channel_length(a), 0);
    free_channels();
}

CORO_TEST(I12_lack_of_memory_leaves_nothing_behind) {
    int x = 1;
    make_channels(0);
    coro_select_case cases[] = {receiving(a, &x), receiving(b, &x)};
    for (int n = 1; n <= 3; n++) { /* the stand-ins, then the timer */
        coro_test_fail_call("calloc", n, ENOMEM);
        CHECK_EQ(coro_select(cases, 2, CORO_MS(1)), -ENOMEM);
        CHECK_EQ(coro_channel_receivers(a) + coro_channel_receivers(b), 0);
        coro_test_fail_call("calloc", 0, 0);
    }
    CHECK_EQ(coro_select(cases, 2, CORO_MS(1)), CORO_ETIMEOUT);
    free_channels();
}

TEST(I12_main_is_told_when_nobody_is_left) {
    int x = 1;
    make_channels(0);
    coro_select_case cases[] = {receiving(a, &x), sending(b, &x)};
    CHECK_EQ(coro_select(cases, 2, CORO_FOREVER), -EDEADLK);
    CHECK_EQ(coro_select(NULL, 0, CORO_FOREVER), -EDEADLK);
    CHECK_EQ(coro_channel_receivers(a) + coro_channel_senders(b), 0);
    coro_channel_free(a);
    coro_channel_free(b);
}

enum { MANY = 20000 };

static coro_select_case many[MANY];

static void *select_many(void *unused) {
    (void)unused;
    return AS_POINTER(coro_select(many, MANY, CORO_FOREVER));
}

/* Not longer for each case than for one: else this would take minutes. */
CORO_TEST(I12_who_waits_for_many_things_is_described) {
    coro_event *event = coro_event_new();
    for (int i = 0; i < MANY; i += 2) many[i + 1] = on_event(event);
    coro_t co = start_now(select_many, NULL);
    for (int i = 0; i < 200; i++) {
        coro_info info = info_of(co);
        CHECK_CONTAINS(info.waiting, "selecting: waiting for event 0x");
    }
    CHECK_EQ(info_of(co).wait_object, MANY);
    CHECK_EQ(coro_event_set(event, NULL), 0);
    void *index = NULL;
    CHECK_EQ(coro_join(co, &index, CORO_FOREVER), 0);
    CHECK_EQ(AS_INT(index), 1);
    CHECK_EQ(coro_event_free(event), 0);
}

CORO_TEST(I12_who_waits_is_described) {
    int x;
    make_channels(0);
    coro_t target = start_now(park, NULL);
    struct select_call call = {.cases = {joining(target), receiving(a, &x)}};
    coro_t co = start_now(select_two, &call);
    char expected[96];
    snprintf(expected, sizeof expected, "selecting: joining #%d, receiving from channel %p", (int)target, (void *)a);
    coro_info info = info_of(co);
    CHECK_STR(info.waiting, expected);
    CHECK_EQ(info.wait_kind, CORO_WAIT_SELECT);
    CHECK_EQ(info.wait_object, 2);
    CHECK_EQ(coro_schedule(co, NULL), CORO_ESCHEDULE);
    coro_t all[8];
    CHECK_EQ(coro_all(all, 8), 3); /* nobody sees a stand-in */
    CHECK_EQ(coro_schedule(target, NULL), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_join(target, NULL, CORO_FOREVER), 0);
    free_channels();
}
