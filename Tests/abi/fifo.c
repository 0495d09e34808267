/* Row I6: fifos, queues of pointers that coroutines wait at. */
#include "coroutines.h"

#include <pthread.h>

static coro_fifo *fifo;

struct popper {
    int number, code;
    void *item;
};

static void *pop_one(void *of_popper) {
    struct popper *it = of_popper;
    it->code = coro_fifo_pop(fifo, &it->item);
    trace("%d", it->number);
    return NULL;
}

enum { POPPERS = 4 };
static struct popper poppers[POPPERS];
static coro_t ids[POPPERS];

static void start_poppers(void) {
    for (int i = 0; i < POPPERS; i++) {
        poppers[i] = (struct popper){.number = i, .code = 1};
        ids[i] = start_now(pop_one, &poppers[i]);
    }
}

static void join_popper(int i, int code, int item) {
    CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
    CHECK_EQ(poppers[i].code, code);
    CHECK_EQ(AS_INT(poppers[i].item), item);
}

static void push(int item) {
    CHECK_EQ(coro_fifo_push(fifo, AS_POINTER(item)), 0);
}

static int pop(void) {
    void *item = &item;
    CHECK_EQ(coro_fifo_pop(fifo, &item), 0);
    return AS_INT(item);
}

CORO_TEST(I6_items_come_out_as_they_went_in) {
    void *item = &item;
    fifo = coro_fifo_new(NULL);
    CHECK_EQ(coro_fifo_top(fifo, &item), -ENOENT);
    CHECK_EQ(coro_fifo_try_pop(fifo, &item), -EAGAIN);
    CHECK(item == &item);
    int next = 0;
    for (int i = 0; i < 1000; i++) { /* it grows, and goes round */
        push(i);
        if (i % 3 == 0) CHECK_EQ(pop(), next++);
    }
    CHECK_EQ(coro_fifo_length(fifo), (size_t)(1000 - next));
    CHECK_EQ(coro_fifo_top(fifo, &item), 0);
    CHECK_EQ(AS_INT(item), next);
    while (next < 1000) {
        CHECK_EQ(coro_fifo_try_pop(fifo, &item), 0);
        CHECK_EQ(AS_INT(item), next++);
    }
    CHECK_EQ(coro_fifo_length(fifo), 0);
    CHECK_EQ(coro_fifo_free(fifo), 0);
}

CORO_TEST(I6_some_go_in_front) {
    fifo = coro_fifo_new(NULL);
    for (int i = 0; i < 40; i++) {
        push(100 + i);
        CHECK_EQ(coro_fifo_push_front(fifo, AS_POINTER(99 - i)), 0);
    }
    for (int i = 60; i < 140; i++) CHECK_EQ(pop(), i);
    CHECK_EQ(coro_fifo_push(fifo, NULL), 0); /* which is an item */
    CHECK_EQ(pop(), 0);
    push(1);
    CHECK_EQ(coro_fifo_pop(fifo, NULL), 0);
    CHECK_EQ(coro_fifo_length(fifo), 0);
    CHECK_EQ(coro_fifo_free(fifo), 0);
}

CORO_TEST(I6_those_who_wait_are_served_in_the_order_they_came) {
    fifo = coro_fifo_new(NULL);
    start_poppers();
    for (int i = 0; i < POPPERS - 1; i++) push(10 + i);
    CHECK_EQ(coro_fifo_push_front(fifo, AS_POINTER(13)), 0);
    void *item;
    CHECK_EQ(coro_fifo_try_pop(fifo, &item), -EAGAIN); /* each item has its popper */
    for (int i = 0; i < POPPERS; i++) join_popper(i, 0, 10 + i);
    CHECK_STR(traced(), "0 1 2 3 ");
    CHECK_EQ(coro_fifo_free(fifo), 0);
    CHECK_EQ(coro_get_live_coros(), 1);
}

static void *pop_then_yield(void *unused) {
    void *item = NULL;
    CHECK_EQ(coro_fifo_pop(fifo, &item), 0);
    CHECK_EQ(AS_INT(item), 7);
    CHECK_EQ(coro_yield(), CORO_ESHUTDOWN);
    return unused;
}

CORO_TEST(I6_no_wake_up_is_lost_with_one_who_is_interrupted) { /* the originals: defect 12 */
    fifo = coro_fifo_new(NULL);
    coro_t first = start_now(pop_then_yield, NULL);
    start_poppers();
    push(7); /* the first has it */
    CHECK_EQ(coro_shutdown(first), 0);
    CHECK_EQ(coro_interrupt(ids[0], NULL), 0); /* this one has nothing */
    push(8);
    CHECK_EQ(coro_join(first, NULL, CORO_FOREVER), 0);
    join_popper(0, CORO_EINTERRUPTED, 0);
    join_popper(1, 0, 8);
    CHECK_EQ(coro_fifo_free(fifo), 0);
    join_popper(2, CORO_ECLOSED, 0);
    join_popper(3, CORO_ECLOSED, 0);
    CHECK_EQ(coro_get_live_coros(), 1);
}

static void *pop_three(void *unused) {
    void *items[3];
    ssize_t count = coro_fifo_pop_all(fifo, items, 3);
    for (ssize_t i = 0; i < count; i++) trace("%d", AS_INT(items[i]));
    trace("=%zd", count);
    return unused;
}

CORO_TEST(I6_all_are_popped_at_once) {
    void *items[10];
    fifo = coro_fifo_new(NULL);
    for (int i = 0; i < 5; i++) push(i);
    CHECK_EQ(coro_fifo_pop_all(fifo, items, 3), 3);
    CHECK_EQ(AS_INT(items[2]), 2);
    CHECK_EQ(coro_fifo_pop_all(fifo, items, 10), 2);
    CHECK_EQ(AS_INT(items[1]), 4);
    coro_t co = start_now(pop_three, NULL);
    CHECK_STR(traced(), ""); /* it is empty */
    for (int i = 5; i < 10; i++) push(i);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "5 6 7 =3 ");
    CHECK_EQ(coro_fifo_length(fifo), 2);
    CHECK_EQ(pop(), 8);
    CHECK_EQ(pop(), 9);
    co = start_now(pop_three, NULL);
    push(10);
    push(11);
    CHECK_EQ(coro_fifo_free(fifo), 0); /* before it runs: what it was handed is its */
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_CONTAINS(traced(), "10 =1 ");
}

CORO_TEST(I6_scopes_bound_pops) {
    coro_test_set_virtual_time(true);
    void *item;
    fifo = coro_fifo_new(NULL);
    for (int round = 0; round < 4; round++) {
        coro_timeout_t scope = coro_timeout_begin(round ? CORO_MS(5) : 0);
        int code = round % 2 ? (int)coro_fifo_pop_all(fifo, &item, 1) : coro_fifo_pop(fifo, &item);
        CHECK_EQ(code, CORO_EINTERRUPTED);
        CHECK_EQ(coro_timeout_end(scope, code), CORO_ETIMEOUT);
    }
    push(1);
    CHECK_EQ(pop(), 1);
    CHECK_EQ(coro_fifo_free(fifo), 0);
}

static void note_item(void *item) {
    trace("%d", AS_INT(item));
    CHECK_EQ(coro_yield(), CORO_EYIELDFROMMAIN);
    if (AS_INT(item) < 10) CHECK_EQ(coro_fifo_push(fifo, AS_POINTER(10)), 0); /* is dropped */
}

CORO_TEST(I6_what_is_left_is_given_back) {
    fifo = coro_fifo_new(note_item);
    for (int i = 0; i < 4; i++) push(i);
    CHECK_EQ(pop(), 0);
    CHECK_EQ(coro_fifo_free(fifo), 0);
    CHECK_STR(traced(), "1 2 3 ");
}

static void *try_from_here(void *unused) {
    CHECK_EQ(coro_fifo_push(fifo, NULL), CORO_EWRONGTHREAD);
    CHECK_CONTAINS(coro_error_detail(), "the fifo belongs to another thread");
    CHECK_EQ(coro_fifo_free(fifo), CORO_EWRONGTHREAD);
    return unused;
}

CORO_TEST(I6_bad_arguments_and_lack_of_memory_are_told) {
    void *items[2];
    CHECK_EQ(coro_fifo_push(NULL, NULL), -EINVAL);
    CHECK_EQ(coro_fifo_push_front(NULL, NULL), -EINVAL);
    CHECK_EQ(coro_fifo_pop(NULL, items), -EINVAL);
    CHECK_EQ(coro_fifo_try_pop(NULL, items), -EINVAL);
    CHECK_EQ(coro_fifo_pop_all(NULL, items, 2), -EINVAL);
    CHECK_EQ(coro_fifo_top(NULL, items), -EINVAL);
    CHECK_EQ(coro_fifo_length(NULL), 0);
    CHECK_EQ(coro_fifo_free(NULL), 0);
    coro_test_fail_call("calloc", 1, ENOMEM);
    CHECK(coro_fifo_new(NULL) == NULL);
    fifo = coro_fifo_new(NULL);
    CHECK_EQ(coro_fifo_pop_all(fifo, NULL, 2), -EINVAL);
    CHECK_EQ(coro_fifo_pop_all(fifo, items, 0), -EINVAL);
    coro_test_fail_call("calloc", 1, ENOMEM);
    CHECK_EQ(coro_fifo_push(fifo, AS_POINTER(1)), -ENOMEM);
    CHECK_EQ(coro_fifo_length(fifo), 0);
    push(2);
    CHECK_EQ(pop(), 2);
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, try_from_here, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(coro_fifo_free(fifo), 0);
}

TEST(I6_main_is_told_when_nobody_is_left) {
    void *item;
    fifo = coro_fifo_new(NULL);
    CHECK_EQ(coro_fifo_pop(fifo, &item), -EDEADLK);
    CHECK_EQ(coro_fifo_pop_all(fifo, &item, 1), -EDEADLK);
    push(3);
    CHECK_EQ(pop(), 3);
    CHECK_EQ(coro_fifo_free(fifo), 0);
}

CORO_TEST(I6_who_waits_is_described) {
    fifo = coro_fifo_new(NULL);
    coro_t co = start_now(pop_one, &poppers[0]);
    coro_info info = info_of(co);
    CHECK_EQ(info.wait_kind, CORO_WAIT_FIFO);
    CHECK_EQ(info.wait_object, (intptr_t)fifo);
    CHECK_CONTAINS(info.waiting, "popping from fifo 0x");
    push(1);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_fifo_free(fifo), 0);
}
