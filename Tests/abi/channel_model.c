/*
 * Row I11: a channel in random use, held against a model: three queues, of the elements, of those who wait to send, and of
 * those who wait to receive. After each step the model knows who has been served, and with which element.
 */
#include "coroutines.h"

enum { ACTORS = 10, STEPS = 4000 };

static unsigned next_random(unsigned *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static coro_channel *channel;

/* One call in a coroutine of its own, what became of it, and what should have. */
struct actor {
    coro_t id; /* 0: none */
    bool sends;
    int element, code;
    int64_t deadline; /* of the scope around it; CORO_FOREVER: none */
    bool is_settled;  /* the model knows its end: */
    int right_element, right_code;
};

static struct actor actors[ACTORS];

static void *act(void *of_actor) {
    struct actor *me = of_actor;
    coro_timeout_t scope = coro_timeout_begin(me->deadline == CORO_FOREVER ? CORO_FOREVER : me->deadline - coro_get_now());
    me->code = me->sends ? coro_channel_send(channel, &me->element) : coro_channel_receive(channel, &me->element);
    coro_timeout_end(scope, 0);
    return NULL;
}

/* -- the model -- */

struct queue {
    int items[ACTORS + 4], count;
};

static struct queue buffer, senders, receivers; /* elements; numbers of actors */
static int capacity;
static bool is_closed;

static void put(struct queue *queue, int item) {
    queue->items[queue->count++] = item;
}

static int take(struct queue *queue, int index) {
    int item = queue->items[index];
    memmove(queue->items + index, queue->items + index + 1, sizeof(int) * (size_t)(--queue->count - index));
    return item;
}

static void settle(int actor, int code, int element) {
    actors[actor].is_settled = true;
    actors[actor].right_code = code;
    actors[actor].right_element = element;
}

/* What a send must return, if it need not wait; else -EAGAIN. */
static int model_send(int element) {
    if (is_closed) return CORO_ECLOSED;
    if (receivers.count > 0) settle(take(&receivers, 0), 0, element);
    else if (buffer.count < capacity) put(&buffer, element);
    else return -EAGAIN;
    return 0;
}

static int model_receive(int *element) {
    if (buffer.count > 0) {
        *element = take(&buffer, 0);
        if (senders.count == 0) return 0;
        int sender = take(&senders, 0);
        put(&buffer, actors[sender].element);
        settle(sender, 0, actors[sender].element);
        return 0;
    }
    if (senders.count == 0) return is_closed ? CORO_ECLOSED : -EAGAIN;
    int sender = take(&senders, 0);
    *element = actors[sender].element;
    settle(sender, 0, *element);
    return 0;
}

static void model_leave(int actor, int code) {
    struct queue *queue = actors[actor].sends ? &senders : &receivers;
    int index = 0;
    while (queue->items[index] != actor) index++;
    take(queue, index);
    settle(actor, code, actors[actor].element);
}

static void model_close(void) {
    is_closed = true;
    while (senders.count > 0) model_leave(senders.items[0], CORO_ECLOSED);
    while (receivers.count > 0) model_leave(receivers.items[0], CORO_ECLOSED);
}

/* -- the steps -- */

static void begin_one(unsigned *random, int number, int element) {
    struct actor *actor = &actors[number];
    if (actor->id != 0) return;
    bool sends = next_random(random) % 2;
    int64_t limit = next_random(random) % 3 ? CORO_FOREVER : coro_get_now() + CORO_MS(next_random(random) % 9) + CORO_US(500);
    *actor = (struct actor){.sends = sends, .element = sends ? element : -1, .code = 1, .deadline = limit};
    int received = -1, code = sends ? model_send(element) : model_receive(&received);
    if (code == -EAGAIN) put(sends ? &senders : &receivers, number);
    else settle(number, code, sends ? element : received);
    actor->id = start_now(act, actor);
}

static void try_one(unsigned *random, int element) {
    int received = -1, right = -1;
    if (next_random(random) % 2) CHECK_EQ(coro_channel_try_send(channel, &element), model_send(element));
    else CHECK_EQ(coro_channel_try_receive(channel, &received), model_receive(&right));
    CHECK_EQ(received, right);
}

static void interrupt_one(int number) {
    struct actor *actor = &actors[number];
    if (actor->id == 0 || actor->is_settled) return;
    CHECK_EQ(coro_interrupt(actor->id, NULL), 0);
    model_leave(number, CORO_EINTERRUPTED);
}

/* Time goes on by a millisecond, and those whose time is up leave. */
static void pass_time(void) {
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    for (int i = 0; i < ACTORS; i++)
        if (actors[i].id != 0 && !actors[i].is_settled && actors[i].deadline <= coro_get_now())
            model_leave(i, CORO_EINTERRUPTED);
}

/* All have run: who has been served, and nobody else, has come to its end. */
static void compare(void) {
    coro_yield();
    for (int i = 0; i < ACTORS; i++) {
        struct actor *actor = &actors[i];
        if (actor->id == 0) continue;
        CHECK_EQ(coro_is_alive(actor->id), !actor->is_settled);
        if (!actor->is_settled) continue;
        CHECK_EQ(actor->code, actor->right_code);
        CHECK_EQ(actor->element, actor->right_element);
        CHECK_EQ(coro_join(actor->id, NULL, 0), 0);
        actor->id = 0;
    }
}

static void check_counts(void) {
    CHECK_EQ(coro_channel_length(channel), buffer.count);
    CHECK_EQ(coro_channel_senders(channel), senders.count);
    CHECK_EQ(coro_channel_receivers(channel), receivers.count);
    CHECK_EQ(coro_channel_is_closed(channel), is_closed);
}

CORO_TEST(I11_a_channel_in_random_use_does_as_the_model_says) {
    coro_test_set_virtual_time(true);
    for (int round = 0; round < 16; round++) {
        unsigned random = (unsigned)round + 1;
        capacity = round % 4;
        is_closed = false;
        buffer.count = senders.count = receivers.count = 0;
        channel = coro_channel_new(sizeof(int), (size_t)capacity);
        for (int step = 0; step < STEPS; step++) {
            unsigned what = next_random(&random) % 16;
            int number = (int)(next_random(&random) % ACTORS);
            if (what < 8) begin_one(&random, number, step);
            else if (what < 10) try_one(&random, step);
            else if (what < 11) interrupt_one(number);
            else if (what < 12) pass_time();
            else compare();
            if (step == STEPS - 100) {
                CHECK_EQ(coro_channel_close(channel), 0);
                model_close();
            }
            check_counts();
        }
        compare();
        CHECK_EQ(coro_channel_free(channel), 0);
        CHECK_EQ(coro_get_live_coros(), 1);
    }
}
