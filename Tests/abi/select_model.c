/*
 * Rows I11 and I12: channels in random use, by coroutines that send, receive and select, with limits and interruptions. The
 * model is what each side has written down: every element that was sent was received once, from the channel that it was sent
 * to, or is still there at the end; no other case of a select has done anything; and nobody is left waiting.
 * (channel_model.c looks at the order.)
 */
#include "select.h"

enum { COROUTINES = 7, CHANNELS = 3, STEPS = 300, MOST_ELEMENTS = COROUTINES * STEPS };

static unsigned next_random(unsigned *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static coro_channel *channels[CHANNELS];
static coro_t ids[COROUTINES];

/* An element is its number: who sent it, and how many it had sent before. */
static struct {
    signed char channel; /* 0: not sent. c + 1: sent to channel c. -1: received */
} elements[MOST_ELEMENTS];

static int sent_count, received_count;

static void note_sent(int element, int channel) {
    CHECK(elements[element].channel == 0 || elements[element].channel == -1);
    if (elements[element].channel == 0) elements[element].channel = (signed char)(channel + 1);
    sent_count++;
}

/* The sender may not have run since, and not have noted it down. */
static void note_received(int element, int channel) {
    CHECK(element >= 0 && element < MOST_ELEMENTS);
    CHECK(elements[element].channel == 0 || elements[element].channel == channel + 1);
    elements[element].channel = -1;
    received_count++;
}

/* One of the codes that a call may end with when nothing has changed hands. */
static void check_refused(int code) {
    static const int refusals[] = {CORO_EINTERRUPTED, CORO_ECLOSED, CORO_EWAKEUP, CORO_ETIMEOUT, -EAGAIN};
    bool is_one = false;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) is_one = is_one || code == refusals[i];
    CHECK(is_one);
}

static void send_one(unsigned *random, int element) {
    int channel = (int)(next_random(random) % CHANNELS);
    int code = next_random(random) % 4 ? coro_channel_send(channels[channel], &element)
                                       : coro_channel_try_send(channels[channel], &element);
    if (code == 0) note_sent(element, channel);
    else check_refused(code);
}

static void receive_one(unsigned *random) {
    int channel = (int)(next_random(random) % CHANNELS), element = -1;
    int code = next_random(random) % 4 ? coro_channel_receive(channels[channel], &element)
                                       : coro_channel_try_receive(channels[channel], &element);
    if (code == 0) {
        note_received(element, channel);
    } else {
        CHECK_EQ(element, -1);
        check_refused(code);
    }
}

/* Up to four cases, the same channel perhaps several times, both ends of one perhaps. */
static void select_one(unsigned *random, int element) {
    enum { MOST = 4 };
    coro_select_case cases[MOST];
    int received[MOST], which[MOST], n = 1 + (int)(next_random(random) % MOST);
    for (int i = 0; i < n; i++) {
        which[i] = (int)(next_random(random) % CHANNELS);
        received[i] = -1;
        bool sends = next_random(random) % 2;
        cases[i] = sends ? sending(channels[which[i]], &element) : receiving(channels[which[i]], &received[i]);
        if (next_random(random) % 8 == 0) cases[i].kind = CORO_SELECT_NONE;
    }
    unsigned patience = next_random(random) % 3;
    int index = patience == 0   ? coro_try_select(cases, n)
                : patience == 1 ? coro_select(cases, n, CORO_MS(next_random(random) % 4))
                                : coro_select(cases, n, CORO_FOREVER);
    for (int i = 0; i < n; i++) CHECK(i == index || received[i] == -1);
    if (index < 0) {
        check_refused(index);
    } else if (cases[index].error != 0) {
        CHECK_EQ(cases[index].error, CORO_ECLOSED);
        CHECK_EQ(received[index], -1);
    } else if (cases[index].kind == CORO_SELECT_SEND) {
        note_sent(element, which[index]);
    } else {
        CHECK_EQ(cases[index].kind, CORO_SELECT_RECEIVE);
        note_received(received[index], which[index]);
    }
}

/* An interruption, of whoever waits. */
static void disturb_one(unsigned *random) {
    coro_t co = ids[next_random(random) % COROUTINES];
    if (co == coro_current() || !coro_is_alive(co)) return;
    if (next_random(random) % 2) coro_interrupt(co, NULL);
    else coro_raise(co, CORO_EWAKEUP, 0); /* one that is runnable already, too */
}

static void *live(void *number) {
    int me = AS_INT(number) % COROUTINES;
    unsigned random = (unsigned)AS_INT(number) * 2654435761u + 1;
    for (int step = 0; step < STEPS; step++) {
        unsigned what = next_random(&random) % 16;
        coro_timeout_t scope = coro_timeout_begin(CORO_MS(next_random(&random) % 8));
        if (what < 4) send_one(&random, me * STEPS + step);
        else if (what < 8) receive_one(&random);
        else if (what < 13) select_one(&random, me * STEPS + step);
        else if (what < 14) disturb_one(&random);
        else coro_yield();
        coro_timeout_end(scope, 0);
    }
    return NULL;
}

/* What is left in a channel at its end has been sent, and was received by nobody. */
static void drain(int channel) {
    int element;
    CHECK_EQ(coro_channel_senders(channels[channel]), 0);
    CHECK_EQ(coro_channel_receivers(channels[channel]), 0);
    CHECK_EQ(coro_channel_close(channels[channel]), 0);
    while (coro_channel_try_receive(channels[channel], &element) == 0) note_received(element, channel);
    CHECK_EQ(coro_channel_free(channels[channel]), 0);
}

CORO_TEST(I12_random_sends_receives_and_selects_do_as_the_model_says) {
    coro_test_set_virtual_time(true);
    int total = 0;
    for (int round = 0; round < 60; round++) {
        memset(elements, 0, sizeof elements);
        sent_count = received_count = 0;
        coro_test_set_order_seed((uint64_t)(round % 2 ? round : 0));
        for (int i = 0; i < CHANNELS; i++) channels[i] = coro_channel_new(sizeof(int), (size_t)((round + i) % 4));
        for (int i = 0; i < COROUTINES; i++) ids[i] = coro_spawn(live, AS_POINTER(COROUTINES * (round + 1) + i));
        if (round % 3 == 0) { /* one is closed in the middle of it all */
            coro_sleep(CORO_MS(100));
            CHECK_EQ(coro_channel_close(channels[round % CHANNELS]), 0);
        }
        for (int i = 0; i < COROUTINES; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
        for (int i = 0; i < CHANNELS; i++) drain(i);
        CHECK_EQ(sent_count, received_count);
        for (int i = 0; i < MOST_ELEMENTS; i++) CHECK(elements[i].channel <= 0);
        total += sent_count;
    }
    CHECK(total > 60 * STEPS / 2); /* it was not all refused */
    CHECK_EQ(coro_get_live_coros(), 1);
}
