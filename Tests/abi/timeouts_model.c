/*
 * Rows D1-D4 and D8: nested timeout scopes drawn from a seed, held against a model that knows the times and nothing else.
 * Several coroutines at once, in virtual time, which moves only when all of them wait: so when each call returns, and with
 * what, follows from the deadlines alone.
 */
#include "coroutines.h"
#include "random.h"

enum { COROUTINES = 5, STEPS = 600, DEPTH = 12 };

/* What the model knows of a coroutine's scopes, the innermost last. */
struct model {
    unsigned random;
    int depth;
    struct {
        coro_timeout_t name;
        int64_t deadline; /* CORO_FOREVER once it has interrupted */
        bool expired;
    } scopes[DEPTH];
};

/* The scope whose time runs out first, the outermost of those that are equal; -1: none will. */
static int first_of(const struct model *model) {
    int first = -1;
    for (int i = 0; i < model->depth; i++) {
        if (model->scopes[i].deadline == CORO_FOREVER) continue;
        if (first < 0 || model->scopes[i].deadline < model->scopes[first].deadline) first = i;
    }
    return first;
}

static void begin_one(struct model *model) {
    if (model->depth == DEPTH) return;
    unsigned drawn = next_random(&model->random) % 12;
    int64_t ns = drawn == 0 ? CORO_FOREVER : drawn == 1 ? -1 : CORO_MS(drawn - 2); /* few values: many are equal */
    coro_timeout_t name = coro_timeout_begin(ns);
    CHECK(name > 0);
    model->scopes[model->depth].name = name;
    model->scopes[model->depth].deadline =
        ns == CORO_FOREVER ? CORO_FOREVER : coro_get_now() + (ns > 0 ? ns : 0);
    model->scopes[model->depth++].expired = false;
}

/* Mostly the innermost; now and then one further out, with all that are in it. */
static void end_one(struct model *model) {
    if (model->depth == 0) return;
    int index = model->depth - 1;
    if (next_random(&model->random) % 8 == 0) index = (int)(next_random(&model->random) % (unsigned)model->depth);
    CHECK_EQ(coro_timeout_end(model->scopes[index].name, 77), model->scopes[index].expired ? CORO_ETIMEOUT : 77);
    for (int i = index; i < model->depth; i++) CHECK_EQ(coro_timeout_expired(model->scopes[i].name), -EINVAL);
    model->depth = index;
}

/* A sleep, a park, or a join with a limit: each ends by itself at `end`, or is interrupted. */
static void wait_one(struct model *model, coro_t other) {
    static const int kinds[] = {CORO_EINTERRUPTED, 0, CORO_ETIMEOUT};
    unsigned kind = next_random(&model->random) % 3;
    int64_t ns = CORO_MS(next_random(&model->random) % 6), now = coro_get_now(), end = kind == 0 ? CORO_FOREVER : now + ns;
    int first = first_of(model);
    int64_t due = first < 0 ? CORO_FOREVER : model->scopes[first].deadline;
    if (kind == 0 && due == CORO_FOREVER) return; /* nobody would wake it */
    if (kind == 2 && ns == 0) return;             /* that only looks */
    int code = kind == 0 ? coro_park(NULL) : kind == 1 ? coro_sleep(ns) : coro_join(other, NULL, ns);
    if (due <= end && due <= coro_get_now()) {
        CHECK_EQ(code, CORO_EINTERRUPTED);
        CHECK_EQ(coro_get_now(), due > now ? due : now);
        model->scopes[first].expired = true;
        model->scopes[first].deadline = CORO_FOREVER;
    } else {
        CHECK_EQ(code, kinds[kind]);
        CHECK_EQ(coro_get_now(), end);
    }
}

/* Whose turn it is, without waiting for anything. */
static void yield_one(struct model *model) {
    int first = first_of(model);
    bool is_due = first >= 0 && model->scopes[first].deadline <= coro_get_now();
    CHECK_EQ(next_random(&model->random) % 2 ? coro_yield() : coro_yield_slice(), is_due ? CORO_EINTERRUPTED : 0);
    if (!is_due) return;
    model->scopes[first].expired = true;
    model->scopes[first].deadline = CORO_FOREVER;
}

static void check_queries(const struct model *model) {
    int first = first_of(model);
    CHECK_EQ(coro_timeout_deadline(), first < 0 ? CORO_FOREVER : model->scopes[first].deadline);
    for (int i = 0; i < model->depth; i++) CHECK_EQ(coro_timeout_expired(model->scopes[i].name), model->scopes[i].expired);
}

static coro_t parked;

static void *live_by_the_model(void *seed) {
    struct model model = {.random = (unsigned)AS_INT(seed)};
    for (int step = 0; step < STEPS; step++) {
        unsigned what = next_random(&model.random) % 10;
        if (what < 3) begin_one(&model);
        else if (what < 5) end_one(&model);
        else if (what < 8) wait_one(&model, parked);
        else yield_one(&model);
        check_queries(&model);
    }
    return NULL; /* with some scopes that were not ended */
}

CORO_TEST(D3_random_nested_scopes_do_as_the_model_says) {
    coro_test_set_virtual_time(true);
    parked = start_now(park, NULL);
    for (int round = 0; round < 20; round++) {
        coro_t ids[COROUTINES];
        coro_test_set_order_seed((uint64_t)(round % 2 ? round : 0));
        for (int i = 0; i < COROUTINES; i++) ids[i] = coro_spawn(live_by_the_model, AS_POINTER(1 + round * COROUTINES + i));
        for (int i = 0; i < COROUTINES; i++) CHECK_EQ(coro_join(ids[i], NULL, CORO_FOREVER), 0);
    }
    CHECK_EQ(coro_get_live_coros(), 2);
    int64_t start = coro_get_now();
    CHECK_EQ(coro_sleep(CORO_SECONDS(9)), 0);
    CHECK_EQ(coro_get_now() - start, CORO_SECONDS(9)); /* no timer is left */
}
