#include "interleavings.h"

enum { MOST_EVENTS = 4 };

/* The events: these two, and for each waiter one interruption and one end of its time. */
enum { GRANT, CLOSE, INTERRUPT, OUT_OF_TIME = INTERRUPT + MOST_WAITERS, EVENTS = OUT_OF_TIME + MOST_WAITERS };

static const int raised = -ENOLINK; /* what the interrupted are interrupted with */

/* What happens, and after which events the waiters run before the next. */
struct schedule {
    int waiters, count;
    int events[MOST_EVENTS];
    unsigned runs; /* bit i: they run after event i */
};

struct waiter {
    const struct primitive *primitive;
    void *object;
    int index;
    int64_t limit; /* of its scope; 0: no scope */
    coro_t id;
    int code;          /* of its wait */
    int later;         /* of the next suspending call */
    bool is_served, is_over, has_expired, was_raised;
};

struct run {
    const struct primitive *primitive;
    const struct schedule *schedule;
    void *object;
    struct waiter waiters[MOST_WAITERS];
    int given;
    bool is_closed;
};

/* -- saying what went wrong -- */

/* "GrI1T0C": granted, they ran, 1 interrupted, the time of 0 out, closed. */
static const char *text_of(const struct schedule *schedule) {
    static char text[8 * MOST_EVENTS];
    text[0] = 0;
    for (int i = 0; i < schedule->count; i++) {
        int event = schedule->events[i];
        char *end = text + strlen(text);
        if (event < INTERRUPT) sprintf(end, "%c", event == GRANT ? 'G' : 'C');
        else if (event < OUT_OF_TIME) sprintf(end, "I%d", event - INTERRUPT);
        else sprintf(end, "T%d", event - OUT_OF_TIME);
        if (schedule->runs >> i & 1) strcat(text, "r");
    }
    return text;
}

static void demand(bool holds, const struct run *run, const char *what, int about) {
    if (holds) return;
    const struct waiter *w = run->waiters;
    test_fail(__FILE__, __LINE__, "%s, %d waiters, %s: %s (%d; given %d, codes %d %d %d)", run->primitive->name,
              run->schedule->waiters, text_of(run->schedule), what, about, run->given, w[0].code, w[1].code, w[2].code);
}

/* -- the waiters -- */

static void *live(void *of_waiter) {
    struct waiter *me = of_waiter;
    coro_timeout_t scope = me->limit == 0 ? 0 : coro_timeout_begin(me->limit);
    me->code = me->primitive->wait(me->object, me->index);
    me->is_over = true;
    me->is_served = me->code >= 0;
    if (scope != 0) {
        me->has_expired = coro_timeout_expired(scope) == 1;
        coro_timeout_end(scope, 0);
    }
    me->later = coro_yield();
    return NULL;
}

/* Whose time runs out has a scope: the n-th event is n + 1 milliseconds from the beginning. */
static int64_t limit_of(int waiter, const struct schedule *schedule) {
    for (int i = 0; i < schedule->count; i++)
        if (schedule->events[i] == OUT_OF_TIME + waiter) return CORO_MS(i + 1);
    return 0;
}

static void start_waiters(struct run *run) {
    for (int i = 0; i < run->schedule->waiters; i++) {
        struct waiter *waiter = &run->waiters[i];
        *waiter = (struct waiter){.primitive = run->primitive, .object = run->object, .index = i};
        waiter->limit = limit_of(i, run->schedule);
        waiter->id = start_now(live, waiter);
        demand(!waiter->is_over, run, "it did not wait", i);
    }
}

/* -- the events -- */

static void *step_time(void *to) {
    coro_test_set_time(*(int64_t *)to);
    return NULL;
}

/* Returns when the timers of that time have gone off, ahead of those whom they have woken: its own is due just before. */
static void let_time_pass(int64_t to) {
    go(step_time, &to);
    coro_sleep_absolute(to - 1);
}

static void happen(struct run *run, int event, int64_t when) {
    if (event == GRANT) {
        int given = run->primitive->grant(run->object);
        demand(given >= 0, run, "the grant failed", given);
        run->given += given;
    } else if (event == CLOSE) {
        int code = run->primitive->close(run->object);
        demand(code == 0 || (code == -EBUSY && run->primitive->serves == SERVES_IN_TURN), run, "the close failed", code);
        run->is_closed = code == 0;
    } else if (event < OUT_OF_TIME) {
        struct waiter *waiter = &run->waiters[event - INTERRUPT];
        if (!waiter->is_over) waiter->was_raised = coro_raise(waiter->id, raised, 0) == 0;
    } else {
        let_time_pass(when);
    }
}

/* All run until none can. */
static void settle(void) {
    coro_sleep(CORO_MS(MOST_EVENTS + 1));
}

/* -- the outcome -- */

static int units_of(const struct run *run, int waiter) {
    int units = run->primitive->units[waiter];
    return units == 0 ? 1 : units;
}

/* Nothing is lost, as long as it is open. */
static void check_balance(const struct run *run) {
    int left = run->primitive->left(run->object), taken = 0;
    for (int i = 0; i < run->schedule->waiters; i++)
        if (run->waiters[i].is_served) taken += units_of(run, i);
    if (run->primitive->serves == SERVES_ONE) demand(run->given == taken + left, run, "lost or made up: left", left);
    if (run->primitive->serves == SERVES_IN_TURN) demand(left == (run->given > 0), run, "not given back: left", left);
    for (int i = 0; i < run->schedule->waiters; i++) {
        if (run->waiters[i].is_over) continue;
        demand(left < units_of(run, i), run, "it waits for what is there", i);
        break; /* those behind it may have to wait for it */
    }
}

static void check_waiter(const struct run *run, const struct waiter *waiter) {
    int i = waiter->index, code = waiter->code;
    demand(waiter->is_over, run, "it hangs", i);
    bool is_right = code == CORO_EINTERRUPTED ? waiter->has_expired
                    : code == raised          ? waiter->was_raised
                    : code == CORO_ECLOSED    ? run->is_closed
                                              : waiter->is_served;
    demand(is_right, run, "there is no reason for its outcome", i);
    if (waiter->has_expired) demand(code == CORO_EINTERRUPTED, run, "its time ran out and it does not say so", i);
    if (!waiter->was_raised) {
        demand(waiter->later == 0, run, "nobody interrupted it", i);
    } else if (code != raised) {
        demand(run->primitive->keeps && waiter->is_served, run, "the interruption was ignored", i);
        demand(waiter->later == raised, run, "the interruption was lost", i);
    } else {
        demand(waiter->later == 0, run, "it was interrupted twice", i);
    }
}

/* -- all of them -- */

static void perform(const struct primitive *primitive, const struct schedule *schedule) {
    struct run run = {.primitive = primitive, .schedule = schedule, .object = primitive->make()};
    int64_t start = coro_get_now();
    demand(run.object != NULL, &run, "it was not made", 0);
    start_waiters(&run);
    for (int i = 0; i < schedule->count; i++) {
        happen(&run, schedule->events[i], start + CORO_MS(i + 1));
        if (schedule->runs >> i & 1) coro_yield();
    }
    settle();
    if (!run.is_closed) {
        check_balance(&run);
        happen(&run, CLOSE, 0);
        demand(run.is_closed, &run, "it can't be closed", 0);
        settle();
    }
    for (int i = 0; i < schedule->waiters; i++) {
        check_waiter(&run, &run.waiters[i]);
        demand(coro_join(run.waiters[i].id, NULL, 0) == 0, &run, "it has not ended", i);
    }
}

static bool has_happened(const struct schedule *schedule, int event) {
    for (int i = 0; i < schedule->count; i++)
        if (schedule->events[i] == event) return true;
    return false;
}

static bool can_happen(const struct schedule *schedule, int event) {
    if (event == GRANT || event == CLOSE) return !has_happened(schedule, CLOSE); /* what is freed is not to be used */
    if (event < OUT_OF_TIME) return event - INTERRUPT < schedule->waiters;
    return event - OUT_OF_TIME < schedule->waiters && !has_happened(schedule, event);
}

/* Performs the schedule, and all that go on from it to at most `most` events. */
static void perform_from(const struct primitive *primitive, struct schedule *schedule, int most) {
    if (schedule->count > 0) perform(primitive, schedule);
    if (schedule->count == most) return;
    unsigned runs = schedule->runs;
    int last = schedule->count - 1;
    for (int event = 0; event < EVENTS; event++) {
        if (!can_happen(schedule, event)) continue;
        for (int ran = 0; ran <= (last >= 0); ran++) {
            schedule->runs = runs | (ran ? 1u << last : 0);
            schedule->events[schedule->count++] = event;
            perform_from(primitive, schedule, most);
            schedule->count--;
        }
    }
    schedule->runs = runs;
}

void check_interleavings(const struct primitive *primitive) {
    enum { SEEDS = 3 }; /* in which order those who are runnable run */
    int64_t before = coro_get_live_coros();
    coro_test_set_virtual_time(true);
    for (int waiters = 2; waiters <= MOST_WAITERS; waiters++) {
        for (uint64_t seed = 0; seed <= SEEDS; seed++) {
            struct schedule schedule = {.waiters = waiters};
            coro_test_set_order_seed(seed);
            perform_from(primitive, &schedule, seed == 0 ? MOST_EVENTS : MOST_EVENTS - 1);
        }
    }
    coro_test_set_order_seed(0);
    CHECK_EQ(coro_get_live_coros(), before);
}
