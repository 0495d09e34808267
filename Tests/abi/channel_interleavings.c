/* Rows I6, I11, I12: channels, fifos and selects in every order of what can happen to those who wait. */
#include "interleavings.h"
#include "select.h"

static int free_channel(void *channel) {
    return coro_channel_free(channel);
}

/* -- those who receive -- */

static void *make_unbuffered(void) {
    return coro_channel_new(sizeof(int), 0);
}

static void *make_buffered(void) {
    return coro_channel_new(sizeof(int), 3);
}

static int wait_to_receive(void *channel, int index) {
    int element = -1, code = coro_channel_receive(channel, &element);
    (void)index;
    CHECK_EQ(element, code == 0 ? 5 : -1);
    return code;
}

static int grant_element(void *channel) {
    int element = 5;
    return coro_channel_try_send(channel, &element) == 0;
}

static int elements(void *channel) {
    return (int)coro_channel_length(channel);
}

static const struct primitive receives = {
    "receives", SERVES_ONE, true, {0}, make_unbuffered, wait_to_receive, grant_element, elements, free_channel};
static const struct primitive receives_from_a_buffer = {
    "receives from a buffer", SERVES_ONE, true, {0}, make_buffered, wait_to_receive, grant_element, elements, free_channel};

CORO_TEST(I11_all_interleavings_of_receives) {
    check_interleavings(&receives);
}

CORO_TEST(I11_all_interleavings_of_receives_from_a_buffer) {
    check_interleavings(&receives_from_a_buffer);
}

/* -- those who send: they take a place -- */

static void *make_full(void) {
    coro_channel *channel = make_buffered();
    while (grant_element(channel)) {}
    return channel;
}

static int wait_to_send(void *channel, int index) {
    int element = 5;
    (void)index;
    return coro_channel_send(channel, &element);
}

static int grant_place(void *channel) {
    int element = -1, code = coro_channel_try_receive(channel, &element);
    CHECK_EQ(element, code == 0 ? 5 : -1);
    return code == 0;
}

static int places(void *channel) {
    return (int)(coro_channel_capacity(channel) - coro_channel_length(channel));
}

static const struct primitive sends = {
    "sends", SERVES_ONE, true, {0}, make_unbuffered, wait_to_send, grant_place, places, free_channel};
static const struct primitive sends_to_a_buffer = {
    "sends to a buffer", SERVES_ONE, true, {0}, make_full, wait_to_send, grant_place, places, free_channel};

CORO_TEST(I11_all_interleavings_of_sends) {
    check_interleavings(&sends);
}

CORO_TEST(I11_all_interleavings_of_sends_to_a_buffer) {
    check_interleavings(&sends_to_a_buffer);
}

/* -- fifos -- */

static void *make_fifo(void) {
    return coro_fifo_new(NULL);
}

static int wait_to_pop(void *fifo, int index) {
    void *items[1] = {NULL};
    int code = index == 1 ? (int)coro_fifo_pop_all(fifo, items, 1) : coro_fifo_pop(fifo, items);
    CHECK_EQ(AS_INT(items[0]), code >= 0 ? 5 : 0);
    return code;
}

static int grant_item(void *fifo) {
    CHECK_EQ(coro_fifo_push(fifo, AS_POINTER(5)), 0);
    return 1;
}

static int items(void *fifo) {
    return (int)coro_fifo_length(fifo);
}

static int free_fifo(void *fifo) {
    return coro_fifo_free(fifo);
}

static const struct primitive pops = {
    "pops", SERVES_ONE, true, {0}, make_fifo, wait_to_pop, grant_item, items, free_fifo};

CORO_TEST(I6_all_interleavings_of_pops) {
    check_interleavings(&pops);
}

/* -- selects over two channels, which are given elements in turn -- */

struct pair {
    coro_channel *channels[2];
    int turn;
};

static void *make_pair(void) {
    struct pair *pair = malloc(sizeof *pair);
    *pair = (struct pair){{make_buffered(), make_buffered()}, 0};
    return pair;
}

static int wait_for_either(void *of_pair, int index) {
    struct pair *pair = of_pair;
    int element = -1;
    coro_select_case cases[] = {receiving(pair->channels[index % 2], &element),
                                receiving(pair->channels[1 - index % 2], &element)};
    int code = coro_select(cases, 2, CORO_FOREVER);
    if (code >= 0) code = cases[code].error;
    CHECK_EQ(element, code == 0 ? 5 : -1);
    return code;
}

static int grant_to_one(void *of_pair) {
    struct pair *pair = of_pair;
    return grant_element(pair->channels[pair->turn++ % 2]);
}

static int elements_of_both(void *of_pair) {
    struct pair *pair = of_pair;
    return elements(pair->channels[0]) + elements(pair->channels[1]);
}

static int free_pair(void *of_pair) {
    struct pair *pair = of_pair;
    CHECK_EQ(coro_channel_free(pair->channels[pair->turn % 2]), 0);
    int code = coro_channel_free(pair->channels[1 - pair->turn % 2]);
    free(pair);
    return code;
}

static const struct primitive selects = {
    "selects", SERVES_ONE, true, {0}, make_pair, wait_for_either, grant_to_one, elements_of_both, free_pair};

CORO_TEST(I12_all_interleavings_of_selects) {
    check_interleavings(&selects);
}
