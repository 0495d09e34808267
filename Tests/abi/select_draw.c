/* Row I12: which of several cases that can happen does. */
#include "select.h"

CORO_TEST(I12_those_who_are_ready_are_drawn_alike) {
    enum { CASES = 5, ROUNDS = 6000 };
    int counts[CASES] = {0}, element = 0;
    coro_select_case cases[CASES];
    for (int i = 0; i < CASES; i++) {
        cases[i] = receiving(coro_channel_new(sizeof(int), 1), &element);
        if (i != 1) CHECK_EQ(coro_channel_send(cases[i].object, &i), 0); /* one is never ready */
    }
    for (int round = 0; round < ROUNDS; round++) {
        int index = coro_select(cases, CASES, CORO_FOREVER);
        CHECK_EQ(element, index);
        counts[index]++;
        CHECK_EQ(coro_channel_send(cases[index].object, &index), 0);
    }
    CHECK_EQ(counts[1], 0);
    for (int i = 0; i < CASES; i++) {
        if (i != 1) CHECK(counts[i] > ROUNDS / 4 - ROUNDS / 24 && counts[i] < ROUNDS / 4 + ROUNDS / 24);
        CHECK_EQ(coro_channel_free(cases[i].object), 0);
    }
}

static coro_channel *a, *b;

/* Which of two ready cases are drawn, as bits. */
static unsigned draw_bits(uint64_t seed) {
    unsigned bits = 0;
    int element = 1;
    coro_test_set_order_seed(seed);
    coro_select_case cases[] = {sending(a, &element), sending(b, &element)};
    for (int i = 0; i < 32; i++) {
        int index = coro_try_select(cases, 2);
        bits = bits << 1 | (unsigned)index;
        CHECK_EQ(coro_channel_try_receive(index ? b : a, NULL), 0);
    }
    return bits;
}

CORO_TEST(I12_the_same_seed_draws_the_same) {
    a = coro_channel_new(sizeof(int), 1);
    b = coro_channel_new(sizeof(int), 1);
    unsigned first = draw_bits(7);
    CHECK_EQ(draw_bits(7), first);
    CHECK(draw_bits(8) != first);
    coro_test_set_order_seed(0);
    CHECK_EQ(coro_channel_free(a), 0);
    CHECK_EQ(coro_channel_free(b), 0);
}
