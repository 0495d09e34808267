/* Row B23: native code switches coroutines, wherever it is: in a callback of a C library that knows nothing of them. */
#include "coroutines.h"

enum { SORTERS = 5, NUMBERS = 200 };
static int comparisons[SORTERS], switches, last = -1;

struct number {
    int value, sorter;
};

/* Lets others run in the middle of the C library's qsort(). */
static int compare(const void *left, const void *right) {
    const struct number *a = left, *b = right;
    comparisons[a->sorter]++;
    CHECK_EQ(a->sorter, b->sorter); /* each sort has its own stack, and its own numbers */
    CHECK_EQ(coro_yield(), 0);
    if (last != a->sorter) switches++;
    last = a->sorter;
    return (a->value > b->value) - (a->value < b->value);
}

static void *sort(void *number) {
    struct number numbers[NUMBERS];
    for (int i = 0; i < NUMBERS; i++) numbers[i] = (struct number){i * 7919 % NUMBERS, AS_INT(number)};
    qsort(numbers, NUMBERS, sizeof *numbers, compare);
    for (int i = 0; i < NUMBERS; i++) CHECK_EQ(numbers[i].value, i);
    return number;
}

TEST(B23_callbacks_of_a_c_library_may_switch) {
    for (int i = 0; i < SORTERS; i++) go(sort, AS_POINTER(i));
    run_until_idle();
    for (int i = 0; i < SORTERS; i++) CHECK(comparisons[i] > NUMBERS);
    CHECK(switches > NUMBERS * SORTERS); /* they were at it at the same time */
}

static coro_t parked;

static int park_in_bsearch(const void *key, const void *element) {
    void *value = NULL;
    (void)key;
    CHECK_EQ(coro_park(&value), 0);
    return AS_INT(value) - *(const int *)element;
}

static void *search(void *unused) {
    const int numbers[] = {10, 20, 30, 40, 50, 60, 70};
    const int *found = bsearch(unused, numbers, 7, sizeof *numbers, park_in_bsearch);
    return AS_POINTER(found == NULL ? 0 : *found);
}

/* And so may whoever wakes them: the value goes straight into the callback. */
CORO_TEST(B23_a_callback_may_park_and_be_given_a_value) {
    void *result = NULL;
    int answers = 0;
    parked = start_now(search, NULL);
    for (; coro_is_alive(parked); answers++) {
        CHECK_EQ(coro_schedule(parked, AS_POINTER(60)), 0);
        coro_yield();
    }
    CHECK(answers >= 1 && answers <= 3);
    CHECK_EQ(coro_join(parked, &result, 0), 0);
    CHECK_EQ(AS_INT(result), 60);
}
