/* Row I11: channels, which hand elements from those who send to those who receive. */
#include "coroutines.h"

#include <pthread.h>

static coro_channel *channel;

/* One call of a coroutine, and how it ended. */
struct call {
    int element, code;
};

static void *send_one(void *of_call) {
    struct call *call = of_call;
    call->code = coro_channel_send(channel, &call->element);
    trace("s%d", call->element);
    return NULL;
}

static void *receive_one(void *of_call) {
    struct call *call = of_call;
    call->code = coro_channel_receive(channel, &call->element);
    trace("r%d", call->element);
    return NULL;
}

enum { CALLS = 4 };
static struct call calls[CALLS];
static coro_t ids[CALLS];

static void start_calls(coro_fn function, int first_element) {
    for (int i = 0; i < CALLS; i++) {
        calls[i] = (struct call){.element = first_element + i, .code = 1};
        ids[i] = start_now(function, &calls[i]);
    }
}

static void join_calls(int code) {
    for (int i = 0; i < CALLS; i++) {
        CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
        CHECK_EQ(calls[i].code, code);
    }
}

static int get(void) {
    int element = -1;
    CHECK_EQ(coro_channel_receive(channel, &element), 0);
    return element;
}

static void put(int element) {
    CHECK_EQ(coro_channel_send(channel, &element), 0);
}

static void finish(void) {
    CHECK_EQ(coro_channel_senders(channel), 0);
    CHECK_EQ(coro_channel_receivers(channel), 0);
    CHECK_EQ(coro_channel_free(channel), 0);
    CHECK_EQ(coro_get_live_coros(), 1);
}

CORO_TEST(I11_unbuffered_a_send_is_done_when_it_was_received) {
    channel = coro_channel_new(sizeof(int), 0);
    CHECK_EQ(coro_channel_capacity(channel), 0);
    start_calls(send_one, 10);
    coro_yield();
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_channel_senders(channel), CALLS);
    CHECK_EQ(coro_channel_length(channel), 0);
    for (int i = 0; i < CALLS; i++) CHECK_EQ(get(), 10 + i); /* without suspending */
    CHECK_STR(traced(), "");
    join_calls(0);
    CHECK_STR(traced(), "s10 s11 s12 s13 ");
    finish();
}

CORO_TEST(I11_those_who_receive_are_served_in_the_order_they_came) {
    channel = coro_channel_new(sizeof(int), 0);
    start_calls(receive_one, 0);
    CHECK_EQ(coro_channel_receivers(channel), CALLS);
    for (int i = 0; i < CALLS; i++) put(20 + i);
    CHECK_STR(traced(), "");
    join_calls(0);
    CHECK_STR(traced(), "r20 r21 r22 r23 ");
    finish();
}

CORO_TEST(I11_a_buffer_is_filled_before_anybody_waits) {
    channel = coro_channel_new(sizeof(int), 2);
    start_calls(send_one, 30);
    coro_yield();
    CHECK_STR(traced(), "s30 s31 ");
    CHECK_EQ(coro_channel_length(channel), 2);
    CHECK_EQ(coro_channel_senders(channel), 2);
    CHECK_EQ(get(), 30); /* and 32 moves up */
    CHECK_EQ(coro_channel_length(channel), 2);
    int late = 99;
    CHECK_EQ(coro_channel_try_send(channel, &late), -EAGAIN); /* nobody gets ahead of those who wait */
    for (int i = 1; i < CALLS; i++) CHECK_EQ(get(), 30 + i);
    CHECK_EQ(coro_channel_length(channel), 0);
    join_calls(0);
    finish();
}

CORO_TEST(I11_a_buffer_goes_round) {
    channel = coro_channel_new(sizeof(int), 3);
    int sent = 0, received = 0;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i <= round % 3; i++) put(sent++);
        for (int i = 0; i <= round % 3; i++) CHECK_EQ(get(), received++);
    }
    CHECK_EQ(coro_channel_length(channel), 0);
    finish();
}

CORO_TEST(I11_try_forms_never_suspend) {
    int element = 1;
    go(note, "ran");
    channel = coro_channel_new(sizeof(int), 1);
    CHECK_EQ(coro_channel_try_receive(channel, &element), -EAGAIN);
    CHECK_EQ(coro_channel_try_send(channel, &element), 0);
    CHECK_EQ(coro_channel_try_send(channel, &element), -EAGAIN);
    element = 0;
    CHECK_EQ(coro_channel_try_receive(channel, &element), 0);
    CHECK_EQ(element, 1);
    CHECK_STR(traced(), "");
    coro_yield();
    finish();
}

CORO_TEST(I11_try_forms_serve_those_who_wait) { /* boost.fiber#114 */
    channel = coro_channel_new(sizeof(int), 0);
    int element = 5;
    CHECK_EQ(coro_channel_try_send(channel, &element), -EAGAIN);
    coro_t waiter = start_now(receive_one, &calls[0]);
    CHECK_EQ(coro_channel_try_send(channel, &element), 0);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_EQ(calls[0].element, 5);
    calls[1].element = 6;
    waiter = start_now(send_one, &calls[1]);
    CHECK_EQ(coro_channel_try_receive(channel, &element), 0);
    CHECK_EQ(element, 6);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_EQ(calls[1].code, 0);
    finish();
}

CORO_TEST(I11_after_a_close_what_was_sent_is_received) {
    channel = coro_channel_new(sizeof(int), 2);
    put(1);
    put(2);
    start_calls(send_one, 3); /* these wait, and keep theirs */
    CHECK(!coro_channel_is_closed(channel));
    CHECK_EQ(coro_channel_close(channel), 0);
    CHECK_EQ(coro_channel_close(channel), 0);
    CHECK(coro_channel_is_closed(channel));
    int element = 7;
    CHECK_EQ(coro_channel_send(channel, &element), CORO_ECLOSED);
    CHECK_CONTAINS(coro_error_detail(), "the channel was closed");
    CHECK_EQ(coro_channel_try_send(channel, &element), CORO_ECLOSED);
    join_calls(CORO_ECLOSED);
    CHECK_EQ(get(), 1);
    CHECK_EQ(get(), 2);
    CHECK_EQ(coro_channel_receive(channel, &element), CORO_ECLOSED);
    CHECK_EQ(coro_channel_try_receive(channel, &element), CORO_ECLOSED);
    CHECK_EQ(element, 7);
    finish();
}

CORO_TEST(I11_a_close_ends_the_waits_of_those_who_receive) {
    channel = coro_channel_new(sizeof(int), 2);
    start_calls(receive_one, 40);
    put(1); /* has been handed over: the close does not take it back */
    CHECK_EQ(coro_channel_close(channel), 0);
    CHECK_EQ(coro_join(ids[0], NULL, CORO_FOREVER), 0);
    CHECK_EQ(calls[0].code, 0);
    CHECK_EQ(calls[0].element, 1);
    calls[0].code = CORO_ECLOSED;
    ids[0] = start_now(do_nothing, NULL);
    join_calls(CORO_ECLOSED);
    CHECK_EQ(calls[1].element, 41); /* as it was */
    finish();
}

CORO_TEST(I11_freeing_ends_all_waits) {
    for (int receives = 0; receives < 2; receives++) {
        channel = coro_channel_new(sizeof(int), 0);
        start_calls(receives ? receive_one : send_one, 0);
        CHECK_EQ(coro_channel_free(channel), 0);
        join_calls(CORO_ECLOSED);
    }
    CHECK_EQ(coro_get_live_coros(), 1);
}

static void *take_free_and_fail(void *unused) {
    int element = 0;
    CHECK_EQ(coro_channel_receive(channel, &element), CORO_ECLOSED);
    CHECK_CONTAINS(coro_error_detail(), "the channel was freed");
    return unused;
}

CORO_TEST(I11_freeing_and_closing_are_told_apart) {
    channel = coro_channel_new(sizeof(int), 0);
    coro_t co = start_now(take_free_and_fail, NULL);
    CHECK_EQ(coro_channel_free(channel), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
}

CORO_TEST(I11_who_is_interrupted_leaves_and_the_others_keep_their_order) {
    channel = coro_channel_new(sizeof(int), 0);
    start_calls(send_one, 0);
    CHECK_EQ(coro_interrupt(ids[1], NULL), 0);
    CHECK_EQ(coro_shutdown(ids[2]), 0);
    CHECK_EQ(coro_channel_senders(channel), 2);
    CHECK_EQ(get(), 0);
    CHECK_EQ(get(), 3);
    for (int i = 0; i < CALLS; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
    CHECK_EQ(calls[0].code, 0);
    CHECK_EQ(calls[1].code, CORO_EINTERRUPTED);
    CHECK_EQ(calls[2].code, CORO_ESHUTDOWN);
    CHECK_EQ(calls[3].code, 0);
    finish();
}

static void *exchange_then_yield(void *sends) {
    int element = 50;
    int code = sends ? coro_channel_send(channel, &element) : coro_channel_receive(channel, &element);
    CHECK_EQ(code, 0); /* it has changed hands */
    CHECK_EQ(element, sends ? 50 : 51);
    CHECK_EQ(coro_yield(), CORO_ESHUTDOWN);
    CHECK_EQ(coro_yield(), 0);
    return NULL;
}

CORO_TEST(I11_a_hand_over_counts_whatever_interrupts_it_later) {
    channel = coro_channel_new(sizeof(int), 0);
    coro_t co = start_now(exchange_then_yield, NULL);
    put(51);
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    co = start_now(exchange_then_yield, "sends");
    CHECK_EQ(get(), 50);
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    co = start_now(exchange_then_yield, NULL); /* and if the channel is gone by then */
    put(51);
    CHECK_EQ(coro_channel_free(channel), 0);
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
}

CORO_TEST(I11_scopes_bound_sends_and_receives) {
    coro_test_set_virtual_time(true);
    channel = coro_channel_new(sizeof(int), 0);
    int64_t start = coro_get_now();
    int element = 0;
    for (int round = 0; round < 4; round++) {
        coro_timeout_t scope = coro_timeout_begin(CORO_MS(5));
        int code = round % 2 ? coro_channel_send(channel, &element) : coro_channel_receive(channel, &element);
        CHECK_EQ(code, CORO_EINTERRUPTED);
        CHECK_EQ(coro_timeout_end(scope, code), CORO_ETIMEOUT);
    }
    CHECK_EQ(coro_get_now() - start, CORO_MS(20));
    finish();
}

static void *send_bytes(void *bytes) {
    CHECK_EQ(coro_channel_send(channel, bytes), 0);
    return NULL;
}

CORO_TEST(I11_elements_of_all_sizes_arrive_whole) {
    static const size_t sizes[] = {0, 1, 3, 8, 16, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t capacity = 0; capacity < 3; capacity++) {
            char sent[1002], received[1002] = {0};
            for (int j = 0; j < 1002; j++) sent[j] = (char)(j + 1);
            channel = coro_channel_new(sizes[i], capacity);
            coro_t co = start_now(send_bytes, sizes[i] ? sent + 1 : NULL); /* not aligned */
            CHECK_EQ(coro_channel_receive(channel, received + 1), 0);
            CHECK(memcmp(received + 1, sent + 1, sizes[i]) == 0);
            CHECK_EQ(received[0], 0);
            CHECK_EQ(received[sizes[i] + 1], 0);
            CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
            CHECK_EQ(coro_channel_free(channel), 0);
        }
    }
}

CORO_TEST(I11_a_received_element_may_be_thrown_away) {
    channel = coro_channel_new(sizeof(int), 1);
    put(1);
    CHECK_EQ(coro_channel_receive(channel, NULL), 0);
    CHECK_EQ(coro_channel_length(channel), 0);
    finish();
}

static void *try_from_here(void *unused) {
    CHECK_EQ(coro_channel_send(channel, &(int){1}), CORO_EWRONGTHREAD);
    CHECK_CONTAINS(coro_error_detail(), "the channel belongs to another thread");
    CHECK_EQ(coro_channel_try_receive(channel, NULL), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_channel_close(channel), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_channel_free(channel), CORO_EWRONGTHREAD);
    return unused;
}

CORO_TEST(I11_bad_arguments_are_told) {
    int element = 0;
    CHECK_EQ(coro_channel_send(NULL, &element), -EINVAL);
    CHECK_EQ(coro_channel_try_send(NULL, &element), -EINVAL);
    CHECK_EQ(coro_channel_receive(NULL, &element), -EINVAL);
    CHECK_EQ(coro_channel_try_receive(NULL, &element), -EINVAL);
    CHECK_EQ(coro_channel_close(NULL), -EINVAL);
    CHECK_EQ(coro_channel_free(NULL), 0);
    CHECK_EQ(coro_channel_length(NULL) + coro_channel_capacity(NULL) + coro_channel_is_closed(NULL), 0);
    CHECK_EQ(coro_channel_senders(NULL) + coro_channel_receivers(NULL), 0);
    CHECK(coro_channel_new(SIZE_MAX, 1) == NULL);
    CHECK(coro_channel_new(SIZE_MAX / 4, 8) == NULL);
    CHECK(coro_channel_new(1, SIZE_MAX / 2) == NULL);
    coro_test_fail_call("calloc", 1, ENOMEM);
    CHECK(coro_channel_new(1, 1) == NULL);
    channel = coro_channel_new(sizeof(int), 1);
    CHECK_EQ(coro_channel_send(channel, NULL), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "element is NULL");
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, try_from_here, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    finish();
}

TEST(I11_main_is_told_when_nobody_is_left) {
    int element = 0;
    channel = coro_channel_new(sizeof(int), 0);
    CHECK_EQ(coro_channel_receive(channel, &element), -EDEADLK);
    CHECK_EQ(coro_channel_send(channel, &element), -EDEADLK);
    calls[0].element = 9;
    coro_t co = coro_spawn(send_one, &calls[0]);
    CHECK_EQ(coro_channel_receive(channel, &element), 0);
    CHECK_EQ(element, 9);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_channel_free(channel), 0);
}

CORO_TEST(I11_who_waits_is_described) {
    char expected[96];
    channel = coro_channel_new(sizeof(int), 0);
    coro_t co = start_now(send_one, &calls[0]);
    coro_info info = info_of(co);
    CHECK_EQ(info.wait_kind, CORO_WAIT_SEND);
    CHECK_EQ(info.wait_object, (intptr_t)channel);
    snprintf(expected, sizeof expected, "sending to channel %p", (void *)channel);
    CHECK_STR(info.waiting, expected);
    CHECK_EQ(get(), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    co = start_now(receive_one, &calls[0]);
    CHECK_EQ(info_of(co).wait_kind, CORO_WAIT_RECEIVE);
    CHECK_EQ(info_of(co).wait_object, (intptr_t)channel);
    put(1);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    finish();
}
