/*
 * Rows I1, I2 and I5: what happens to semaphores, inverted semaphores and conditions, drawn from a seed, held against a model
 * of a few lines. The model knows of one list of those who wait, and of those who were woken and have not run.
 */
#include "coroutines.h"
#include "random.h"

enum { STEPS = 3000, ROUNDS = 10, PLACES = 8 };

enum state { UNUSED, WAITING, WOKEN };

/* A coroutine that waits, and what the model knows of it. */
struct waiter {
    coro_t id;
    enum state state;
    int wants, order, code; /* what it asks for; when it came; what its wait shall return */
    bool is_granted;
    int returned; /* by its wait */
    bool has_returned;
    int later, later_returned; /* the same for its next suspending call */
};

static struct model {
    unsigned random;
    struct waiter waiters[PLACES];
    int arrivals, wakes;
    int wake_order[PLACES];
    long long level; /* available, or the value */
    coro_semaphore *semaphore;
    coro_inverted_semaphore *inverted;
    coro_condition *condition;
} m;

static struct waiter *first_waiting(void) {
    struct waiter *first = NULL;
    for (int i = 0; i < PLACES; i++) {
        struct waiter *waiter = &m.waiters[i];
        if (waiter->state == WAITING && (first == NULL || waiter->order < first->order)) first = waiter;
    }
    return first;
}

static int count_waiting(void) {
    int count = 0;
    for (int i = 0; i < PLACES; i++) count += m.waiters[i].state == WAITING;
    return count;
}

static void wake(struct waiter *waiter, int code) {
    waiter->state = WOKEN;
    waiter->code = code;
    m.wake_order[m.wakes++] = (int)(waiter - m.waiters);
}

static struct waiter *unused(void) {
    for (int i = 0; i < PLACES; i++)
        if (m.waiters[i].state == UNUSED) return &m.waiters[i];
    return NULL;
}

/* One more waits: `function` does, in a coroutine. */
static void arrive(coro_fn function, int wants) {
    struct waiter *waiter = unused();
    if (waiter == NULL) return;
    *waiter = (struct waiter){.state = WAITING, .wants = wants, .order = m.arrivals++};
    waiter->id = start_now(function, waiter);
    CHECK(!waiter->has_returned);
}

static void note_return(struct waiter *me, int code) {
    me->returned = code;
    me->has_returned = true;
    me->later_returned = coro_yield();
}

/* Interrupts one, whether it waits or was woken. */
static void interrupt_one(bool keeps) {
    struct waiter *waiter = &m.waiters[draw(&m.random, PLACES)];
    int code = -ENOLINK - draw(&m.random, 3);
    if (waiter->state == UNUSED) return;
    CHECK_EQ(coro_raise(waiter->id, code, 0), 0);
    if (waiter->state == WAITING) wake(waiter, code);
    else if (keeps && waiter->is_granted) waiter->later = code;
    else waiter->code = code;
}

/* All who were woken run, in their order; `leave` is what the model does for each. */
static void let_run(void (*leave)(struct waiter *)) {
    for (int i = 0; i < m.wakes; i++) { /* leaving may wake more */
        struct waiter *waiter = &m.waiters[m.wake_order[i]];
        if (leave != NULL) leave(waiter);
    }
    /* Passes: without one, starting a coroutine at once lets others run at last. */
    for (int i = 0; i < 4; i++) coro_yield_slice();
    for (int i = 0; i < m.wakes; i++) {
        struct waiter *waiter = &m.waiters[m.wake_order[i]];
        CHECK(waiter->has_returned);
        CHECK_EQ(waiter->returned, waiter->code);
        CHECK_EQ(waiter->later_returned, waiter->later);
        CHECK_EQ(coro_join(waiter->id, NULL, 0), 0);
        waiter->state = UNUSED;
    }
    m.wakes = 0;
    for (int i = 0; i < PLACES; i++) CHECK(!m.waiters[i].has_returned || m.waiters[i].state == UNUSED);
}

static void begin(int round) {
    memset(&m, 0, sizeof m);
    m.random = (unsigned)round + 1;
}

/* -- semaphores -- */

static void *acquire(void *of_waiter) {
    struct waiter *me = of_waiter;
    note_return(me, coro_semaphore_acquire(m.semaphore, me->wants));
    return NULL;
}

static void grant(void) {
    struct waiter *first;
    while ((first = first_waiting()) != NULL && first->wants <= m.level) {
        m.level -= first->wants;
        first->is_granted = true;
        wake(first, 0);
    }
}

static void leave_semaphore(struct waiter *waiter) {
    if (waiter->code == 0) return;
    if (waiter->is_granted) m.level += waiter->wants;
    grant();
}

static void step_semaphore(void) {
    int count = draw(&m.random, 5), what = draw(&m.random, 8);
    bool is_there = count == 0 || (m.level >= count && first_waiting() == NULL);
    if (what < 3 && !is_there) {
        arrive(acquire, count);
    } else if (what < 3) {
        bool waits = what == 0;
        CHECK_EQ(waits ? coro_semaphore_acquire(m.semaphore, count) : coro_semaphore_try_acquire(m.semaphore, count), 0);
        m.level -= count;
    } else if (what == 3) {
        CHECK_EQ(coro_semaphore_try_acquire(m.semaphore, count), is_there ? 0 : -EAGAIN);
        if (is_there) m.level -= count;
    } else if (what < 6) {
        CHECK_EQ(coro_semaphore_release(m.semaphore, count), 0);
        m.level += count;
        grant();
    } else if (what == 6) {
        interrupt_one(false);
    } else {
        let_run(leave_semaphore);
    }
    CHECK_EQ(coro_semaphore_available(m.semaphore), m.level);
    CHECK_EQ(coro_semaphore_waiting(m.semaphore), count_waiting());
}

CORO_TEST(I1_random_use_of_a_semaphore_does_as_the_model_says) {
    for (int round = 0; round < ROUNDS; round++) {
        begin(round);
        m.semaphore = coro_semaphore_new(m.level = round);
        for (int step = 0; step < STEPS; step++) step_semaphore();
        while (first_waiting() != NULL) wake(first_waiting(), CORO_ECLOSED);
        CHECK_EQ(coro_semaphore_free(m.semaphore), 0);
        let_run(NULL);
    }
}

/* -- inverted semaphores -- */

static void *wait_zero(void *of_waiter) {
    note_return(of_waiter, coro_inverted_semaphore_wait_zero(m.inverted));
    return NULL;
}

static void step_inverted(void) {
    int count = draw(&m.random, 3), what = draw(&m.random, 8);
    if (what < 2) {
        if (m.level == 0) CHECK_EQ(coro_inverted_semaphore_wait_zero(m.inverted), 0);
        else arrive(wait_zero, 0);
    } else if (what < 4) {
        CHECK_EQ(coro_inverted_semaphore_acquire(m.inverted, count), 0);
        m.level += count;
    } else if (what < 6) {
        CHECK_EQ(coro_inverted_semaphore_release(m.inverted, count), count > m.level ? CORO_ELOCK : 0);
        if (count <= m.level) m.level -= count;
        while (m.level == 0 && first_waiting() != NULL) wake(first_waiting(), 0);
    } else if (what == 6) {
        interrupt_one(false);
    } else {
        let_run(NULL);
    }
    CHECK_EQ(coro_inverted_semaphore_value(m.inverted), m.level);
}

CORO_TEST(I2_random_use_of_an_inverted_semaphore_does_as_the_model_says) {
    for (int round = 0; round < ROUNDS; round++) {
        begin(round);
        m.inverted = coro_inverted_semaphore_new(m.level = round);
        for (int step = 0; step < STEPS; step++) step_inverted();
        while (first_waiting() != NULL) wake(first_waiting(), CORO_ECLOSED);
        CHECK_EQ(coro_inverted_semaphore_free(m.inverted), 0);
        let_run(NULL);
    }
}

/* -- conditions -- */

static void *wait_for_condition(void *of_waiter) {
    void *value = &value;
    int code = coro_condition_wait(m.condition, &value);
    CHECK(value == (code == 0 ? &m : NULL));
    note_return(of_waiter, code);
    return NULL;
}

static int wake_some(int most, int code) {
    int count = 0;
    for (; count < most && first_waiting() != NULL; count++) {
        first_waiting()->is_granted = code == 0;
        wake(first_waiting(), code);
    }
    return count;
}

static void step_condition(void) {
    int what = draw(&m.random, 10), most = draw(&m.random, 4);
    if (what < 4) arrive(wait_for_condition, 0);
    else if (what == 4) CHECK_EQ(coro_condition_wake_one(m.condition, &m), wake_some(1, 0));
    else if (what == 5) CHECK_EQ(coro_condition_wake(m.condition, most, &m), wake_some(most, 0));
    else if (what == 6 && most == 0) CHECK_EQ(coro_condition_wake_all(m.condition, &m), wake_some(PLACES, 0));
    else if (what == 6 && most == 1) CHECK_EQ(coro_condition_raise_all(m.condition, -EPIPE), wake_some(PLACES, -EPIPE));
    else if (what < 9) interrupt_one(true);
    else let_run(NULL);
    CHECK_EQ(coro_condition_waiting(m.condition), count_waiting());
}

CORO_TEST(I5_random_use_of_a_condition_does_as_the_model_says) {
    for (int round = 0; round < ROUNDS; round++) {
        begin(round);
        m.condition = coro_condition_new();
        for (int step = 0; step < STEPS; step++) step_condition();
        while (first_waiting() != NULL) wake(first_waiting(), CORO_ECLOSED);
        CHECK_EQ(coro_condition_free(m.condition), 0);
        let_run(NULL);
    }
}
