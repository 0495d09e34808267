/*
 * Rows A3, A15, A17, A18, A19-A21, A23 and B6, and known bugs 63 and 64: every operation on a coroutine in every state, as one
 * table. Where it differs from Shrapnel's: join() of one that was never started is CORO_ENOTSTARTED instead of for ever;
 * shutdown() of oneself is noted instead of refused; interrupt() of an unstarted one is refused instead of starting it without
 * its exception; schedule() of one that waits for a descriptor is refused instead of ending it with a type error.
 */
#include "coroutines.h"

#include <pthread.h>

/* -- the table -- */

enum outcome {
    /* It returned 0, and: */
    nothing, /* the coroutine goes on as if nothing had been */
    starts,  /* it runs for the first time */
    resumes, /* its call returns 0, and the value that the operation gave where there is one to return */
    raised,  /* its call returns the code that was raised */
    told,    /* its call returns CORO_ESHUTDOWN */
    broken,  /* its call returns CORO_EINTERRUPTED, with the value that the operation gave */
    cancels, /* it has ended, and never runs */
    taken,   /* it had ended, or ended meanwhile, and its record is gone */
    /* It returned its argument: */
    itself,  /* and the coroutine goes on as if nothing had been */
    /* It returned this error, and the coroutine goes on as if nothing had been: */
    sched, dead, notst, wrong, nosuch, inval, timeout, dlock,
    /* It returned CORO_ESHUTDOWN, with which the coroutine ended, and: */
    tshut,   /* its record is gone */
};

enum operation {
    START, START_NOW, SCHEDULE, RAISE, RAISE_NO_FORCE, RAISE_CANCEL, RAISE_BOTH, SHUTDOWN, INTERRUPT, LOOK, JOIN, DETACH,
    OPERATIONS
};

enum state {
    /* not started */ NEW, QUEUED,
    /* waiting */ PARKED, ASLEEP, NEXT_PASS, READING, JOINING, IN_EVENT, IN_PARALLEL,
    /* runnable */ WOKEN, YIELDED, STARTER,
    /* the caller */ SELF,
    /* ended */ FINISHED, CANCELLED, CANCELLED_IN_QUEUE,
    /* no record */ JOINED, DETACHED, NEVER_GIVEN, NEGATIVE, MAIN, OTHER_THREAD, ENDED_THREAD,
    STATES
};

static const unsigned char table[STATES][OPERATIONS] = {
    /*                                           raise:                                   inter-  join:
                start    now      schedule (any)    NO_FORCE CANCEL   both     shutdown rupt    0 ns     1 s      detach */
    [NEW]     = {starts,  starts,  starts,  notst,   notst,   cancels, cancels, cancels, notst,  notst,   notst,   itself},
    [QUEUED]  = {sched,   sched,   sched,   notst,   notst,   cancels, cancels, cancels, sched,  timeout, taken,   itself},

    [PARKED]  = {sched,   sched,   resumes, raised,  raised,  raised,  raised,  told,    broken, timeout, timeout, itself},
    [ASLEEP]  = {sched,   sched,   resumes, raised,  raised,  raised,  raised,  told,    broken, timeout, timeout, itself},
    [NEXT_PASS]={sched,   sched,   resumes, raised,  raised,  raised,  raised,  told,    broken, timeout, taken,   itself},
    [READING] = {sched,   sched,   sched,   raised,  raised,  raised,  raised,  told,    broken, timeout, timeout, itself},
    [JOINING] = {sched,   sched,   sched,   raised,  raised,  raised,  raised,  told,    broken, timeout, timeout, itself},
    [IN_EVENT]= {sched,   sched,   sched,   raised,  raised,  raised,  raised,  told,    broken, timeout, timeout, itself},
    [IN_PARALLEL]={sched, sched,   sched,   raised,  raised,  raised,  raised,  told,    broken, timeout, timeout, itself},

    [WOKEN]   = {sched,   sched,   sched,   raised,  sched,   raised,  sched,   told,    sched,  timeout, taken,   itself},
    [YIELDED] = {sched,   sched,   sched,   raised,  sched,   raised,  sched,   told,    sched,  timeout, taken,   itself},
    [STARTER] = {sched,   sched,   sched,   raised,  sched,   raised,  sched,   told,    sched,  timeout, taken,   itself},
    [SELF]    = {sched,   sched,   sched,   sched,   sched,   sched,   sched,   told,    sched,  dlock,   dlock,   itself},

    [FINISHED]= {sched,   sched,   dead,    dead,    dead,    dead,    dead,    nothing, dead,   taken,   taken,   itself},
    [CANCELLED]={dead,    dead,    dead,    dead,    dead,    dead,    dead,    nothing, dead,   tshut,   tshut,   itself},
    [CANCELLED_IN_QUEUE]=
                {dead,    dead,    dead,    dead,    dead,    dead,    dead,    nothing, dead,   tshut,   tshut,   itself},

    [JOINED]  = {dead,    dead,    dead,    dead,    dead,    dead,    dead,    nothing, dead,   dead,    dead,    dead},
    [DETACHED]= {dead,    dead,    dead,    dead,    dead,    dead,    dead,    nothing, dead,   dead,    dead,    dead},
    [NEVER_GIVEN]=
                {nosuch,  nosuch,  nosuch,  nosuch,  nosuch,  nosuch,  nosuch,  nosuch,  nosuch, nosuch,  nosuch,  nosuch},
    [NEGATIVE]= {nosuch,  nosuch,  nosuch,  nosuch,  nosuch,  nosuch,  nosuch,  nosuch,  nosuch, nosuch,  nosuch,  itself},
    [MAIN]    = {inval,   inval,   sched,   inval,   inval,   inval,   inval,   inval,   inval,  inval,   inval,   inval},
    [OTHER_THREAD]=
                {wrong,   wrong,   wrong,   wrong,   wrong,   wrong,   wrong,   wrong,   wrong,  wrong,   wrong,   wrong},
    [ENDED_THREAD]=
                {dead,    dead,    dead,    dead,    dead,    dead,    dead,    nothing, dead,   dead,    dead,    dead},
};

enum { RAISED_CODE = -4711 };
static const int errors[] = {
    [sched] = CORO_ESCHEDULE, [dead] = CORO_EDEAD,   [notst] = CORO_ENOTSTARTED, [wrong] = CORO_EWRONGTHREAD,
    [nosuch] = -ESRCH,        [inval] = -EINVAL,     [timeout] = CORO_ETIMEOUT,  [dlock] = -EDEADLK,
    [tshut] = CORO_ESHUTDOWN,
};

static int64_t operate(enum operation operation, coro_t co) {
    switch (operation) {
    case START: return coro_start(co);
    case START_NOW: return coro_start_now(co);
    case SCHEDULE: return coro_schedule(co, "given");
    case RAISE: return coro_raise(co, RAISED_CODE, 0);
    case RAISE_NO_FORCE: return coro_raise(co, RAISED_CODE, CORO_NO_FORCE);
    case RAISE_CANCEL: return coro_raise(co, RAISED_CODE, CORO_CANCEL_START);
    case RAISE_BOTH: return coro_raise(co, RAISED_CODE, CORO_NO_FORCE | CORO_CANCEL_START);
    case SHUTDOWN: return coro_shutdown(co);
    case INTERRUPT: return coro_interrupt(co, "given");
    case LOOK: return coro_join(co, NULL, 0);
    case JOIN: return coro_join(co, NULL, CORO_SECONDS(1));
    case DETACH: return coro_detach(co);
    case OPERATIONS: break;
    }
    return 1;
}

/* -- one cell: the coroutine that something is done to, and what it sees -- */

static struct cell {
    enum state state;
    enum operation operation;
    coro_t co;
    int64_t returned;
    coro_info before, after; /* the operation; without struct_size: there is no record */
    bool ran, ended;
    int code; /* what its call returned */
    void *value, *interrupt_value;
} cell;

static int fds[2];
static coro_event *event;
static coro_t other; /* parked */
static coro_t of_other_thread, of_ended_thread;

static coro_info look_at(coro_t co) {
    coro_info info = {.struct_size = sizeof info};
    if (coro_get_info(co, &info) != 0) info.struct_size = 0;
    return info;
}

static void *operate_on_it(void *argument) {
    cell.before = look_at(cell.co);
    cell.returned = operate(cell.operation, cell.co);
    cell.after = look_at(cell.co);
    return argument;
}

static void *sleep_a_little(void *argument) {
    CHECK_EQ(coro_sleep(CORO_SECONDS(2)), 0);
    return argument;
}

/* What is called in the state; the operation is done meanwhile. */
static int wait_as_the_state_says(void) {
    static coro_call call = {.fn = sleep_a_little};
    char byte;
    switch (cell.state) {
    case PARKED:
    case WOKEN: return coro_park(&cell.value);
    case ASLEEP: return coro_sleep(CORO_SECONDS(1000));
    case NEXT_PASS: return coro_yield_slice();
    case READING: return (int)coro_read(fds[0], &byte, 1);
    case JOINING: return coro_join(other, NULL, CORO_FOREVER);
    case IN_EVENT: return coro_event_wait(event, &cell.value);
    case IN_PARALLEL: return coro_in_parallel(&call, 1);
    case YIELDED: return coro_yield();
    case STARTER: go(do_nothing, NULL); coro_detach(start_now(operate_on_it, NULL)); return coro_yield();
    case SELF: operate_on_it(NULL); return coro_yield();
    default: return 0;
    }
}

static void *be_target(void *argument) {
    cell.co = coro_current();
    cell.ran = true;
    cell.code = wait_as_the_state_says();
    cell.interrupt_value = coro_interrupt_value();
    /* What was to be delivered was delivered once. */
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(coro_sleep(1), 0);
    CHECK(coro_interrupt_value() == NULL);
    cell.ended = true;
    return argument;
}

static coro_t cancelled(coro_t co) {
    CHECK_EQ(coro_shutdown(co), 0);
    return co;
}

static coro_t finished(void) {
    coro_t co = coro_spawn(do_nothing, NULL);
    coro_yield();
    CHECK(info_of(co).dead);
    return co;
}

static coro_t make_target(enum state state) {
    coro_t co;
    switch (state) {
    case NEW: return coro_new(be_target, NULL, NULL);
    case QUEUED: return coro_spawn(be_target, NULL);
    case WOKEN:
        co = start_now(be_target, NULL);
        CHECK_EQ(coro_schedule(co, "woken"), 0);
        return co;
    case FINISHED: return finished();
    case CANCELLED: return cancelled(coro_new(do_nothing, NULL, NULL));
    case CANCELLED_IN_QUEUE: return cancelled(coro_spawn(do_nothing, NULL));
    case JOINED:
        co = finished();
        CHECK_EQ(coro_join(co, NULL, 0), 0);
        return co;
    case DETACHED: return coro_detach(finished());
    case NEVER_GIVEN: return coro_detach(finished()) + 1000;
    case NEGATIVE: return -1;
    case MAIN: return 0;
    case OTHER_THREAD: return of_other_thread;
    case ENDED_THREAD: return of_ended_thread;
    default: return start_now(be_target, NULL);
    }
}

/* Gives all who wait what they wait for. */
static void release(void) {
    coro_t ids[16];
    CHECK_EQ(write(fds[1], "x", 1), 1);
    coro_event_set(event, "released");
    int n = coro_all(ids, 16);
    for (int i = 0; i < n; i++) {
        if (ids[i] != coro_current()) coro_schedule(ids[i], "released");
    }
    CHECK_EQ(coro_sleep(CORO_SECONDS(5)), 0); /* virtual: everybody ends, joins with a limit too */
}

static const char *returns_when_left_alone(enum state state, int *code) {
    *code = state == READING ? 1 : 0;
    return state == WOKEN ? "woken" : state == PARKED || state == IN_EVENT ? "released" : NULL;
}

static bool is_same(const coro_info *one, const coro_info *two) {
    return one->dead == two->dead && one->started == two->started && one->scheduled == two->scheduled &&
           one->state == two->state && one->wait_kind == two->wait_kind && one->wait_object == two->wait_object;
}

/* What it was straight after the operation. */
static bool flags_are_right(enum outcome outcome) {
    const coro_info *before = &cell.before, *after = &cell.after;
    if (before->struct_size == 0) return after->struct_size == 0;
    switch (outcome) {
    case starts: return after->scheduled && !after->dead && after->started == (cell.operation == START_NOW);
    case resumes:
    case raised:
    case broken:
    case told: return cell.state == SELF ? is_same(before, after)
                                         : after->scheduled && after->started && after->wait_kind == CORO_WAIT_NONE;
    case cancels: return after->dead && !after->started && !after->scheduled && after->state == CORO_STATE_ENDED;
    case taken:
    case tshut: return after->struct_size == 0;
    case itself: return before->dead ? after->struct_size == 0 : is_same(before, after) && after->detached;
    default: return is_same(before, after) && before->detached == after->detached;
    }
}

/* What its call returned in the end. */
static bool saw_what_it_should(enum outcome outcome) {
    int code;
    const char *value = returns_when_left_alone(cell.state, &code), *interrupt_value = NULL;
    if (cell.before.struct_size == 0 || cell.before.dead) return !cell.ran;
    if (outcome == cancels) return !cell.ran;
    if (outcome == resumes && cell.state == PARKED) value = "given";
    if (outcome == raised) code = RAISED_CODE, value = NULL;
    if (outcome == told) code = CORO_ESHUTDOWN, value = NULL;
    if (outcome == broken) code = CORO_EINTERRUPTED, value = NULL, interrupt_value = "given";
    return cell.ran && cell.ended && cell.code == code && cell.value == value && cell.interrupt_value == interrupt_value;
}

static int64_t returns_afterwards(enum outcome outcome) {
    if (outcome == taken || outcome == tshut || outcome == itself) return CORO_EDEAD;
    return outcome == cancels || cell.state == CANCELLED || cell.state == CANCELLED_IN_QUEUE ? CORO_ESHUTDOWN : 0;
}

static void check_cell(enum state state, enum operation operation) {
    enum outcome outcome = table[state][operation];
    int64_t live = coro_get_live_coros();
    cell = (struct cell){.state = state, .operation = operation};
    CHECK_EQ(coro_pipe(fds, 0), 0);
    event = coro_event_new();
    other = start_now(park, NULL);
    coro_t co = make_target(state);
    if (state != STARTER && state != SELF) {
        cell.co = co;
        operate_on_it(NULL);
    }
    release();

    int64_t expected = outcome == itself ? co : outcome > itself ? errors[outcome] : 0;
    if (cell.returned != expected)
        test_fail(__FILE__, __LINE__, "state %d, operation %d: returned %lld, not %lld", state, operation,
                  (long long)cell.returned, (long long)expected);
    if (!flags_are_right(outcome))
        test_fail(__FILE__, __LINE__, "state %d, operation %d: dead %d started %d scheduled %d \"%s\"", state, operation,
                  cell.after.dead, cell.after.started, cell.after.scheduled, cell.after.waiting);
    if (!saw_what_it_should(outcome))
        test_fail(__FILE__, __LINE__, "state %d, operation %d: ran %d ended %d code %d value %s, %s", state, operation,
                  cell.ran, cell.ended, cell.code, cell.value ? (char *)cell.value : "-",
                  cell.interrupt_value ? (char *)cell.interrupt_value : "-");

    /* Nothing is left over. */
    if (cell.before.struct_size != 0) CHECK_EQ(coro_join(co, NULL, 0), returns_afterwards(outcome));
    coro_join(other, NULL, 0);
    coro_event_free(event);
    coro_close(fds[0]);
    coro_close(fds[1]);
    CHECK_EQ(coro_get_live_coros(), live);
}

/* -- coroutines of other threads -- */

static pthread_barrier_t made, leave;

static void *have_coroutine(void *of_id) {
    *(coro_t *)of_id = start_now(park, NULL);
    pthread_barrier_wait(&made);
    if (of_id == &of_ended_thread) return NULL;
    pthread_barrier_wait(&leave);
    CHECK_EQ(info_of(of_other_thread).wait_kind, CORO_WAIT_PARK); /* nobody has touched it */
    return NULL;
}

static pthread_t begin_thread(coro_t *id) {
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, have_coroutine, id), 0);
    pthread_barrier_wait(&made);
    return thread;
}

CORO_TEST(A19_every_operation_on_a_coroutine_in_every_state) {
    pthread_barrier_init(&made, NULL, 2);
    pthread_barrier_init(&leave, NULL, 2);
    pthread_t thread = begin_thread(&of_other_thread);
    pthread_join(begin_thread(&of_ended_thread), NULL);
    coro_test_set_virtual_time(true);
    check_cell(READING, SHUTDOWN); /* opens the poller */
    int open = open_descriptors();
    for (enum state state = 0; state < STATES; state++)
        for (enum operation operation = 0; operation < OPERATIONS; operation++) check_cell(state, operation);
    CHECK_EQ(open_descriptors(), open);
    pthread_barrier_wait(&leave);
    pthread_join(thread, NULL);
}
